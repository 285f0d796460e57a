"""The band in which single weeks stay by themselves: the natural process limits of those before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from config.metrics import metrics
from warehouse.metrics.periods import baseline
from warehouse.metrics.values import Value

FEWEST_WEEKS = 6
# 3 standard deviations, of which a moving range of two has 1.128 on average
_PER_MOVING_RANGE = 2.66
_HIGHEST = {"fraction": 1.0, "points": 5.0}
# what took seconds is not far from what took a minute
_A_MINUTE = 60.0


@dataclass(frozen=True)
class Limits:
    """Between `lower` and `upper` a week stays by itself, around `centre`; in the metric's unit, of `n` weeks."""

    centre: float
    lower: float
    upper: float
    n: int


def usable(week: Value) -> bool:
    """Whether a week's value says something by itself: complete, and of enough rows."""
    return (
        week.value is not None
        and not week.partial
        and week.status not in ("insufficient", "withheld", "unwatched")
    )


def limits(points: Sequence[float], unit: str) -> Limits | None:
    """The natural process limits of `points`, oldest first, of times those of their logarithms; None of fewer than six.

    Donald J. Wheeler, "Understanding Variation", 1993.
    """
    if len(points) < FEWEST_WEEKS:
        return None
    is_long = unit == "seconds"
    on_scale = [math.log(point + _A_MINUTE) for point in points] if is_long else list(points)
    centre = math.fsum(on_scale) / len(on_scale)
    moving = math.fsum(abs(b - a) for a, b in pairwise(on_scale)) / (len(on_scale) - 1)
    ends = [centre, centre - _PER_MOVING_RANGE * moving, centre + _PER_MOVING_RANGE * moving]
    if is_long:
        ends = [math.exp(end) - _A_MINUTE for end in ends]
    lowest, highest = (1.0 if unit == "points" else 0.0), _HIGHEST.get(unit, math.inf)
    middle, lower, upper = (min(max(end, lowest), highest) for end in ends)
    return Limits(middle, lower, upper, len(points))


def limits_before(weeks: Sequence[Value], first: date, anew: date | None = None) -> Limits | None:
    """The limits that the usable weeks of the baseline of `first` set; `weeks` are of one metric and scope.

    Those before `anew` are of another time (`warehouse.metrics.events.anew_since`).
    """
    start, end = baseline(first, anew)
    before = sorted(
        (w for w in weeks if _is_measured(w) and start <= w.period_start and w.period_end <= end),
        key=lambda week: week.period_start,
    )
    points = [week.value for week in before if week.value is not None]
    return limits(points, before[0].unit) if before else None


def _is_measured(week: Value) -> bool:
    """Whether the week's value is usable and its own: a survey round's mean stands until the next round."""
    return usable(week) and metrics()[week.metric].fact != "responses"
