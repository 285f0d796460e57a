"""What the page of one metric reads from the facts: the number, how it is made up, then its rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from config.metrics import metrics
from config.settings import Settings
from config.targets import Target
from dashboards.frame import view as periods
from dashboards.frame.loading import last_known
from dashboards.frame.view import SHOWN_ROWS, Filters
from warehouse.metrics.events import KnownEvent, event_book
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import Period, full_range, today
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.target_levels import TargetLevels
from warehouse.metrics.values import Scope, Value, compute
from warehouse.rows.assistance import PARTED, AssistedWeek, ByAssistance, assisted_weeks, by_assistance
from warehouse.rows.distribution import Bin, Weekday, duration_bins, weekday_counts
from warehouse.rows.explain import Explanation, Order, all_explained_rows, explain, explain_alone
from warehouse.signals.goals import GoalProgress, goal_progress
from warehouse.signals.judging import Judged
from warehouse.signals.verdicts import judged_numbers
from warehouse.trust.unwatched import BLIND_METRICS, Unwatched, unwatched

# how many rows of each reason the page shows
SHOWN_OF_A_REASON = 5
# by what a number of each scope is broken down
_BELOW: dict[Scope, tuple[Scope, ...]] = {
    "organisation": ("team", "system", "service"),
    "system": ("team", "service"),
    "team": ("service",),
    "service": (),
}


@dataclass(frozen=True)
class MetricContent:
    """One metric of a view: its number, judged, and by period.

    `weeks` are those that the natural limits need, `series` what the chart shows, `events` what happened to the scope
    whenever it was. `explanation` has no rows yet; None: nothing matches all filters. `last_known` is a time to first
    commit from before, where these days have none.
    """

    current: Value | None
    judged: list[Judged]
    weeks: list[Value]
    series: list[Value]
    unwatched: Unwatched | None
    explanation: Explanation | None
    events: tuple[KnownEvent, ...]
    goal: GoalProgress | None = None
    last_known: Value | None = None


@dataclass(frozen=True)
class Spread:
    """How a number is made up: by what is below its scope, and by how its rows are spread."""

    below: dict[Scope, list[Value]]
    bins: list[Bin]
    weekdays: list[Weekday]
    unwatched: dict[Scope, dict[str, Unwatched]]


@dataclass(frozen=True)
class Assistance:
    """What an agent helped with beside the rest, in the days of a view, and its share in the weeks that it shows."""

    measures: list[ByAssistance]
    weeks: list[AssistedWeek]


def metric_content(warehouse: Path, settings: Settings, view: Filters) -> MetricContent:
    """The number of `view` and what comes first on its page."""
    with open_facts(warehouse) as facts:
        now = today(facts)
        start, end = full_range(facts, *periods.view_days(view, now))
        scope = view.scope

        def own(first: date, after: date, step: Period | None = None) -> list[Value]:
            found = compute(facts, settings, scope, step, first, after, view.where, [view.metric])
            return [v for v in found if scope == "organisation" or v.name == view.where[scope]]

        current = next(iter(own(start, end)), None)
        weeks = own(*periods.history(view, now), "week")
        name = current.name if current else ""
        return MetricContent(
            current=current,
            judged=_judged(facts, view, start, end),
            weeks=weeks,
            series=weeks if view.step == "week" else own(*periods.series_days(view, now), view.step),
            unwatched=_unwatched(facts, view, [scope], start, end).get(scope, {}).get(name),
            explanation=explain_alone(facts, current, view.where) if current else None,
            goal=goal_progress(facts, settings, scope, view.where, [view.metric]).get((view.metric, name)),
            events=event_book(facts).seen_with(view.where),
            last_known=last_known(facts, settings, scope, view.where, end, [current]).get(name)
            if current
            else None,
        )


def _judged(facts: Facts, view: Filters, start: date, end: date) -> list[Judged]:
    """The view's number, judged; none where its period begins nowhere, or it has no such number."""
    if view.period == "all" or (view.period == "custom" and not view.start):
        return []
    found = judged_numbers(facts, view.scope, start, end, view.where, [view.metric])
    return [
        one for one in found.values() if view.scope == "organisation" or one.name == view.where[view.scope]
    ]


def spread(warehouse: Path, settings: Settings, view: Filters) -> Spread:
    """How the number of `view` is made up."""
    about, scope = metrics()[view.metric], view.scope
    with open_facts(warehouse) as facts:
        target = TargetLevels(facts.connection, settings).target(
            view.metric, scope, view.where.get(scope, "")
        )
        start, end = full_range(facts, *periods.view_days(view, today(facts)))
        rows = (facts, about, view.where, start, end)
        # people are asked by team
        scopes = [by for by in _BELOW[scope] if by == "team" or about.fact != "responses"]
        return Spread(
            below={
                by: compute(facts, settings, by, None, start, end, view.where, [view.metric]) for by in scopes
            },
            bins=duration_bins(*rows, *_edge(target)) if about.unit == "seconds" else [],
            weekdays=weekday_counts(*rows) if about.statistic in ("rate", "share") else [],
            unwatched=_unwatched(facts, view, scopes, start, end),
        )


def assistance(warehouse: Path, settings: Settings, view: Filters) -> Assistance:
    """Either kind of work of the number of `view`; empty for a metric that is not told so."""
    if view.metric not in PARTED:
        return Assistance([], [])
    metric = metrics()[view.metric]
    with open_facts(warehouse) as facts:
        now = today(facts)
        start, end = full_range(facts, *periods.view_days(view, now))
        return Assistance(
            by_assistance(facts, metric, view.where, start, end),
            assisted_weeks(facts, metric, view.where, *periods.history(view, now)),
        )


def rows_behind(warehouse: Path, settings: Settings, view: Filters) -> Explanation:
    """The first rows of the number of `view`, and of those left out for each reason."""
    order: Order = view.order  # type: ignore[assignment]
    with open_facts(warehouse) as facts:
        days = periods.view_days(view, today(facts))
        return explain(facts, settings, view.metric, view.where, *days, order, SHOWN_ROWS, SHOWN_OF_A_REASON)


def _edge(target: Target | None) -> tuple[float, bool]:
    """(where a bin begins, whether exactly that is in the one below): as the target parts the rows."""
    if target is None or not target.limit > 0:
        return 3600.0, False
    return target.limit, target.comparison in ("<=", ">")


def _unwatched(
    facts: Facts, view: Filters, scopes: list[Scope], start: date, end: date
) -> dict[Scope, dict[str, Unwatched]]:
    if view.metric not in BLIND_METRICS:
        return {}
    return {by: unwatched(facts, by, start, end, view.where) for by in scopes}


def explained_rows(warehouse: Path, settings: Settings, filters: Filters) -> Iterator[dict[str, Any]]:
    """All rows of the number that `filters` ask for, as they are read."""
    with open_facts(warehouse) as facts:
        start, end = periods.view_days(filters, today(facts))
        yield from all_explained_rows(facts, settings, filters.metric, filters.where, start, end)
