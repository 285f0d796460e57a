"""Signal or noise: whether a metric's change is more than what its weeks always do.

Natural process limits of individual values and their moving range, with three run rules (Donald J. Wheeler,
"Understanding Variation", 1993), and for counts a difference of three standard errors between two periods.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from config.metrics import Metric, metrics
from warehouse.metrics.values import Value

BASELINE_WEEKS = 12
FEWEST_WEEKS = 6
# 3 standard deviations, of which a moving range of two has 1.128 on average
_PER_MOVING_RANGE = 2.66
_STANDARD_ERRORS = 3.0
# with fewer expected on either side a count's standard error means nothing
_FEWEST_COUNTED = 5
_HIGHEST = {"fraction": 1.0, "points": 5.0}
_LOWEST = {"points": 1.0}

Direction = Literal["up", "down"]


@dataclass(frozen=True)
class Limits:
    """Between `lower` and `upper` a week's value stays by itself; all in the metric's unit, from `n` weeks.

    They are `reach` away from the centre, or as far as the metric can go.
    """

    centre: float
    lower: float
    upper: float
    reach: float
    n: int


@dataclass(frozen=True)
class Verdict:
    """`signal` with its direction and reason, `normal` variation, or `unknown`: too little history to tell."""

    kind: Literal["signal", "normal", "unknown"]
    direction: Direction | None = None
    is_better: bool | None = None
    reason: str = ""
    limits: Limits | None = None


def usable(week: Value) -> bool:
    """Whether a week's value may be judged or judge others: complete, and of enough rows."""
    return (
        week.value is not None
        and not week.partial
        and week.status not in ("insufficient", "withheld", "unwatched")
    )


def limits(points: Sequence[float], unit: str) -> Limits | None:
    """The natural process limits of `points`, oldest first; None of fewer than six."""
    if len(points) < FEWEST_WEEKS:
        return None
    centre = math.fsum(points) / len(points)
    moving = math.fsum(abs(b - a) for a, b in pairwise(points)) / (len(points) - 1)
    reach = _PER_MOVING_RANGE * moving
    lower, upper = (
        max(centre - reach, _LOWEST.get(unit, 0.0)),
        min(centre + reach, _HIGHEST.get(unit, math.inf)),
    )
    return Limits(centre, lower, upper, reach, len(points))


def limits_before(weeks: Sequence[Value], first: date) -> Limits | None:
    """The limits that the usable ones of the twelve weeks before `first` set; `weeks` are of one metric and scope."""
    before = _before(weeks, first)
    return (
        limits([week.value for week in before if week.value is not None], before[0].unit) if before else None
    )


def assess(
    weeks: Sequence[Value],
    first: date,
    end: date,
    current: Value | None = None,
    previous: Value | None = None,
) -> Verdict:
    """Whether something changed in the days from `first` to the one before `end`, against the twelve weeks before.

    `weeks` are one metric's values of one scope by week, in any order; those that lie in the days are judged.
    `current` and `previous` are the values of the days and of as many before: counts and shares among them may differ
    by more than chance where no single week stands out. The latest signal is told.
    """
    baseline = sorted(_before(weeks, first), key=lambda week: week.period_start)
    found = limits_before(weeks, first)
    judged = sorted(
        (w for w in weeks if _is_measured(w) and w.period_start >= first and w.period_end <= end),
        key=lambda week: week.period_start,
    )
    if found is not None and judged:
        points = [week.value for week in [*baseline, *judged] if week.value is not None]
        for last in range(len(points), len(baseline), -1):
            for direction, reason in _rules(points[:last], found):
                return _signal(judged[0].metric, direction, reason, found)
    told = _difference(current, previous)
    if told is not None and current is not None:
        return _signal(current.metric, *told, found)
    return Verdict("normal" if found is not None and judged else "unknown", limits=found)


def _before(weeks: Sequence[Value], first: date) -> list[Value]:
    from_day = first - timedelta(weeks=BASELINE_WEEKS)
    return [w for w in weeks if _is_measured(w) and from_day <= w.period_start and w.period_end <= first]


def _is_measured(week: Value) -> bool:
    """Whether the week's value is usable and its own: a survey round's mean stands until the next round."""
    return usable(week) and metrics()[week.metric].fact != "responses"


def _rules(points: Sequence[float], found: Limits) -> Iterator[tuple[Direction, str]]:
    """The rules that the last of `points` breaks, the plainest first."""
    sides: tuple[tuple[Direction, float], ...] = (("up", 1.0), ("down", -1.0))
    for direction, sign in sides:
        limit = found.upper if direction == "up" else found.lower
        word = "above" if direction == "up" else "below"
        beyond = [sign * (point - found.centre) for point in points]
        rounding = 1e-9 * abs(found.centre)
        if sign * (points[-1] - limit) > rounding:
            yield direction, f"{word} the natural limits of the {found.n} weeks before"
        if len(points) >= 8 and all(distance > rounding for distance in beyond[-8:]):
            yield direction, f"eight weeks in a row {word} their average"
        # half of the uncut way: a limit that was cut off at what is possible is nearer
        half = found.reach / 2 + rounding
        near = [distance > half for distance in beyond[-4:]]
        if len(near) == 4 and near[-1] and sum(near) >= 3:
            yield direction, f"three of four weeks {word} the average, nearer to the natural limit than to it"


def _difference(current: Value | None, previous: Value | None) -> tuple[Direction, str] | None:
    """Whether two counts or shares differ by more than three standard errors of their pooled rate."""
    if (
        current is None
        or previous is None
        or current.partial
        or current.value is None
        or previous.value is None
    ):
        return None
    metric = metrics()[current.metric]
    spread = _pooled_error(metric, current, previous)
    difference = current.value - previous.value
    if spread is None or abs(difference) <= _STANDARD_ERRORS * spread:
        return None
    direction: Direction = "up" if difference > 0 else "down"
    return direction, "more than three standard errors from the period before"


def _pooled_error(metric: Metric, current: Value, previous: Value) -> float | None:
    """The standard error of the difference; None where there are too few rows or the statistic has none."""
    if current.value is None or previous.value is None:
        return None
    if metric.statistic == "share" and min(current.n, previous.n) >= metric.floor:
        share = (current.value * current.n + previous.value * previous.n) / (current.n + previous.n)
        if min(share, 1 - share) * min(current.n, previous.n) < _FEWEST_COUNTED:
            return None
        return math.sqrt(share * (1 - share) * (1 / current.n + 1 / previous.n))
    if metric.statistic == "rate" and min(current.n, previous.n) >= _FEWEST_COUNTED:
        days, days_before = current.n / current.value, previous.n / previous.value
        rate = (current.n + previous.n) / (days + days_before)
        return math.sqrt(rate / days + rate / days_before)
    return None


def _signal(metric: str, direction: Direction, reason: str, found: Limits | None) -> Verdict:
    is_better = (direction == "up") == (metrics()[metric].better == "higher")
    return Verdict("signal", direction, is_better, reason, found)
