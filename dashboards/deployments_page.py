"""Deployments: what reached production, what it brought, and what speaks against it."""

from config.settings import Settings
from dashboards import deployment_rows, pages, searchable
from dashboards.loading import State
from dashboards.published import Published


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    searchable.show(deployment_rows.KIND, published, state)


if __name__ == "__main__":
    show(*pages.given())
