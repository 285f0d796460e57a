"""What the page of one metric reads from the facts beside the rows, in one opening of them."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from config.metrics import metrics
from config.settings import Settings
from config.targets import parse_target
from dashboards import filters as periods
from dashboards.filters import Filters
from warehouse.distribution import Bin, Weekday, durations, weekdays
from warehouse.facts import Facts, open_facts
from warehouse.periods import Period, full_range, today
from warehouse.stages import Stage, stages
from warehouse.unwatched import BLIND_METRICS, Unwatched, unwatched
from warehouse.values import Scope, Value, compute

# by what a number of each scope is broken down
_BELOW: dict[Scope, tuple[Scope, ...]] = {
    "organisation": ("team", "system", "service"),
    "system": ("team", "service"),
    "team": ("service",),
    "service": (),
}


@dataclass(frozen=True)
class MetricContent:
    """One metric of a view: its number now and before, by period, by what is below it, and how its rows are spread.

    `weeks` are those that the verdict on a change needs, `series` what the chart shows.
    """

    current: Value | None
    previous: Value | None
    weeks: list[Value]
    series: list[Value]
    below: dict[Scope, list[Value]]
    bins: list[Bin]
    weekdays: list[Weekday]
    stages: list[Stage]
    unwatched: dict[Scope, dict[str, Unwatched]]


def metric_content(warehouse: Path, settings: Settings, view: Filters) -> MetricContent:
    """All that the page of `view` shows beside the rows."""
    with open_facts(warehouse) as facts:
        now = today(facts)
        start, end = full_range(facts, *periods.days(view, now))
        before = periods.days_before(view, now)
        about, scope = metrics()[view.metric], view.scope

        def values(by: Scope, first: date, after: date, step: Period | None = None) -> list[Value]:
            return compute(facts, settings, by, step, first, after, view.where, [view.metric])

        def own(first: date, after: date, step: Period | None = None) -> list[Value]:
            found = values(scope, first, after, step)
            return [v for v in found if scope == "organisation" or v.name == view.where[scope]]

        current = next(iter(own(start, end)), None)
        weeks = own(*periods.history(view, now), "week")
        # people are asked by team
        scopes = [by for by in _BELOW[scope] if by == "team" or about.fact != "responses"]
        rows = (facts, about, view.where, start, end)
        return MetricContent(
            current=current,
            previous=next(iter(own(*before)), None) if before else None,
            weeks=weeks,
            series=weeks if view.step == "week" else own(*periods.span(view, now), view.step),
            below={by: values(by, start, end) for by in scopes},
            bins=durations(*rows, *_edge(current)) if about.unit == "seconds" else [],
            weekdays=weekdays(*rows) if about.statistic in ("rate", "share") else [],
            stages=stages(facts, view.where, start, end) if about.fact == "changes" else [],
            unwatched=_unwatched(facts, view, [scope, *scopes], start, end),
        )


def _edge(value: Value | None) -> tuple[float, bool]:
    """(where a bin begins, whether exactly that is in the one below): as the target parts the rows."""
    target = parse_target(value.target, metrics()[value.metric]) if value and value.target else None
    if target is None or not target.limit > 0:
        return 3600.0, False
    return target.limit, target.comparison in ("<=", ">")


def _unwatched(
    facts: Facts, view: Filters, scopes: list[Scope], start: date, end: date
) -> dict[Scope, dict[str, Unwatched]]:
    if view.metric not in BLIND_METRICS:
        return {}
    return {by: unwatched(facts, by, start, end, view.where) for by in scopes}
