"""The chance that the rows of some days differ from those of the weeks before by nothing but chance, by kind of metric.

Counts and shares are judged by their own distribution, times by the mean of their logarithms; all of them with a wider
spread where the weeks before vary more than that says.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from config.metrics import Metric
from warehouse.metrics.periods import BASELINE_WEEKS
from warehouse.metrics.values import Scope
from warehouse.signals.chances import counts_chance, shares_chance, t_chance, widened
from warehouse.signals.limits import FEWEST_WEEKS
from warehouse.signals.sums import Sums, added

FEWEST_EXPECTED = 5

# too few weeks before, too few events, no survey round closed in these days, days that are still running or no weeks
Unjudged = Literal["history", "few", "round", "days"]


@dataclass(frozen=True)
class Evidence:
    """`chance`: how likely a difference as large is where nothing changed; `more`: whether it is upwards.

    `affected`: how many changes, deployments, incidents or answers came out otherwise than the weeks before say.
    """

    chance: float
    more: bool
    affected: float


@dataclass(frozen=True)
class Judged:
    """`now`, the number of the days from `first` to before `end`, against `usual`, that of the baseline before.

    Both are of the metric's unit, `now` of `n` rows. `chance` is how likely such a difference is by chance, None where
    `unjudged` says why it cannot be told. `affected` is how many changes, deployments, incidents or answers came out
    otherwise than usual. `week`: that was asked for, by itself, where the days are it and the three before it. The
    baseline has `weeks_before` weeks: fewer than twelve where an event began anything anew.
    """

    metric: str
    scope: Scope
    name: str
    first: date
    end: date
    now: float | None
    usual: float | None
    n: int
    chance: float | None = None
    unjudged: Unjudged | None = None
    affected: float = 0.0
    week: "Judged | None" = None
    weeks_before: int = BASELINE_WEEKS


def judged_sums(metric: Metric, now: Sums, before: Sequence[Sums]) -> Evidence | Unjudged:
    """The evidence of the days summed up in `now` against the weeks `before`.

    `history`: fewer than six weeks have something to compare with; `few`: fewer than five events are expected.
    """
    is_count = metric.statistic == "rate"
    weeks = [week for week in before if (week.days if is_count else week.n)]
    covered = sum(week.days for week in before)
    if len(weeks) < FEWEST_WEEKS or not covered or not now.days:
        return "history"
    expected = sum(week.n for week in weeks) * now.days / covered
    if expected < FEWEST_EXPECTED or now.n < metric.floor:
        return "few"
    if is_count:
        return _counts(now, weeks, expected)
    return _shares(now, weeks) if metric.statistic == "share" else _times(now, weeks)


def _counts(now: Sums, weeks: Sequence[Sums], expected: float) -> Evidence:
    whole = added(weeks)
    chance = counts_chance(now.n, whole.n, now.days / (now.days + whole.days))
    usual = [whole.n * week.days / whole.days for week in weeks]
    spread = math.fsum((week.n - mean) ** 2 / mean for week, mean in zip(weeks, usual, strict=True))
    return Evidence(widened(chance, spread / (len(weeks) - 1)), now.n > expected, abs(now.n - expected))


def _shares(now: Sums, weeks: Sequence[Sums]) -> Evidence | Unjudged:
    whole = added(weeks)
    share = whole.counted / whole.n
    expected = share * now.n
    if expected < FEWEST_EXPECTED or now.n - expected < FEWEST_EXPECTED:
        return "few"
    chance = shares_chance(now.counted, now.n, whole.counted, whole.n)
    spread = math.fsum(
        (week.counted - share * week.n) ** 2 / (share * (1 - share) * week.n) for week in weeks
    )
    return Evidence(
        widened(chance, spread / (len(weeks) - 1)), now.counted > expected, abs(now.counted - expected)
    )


def _times(now: Sums, weeks: Sequence[Sums]) -> Evidence | Unjudged:
    if now.batches < FEWEST_EXPECTED:
        return "few"
    whole = added(weeks)
    mean, mean_before = now.logs / now.n, whole.logs / whole.n
    variance = (_squares(now, mean) + _squares(whole, mean_before)) / (now.n + whole.n)
    if variance <= 0:
        return Evidence(float(mean == mean_before), mean > mean_before, float(now.n))
    # what came in larger batches than usual says less
    size, usual_size = now.bb / now.n, whole.bb / whole.n
    error = math.sqrt(variance * (max(1.0, size / usual_size) / now.n + 1 / whole.n))
    chance = t_chance((mean - mean_before) / error, now.batches + whole.batches - 2)
    between = math.fsum(week.n * (week.logs / week.n - mean_before) ** 2 for week in weeks)
    spread = between / (len(weeks) - 1) / variance
    return Evidence(
        widened(chance, (3 + spread) / 4), mean > mean_before, now.n * -math.expm1(-abs(mean - mean_before))
    )


def _squares(of: Sums, mean: float) -> float:
    """The sum over the batches of the square of their distance from the mean, all rows of one taken together."""
    return max(0.0, of.ss - 2 * mean * of.bs + mean * mean * of.bb)
