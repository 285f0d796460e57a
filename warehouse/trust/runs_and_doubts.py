"""What pages read of the facts beside the metrics: who owns what, how the sources did, what stands against a number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import full_range
from warehouse.metrics.pooled import narrowing
from warehouse.metrics.satisfaction import without_satisfaction
from warehouse.storage.instants import naive


@dataclass(frozen=True)
class RecordedRun:
    """A source's run and what it cost; instants are aware and UTC, `succeeded_at` starts its last good one."""

    source: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    error: str | None
    items: int
    quarantined: int
    succeeded_at: datetime | None
    requests: int = 0
    failed_requests: int = 0
    bytes: int = 0
    waited_seconds: float = 0.0


@dataclass(frozen=True)
class Undelivered:
    """A scorecard or an alert that `targets` of a channel did not get, and why; `tried_at` is aware and UTC."""

    kind: str
    scope: str
    name: str
    week: str
    channel: str
    status: str
    error: str
    targets: int
    tried_at: datetime


@dataclass(frozen=True)
class QuarantinedItem:
    """Items of a source in the quarantine for one reason; `example` is the newest one's subject, seen at `seen_at`."""

    source: str
    kind: str
    reason: str
    items: int
    example: str
    seen_at: datetime


@dataclass(frozen=True)
class Doubts:
    """How much stands against the numbers of a view, beside sources that could not be read.

    `unknown_teams` of survey answers are in no catalogue; `not_asked` are the rounds that asked nothing which counts as
    satisfaction.
    """

    gaps: int = 0
    lost_entries: int = 0
    of_nobody: int = 0
    unmapped: int = 0
    quarantined: int = 0
    unknown_teams: int = 0
    not_asked: tuple[str, ...] = ()


def last_runs(facts: Facts) -> tuple[RecordedRun, ...]:
    """The last run of each source in order of name."""
    return recent_runs(facts, 1)


def recent_runs(facts: Facts, most: int) -> tuple[RecordedRun, ...]:
    """The last `most` runs of each source in order of name, the newest first."""
    sql = (
        "select r.source, r.status, r.started_at, r.finished_at, r.error, coalesce(r.items, 0),"
        " coalesce(r.quarantined, 0),"
        " max(r.started_at) filter (where r.status = 'ok') over (partition by r.source),"
        " coalesce(r.requests, 0), coalesce(r.failed_requests, 0), coalesce(r.bytes, 0), coalesce(r.waited_seconds, 0)"
        " from runs as r"
        " qualify row_number() over (partition by r.source order by r.started_at desc, r.run_id desc) <= $most"
        " order by r.source, r.started_at desc, r.run_id desc"
    )
    return tuple(
        RecordedRun(
            source,
            status,
            _aware(started),
            _or_none(finished),
            error,
            items,
            aside,
            _or_none(succeeded),
            *cost,
        )
        for source, status, started, finished, error, items, aside, succeeded, *cost in _rows(
            facts, sql, {"most": most}
        )
    )


def set_aside(facts: Facts) -> tuple[QuarantinedItem, ...]:
    """The quarantine by source, kind and reason, the most frequent first."""
    sql = (
        "select q.source, q.kind, q.reason, count(*), max_by(q.subject, q.seen_at), max(q.seen_at)"
        " from quarantine as q group by q.source, q.kind, q.reason order by count(*) desc, 1, 2, 3"
    )
    return tuple(
        QuarantinedItem(source, kind, reason, items, example or "", _aware(seen_at))
        for source, kind, reason, items, example, seen_at in _rows(facts, sql)
    )


def undelivered(facts: Facts) -> tuple[Undelivered, ...]:
    """What did not arrive in the two weeks before the facts were built, the newest first."""
    sql = (
        "select d.kind, d.scope, coalesce(nullif(d.name, ''), $organization), d.week, d.channel, d.status, d.error,"
        " count(*), max(d.tried_at)"
        " from deliveries as d where d.status in ('failed', 'refused', 'unknown') and d.tried_at > $since"
        " group by d.kind, d.scope, d.name, d.week, d.channel, d.status, d.error"
        " order by max(d.tried_at) desc, 1, 2, 3, 5, 6"
    )
    since = naive(facts.as_of - timedelta(days=14))
    rows = facts.connection.execute(sql, {"since": since, "organization": facts.organization}).fetchall()
    return tuple(Undelivered(*(*known, _aware(tried_at))) for *known, tried_at in rows)


def doubts(
    facts: Facts,
    start: date | None = None,
    end: date | None = None,
    where: Mapping[str, str] | None = None,
) -> Doubts:
    """What stands against the numbers of a range and of what `where` narrows it to.

    What no narrowing reaches (incidents of no single service, team or system, unmapped names, the quarantine) is told
    of the organisation only.
    """
    first, after = full_range(facts, start, end)
    bound: dict[str, Any] = {"start": first, "end": after, "zone": facts.timezone}
    gaps, lost = _rows(facts, _GAPS + narrowing(where or {}) + ") as g", bound | dict(where or {}))[0]
    if where:
        return Doubts(gaps, lost)
    without, unmapped, quarantined = _rows(facts, _OF_ALL, {"start": first, "end": after})[0]
    ((teams,),) = _rows(facts, "select count(*) from unknown_teams")
    not_asked = tuple(name for name, _, _ in without_satisfaction(facts))
    return Doubts(gaps, lost, without, unmapped, quarantined, teams, not_asked)


# a gap that several services or facts share is one; each row of a gap that is shared has the same lost entries
_GAPS = """
select count(*), cast(coalesce(sum(g.lost_entries), 0) as bigint)
from (
    select distinct f.source, f.subject, f.from_at, f.until_at, f.lost_entries
    from gaps as f
    where cast(timezone($zone, timezone('UTC', f.from_at)) as date) < $end
        and cast(timezone($zone, timezone('UTC', f.until_at)) as date) >= $start
"""
_OF_ALL = """
select
    (
        select count(*) from incidents
        where service is null and team is null and system is null
            and excluded_because is null and day >= $start and day < $end
    ),
    (select count(*) from unmapped where entries > 0 and name <> ''),
    (select count(*) from quarantine)
"""


def _rows(
    facts: Facts, sql: str, bound: Sequence[object] | Mapping[str, object] = ()
) -> list[tuple[Any, ...]]:
    return facts.connection.execute(sql, bound).fetchall()


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC)


def _or_none(instant: datetime | None) -> datetime | None:
    return _aware(instant) if instant is not None else None
