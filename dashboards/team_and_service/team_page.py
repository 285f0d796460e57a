"""Team: one team's numbers, deployments, incidents and coverage."""

from dashboards.frame import navigation
from dashboards.team_and_service import page

if __name__ == "__main__":
    page.show("team", *navigation.given())
