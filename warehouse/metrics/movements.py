"""What moved in a week by more than its weeks always do, by team and service."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from config.settings import Settings
from warehouse.metrics.facts import Facts
from warehouse.metrics.signals import BASELINE_WEEKS, Verdict, assess
from warehouse.metrics.values import Scope, Value, compute

_WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Movement:
    """A week's `value` that is a signal; `distance` from the centre is 1 at the natural limit."""

    value: Value
    verdict: Verdict
    distance: float


def movements(
    facts: Facts, settings: Settings, monday: date, where: Mapping[str, str] | None = None
) -> list[Movement]:
    """The signals of the week from `monday` among the teams and services that `where` leaves, the farthest first."""
    where = where or {}
    scopes: tuple[Scope, ...] = ("team", "service") if not {"team", "service"} & set(where) else ("service",)
    first = monday - BASELINE_WEEKS * _WEEK
    return moved(
        (
            value
            for by in scopes
            for value in compute(facts, settings, by, "week", first, monday + _WEEK, where)
        ),
        monday,
    )


def moved(weeks: Iterable[Value], monday: date) -> list[Movement]:
    """The signals of the week from `monday`; `weeks` are the values by week of any metrics and scopes."""
    series: dict[tuple[str, str, str], list[Value]] = {}
    for week in weeks:
        series.setdefault((week.metric, week.scope, week.name), []).append(week)
    found = []
    for of_scope in series.values():
        by_start = {week.period_start: week for week in of_scope}
        current = by_start.get(monday)
        if current is None or current.value is None:
            continue
        verdict = assess(of_scope, monday, monday + _WEEK, current, by_start.get(monday - _WEEK))
        if verdict.kind == "signal":
            found.append(Movement(current, verdict, _distance(current.value, verdict)))
    return sorted(found, key=lambda m: (-m.distance, m.value.scope, m.value.name, m.value.metric))


def _distance(value: float, verdict: Verdict) -> float:
    """How far from the centre in units of the way to the natural limit; without limits 1."""
    limits = verdict.limits
    if limits is None:
        return 1.0
    reach = limits.upper - limits.centre if value >= limits.centre else limits.centre - limits.lower
    return min(abs(value - limits.centre) / reach, 1e6) if reach > 0 and math.isfinite(reach) else 1e6
