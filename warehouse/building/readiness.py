"""Which sync or run made each request ready: the first that contains it by git ancestry, as a deployment does a change.

Makes `request_deliveries`: a row per request with a commit that is known, with the first success that contains it, and
the first failure where none has succeeded.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import duckdb
import pyarrow as pa

from config.settings import Settings
from warehouse.building.ancestry.graph import Graph
from warehouse.building.histories import graphs
from warehouse.building.matched_globs import matcher
from warehouse.storage.arrow_tables import create_table

_DELIVERIES = pa.schema(
    [
        ("source", pa.string()),
        ("id", pa.string()),
        ("ready_at", pa.timestamp("us")),
        ("failed_at", pa.timestamp("us")),
        ("by_source", pa.string()),
        ("by_subject", pa.string()),
        ("by_url", pa.string()),
    ]
)
# a run of a pull request tries what is not merged, whatever else it contains
_TOLD = """
select k.kind, d.config_repo, d.config_sha, coalesce(d.finished_at, d.started_at) as at, d.status = 'success',
    'argocd', coalesce(d.unit, d.application), d.url
from source.deployments as d
inner join request_applications as k on k.repo = d.config_repo and k.unit = coalesce(d.unit, d.application)
where d.source = 'argocd' and d.status in ('success', 'failure') and d.config_sha is not null
union all
select k.kind, r.repo, r.sha, r.finished_at, r.conclusion = 'success', 'workflow_runs', r.repo, r.url
from source.workflow_runs as r
inner join request_workflows as k on k.repo = r.repo and k.workflow = r.workflow
left join source.repositories as o on o.repo = r.repo
where r.conclusion in ('success', 'failure', 'timed_out', 'startup_failure') and r.sha is not null
    and coalesce(r.event, 'push') not in ('pull_request', 'pull_request_target', 'merge_group')
    and coalesce(r.branch = o.default_branch, true)
"""
_REQUESTED = (
    "select q.source, q.id, q.kind, q.repo, q.sha from source.requests as q"
    " where q.sha is not null and q.repo is not null and q.number is null"
)


class _Delivery(NamedTuple):
    """A sync or a run that ended, in the order of its fields' names in _TOLD."""

    kind: str
    repo: str
    sha: str
    at: datetime
    is_success: bool
    source: str
    subject: str
    url: str | None


def create_request_inputs(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Which applications (`request_applications`) and workflows (`request_workflows`) make requests of a kind ready."""
    units = connection.execute(
        "select distinct coalesce(unit, application), application, config_repo from source.deployments"
        " where source = 'argocd' and application is not null and config_repo is not null order by all"
    ).fetchall()
    files = connection.execute(
        "select distinct repo, workflow from source.workflow_runs order by all"
    ).fetchall()
    applications, workflows = [], []
    for rule in settings.self_service.requests:
        is_application = matcher(rule.ready.applications)
        is_workflow = matcher([rule.ready.workflow] if rule.ready.workflow else [])
        applications += [
            {"kind": rule.name, "repo": repo, "unit": unit}
            for unit, application, repo in units
            if repo.casefold() == rule.repository.casefold()
            and (is_application(application) or is_application(unit))
        ]
        workflows += [
            {"kind": rule.name, "repo": repo, "workflow": file}
            for repo, file in files
            if repo.casefold() == rule.repository.casefold() and is_workflow(file)
        ]
    for name, last, rows in (("applications", "unit", applications), ("workflows", "workflow", workflows)):
        schema = pa.schema([(column, pa.string()) for column in ("kind", "repo", last)])
        create_table(connection, f"request_{name}", pa.Table.from_pylist(rows, schema=schema))


def find_ready(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes `request_deliveries` from the source's requests, and the syncs and runs that make them ready."""
    requested: dict[str, dict[str, list[tuple[str, str, str]]]] = defaultdict(lambda: defaultdict(list))
    for source, id, kind, repo, sha in connection.execute(_REQUESTED).fetchall():
        requested[repo][kind].append((source, id, sha))
    told: dict[tuple[str, str], list[_Delivery]] = defaultdict(list)
    ended = f"select t.* from ({_TOLD}) as t where t.at is not null order by t.at, 1, 2, 3, 5, 6, 7, 8"
    for row in connection.execute(ended).fetchall():
        told[row[1], row[0]].append(_Delivery(*row))
    repos = sorted(requested)
    rows = [
        {"source": source, "id": id, **ready}
        for repo, graph in zip(repos, graphs(connection, repos), strict=True)
        for kind, of_kind in requested[repo].items()
        for source, id, ready in _ready(of_kind, told[repo, kind], graph)
    ]
    create_table(connection, "request_deliveries", pa.Table.from_pylist(rows, schema=_DELIVERIES))


def _ready(
    requested: Sequence[tuple[str, str, str]], told: Sequence[_Delivery], graph: Graph
) -> list[tuple[str, str, dict[str, object]]]:
    succeeded = _first_of_each((one for one in told if one.is_success), graph)
    failed = _first_of_each((one for one in told if not one.is_success), graph)
    found = []
    for source, id, sha in requested:
        if sha not in graph.number:
            continue
        number = graph.number[sha]
        by = succeeded.get(number) or failed.get(number)
        about: dict[str, object] = {"ready_at": None, "failed_at": None}
        if by:
            about["ready_at" if by.is_success else "failed_at"] = by.at
            about |= {"by_source": by.source, "by_subject": by.subject, "by_url": by.url}
        found.append((source, id, about))
    return found


def _first_of_each(told: Iterable[_Delivery], graph: Graph) -> dict[int, _Delivery]:
    """Each commit's first delivery that contains it."""
    visited = bytearray(graph.size)
    return {
        commit: one
        for one in told
        if one.sha in graph.number
        for commit in graph.unvisited(graph.number[one.sha], visited)
    }
