"""Days, ISO weeks and months in the configured zone, clipped to a range."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from config.errors import ConfigurationError
from warehouse.facts import Facts

Period = Literal["day", "week", "month"]


@dataclass(frozen=True)
class Bucket:
    """One period: `key` is where the whole one begins, `start` and `end` (exclusive) what the range leaves of it."""

    key: date
    start: date
    end: date


def today(facts: Facts) -> date:
    """The local day on which the facts were built."""
    return facts.as_of.astimezone(ZoneInfo(facts.timezone)).date()


def midnight(facts: Facts, day: date) -> datetime:
    """The instant at which a local day begins."""
    return datetime.combine(day, time(), ZoneInfo(facts.timezone)).astimezone(UTC)


def local(facts: Facts, instant: datetime) -> datetime:
    """An instant of the facts (naive: UTC) as the configured zone's clocks show it."""
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(facts.timezone))


def full_range(facts: Facts, start: date | None, end: date | None) -> tuple[date, date]:
    """The range asked for; by default from the first covered day to tomorrow.

    Raises ConfigurationError where it holds no day.
    """
    if start is None:
        found = facts.connection.execute("select min(day) from covered_days").fetchall()
        start = found[0][0] or today(facts)
    end = end or today(facts) + timedelta(days=1)
    if end <= start:
        raise ConfigurationError(
            f"the range from {start} to {end} holds no day; --to is the first day after it"
        )
    return start, end


def begin(day: date, period: Period | None, start: date) -> date:
    """Where the period that holds `day` begins; without a period, where the range does."""
    if period == "week":
        return day - timedelta(days=day.weekday())
    if period == "month":
        return day.replace(day=1)
    return day if period == "day" else start


def buckets(period: Period | None, start: date, end: date) -> list[Bucket]:
    """The periods of a range in order; without a period, the range itself."""
    return list(_buckets(period, start, end))


def _buckets(period: Period | None, start: date, end: date) -> Iterator[Bucket]:
    day = start
    while day < end:
        key = begin(day, period, start)
        after = {
            "day": day + timedelta(days=1),
            "week": key + timedelta(days=7),
            "month": (key + timedelta(days=32)).replace(day=1),
            None: end,
        }[period]
        yield Bucket(key, day, min(after, end))
        day = after


def key_sql(period: Period | None) -> str:
    """SQL for the key of the period that holds the column `day`; `$start` is the range's first day."""
    if period in ("week", "month"):
        return f"cast(date_trunc('{period}', f.day) as date)"
    return "f.day" if period == "day" else "cast($start as date)"


def iso_week(day: date) -> str:
    """`2026-W46` for any day of that week."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def parse_week(text: str) -> date:
    """The Monday of `2026-W46`. Raises ConfigurationError."""
    try:
        return date.fromisoformat(f"{text}-1") if "W" in text else date.fromisoformat("")
    except ValueError:
        raise ConfigurationError(f'"{text}" is not a week; write it like "2026-W46"') from None
