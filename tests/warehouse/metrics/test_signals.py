"""A change is a signal only when it is more than what the weeks always do."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.metrics.signals import FEWEST_WEEKS, assess, limits, limits_before
from warehouse.metrics.values import Value

MONDAY = date(2026, 11, 9)
WEEK = timedelta(weeks=1)


def week(
    back: int, value: float | None, metric: str = "lead_time", unit: str = "seconds", n: int = 20
) -> Value:
    """The week that begins `back` weeks before MONDAY."""
    start = MONDAY - back * WEEK
    status = "none" if value is None else "value"
    return Value(metric, "team", "payments", start, start + WEEK, value, unit, n, None, status, False)


def weeks(*values: float | None, **kind: str | int) -> list[Value]:
    """Weeks whose last one begins on MONDAY, oldest first."""
    return [week(len(values) - 1 - at, value, **kind) for at, value in enumerate(values)]  # type: ignore[arg-type]


def judge_last(*values: float | None, **kind: str | int) -> str:
    found = assess(weeks(*values, **kind), MONDAY, MONDAY + WEEK)
    return f"{found.kind} {found.direction or ''}".strip()


# mean 10, moving ranges 2 2 2 2 2: limits 10 ± 2.66 × 2 = 4.68 … 15.32
STEADY = (9.0, 11.0, 9.0, 11.0, 9.0, 11.0)


def test_limits_are_the_mean_and_2_66_times_the_mean_moving_range() -> None:
    found = limits(STEADY, "seconds")
    assert found is not None
    assert (found.centre, found.lower, found.upper) == pytest.approx((10, 4.68, 15.32))


@pytest.mark.parametrize(("value", "verdict"), [(15.3, "normal"), (15.4, "signal up"), (4.6, "signal down")])
def test_a_week_is_a_signal_where_it_leaves_the_limits_of_the_weeks_before(
    value: float, verdict: str
) -> None:
    assert judge_last(*STEADY, value) == verdict


def test_the_judged_week_does_not_widen_its_own_limits() -> None:
    before = limits_before(weeks(*STEADY, 1000.0), MONDAY)
    assert before is not None
    assert before.upper == pytest.approx(15.32)


def test_eight_weeks_on_one_side_are_a_signal_though_none_leaves_the_limits() -> None:
    low, high = (6.0, 14.0, 6.0, 14.0, 6.0), (11.0,) * 7
    assert judge_last(*low, *high, 11.5) == "signal up"
    assert judge_last(*low, 8.0, *high[1:], 11.5) == "normal"


def test_three_of_four_weeks_near_a_limit_are_a_signal() -> None:
    # mean 10, limits 4.68 … 15.32: beyond 12.66 is nearer to the upper one
    before = weeks(*STEADY, 13.0, 13.0, 13.0)
    found = assess(before, MONDAY - 2 * WEEK, MONDAY + WEEK)
    assert (found.kind, found.direction) == ("signal", "up")
    assert "three of four" in found.reason


def test_weeks_are_not_near_a_limit_that_is_only_as_low_as_a_number_can_be() -> None:
    # mean 10, limits 10 ± 21.28, cut off at 0: a lead time of 1 is nearer to 0 than to 10, but within half the reach
    wide = (6.0, 14.0, 6.0, 14.0, 6.0, 14.0)
    found = assess(weeks(*wide, 1.0, 1.0, 1.0), MONDAY - 2 * WEEK, MONDAY + WEEK)
    assert found.kind == "normal"


def test_without_six_weeks_before_nothing_is_called_normal_or_a_signal() -> None:
    assert judge_last(*STEADY[1:], 1000.0) == "unknown"


def test_weeks_that_are_running_or_have_too_few_rows_are_neither_judged_nor_judge() -> None:
    running = weeks(*STEADY, 1000.0)
    running[-1] = replace(running[-1], partial=True)
    assert assess(running, MONDAY, MONDAY + WEEK).kind == "unknown"
    few = weeks(*STEADY, 10.0)
    few[0] = replace(few[0], status="insufficient")
    assert assess(few, MONDAY, MONDAY + WEEK).kind == "unknown"


def test_lower_lead_times_and_more_deployments_are_better() -> None:
    faster = assess(weeks(*STEADY, 1.0), MONDAY, MONDAY + WEEK)
    more = assess(weeks(*STEADY, 30.0, metric="deployment_frequency", unit="per day"), MONDAY, MONDAY + WEEK)
    assert (faster.is_better, more.is_better) == (True, True)
    assert assess(weeks(*STEADY, 30.0), MONDAY, MONDAY + WEEK).is_better is False


@pytest.mark.parametrize(
    ("failed", "verdict"),
    [
        (20, "unknown"),  # 20 of 200 after 10 of 200: 0.05 apart, standard error 0.0264
        (30, "signal"),  # 30 of 200: 0.10 apart, standard error 0.03
    ],
)
def test_shares_of_enough_rows_are_a_signal_beyond_three_standard_errors(failed: int, verdict: str) -> None:
    before = week(1, 10 / 200, metric="change_failure_rate", unit="fraction", n=200)
    now = week(0, failed / 200, metric="change_failure_rate", unit="fraction", n=200)
    assert assess([], MONDAY, MONDAY + WEEK, now, before).kind == verdict


def test_shares_of_few_rows_never_differ() -> None:
    before = week(1, 0.0, metric="change_failure_rate", unit="fraction", n=12)
    now = week(0, 1.0, metric="change_failure_rate", unit="fraction", n=9)
    assert assess([], MONDAY, MONDAY + WEEK, now, before).kind == "unknown"


def test_counts_a_day_differ_beyond_three_standard_errors() -> None:
    # 28 in 7 days, then 70 in 7: pooled 7 a day, standard error sqrt(7/7 + 7/7) = 1.41; 6 apart
    before = week(1, 4.0, metric="deployment_frequency", unit="per day", n=28)
    now = week(0, 10.0, metric="deployment_frequency", unit="per day", n=70)
    assert assess([], MONDAY, MONDAY + WEEK, now, before).direction == "up"
    less = week(0, 8.0, metric="deployment_frequency", unit="per day", n=56)  # 4 apart, standard error 1.31
    assert assess([], MONDAY, MONDAY + WEEK, less, before).kind == "signal"
    little = week(0, 7.0, metric="deployment_frequency", unit="per day", n=49)  # 3 apart, standard error 1.25
    assert assess([], MONDAY, MONDAY + WEEK, little, before).kind == "unknown"


@given(
    st.lists(st.floats(0, 1e6), min_size=FEWEST_WEEKS, max_size=12),
    st.floats(0, 1e6),
    st.floats(1, 1e3),
)
def test_limits_hold_their_centre_in_any_unit(before: list[float], now: float, factor: float) -> None:
    found = limits(before, "seconds")
    scaled = limits([value * factor for value in before], "seconds")
    assert found is not None and scaled is not None  # noqa: PT018
    assert scaled.upper == pytest.approx(found.upper * factor, rel=1e-6, abs=1e-6)
    assert found.lower <= found.centre <= found.upper
    # what equals every week before is never a signal
    assert judge_last(*[now] * 12, now) == "normal"
