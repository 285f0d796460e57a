"""Deployments: what reached production, what it brought, and what speaks against it."""

from config.settings import Settings
from dashboards.deployments_and_incidents import deployment_rows, page
from dashboards.frame import navigation
from dashboards.frame.published import Published
from dashboards.frame.state import State


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    page.show(deployment_rows.DEPLOYMENT_LIST, published, state)


if __name__ == "__main__":
    show(*navigation.given())
