"""What a person would say of a week, made from the facts by rules."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from warehouse.facts import Facts
from warehouse.values import narrowing

_MOST_FAILURES = 3
_EVIDENCE = {
    "link": "a person",
    "rollback": "its rollback",
    "revert": "the revert of a change that it shipped",
    "change event": "an incident's change event",
    "window": "an incident within the window after it",
}


def sentences(facts: Facts, where: Mapping[str, str], monday: date) -> list[str]:
    """Failed deployments with their evidence and recovery, the slowest change, and what is still open."""
    return [
        *_failures(facts, where, monday),
        *_slowest_change(facts, where, monday),
        *_open_incidents(facts, where, monday),
    ]


def caveats(
    facts: Facts, where: Mapping[str, str], shown: Sequence[Mapping[str, Any]], monday: date
) -> list[str]:
    """What limits the trust in these numbers: missing coverage, too few rows, incidents that belong to nobody."""
    by_status: dict[str, list[str]] = {}
    for metric in shown:
        by_status.setdefault(metric["status"], []).append(metric["name"])
    told = []
    if names := by_status.get("no data"):
        told.append(f"No source was read for: {', '.join(names)}.")
    if names := by_status.get("insufficient"):
        told.append(f"Too few rows to hold against a target: {', '.join(names)}.")
    if names := by_status.get("withheld"):
        told.append(f"Withheld, because a person's answer could be worked out: {', '.join(names)}.")
    if not where:
        (n,) = _one(
            facts,
            "select count(*) from incidents as f where f.service is null and f.team is null and f.system is null"
            " and f.excluded_because is null and f.day >= $start and f.day < $end",
            {},
            monday,
        )
        if n:
            told.append(f"{_count(n, 'resolved incident')} could not be mapped to a service.")
    return told


def duration(seconds: float) -> str:
    """A duration in the largest unit that reads well: `25 min`, `3.2 h`, `2.1 days`."""
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172800 else f"{seconds / 86400:.1f} days"


def _failures(facts: Facts, where: Mapping[str, str], monday: date) -> list[str]:
    rows = _all(
        facts,
        "select f.source, f.id, min(f.service), min(f.failed_by), min(r.recovery_seconds)"
        " from deployments as f left join recoveries as r"
        " on r.source = f.source and r.id = f.id and r.service = f.service and r.excluded_because is null"
        " where f.failed = 1 and f.excluded_because is null and f.day >= $start and f.day < $end{where}"
        " group by f.source, f.id order by min(f.at), f.id",
        where,
        monday,
    )
    told = [
        f"A deployment of {service} failed, told by {_EVIDENCE[method]}; it "
        + ("has not recovered yet." if seconds is None else f"recovered after {duration(seconds)}.")
        for _, _, service, method, seconds in rows[:_MOST_FAILURES]
    ]
    more = len(rows) - _MOST_FAILURES
    return told + ([f"{_count(more, 'more deployment')} failed."] if more > 0 else [])


def _slowest_change(facts: Facts, where: Mapping[str, str], monday: date) -> list[str]:
    rows = _all(
        facts,
        "select f.service, f.subject, f.lead_time_seconds, f.coding_seconds, f.pickup_seconds, f.review_seconds,"
        " f.deploy_seconds from changes as f"
        " where f.excluded_because is null and f.day >= $start and f.day < $end{where}"
        " order by f.lead_time_seconds desc, f.sha limit 1",
        where,
        monday,
    )
    if not rows:
        return []
    service, subject, seconds, *stages = rows[0]
    named = zip(("coding", "waiting for review", "review", "deployment"), stages, strict=True)
    known = [(stage_seconds, stage) for stage, stage_seconds in named if stage_seconds is not None]
    longest = f", longest in {max(known)[1]}" if known else ""
    return [f"The slowest change, “{subject}” of {service}, took {duration(seconds)}{longest}."]


def _open_incidents(facts: Facts, where: Mapping[str, str], monday: date) -> list[str]:
    (n,) = _one(
        facts,
        "select count(*) from incidents as f where f.excluded_because = 'not resolved'"
        " and cast(f.opened_at as date) < $end{where}",
        where,
        monday,
    )
    return [f"{_count(n, 'incident')} still open."] if n else []


def _count(n: int, thing: str) -> str:
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def _all(facts: Facts, sql: str, where: Mapping[str, str], monday: date) -> list[tuple[Any, ...]]:
    bound = {**where, "start": monday, "end": monday + timedelta(days=7)}
    used = {key: value for key, value in bound.items() if f"${key}" in sql or key in where}
    return facts.connection.execute(sql.replace("{where}", narrowing(where)), used).fetchall()


def _one(facts: Facts, sql: str, where: Mapping[str, str], monday: date) -> tuple[Any, ...]:
    return _all(facts, sql, where, monday)[0]
