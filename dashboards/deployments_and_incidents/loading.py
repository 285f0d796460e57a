"""What a list of deployments or incidents reads from the facts file, in one opening of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from dashboards.deployments_and_incidents import content
from dashboards.deployments_and_incidents.content import MOST_CSV_ROWS, PAGE_ROWS, Around, ListKind, ListPage
from dashboards.frame.view import Filters
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import today
from warehouse.metrics.published_facts import open_facts
from warehouse.rows.listing import counts, environments, rows


def page(warehouse: Path, kind: ListKind, view: Filters, timezone: str) -> ListPage:
    """The page that `view` asks for, with what its rows open to."""
    with open_facts(warehouse) as facts:
        found = page_of(facts, kind, view, timezone, PAGE_ROWS)
        named = tuple(environments(facts, view.where)) if kind.has_environments else ()
        return replace(found, environments=named)


def page_of(facts: Facts, kind: ListKind, view: Filters, timezone: str, size: int) -> ListPage:
    """The same from facts that are open, without environments to choose from; `size` is how many rows a page has."""
    asked = content.asked(view, today(facts))
    found = counts(facts, kind.listing, asked)
    number, pages = content.turned_to(view.page, found.total, size)
    of_page = rows(facts, kind.listing, asked, view.listed, size, (number - 1) * size) if found.total else []
    around = Around(view, timezone, kind.details(facts, of_page, view.where))
    return ListPage(
        number=number,
        pages=pages,
        counts=found,
        environments=(),
        lines=tuple(kind.line(row, around) for row in of_page),
    )


def all_listed_rows(warehouse: Path, kind: ListKind, view: Filters) -> list[dict[str, Any]]:
    """The rows of all pages in their order, at most as many as a CSV holds."""
    with open_facts(warehouse) as facts:
        asked = content.asked(view, today(facts))
        return rows(facts, kind.listing, asked, view.listed, MOST_CSV_ROWS)
