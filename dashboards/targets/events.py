"""Events as the page of targets lists and opens them: plain values; no Streamlit, no database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from config.metrics import Metric, metrics
from dashboards.figures import formats
from dashboards.figures.event_marks import event_about
from dashboards.figures.fact_cells import followable
from dashboards.frame.view import Filters, link
from warehouse.metrics.events import EventBook, KnownEvent
from warehouse.metrics.units import figures_of
from warehouse.rows.assistance import AssistanceSide
from warehouse.rows.before_and_after import FEWEST_COMPARED, BeforeAfter, EventComparison

MOST_LISTED = 100
_TIMES = 3.0
NO_CAUSE = (
    "What it touched and what it did not touch differ, in size, in work and in what else happened to them: no cause is"
    " claimed, of a change or of none."
)
METHOD = (
    "Below each number its 95 % interval: a median’s by order statistics, a mean’s by its standard error, a share’s by"
    " Wilson’s method, a frequency’s as that of a count. A change’s is made of both numbers’. Of fewer than"
    f" {FEWEST_COMPARED} rows no figure is shown. Satisfaction is of the last round before it and the first after it."
)


@dataclass(frozen=True)
class EventLine:
    """An event in the list: `state` is what there is to know of it now, `opens` leads to its before and after."""

    days: str
    title: str
    about: str
    state: str
    address: str
    opens: str
    is_open: bool


def within_view(book: EventBook, names: Mapping[str, Collection[str]], view: Filters) -> list[KnownEvent]:
    """The events that the view shows, newest first: its own, and those of what lies within it.

    Of the whole organisation also those whose team, system or service nobody knows.
    """
    seen = {event.id for event in book.seen_with(view.where)}
    return [
        event
        for event in reversed(book.events)
        if event.id in seen or (event.scope != "organisation" and event.name in names[event.scope])
    ]


def of_nobody(book: EventBook, names: Mapping[str, Collection[str]]) -> list[KnownEvent]:
    """The events whose team, system or service is none of these, newest first."""
    return [
        event
        for event in reversed(book.events)
        if event.scope != "organisation" and event.name not in names[event.scope]
    ]


def event_lines(
    events: Sequence[KnownEvent],
    nobody_s: Collection[KnownEvent],
    taken_back: Collection[str],
    view: Filters,
    today: date,
    opens: bool,
) -> list[EventLine]:
    """A line for each event; `taken_back` are ids that are gone with the next collection."""
    return [
        EventLine(
            formats.days(event.day, event.last_day + timedelta(days=1)),
            event.title,
            event_about(event.kind, event.scope, event.name, event.resets),
            _state(event, event in nobody_s, event.id in taken_back, today),
            followable(event.url),
            link("targets", replace(view, row=event.id)) if opens else "",
            opens and view.row == event.id,
        )
        for event in events
    ]


def _state(event: KnownEvent, is_nobody_s: bool, is_taken_back: bool, today: date) -> str:
    if is_taken_back:
        return "taken back, gone with the next collection"
    if is_nobody_s:
        return f"there is no such {event.scope}, so no chart shows it"
    if event.day > today:
        return "planned"
    return "going on" if event.until and event.last_day >= today else ""


@dataclass(frozen=True)
class SideCell:
    """A number in words, its interval, and of how many rows; `is_few`: too few to show it."""

    figure: str
    interval: str
    counted: str
    is_few: bool


@dataclass(frozen=True)
class AroundRow:
    """A number before and after, and how far it went; `kind` says of which services."""

    kind: str
    before: SideCell
    after: SideCell
    change: str
    reach: str


@dataclass(frozen=True)
class AroundMetric:
    """A metric around an event: of what it touched, and beside it of what it did not touch."""

    metric: Metric
    rows: tuple[AroundRow, ...]


def around_metrics(found: EventComparison) -> list[AroundMetric]:
    """The metrics that have a row anywhere, in their order."""
    made = []
    for one in found.metrics:
        metric = metrics()[one.metric]
        pairs = [("touched", one.touched), *([("not touched", one.others)] if one.others else [])]
        if any(side.n for _, pair in pairs for side in (pair.before, pair.after)):
            made.append(AroundMetric(metric, tuple(_row(kind, pair, metric) for kind, pair in pairs)))
    return made


def _row(kind: str, pair: BeforeAfter, metric: Metric) -> AroundRow:
    return AroundRow(kind, _cell(pair.before, metric), _cell(pair.after, metric), *_change(pair, metric))


def _cell(side: AssistanceSide, metric: Metric) -> SideCell:
    counted = formats.counted(side.n, metric.fact)
    if side.middle is None or side.n < FEWEST_COMPARED:
        return SideCell("too few" if side.n else formats.MISSING, "", counted, True)
    ends = [end for end in (side.low, side.high) if end is not None]
    middle, *told = figures_of([side.middle, *ends], metric.unit)
    return SideCell(middle, " – ".join(told), counted, False)


def _change(pair: BeforeAfter, metric: Metric) -> tuple[str, str]:
    """How far it went, and the interval of that."""
    if min(pair.before.n, pair.after.n) < FEWEST_COMPARED:
        return "", ""
    change = pair.change
    if change is None:
        return formats.moved_by(pair.after.middle, pair.before.middle, metric.unit), ""
    if metric.statistic == "share":
        by, low, high = (f"{end * 100:+.1f} pp" for end in (change.by, change.low, change.high))
    else:
        by, low, high = (_ratio(end) for end in (change.by, change.low, change.high))
    return _minus(by), _minus(f"{low} to {high}")


def _ratio(ratio: float) -> str:
    """ "+12 %", "-35 %"; "4.2 times" of what is more than three times as much."""
    # no minus before nothing
    return f"{round((ratio - 1) * 100) + 0:+d} %" if ratio < _TIMES else f"{ratio:,.1f} times"


def _minus(told: str) -> str:
    return told.replace("-", "−")


def windows(found: EventComparison) -> list[str]:
    """What is compared with what, in sentences."""
    before, after = (
        formats.days(*days) if days else "no day that was read" for days in (found.before, found.after)
    )
    told = [f"Before: {before}. After: {after}."]
    if found.event.scope == "organisation":
        return [*told, "It touched the whole organisation, so there is nothing beside it to compare with."]
    touched = formats.plural(found.services, "service")
    if not found.others:
        return [*told, f"It touched {touched}, and there is none that it did not touch."]
    return [*told, f"It touched {touched}; {found.others:,} beside it were not touched."]


def around_rows(found: EventComparison) -> list[dict[str, Any]]:
    """The comparison as a CSV has it, in the metrics' own units; a change is a ratio or a difference."""
    return [
        {
            "event": found.event.title,
            "metric": one.metric,
            "unit": metrics()[one.metric].unit,
            "services": kind,
            "when": when,
            "first_day": days[0] if days else None,
            "day_after": days[1] if days else None,
            "value": side.middle,
            "low": side.low,
            "high": side.high,
            "n": side.n,
            "change": pair.change.by if pair.change and when == "after" else None,
            "change_low": pair.change.low if pair.change and when == "after" else None,
            "change_high": pair.change.high if pair.change and when == "after" else None,
        }
        for one in found.metrics
        for kind, pair in (("touched", one.touched), ("not touched", one.others))
        if pair
        for when, side, days in (("before", pair.before, found.before), ("after", pair.after, found.after))
    ]
