"""A list of deployments or incidents as people read it: rows that open, pages, states; no Streamlit, no database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from dashboards.figures import formats
from dashboards.figures.fact_cells import Cell, Heading
from dashboards.frame.notices import Notice
from dashboards.frame.view import SHOWN_ROWS, Filters, csv_name_of_view, view_days
from warehouse.metrics.facts import Facts
from warehouse.rows.listed_details import Details
from warehouse.rows.listing import LEFT_OUT, Counts, Listing, ListQuery
from warehouse.rows.reasons import FactRow

PAGE_ROWS = SHOWN_ROWS
# a person who wants more has `sixkeys export`; a browser would have to hold it all in memory
MOST_CSV_ROWS = 100_000


@dataclass(frozen=True)
class LinePart:
    """A part of what a row opens to: `said` pairs of a name and its cell, or a table; `note` stands below."""

    title: str
    said: tuple[tuple[str, Cell], ...] = ()
    headings: tuple[Heading, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class ListLine:
    """A row: its cells below the headings, and the parts that it opens to."""

    cells: tuple[Cell, ...]
    parts: tuple[LinePart, ...]


@dataclass(frozen=True)
class Around:
    """What a row is shown in: the view, the time zone, and what belongs to the page's rows."""

    view: Filters
    timezone: str
    details: Details


@dataclass(frozen=True)
class ListKind:
    """What is listed, in words; `states` and `orders` are those of the listing that people may choose."""

    listing: Listing
    page: str
    noun: str
    states: Mapping[str, str]
    orders: Mapping[str, str]
    searched: str
    headings: tuple[Heading, ...]
    details: Callable[[Facts, Sequence[dict[str, Any]], Mapping[str, str]], Details]
    line: Callable[[FactRow, Around], ListLine]
    summary: Callable[[Counts], str]
    hint: str
    has_environments: bool = False


@dataclass(frozen=True)
class ListPage:
    """One page of a list; `number` is the one shown, which is the last one where a later one was asked for."""

    number: int
    pages: int
    counts: Counts
    environments: tuple[str, ...]
    lines: tuple[ListLine, ...]


def asked(view: Filters, today: date) -> ListQuery:
    """What a view asks the warehouse for."""
    start, end = view_days(view, today)
    source, _, name = (view.row or "").partition("/")
    return ListQuery(
        start=start,
        end=end,
        where=view.where,
        search=view.search or "",
        environment=view.environment,
        state=view.state,
        row=(source, name) if view.row else None,
    )


def turned_to(page: int, total: int, size: int = PAGE_ROWS) -> tuple[int, int]:
    """(the page to show, how many there are): `page`, or the last one where it is beyond."""
    pages = max(1, -(-total // size))
    return min(max(1, page), pages), pages


def rows_on_page(page: int, total: int, noun: str, size: int = PAGE_ROWS) -> str:
    """Which rows are on a page: "26 – 50 of 1,204 deployments"; only the count where all are."""
    if total <= size:
        return formats.plural(total, noun)
    first = (page - 1) * size + 1
    return f"{first:,} – {min(total, page * size):,} of {formats.plural(total, noun)}"


def states(kind: ListKind, counts: Counts, chosen: str | None) -> dict[str, str]:
    """The states to choose from, with how many rows are in each, then the reasons for leaving rows out."""
    found = {"": f"All {kind.noun}s"}
    found |= {state: f"{label} ({counts.states[state]:,})" for state, label in kind.states.items()}
    found |= {
        LEFT_OUT + reason: f"Left out: {reason} ({count:,})" for reason, count in counts.reasons.items()
    }
    return found if not chosen or chosen in found else found | {chosen: f"{chosen.capitalize()} (0)"}


def orders(kind: ListKind, chosen: str) -> str:
    """The order to show: the one chosen, or where this list has none such, the newest first."""
    return chosen if chosen in kind.orders else "newest"


def alone(view: Filters, source: str, name: str) -> Filters:
    """The view that shows one row, whatever the period: a link to it stays good."""
    return Filters(row=f"{source}/{name}", **view.where)  # type: ignore[arg-type]


def csv_name(organization: str, kind: ListKind, view: Filters, today: date) -> str:
    """A file name that says what is inside: `acme-deployments-payments-2026-10-19-2026-11-15.csv`."""
    return csv_name_of_view([organization, kind.page], view, today, [view.state or "", view.search or ""])


def between_cell(start: datetime | None, end: datetime | None) -> Cell:
    """How long it went from one instant to another; empty where one is not known."""
    if start is None or end is None:
        return Cell("")
    return duration_cell((end - start).total_seconds())


def instant_cell(at: datetime | None, timezone: str) -> Cell:
    """An instant (naive: UTC) on one line in local time; empty for None."""
    return Cell(formats.moment(at, timezone), title=f"{at.isoformat()}Z") if at else Cell("")


def duration_cell(seconds: float | None) -> Cell:
    """A duration in the unit that people say, the exact one on hover."""
    if seconds is None:
        return Cell(formats.MISSING)
    return Cell(formats.figure(seconds, "seconds"), title=formats.exact(seconds, "seconds"))


def known_pairs(*pairs: tuple[str, Cell]) -> tuple[tuple[str, Cell], ...]:
    """The pairs of which something is known."""
    return tuple((name, cell) for name, cell in pairs if cell.text not in ("", formats.MISSING))


def at(view: Filters, number: int) -> Filters:
    """The view at the page that is shown, which may be another than the one asked for."""
    return replace(view, page=number)


def nothing(kind: ListKind, view: Filters) -> Notice:
    """That there is no row to show, and what to change."""
    if view.row:
        return Notice(
            f"There is no such {kind.noun} here", ("It may belong to another scope, or no longer be known.",)
        )
    if view.search or view.state or view.environment:
        return Notice(
            f"No {kind.noun} matches",
            ("Choose a longer period, or fewer words, another state or all environments.",),
        )
    return Notice(
        f"There is no {kind.noun} in this period", ("Choose a longer period to look further back.",)
    )


def remark(kind: ListKind, total: int) -> str:
    """What is to be known of the table below it."""
    cut = (
        f" The CSV has the first {MOST_CSV_ROWS:,} rows; for all of them run: sixkeys export."
        if total > MOST_CSV_ROWS
        else ""
    )
    return kind.hint + cut
