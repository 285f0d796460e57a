"""What a reader chose to look at: from a page's address and back, and as days."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from config.metrics import metrics
from config.years import FIRST_YEAR, LAST_YEAR
from dashboards.figures import formats
from warehouse.metrics.events import KnownEvent, anew_since
from warehouse.metrics.periods import BASELINE_WEEKS, baseline, preset, week_of
from warehouse.metrics.values import Scope, narrowest

PERIODS = {
    "now": "This week",
    "week": "Last week",
    "4w": "4 weeks",
    "12w": "12 weeks",
    "quarter": "Quarter",
    "12m": "12 months",
    "all": "All",
    "custom": "Custom",
}
ROWS = {"both": "Teams and services", "team": "Teams", "service": "Services", "system": "Systems"}
SORTS = {
    "name": "Name",
    "missed": "Most targets missed",
    **{metric.id: f"{metric.name}, worst first" for metric in metrics().values()},
}
ORDERS = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "highest": "Highest first",
    "lowest": "Lowest first",
}
LISTED = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "most": "Most changes first",
    "longest": "Longest first",
    "open": "Still open first",
}
SERIES_STEPS = {"week": "Weeks", "day": "Days", "month": "Months"}
BY = {"team": "Teams", "system": "Systems", "service": "Services"}
RANKS = {
    "missed": "Missed longest first",
    "attained": "Fewest weeks met first",
    "name": "Name",
    "metric": "Metric",
}
_CHOICES: dict[str, set[str]] = {
    "period": set(PERIODS),
    "rows": set(ROWS),
    "sort": set(SORTS),
    "metric": set(metrics()),
    "order": set(ORDERS),
    "listed": set(LISTED),
    "step": set(SERIES_STEPS),
    "by": set(BY),
    "target": set(metrics()),
    "rank": set(RANKS),
}
# days beyond these are no days that a person means, and some have none before or after them
EARLIEST, LATEST = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
_TEXTS = ("system", "team", "service", "environment", "state", "search", "row", "round")
_PAGE, _WEEK = "[1-9][0-9]{0,8}", r"\d{4}-W\d{2}"
_KEYS = {*_CHOICES, *_TEXTS, "page", "week", "from", "to"}
# of an address that somebody made up
_MOST_TOLD, _LONGEST_TOLD = 5, 80


@dataclass(frozen=True)
class Filters:
    """One view of a page; `start` and `end` (the first day after) are the days of the period `custom`.

    `by`, `target` and `rank` are about the list of targets. From `environment` on it is about the deployments or
    incidents listed: which, in what order (`listed`), from which page on, `row` is the only one shown, as "source/id".
    `round` is the survey's whose answers are counted, `week` that of a scorecard, as `2026-W46`.
    """

    period: str = "4w"
    start: date | None = None
    end: date | None = None
    system: str | None = None
    team: str | None = None
    service: str | None = None
    rows: str = "both"
    sort: str = "name"
    metric: str = "lead_time"
    order: str = "newest"
    by: str = "team"
    target: str | None = None
    rank: str = "missed"
    environment: str | None = None
    state: str | None = None
    search: str | None = None
    listed: str = "newest"
    page: int = 1
    row: str | None = None
    step: Literal["week", "day", "month"] = "week"
    round: str | None = None
    week: str | None = None

    @property
    def where(self) -> dict[str, str]:
        """The restriction as `compute` takes it."""
        chosen = {"system": self.system, "team": self.team, "service": self.service}
        return {scope: name for scope, name in chosen.items() if name is not None}

    @property
    def scope(self) -> Scope:
        """The grain of the view's own numbers: the narrowest restriction."""
        return narrowest(self.where)


def from_address(parameters: Mapping[str, str]) -> Filters:
    """The view that an address asks for; what is absent or makes no sense is the default."""
    found: dict[str, Any] = {}
    for key, known in _CHOICES.items():
        if parameters.get(key) in known:
            found[key] = parameters[key]
    for key in _TEXTS:
        if parameters.get(key):
            found[key] = parameters[key]
    if re.fullmatch(_PAGE, number := parameters.get("page", "")):
        found["page"] = int(number)
    if re.fullmatch(_WEEK, parameters.get("week", "")):
        found["week"] = parameters["week"]
    if found.get("period") == "custom":
        for field, key in (("start", "from"), ("end", "to")):
            if asked := _day(parameters.get(key, "")):
                found[field] = min(max(asked, EARLIEST), LATEST)
    return Filters(**found)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def not_understood(parameters: Mapping[str, str]) -> list[str]:
    """What of an address says nothing to `from_address`, as "period 3y"; each cut where it is long."""
    found = [key for key in parameters if key not in _KEYS]
    found += [key for key, known in _CHOICES.items() if parameters.get(key) and parameters[key] not in known]
    found += [
        key
        for key, form in (("page", _PAGE), ("week", _WEEK))
        if parameters.get(key) and not re.fullmatch(form, parameters[key])
    ]
    is_custom = parameters.get("period") == "custom"
    days = {
        key: _day(parameters[key]) if is_custom else None for key in ("from", "to") if parameters.get(key)
    }
    found += [key for key, day in days.items() if day is None]
    first, after = days.get("from"), days.get("to")
    if first and after and after <= first:
        found.append("to")
    return [f"{key} {parameters[key]}"[:_LONGEST_TOLD] for key in found[:_MOST_TOLD]]


