"""How likely a difference is by chance alone: exact tails of counts and shares, Student's t, and many verdicts at once.

All but `false_discoveries` are two-sided probabilities.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

# below this a probability is as good as none, and has no quantile that a computer can tell
_LEAST = 1e-300
_NORMAL = NormalDist()


def counts_chance(now: int, before: int, part: float) -> float:
    """Of `now` events here and `before` there, where by one rate the fraction `part` of all is expected here.

    The exact conditional test of two Poisson counts: given their sum, one of them is binomial.
    """
    total = now + before
    # the tail of a binomial is an incomplete beta function
    at_least = beta_part(part, now, total - now + 1) if now else 1.0
    at_most = beta_part(1 - part, total - now, now + 1) if now < total else 1.0
    return min(1.0, 2 * min(at_least, at_most))


def shares_chance(counted: int, n: int, counted_before: int, n_before: int) -> float:
    """Of two shares, `counted` of `n` each: Fisher's exact test, twice the smaller tail."""
    total, of = counted + counted_before, n + n_before
    lowest, highest = max(0, total - n_before), min(total, n)
    every = _log_choose(of, total)
    chances = {
        k: math.exp(_log_choose(n, k) + _log_choose(n_before, total - k) - every)
        for k in range(lowest, highest + 1)
    }
    at_least = math.fsum(chance for k, chance in chances.items() if k >= counted)
    at_most = math.fsum(chance for k, chance in chances.items() if k <= counted)
    return min(1.0, 2 * min(at_least, at_most))


def t_chance(t: float, degrees: float) -> float:
    """Of a value of Student's t at least so far from zero."""
    return beta_part(degrees / (degrees + t * t), degrees / 2, 0.5)


def widened(chance: float, dispersion: float) -> float:
    """`chance` where the variance is `dispersion` times what it was computed for."""
    if dispersion <= 1 or chance >= 1:
        return chance
    distance = -_NORMAL.inv_cdf(max(chance, _LEAST) / 2) / math.sqrt(dispersion)
    return math.erfc(distance / math.sqrt(2))


def false_discoveries(chances: Sequence[float], rate: float) -> float:
    """The highest of `chances` that is still a discovery, so that at most the fraction `rate` of those is false.

    0 where none is one. Benjamini and Hochberg, "Controlling the false discovery rate", 1995.
    """
    ordered = sorted(chances)
    kept = [chance for at, chance in enumerate(ordered, 1) if chance <= rate * at / len(ordered)]
    return kept[-1] if kept else 0.0


def beta_part(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (Lentz's method)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_part(1 - x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    tiny, c = 1e-300, 1.0
    d = 1 / _nonzero(1 - (a + b) * x / (a + 1), tiny)
    found = d
    for m in range(1, 10_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _nonzero(1 + step * d, tiny)
            c = _nonzero(1 + step / c, tiny)
            found *= d * c
        if abs(d * c - 1) < 1e-12:
            break
    return min(1.0, front * found / a)


def _nonzero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
