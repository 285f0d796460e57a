"""Incidents: what broke, for how long, and which deployment it blames."""

from config.settings import Settings
from dashboards.deployments_and_incidents import incident_rows, page
from dashboards.frame import navigation
from dashboards.frame.published import Published
from dashboards.frame.state import State


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    page.show(incident_rows.INCIDENT_LIST, published, state)


if __name__ == "__main__":
    show(*navigation.given())
