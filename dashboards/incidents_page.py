"""Incidents: what broke, for how long, and which deployment it blames."""

from config.settings import Settings
from dashboards import incident_rows, pages, searchable
from dashboards.loading import State
from dashboards.published import Published


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    searchable.show(incident_rows.KIND, published, state)


if __name__ == "__main__":
    show(*pages.given())
