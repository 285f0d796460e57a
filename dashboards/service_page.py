"""Service: one service's numbers, deployments, incidents and coverage."""

from dashboards import pages, profile_page

if __name__ == "__main__":
    profile_page.show("service", *pages.given())
