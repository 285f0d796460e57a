"""Teams: a row for each with its numbers against the targets, to be searched."""

from dashboards.frame import navigation
from dashboards.team_and_service import list_page

if __name__ == "__main__":
    list_page.show_list("team", *navigation.given())
