"""The rows of the list of teams or of services: those that are searched for, and what is said of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from dashboards.figures.formats import plural
from dashboards.frame.view import Filters
from dashboards.overview.heat_map import HeatMapRow
from warehouse.trust.ownership import Service


def listed_view(scope: str, view: Filters) -> Filters:
    """What a list shows of a view: of teams all of them, whatever the service."""
    return replace(view, service=None) if scope == "team" else view


def matching(rows: Iterable[HeatMapRow], services: Sequence[Service], search: str | None) -> list[HeatMapRow]:
    """The rows in whose name, team or system each word of `search` is, in their order; letter case does not matter."""
    words = (search or "").casefold().split()
    owned = {one.name: f"{one.team or ''} {one.system or ''}" for one in services}

    def said(row: HeatMapRow) -> str:
        return f"{row.name} {owned.get(row.name, '') if row.scope == 'service' else ''}".casefold()

    return [row for row in rows if all(word in said(row) for word in words)]


def of_those(rows: Iterable[HeatMapRow], names: Collection[str] | None) -> list[HeatMapRow]:
    """The rows of what is among `names`; None: all."""
    return [row for row in rows if names is None or row.name in names]


def list_headline(rows: Sequence[HeatMapRow], scope: str) -> str:
    """How many there are and how many of them miss a target: "60 teams, 12 miss a target"."""
    missing = sum(bool(row.missed) for row in rows)
    if not any(cell and cell.value.target for row in rows for cell in row.cells):
        return plural(len(rows), scope)
    misses = "misses" if missing == 1 else "miss"
    return f"{plural(len(rows), scope)}, {f'{missing:,}' if missing else 'none'} {misses} a target"
