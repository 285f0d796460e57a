"""What belongs to the deployments and incidents on one page of a list: changes, evidence, the other side of a blame."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from warehouse.metrics.facts import Facts
from warehouse.metrics.values import narrowing

_Row = dict[str, Any]
SourceKey = tuple[str, ...]
# of a deployment's changes so many are read, the slowest first
MOST_CHANGES = 5

_KEYS = "(select unnest($sources) as source, unnest($ids) as id, unnest($services) as service)"
_CHANGES = f"""
select c.*
from changes as c
inner join {_KEYS} as k on k.source = c.deployment_source and k.id = c.deployment_id and k.service = c.service
where c.excluded_because is null and c.day >= $first and c.day <= $last
qualify row_number() over (
    partition by c.deployment_source, c.deployment_id, c.service order by c.lead_time_seconds desc, c.repo, c.sha
) <= $most
order by c.lead_time_seconds desc, c.repo, c.sha
"""
_EVIDENCE = f"""
select e.*
from evidence as e
inner join {_KEYS} as k on k.source = e.source and k.id = e.id and k.service = e.service
order by e.rank, e.detail, e.by_source, e.by_id
"""
_BLAMING = f"""
select f.source, f.id, f.title, f.service, f.opened_at, f.resolved_at, f.open_seconds, f.blames_source, f.blames_id,
    f.blamed_by, f.excluded_because, f.url
from incidents as f
inner join (select distinct source, id from {_KEYS}) as k on k.source = f.blames_source and k.id = f.blames_id
where true{{narrowing}}
order by f.opened_at, f.source, f.id
"""
_BLAMED = """
select f.source, f.id, f.service, f.environment, f.at, f.sha, f.ref, f.config_repo, f.config_sha, f.url
from deployments as f
inner join (select distinct unnest($sources) as source, unnest($ids) as id) as k on k.source = f.source and k.id = f.id
where f.listed_day >= $first and f.listed_day <= $last{narrowing}
order by f.service
"""
_BLAMING_EVIDENCE = """
select e.source, e.id, e.service, e.method, e.detail, e.by_source, e.by_id
from evidence as e
inner join (select unnest($sources) as source, unnest($ids) as id) as k on k.source = e.by_source and k.id = e.by_id
where e.method in ('link', 'change event', 'window')
order by e.rank, e.detail, e.service
"""


@dataclass(frozen=True)
class Details:
    """What belongs to the rows of a page, by their key.

    `changes` are a deployment's slowest, `evidence` that it failed, `incidents` those that blame it; `deployments` are
    those that an incident blames, a row for each service.
    """

    changes: Mapping[SourceKey, Sequence[_Row]] = field(default_factory=dict)
    evidence: Mapping[SourceKey, Sequence[_Row]] = field(default_factory=dict)
    incidents: Mapping[SourceKey, Sequence[_Row]] = field(default_factory=dict)
    deployments: Mapping[SourceKey, Sequence[_Row]] = field(default_factory=dict)


def of_deployments(facts: Facts, rows: Sequence[_Row], where: Mapping[str, str]) -> Details:
    """What belongs to these deployments, as far as `where` lets see it; the key is (source, id, service)."""
    if not rows:
        return Details()
    keys = {name: [row[column] for row in rows] for name, column in _COLUMNS.items()}
    days = [row["day"] for row in rows if row["day"] is not None and row["changes"]]
    ranged = {"first": min(days), "last": max(days), "most": MOST_CHANGES} if days else {}
    changes = _all(facts, _CHANGES, keys | ranged) if days else []
    blaming = _all(facts, _BLAMING.format(narrowing=narrowing(where)), keys | dict(where))
    return Details(
        changes=_by(changes, "deployment_source", "deployment_id", "service"),
        evidence=_by(_all(facts, _EVIDENCE, keys), "source", "id", "service"),
        incidents=_by(blaming, "blames_source", "blames_id"),
    )


def of_incidents(facts: Facts, rows: Sequence[_Row], where: Mapping[str, str]) -> Details:
    """What belongs to these incidents, as far as `where` lets see it; the key is (source, id)."""
    if not rows:
        return Details()
    own = {"sources": [row["source"] for row in rows], "ids": [row["id"] for row in rows]}
    return Details(
        deployments=_by(_blamed(facts, rows, where), "source", "id"),
        evidence=_by(_all(facts, _BLAMING_EVIDENCE, own), "by_source", "by_id"),
    )


def _blamed(facts: Facts, incidents: Sequence[_Row], where: Mapping[str, str]) -> list[_Row]:
    """The deployments that they blame; between which days those lie is known, so that not all have to be read."""
    blaming = [row for row in incidents if row["blames_day"] is not None]
    if not blaming:
        return []
    bound = {
        "sources": [row["blames_source"] for row in blaming],
        "ids": [row["blames_id"] for row in blaming],
        "first": min(row["blames_day"] for row in blaming),
        "last": max(row["blames_day"] for row in blaming),
        **where,
    }
    return _all(facts, _BLAMED.format(narrowing=narrowing(where)), bound)


_COLUMNS = {"sources": "source", "ids": "id", "services": "service"}


def _all(facts: Facts, sql: str, bound: Mapping[str, Any]) -> list[_Row]:
    result = facts.connection.execute(sql, bound)
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, found, strict=True)) for found in result.fetchall()]


def _by(rows: Sequence[_Row], *columns: str) -> dict[SourceKey, list[_Row]]:
    found: dict[SourceKey, list[_Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[column] for column in columns)].append(row)
    return dict(found)
