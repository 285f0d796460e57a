"""Team: one team's numbers, deployments, incidents and coverage."""

from dashboards.frame import navigation
from dashboards.team_and_service import page as profile_page

if __name__ == "__main__":
    profile_page.show("team", *navigation.given())
