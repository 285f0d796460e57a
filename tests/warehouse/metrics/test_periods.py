"""Days, ISO weeks and months: in Python and in SQL alike, clipped to the range, in the configured zone."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.errors import ConfigurationError
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import begin, buckets, iso_week, midnight, parse_week, today

periods: Any = st.sampled_from(("day", "week", "month", None))
dates = st.dates(date(1999, 1, 1), date(2101, 12, 31))


@given(periods, dates, st.integers(1, 800))
@example("week", date(2026, 12, 28), 14)  # week 53
@example("month", date(2028, 2, 29), 1)
@example("month", date(2026, 12, 31), 2)
def test_periods_hold_each_day_of_the_range_once_and_nothing_else(
    period: Any, start: date, days: int
) -> None:
    end = start + timedelta(days=days)
    found = buckets(period, start, end)
    assert [found[0].start, *(one.end for one in found)] == [*(one.start for one in found), end]
    for one in found:
        last = one.end - timedelta(days=1)
        assert one.start <= last
        assert begin(one.start, period, start) == begin(last, period, start)
    assert len({begin(one.start, period, start) for one in found}) == len(found)


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2026, 12, 31), "2026-W53"),
        (date(2027, 1, 3), "2026-W53"),
        (date(2027, 1, 4), "2027-W01"),
        (date(2025, 12, 29), "2026-W01"),
    ],
)
def test_a_week_belongs_to_the_year_of_its_thursday(day: date, week: str) -> None:
    assert iso_week(day) == week
    assert parse_week(week) == day - timedelta(days=day.weekday())


@pytest.mark.parametrize("text", ["2027-W53", "2026-W00", "2026-46", "2026-11-16", "W46", "", "2026-W46-1"])
def test_what_is_no_week_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match="2026-W46"):
        parse_week(text)


def facts(timezone: str, as_of: datetime) -> Facts:
    return Facts(duckdb.connect(), Path("none"), as_of, timezone, "acme")


@pytest.mark.parametrize(
    ("timezone", "day", "instant"),
    [
        ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 3, 30), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 10, 26), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        ("America/New_York", date(2026, 3, 9), datetime(2026, 3, 9, 4, tzinfo=UTC)),
        ("America/New_York", date(2026, 11, 2), datetime(2026, 11, 2, 5, tzinfo=UTC)),
    ],
)
def test_a_day_begins_at_midnight_of_the_zone(timezone: str, day: date, instant: datetime) -> None:
    assert midnight(facts(timezone, instant), day) == instant
    assert today(facts(timezone, instant)) == day
    assert today(facts(timezone, instant - timedelta(microseconds=1))) == day - timedelta(days=1)
