"""What happened to a scope's services in a range, for a picture: as few points as it can show, of however many rows.

Failures come first, then rollbacks, then the rest: a kind of which there are more than there is room for becomes counts
by day, week or month.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from warehouse.metrics.facts import Facts
from warehouse.metrics.values import narrowing
from warehouse.rows.listing import DEPLOYMENTS

MOST_POINTS = 300
MOST_INTERVALS = 200
# in the order in which they are given room
_KINDS = ("failed", "rollback", "counted", "left out")

PointKind = Literal["counted", "failed", "rollback", "left out"]


@dataclass(frozen=True)
class Point:
    """One deployment at its finish (or its start, where it has no finish); `why` it failed, or does not count."""

    kind: PointKind
    service: str
    at: datetime
    environment: str
    revision: str
    why: str


@dataclass(frozen=True)
class Count:
    """`n` deployments of a kind to an environment of a service in the day, week or month that begins on `first`."""

    kind: PointKind
    service: str
    environment: str
    first: date
    n: int


@dataclass(frozen=True)
class Recovery:
    """A failed deployment of a service was over `at` an instant (UTC), `after_seconds`."""

    service: str
    environment: str
    at: datetime
    after_seconds: float
    by: str


@dataclass(frozen=True)
class Interval:
    """An incident from its opening to its resolution (UTC; None: still open); `service` None: of several services."""

    service: str | None
    title: str
    opened_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True)
class Timeline:
    """What there is to draw in a range; `totals` counts deployments by kind, `counted_by` is what a Count is of.

    `more_incidents` is how many, the oldest, there was no room for.
    """

    start: date
    end: date
    totals: Mapping[str, int]
    points: tuple[Point, ...]
    counts: tuple[Count, ...]
    counted_by: Literal["day", "week", "month"]
    recoveries: tuple[Recovery, ...]
    incidents: tuple[Interval, ...]
    more_incidents: int


# a deployment without a finish stands at its start, as in its explanation
_DEPLOYMENTS = """
with found as (
    select
        case
            when f.excluded_because is null and f.failed = 1 then 'failed'
            when f.excluded_because is null then 'counted'
            when f.excluded_because = 'rollback' then 'rollback'
            else 'left out'
        end as kind,
        f.service,
        coalesce(f.at, f.started_at) as at,
        f.listed_day as day,
        coalesce(f.environment, '') as environment,
        f.sha,
        f.id,
        coalesce(f.excluded_because, f.failed_by || ': ' || f.failed_evidence, f.failed_by, '') as why
    from deployments as f
    where {days}{where}
)
""".replace("{days}", DEPLOYMENTS.days)
_TOTALS = _DEPLOYMENTS + "select f.kind, count(*) from found as f group by f.kind"
_POINTS = (
    _DEPLOYMENTS
    + "select f.kind, f.service, f.at, f.environment, f.sha, f.why from found as f"
    + " where list_contains($kinds, f.kind) order by f.at desc, f.service, f.id"
)
_COUNTS = (
    _DEPLOYMENTS
    + "select f.kind, f.service, f.environment, cast(date_trunc('{period}', f.day) as date) as first, count(*)"
    + " from found as f where list_contains($kinds, f.kind) group by all order by first, 2, 3, 1"
)
_RECOVERIES = """
select f.service, coalesce(f.environment, ''), f.at, f.recovery_seconds, f.recovered_by
from recoveries as f
where f.excluded_because is null and f.day >= $start and f.day < $end{where}
order by f.at desc, f.service, f.id limit $most
"""
# those left out for their urgency, their priority or a merge are nothing that anybody was woken for
_INCIDENTS = """
select f.service, coalesce(f.title, ''), f.opened_at, f.resolved_at, count(*) over ()
from incidents as f
where
    (f.excluded_because is null or f.excluded_because = 'not resolved')
    and cast(timezone($zone, timezone('UTC', f.opened_at)) as date) < $end
    and coalesce(f.day, $end) >= $start{where}
order by f.opened_at desc, f.id limit $most
"""


def timeline(
    facts: Facts, where: Mapping[str, str], start: date, end: date, most: int = MOST_POINTS
) -> Timeline:
    """What happened from the day `start` to the one before `end`, in what `where` narrows the organisation to.

    There are at most `most` points and as many recoveries, the newest.
    """
    bound = {**where, "start": start, "end": end}

    def rows(sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return facts.connection.execute(sql.replace("{where}", narrowing(where)), parameters).fetchall()

    totals: dict[str, int] = dict(rows(_TOTALS, bound))
    single: list[str] = []
    room = most
    for kind in _KINDS:
        if totals.get(kind, 0) <= room:
            single.append(kind)
            room -= totals.get(kind, 0)
    pooled = [kind for kind in totals if kind not in single]
    period = _period(end - start)
    points = rows(_POINTS, bound | {"kinds": single})
    intervals = rows(_INCIDENTS, bound | {"zone": facts.timezone, "most": MOST_INTERVALS})
    return Timeline(
        start=start,
        end=end,
        totals=totals,
        points=tuple(
            Point(kind, service, _utc(at), environment, sha or "", why)
            for kind, service, at, environment, sha, why in points
        ),
        counts=tuple(
            Count(*row) for row in rows(_COUNTS.replace("{period}", period), bound | {"kinds": pooled})
        )
        if pooled
        else (),
        counted_by=period,
        recoveries=tuple(
            Recovery(service, environment, _utc(at), seconds, by)
            for service, environment, at, seconds, by in rows(_RECOVERIES, bound | {"most": most})
        ),
        incidents=tuple(
            Interval(service, title, _utc(opened), _utc(resolved) if resolved else None)
            for service, title, opened, resolved, _ in intervals
        ),
        more_incidents=intervals[0][-1] - len(intervals) if intervals else 0,
    )


def _period(length: timedelta) -> Literal["day", "week", "month"]:
    if length <= timedelta(days=31):
        return "day"
    return "week" if length <= timedelta(days=400) else "month"


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)