def to_address(filters: Filters) -> dict[str, str]:
    """The address of a view: only what differs from the default, so that a link stays short."""
    default = Filters()
    kept = {
        key: getattr(filters, key)
        for key in (*_TEXTS, "week", *_CHOICES)
        if getattr(filters, key) != getattr(default, key)
    }
    if filters.page != default.page:
        kept["page"] = str(filters.page)
    if filters.period == "custom":
        days = (("from", filters.start), ("to", filters.end))
        kept |= {key: day.isoformat() for key, day in days if day is not None}
    return kept


def elsewhere(filters: Filters) -> Filters:
    """The view as other pages can show it: without what is about rows, targets, a round or a scorecard of one."""
    one_page = ("environment", "state", "search", "row", "round", "week", "target")
    cleared: dict[str, Any] = dict.fromkeys(one_page)
    return replace(filters, listed="newest", page=1, by="team", rank="missed", **cleared)


def link(page: str, filters: Filters) -> str:
    """The address of a view on another page, relative to any page; `page` "." is the overview."""
    query = urlencode(to_address(filters))
    return f"{page}?{query}" if query else page


def known(filters: Filters, names: Mapping[str, set[str]]) -> tuple[Filters, list[str]]:
    """The view without the systems, teams and services that are not among `names`, and what was dropped."""
    unknown = [scope for scope, name in filters.where.items() if name not in names[scope]]
    cleared: dict[str, Any] = dict.fromkeys(unknown)
    return replace(filters, **cleared), [f"{scope} {filters.where[scope]}" for scope in unknown]


def view_days(filters: Filters, today: date) -> tuple[date | None, date | None]:
    """(first day, first day after) of the period; None: as far as there is data. A custom one holds a day at least."""
    if filters.period == "custom":
        start, end = filters.start, filters.end
        if start and (end or today + timedelta(days=1)) <= start:
            return start, start + timedelta(days=1)
        return start, end
    return preset(filters.period, today)


def history(filters: Filters, today: date) -> tuple[date, date]:
    """The completed weeks up to the period's end and the twelve before its first day: (a Monday, a Monday)."""
    start, end = view_days(filters, today)
    last = week_of(min(end or today, today))
    first = last - timedelta(weeks=52) if start is None else min(week_of(start), last)
    return first - timedelta(weeks=BASELINE_WEEKS), last


def series_days(filters: Filters, today: date) -> tuple[date, date]:
    """The days that a metric's series shows: those of `history`, or at least a year of months to the period's last.

    That month is shown to its end or to today: cut where the period ends, it would look complete.
    """
    first, last = history(filters, today)
    if filters.step != "month":
        return first, last
    tomorrow = today + timedelta(days=1)
    ended = min(view_days(filters, today)[1] or tomorrow, tomorrow) - timedelta(days=1)
    last = min((ended.replace(day=1) + timedelta(days=32)).replace(day=1), tomorrow)
    return min(first, last - timedelta(days=365)).replace(day=1), last


def csv_name_of_view(parts: Iterable[str], view: Filters, today: date, more: Iterable[str] = ()) -> str:
    """The file name of a CSV of what a view shows, of all of it until a day where it begins nowhere."""
    start, end = view_days(view, today)
    after = end or today + timedelta(days=1)
    named = [*parts, *view.where.values(), *more]
    if start is None:
        return formats.file_name([*named, "until"], after - timedelta(days=1), after, "csv")
    return formats.file_name(named, start, after, "csv")


def days_in_words(start: date | None, end: date | None) -> str:
    """The days of the shares; None: as far as there is data."""
    if start and end:
        return formats.days(start, end)
    if start:
        return f"since {formats.day(start)}"
    return f"until {formats.day(end - timedelta(days=1))}" if end else "All that was read"


# how many rows of a table a page shows, where its CSV has all
SHOWN_ROWS = 25


def scope_name(filters: Filters, organization: str) -> str:
    """What the view's own numbers are of: "acme", "team payments", "service checkout of team payments"."""
    chosen = [
        f"{scope} {filters.where[scope]}" for scope in ("service", "team", "system") if scope in filters.where
    ]
    return " of ".join(chosen) or organization


def compared(view: Filters, today: date, events: Sequence[KnownEvent] = ()) -> str:
    """The days that the view's own are compared with: "compared with 21 Sep – 18 Oct 2026"; empty without any.

    `events` are those that the view is seen with: after some of them what is usual begins anew.
    """
    start, _ = view_days(view, today)
    days = baseline(start, anew_since(events, start)) if start else None
    return f"compared with {formats.days(*days)}" if days and days[0] < days[1] else ""
