"""The archive of published scorecards as people read it; no Streamlit, no database."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dashboards.figures import formats
from dashboards.frame.view import Filters, link, narrowed_to
from warehouse.scorecards.archive import ArchivedScorecard, Restated
from warehouse.scorecards.due_weeks import FirstDelivery

ARCHIVE_PAGE = "scorecards"
WEEKS_SHOWN = 12
FORMS = {
    "html": ("HTML", "text/html"),
    "md": ("Markdown", "text/markdown"),
    "txt": ("Text", "text/plain"),
    "json": ("JSON", "application/json"),
}


@dataclass(frozen=True)
class WeekCell:
    """A scorecard in the grid: "3 of 5", where it is, and what a tooltip says; `is_open` where it is shown now."""

    text: str
    address: str
    tooltip: str
    is_open: bool


@dataclass(frozen=True)
class ScopeLine:
    """The scorecards of a scope, a cell a week, None where none was published."""

    name: str
    scope: str
    cells: tuple[WeekCell | None, ...]


@dataclass(frozen=True)
class RestatedNumber:
    """A number that was restated: as it was told and as it was told later, with the reasons and their addresses."""

    metric: str
    was: str
    became: str
    told_in: str
    address: str
    why: tuple[tuple[str, str], ...]


def announcement(first: FirstDelivery) -> str:
    """When the first scorecard leaves by itself, of which week, and how to send one earlier."""
    week = f"{first.monday.day} {first.monday:%B}"
    return (
        f"The first scorecard leaves on {formats.weekday(first.leaves_at.date())}, for the week of {week};"
        ' "sixkeys scorecard --send" sends earlier'
    )


def shown_scorecard(entries: Sequence[ArchivedScorecard], view: Filters) -> ArchivedScorecard | None:
    """The entry that the view asks for: its scope's of its week, else of its last week; None where there is none."""
    scope = view.scope if view.scope != "service" else "organisation"
    of_scope = [
        one
        for one in entries
        if one.scope == scope and (scope == "organisation" or one.name == view.where[scope])
    ]
    of_week = (one for one in of_scope if one.week == view.week)
    return next(of_week, None if view.week else next(iter(of_scope), None))


def grid(
    entries: Iterable[ArchivedScorecard], view: Filters, open_one: ArchivedScorecard | None, timezone: str
) -> tuple[list[str], list[ScopeLine]]:
    """(the weeks, newest first; a line for each scope): the twelve weeks up to the one that is open, or the last."""
    entries = list(entries)
    weeks = sorted({one.week for one in entries}, reverse=True)
    at = weeks.index(open_one.week) if open_one else 0
    first = 0 if at < WEEKS_SHOWN else at
    weeks = weeks[first : first + WEEKS_SHOWN]
    by_scope: dict[tuple[str, str], dict[str, ArchivedScorecard]] = {}
    for one in entries:
        by_scope.setdefault((one.scope, one.name), {})[one.week] = one
    lines = [
        ScopeLine(
            name,
            "" if scope == "organisation" else scope,
            tuple(_cell(of_scope.get(week), view, open_one, timezone) for week in weeks),
        )
        for (scope, name), of_scope in by_scope.items()
    ]
    return weeks, lines


def _cell(
    entry: ArchivedScorecard | None, view: Filters, open_one: ArchivedScorecard | None, timezone: str
) -> WeekCell | None:
    if entry is None:
        return None
    published = f"published {formats.instant(entry.published_at, timezone)}"
    restated = f", restates {formats.plural(entry.restated, 'earlier number')}" if entry.restated else ""
    return WeekCell(
        f"{entry.met} of {entry.judged}",
        scorecard_address(view, entry.scope, entry.name, entry.week),
        f"{formats.plural(entry.judged, 'target')}, {entry.met} met; {published}{restated}",
        entry == open_one,
    )


def scorecard_address(view: Filters, scope: str, name: str, week: str) -> str:
    """Where a scorecard of the archive is."""
    return link(
        ARCHIVE_PAGE,
        replace(narrowed_to(view, *((scope, name) if scope != "organisation" else ())), week=week),
    )


def changes(restated: Iterable[Restated], entry: ArchivedScorecard, view: Filters) -> list[RestatedNumber]:
    """What was said later of the numbers of a scorecard."""
    return [
        RestatedNumber(
            one.content["name"],
            _number(one.content, "old"),
            _number(one.content, "new"),
            one.told_in,
            scorecard_address(view, entry.scope, entry.name, one.told_in),
            tuple((why["text"], _http(why.get("url"))) for why in one.content["why"]),
        )
        for one in restated
    ]


def _number(restatement: dict, which: str) -> str:
    found = restatement[which]
    return f"{formats.figure(found['value'], restatement['unit'])} (n {found['n']:,})"


def _http(url: str | None) -> str:
    return url if url and re.match(r"https?://", url) else ""


def body_of_page(html: str) -> str:
    """A scorecard's HTML without its head and its style sheet, to stand within a page that has a title."""
    html = re.sub(r"(?s)^.*<body[^>]*>|</body>.*$", "", html)
    return html.replace("<h1 ", "<h2 ").replace("</h1>", "</h2>")


def form_file_name(entry: ArchivedScorecard, form: str) -> str:
    """What a downloaded form is called: `team-payments-2026-W46.html`."""
    plain = re.sub(r"[^a-z0-9]+", "-", entry.name.lower()).strip("-")[:60] or "scorecard"
    return f"{entry.scope}-{plain}-{entry.week}.{form}"
