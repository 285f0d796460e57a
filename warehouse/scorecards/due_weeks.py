"""Which week's scorecards are due, and which are the first to leave by themselves."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import local, week_of

_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class FirstDelivery:
    """The Monday of the first week whose scorecards leave by themselves, and when they do, in the local zone."""

    monday: date
    leaves_at: datetime


def due(cron: str, timezone: str, now: datetime) -> date | None:
    """The Monday of the last complete week if one of the schedule's times has passed since it ended, else None.

    A week whose time was missed is due until the next one is complete.
    """
    zone = ZoneInfo(timezone)
    end = week_of(now.astimezone(zone).date())
    fire = _first_time(cron, zone, end)
    # of two instants in one zone Python compares the clocks, which a change to summer time leaves an hour wrong
    return end - _WEEK if fire is not None and fire.astimezone(UTC) <= now else None


def first_week(facts: Facts) -> date:
    """The Monday of the first week that ends after the first build.

    Nothing of an earlier one leaves by itself: nobody had looked at anything when it ended.
    """
    ((built_at,),) = facts.connection.execute("select first_built_at from about").fetchall()
    return week_of(local(facts, built_at).date())


def first_delivery(facts: Facts, cron: str) -> FirstDelivery | None:
    """What leaves first by itself, where that was still to come when the facts were built."""
    monday = first_week(facts)
    leaves_at = _first_time(cron, ZoneInfo(facts.timezone), monday + _WEEK)
    return FirstDelivery(monday, leaves_at) if leaves_at and leaves_at > facts.as_of else None


def _first_time(cron: str, zone: ZoneInfo, end: date) -> datetime | None:
    """The first of the schedule's times from the local midnight at which `end` begins."""
    midnight = datetime.combine(end, time(), zone)
    return CronTrigger.from_crontab(cron, timezone=zone).get_next_fire_time(None, midnight)
