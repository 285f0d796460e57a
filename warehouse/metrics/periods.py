"""Days, ISO weeks and months in the configured zone, clipped to a range."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from config.errors import ConfigurationError
from config.text.quoting import quoted
from config.years import FIRST_YEAR, LAST_YEAR
from warehouse.metrics.facts import Facts

Period = Literal["day", "week", "month"]
# the periods that pages offer by name, with their completed weeks; `all` is as far as there is data
PRESETS = {"now": None, "week": 1, "4w": 4, "12w": 12, "quarter": None, "12m": 52, "all": None}
BASELINE_WEEKS = 12


@dataclass(frozen=True)
class Bucket:
    """One period: what the range leaves of it; `end` is exclusive."""

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
    """The range asked for; by default from the first covered day (the last one asked for, if earlier) to tomorrow.

    Raises ConfigurationError where it holds no day.
    """
    if start is None:
        found = facts.connection.execute("select min(day) from covered_days").fetchall()
        start = found[0][0] or today(facts)
        start = min(start, end - timedelta(days=1)) if end else start
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
        yield Bucket(day, min(after, end))
        day = after


def preset(name: str, today: date) -> tuple[date | None, date | None]:
    """(first day, first day after) of one of PRESETS; None: as far as there is data.

    Weeks are the last completed ones, so that a Monday morning compares like with like; the week of `now` and the
    quarter run to today.
    """
    if weeks := PRESETS[name]:
        return week_of(today) - timedelta(weeks=weeks), week_of(today)
    first = {"now": week_of(today), "quarter": _quarter(today)}.get(name)
    return (first, today + timedelta(days=1)) if first else (None, None)


def baseline(first: date, anew: date | None = None) -> tuple[date, date]:
    """(first day, first day after) of the weeks that days from `first` on are compared with.

    The one place that says where a baseline begins: with a whole week that lies after what made the number `anew`. Of a
    baseline without a week both are `first`.
    """
    start, week = first - timedelta(weeks=BASELINE_WEEKS), timedelta(weeks=1)
    if anew is not None and anew > start:
        start += -(-(anew - start) // week) * week
    return min(start, first), first


def week_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def _quarter(day: date) -> date:
    return day.replace(month=day.month - (day.month - 1) % 3, day=1)


def iso_week(day: date) -> str:
    """`2026-W46` for any day of that week."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def parse_week(text: str) -> date:
    """The Monday of `2026-W46`, of a week in the years that there are. Raises ConfigurationError."""
    try:
        monday = date.fromisoformat(f"{text}-1" if "W" in text else "")
    except ValueError:
        raise ConfigurationError(f'{quoted(text)} is not a week; write it like "2026-W46"') from None
    if not FIRST_YEAR <= monday.year <= LAST_YEAR:
        raise ConfigurationError(f"{text} is not in the years from {FIRST_YEAR} to {LAST_YEAR}")
    return monday
