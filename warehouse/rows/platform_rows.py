"""What the page of the platform lists: missed steps, broken guardrails, open requests, what is off the road."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from warehouse.metrics.facts import Facts
from warehouse.metrics.self_service import WayOfAsking, ways_of_asking
from warehouse.metrics.values import narrowing


@dataclass(frozen=True)
class StepCounts:
    """A step of a golden path: how many counted deployments followed it, missed it, and of how many nobody knows."""

    path: str
    step: str
    is_required: bool
    followed: int
    missed: int
    unknown: int


@dataclass(frozen=True)
class MissedStep:
    """A required step that a counted deployment did not follow, with the reason and the run or job that tells it."""

    at: datetime
    service: str
    team: str | None
    path: str
    step: str
    outcome: str
    reason: str
    url: str | None


@dataclass(frozen=True)
class PathMove:
    """A service that moved onto a golden path, off it, or from one to another."""

    at: datetime
    service: str
    team: str | None
    from_path: str | None
    to_path: str | None


@dataclass(frozen=True)
class RuleCounts:
    """A guardrail: how many services hold it, break it, and of how many nobody knows."""

    rule: str
    held: int
    broken: int
    unknown: int


@dataclass(frozen=True)
class BrokenGuardrail:
    """An object that breaks a guardrail, and why."""

    service: str
    team: str | None
    rule: str
    object: str
    reason: str
    url: str | None


@dataclass(frozen=True)
class OpenRequest:
    """A request that waits or has failed."""

    kind: str
    name: str
    team: str | None
    way: str
    status: str
    opened_at: datetime
    url: str | None


@dataclass(frozen=True)
class AspectCounts:
    """What the platform offers for one thing: how many services take it, take another, and of how many nobody knows."""

    aspect: str
    on_road: int
    off_road: int
    unknown: int


@dataclass(frozen=True)
class OffRoad:
    """What a service takes in place of what the platform offers."""

    service: str
    team: str | None
    aspect: str
    found: str
    allowed: str


@dataclass(frozen=True)
class PlatformRows:
    """All of it for a view and a stretch of days; lists have the newest or the first by name first.

    `has_paths`: somebody follows a golden path, whoever that is.
    """

    steps: tuple[StepCounts, ...]
    missed: tuple[MissedStep, ...]
    moves: tuple[PathMove, ...]
    rules: tuple[RuleCounts, ...]
    broken: tuple[BrokenGuardrail, ...]
    requests: tuple[WayOfAsking, ...]
    open_requests: tuple[OpenRequest, ...]
    aspects: tuple[AspectCounts, ...]
    off_road: tuple[OffRoad, ...]
    has_paths: bool = False


def platform_rows(facts: Facts, start: date, end: date, where: Mapping[str, str]) -> PlatformRows:
    """Deployments, moves and requests are of the days from `start` to before `end`; the rest is as it is now."""
    asked = _Asked(facts, dict(where), {"start": start, "end": end})
    return PlatformRows(
        steps=tuple(StepCounts(*row) for row in asked.rows(_STEPS)),
        missed=tuple(MissedStep(*row) for row in asked.rows(_MISSED)),
        moves=tuple(PathMove(*row) for row in asked.rows(_MOVES)),
        rules=tuple(RuleCounts(*row) for row in asked.rows(_RULES)),
        broken=tuple(BrokenGuardrail(*row) for row in asked.rows(_BROKEN)),
        requests=tuple(ways_of_asking(facts, where, start, end)),
        open_requests=tuple(OpenRequest(*row) for row in asked.rows(_OPEN)),
        aspects=tuple(AspectCounts(*row) for row in asked.rows(_ASPECTS)),
        off_road=tuple(OffRoad(*row) for row in asked.rows(_OFF)),
        has_paths=facts.connection.execute(_HAS_PATHS).fetchall() == [(True,)],
    )


@dataclass(frozen=True)
class _Asked:
    facts: Facts
    where: dict[str, str]
    days: Mapping[str, Any]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        bound = {name: day for name, day in self.days.items() if f"${name}" in sql}
        narrowed = sql.replace("{where}", narrowing(self.where))
        return self.facts.connection.execute(narrowed, {**self.where, **bound}).fetchall()


_IN_DAYS = "f.day >= $start and f.day < $end{where}"
# a deployment that several services share is one
_STEPS = f"""
with told as (
    select f.path, f.step, f.source, f.id, min(f.position) as position, bool_or(f.is_required) as is_required,
        bool_or(f.outcome not in ('followed', 'unknown')) as missed, bool_and(f.outcome = 'followed') as followed
    from conformance as f where {_IN_DAYS} group by f.path, f.step, f.source, f.id
)
select t.path, t.step, bool_or(t.is_required), count(*) filter (where t.followed), count(*) filter (where t.missed),
    count(*) filter (where not t.followed and not t.missed)
from told as t group by t.path, t.step order by t.path, min(t.position)
"""
_MISSED = f"""
select f.finished_at, f.service, f.team, f.path, f.step, f.outcome, f.reason,
    coalesce(f.job_url, f.run_url, d.url)
from conformance as f
left join (select d.source, d.id, d.service, d.url from deployments as d) as d using (source, id, service)
where f.is_required and f.outcome not in ('followed', 'unknown') and {_IN_DAYS}
order by f.finished_at desc, f.service, f.position
"""
_MOVES = f"""
select f.at, f.service, f.team, f.from_path, f.to_path
from path_moves as f where {_IN_DAYS} order by f.at desc, f.service
"""
_RULES = """
with told as (
    select f.rule, f.service, bool_and(f.holds) as holds, bool_or(f.holds is null) as is_unknown
    from guardrails as f where true{where} group by f.rule, f.service
)
select t.rule, count(*) filter (where t.holds and not t.is_unknown), count(*) filter (where not t.holds),
    count(*) filter (where t.is_unknown and t.holds is not false)
from told as t group by t.rule order by count(*) filter (where not t.holds) desc, t.rule
"""
_BROKEN = """
select f.service, f.team, f.rule, concat_ws(' ', f.kind, f.name), f.reason, f.url
from guardrails as f where not f.holds{where} order by f.service, f.rule, f.kind, f.name
"""
_OPEN = """
select f.kind, f.name, f.team, f.way, f.status, f.opened_at, f.url
from requests as f where f.status in ('waiting', 'failed'){where} order by f.status, f.opened_at, f.name
"""
_ASPECTS = """
select f.aspect, count(distinct f.service) filter (where f.on_road),
    count(distinct f.service) filter (where not f.on_road),
    count(distinct f.service) filter (where f.on_road is null)
from paved_road as f where true{where} group by f.aspect order by f.aspect
"""
_HAS_PATHS = "select count(*) > 0 from path_services as p where p.on_path"
_OFF = """
select f.service, f.team, f.aspect, f.found, f.allowed
from paved_road as f where not f.on_road{where} order by f.service, f.aspect
"""
