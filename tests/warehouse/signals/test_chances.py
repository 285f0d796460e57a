"""Exact chances against values worked out by hand, and many verdicts at once against the paper's example."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.signals.chances import (
    beta_part,
    counts_chance,
    false_discoveries,
    shares_chance,
    t_chance,
    widened,
)

# the 15 chances that Benjamini and Hochberg work through in 1995
PAPER = (
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("now", "before", "part", "chance"),
    [
        (0, 10, 1 / 2, 2 / 1024),  # none of ten coins
        (8, 2, 1 / 2, 2 * (45 + 10 + 1) / 1024),  # eight or more of ten
        (5, 5, 1 / 2, 1.0),
        (2, 0, 1 / 13, 2 / 169),  # both in one week of thirteen
        (0, 0, 1 / 2, 1.0),
    ],
)
def test_counts_are_judged_by_the_binomial_that_their_sum_leaves(
    now: int, before: int, part: float, chance: float
) -> None:
    assert counts_chance(now, before, part) == pytest.approx(chance)


@pytest.mark.parametrize(
    ("counted", "n", "before", "n_before", "chance"),
    [
        (3, 4, 1, 4, 2 * 17 / 70),  # Fisher's lady tasting tea
        (5, 5, 0, 5, 2 / 252),
        (0, 5, 5, 5, 2 / 252),
        (1, 10, 10, 100, 1.0),
    ],
)
def test_shares_are_judged_by_fishers_exact_test(
    counted: int, n: int, before: int, n_before: int, chance: float
) -> None:
    assert shares_chance(counted, n, before, n_before) == pytest.approx(chance)


@pytest.mark.parametrize(
    ("t", "degrees", "chance"),
    [
        (1.0, 1, 0.5),  # with one degree 1 - 2 atan(t) / pi
        (2.0, 2, 1 - 2 / math.sqrt(6)),  # with two 1 - t / sqrt(2 + t²)
        (-2.0, 2, 1 - 2 / math.sqrt(6)),
        (0.0, 7, 1.0),
        (1.959964, 1e7, 0.05),  # with many the normal distribution
    ],
)
def test_students_t_has_the_tails_that_can_be_worked_out(t: float, degrees: float, chance: float) -> None:
    assert t_chance(t, degrees) == pytest.approx(chance, abs=1e-6)


@given(st.integers(1, 60), st.floats(0.01, 0.99), st.data())
def test_the_beta_function_sums_a_binomials_tail(n: int, part: float, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, n))
    tail = math.fsum(math.comb(n, i) * part**i * (1 - part) ** (n - i) for i in range(k, n + 1))
    assert beta_part(part, k, n - k + 1) == pytest.approx(tail, rel=1e-9, abs=1e-12)


def test_a_spread_four_times_as_wide_halves_the_distance() -> None:
    # two standard deviations become one
    assert widened(0.0455003, 4) == pytest.approx(0.3173105, abs=1e-6)
    assert widened(0.0455003, 0.5) == 0.0455003
    assert 0 < widened(0.0, 2) < 1e-100


def test_false_discoveries_are_held_as_in_the_example_of_the_paper() -> None:
    # the fourth of fifteen is the last at most 4/15 of 5 %, 0.0133; Bonferroni's 0.0033 would keep three
    assert false_discoveries(PAPER, 0.05) == 0.0095
    assert false_discoveries(PAPER[::-1], 0.05) == 0.0095
    assert false_discoveries(PAPER[4:], 0.05) == 0.0
    assert false_discoveries([], 0.05) == 0.0
    # a later one may carry those before it along: 0.04 alone would be above 0.025
    assert false_discoveries([0.04, 0.045], 0.05) == 0.045
