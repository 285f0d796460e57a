"""Which deployment shipped which commit: git ancestry, never time.

Writes for the models the tables of `warehouse/building/ancestry/repository.py: TRACED`.

What the collected commits do not say stays unknown. A deployment whose own commit is unknown is untraced; where a walk
ends at an unknown parent (a shallow clone) without having met anything deployed before, what it passed may be new or
may be history (`is_adrift`), and how many commits the deployment brought is unknown (`new_commits` is null).
"""

import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby

import duckdb
import pyarrow as pa

from warehouse.building.ancestry.repository import TRACED, KnownRepository, trace_repository
from warehouse.building.histories import by_repository, graphs, tags_of
from warehouse.building.identity import told_copies
from warehouse.building.portions import COMMITS_OF_A_GIB, portions
from warehouse.storage.arrow_tables import create_table

REVISION_LABEL = "org.opencontainers.image.revision"
# a deployment once for all services that it may be of, unless its images may name another commit for each
_DEPLOYMENTS = """
select
    c.repo, c.source, c.id, c.sequence, c.at, c.sha, c.sha_method, c.images,
    any_value(d.labels[$label]) as label,
    list(c.service order by c.finish_order) as services,
    list(c.by_paths order by c.finish_order) as by_paths,
    list(
        c.status = 'success' and c.at is not null and c.told_by is null and c.no_deployment_because is null
        order by c.finish_order
    ) as ships
from candidates as c
left join source.deployments as d on d.source = c.source and d.id = c.id
group by
    c.repo, c.source, c.id, c.sequence, c.at, c.sha, c.sha_method, c.images,
    case when c.sha is null and len(c.images) > 0 then c.service end
order by c.repo nulls last, min(c.finish_order)
"""
# the commits of a repository, those of a pull request marked: its own and what the merge made
_COMMITS = """
with pulled as (
    select p.repo, unnest(list_append(list_transform(p.commits, lambda c: c.sha), p.merge_sha)) as sha
    from source.pull_requests as p
    where p.merged_at is not null and p.merge_sha is not null
),
by_paths as (
    select distinct c.repo from candidates as c
    inner join catalogue as s on s.name = c.service
    where len(s.source_patterns) > 0
)
select
    c.repo, c.sha, c.parents,
    case when b.repo is not null then c.paths end as paths,
    exists (select 1 from pulled as p where p.repo = c.repo and p.sha = c.sha) as is_pulled
from source.commits as c
left join by_paths as b on b.repo = c.repo
where c.repo in (select d.repo from candidates as d)
order by c.repo
"""
_ROWS_AT_ONCE = 500_000
# what is read of one repository after another; a deployment may be told of another one than it is of
_OF_REPOSITORIES = ("candidates", "source.commits", "source.pull_requests")


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """For millions of rows without a circle among them, which would be looked through again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_without_garbage_collection()
def trace(connection: duckdb.DuckDBPyConnection, of_a_gib: int = COMMITS_OF_A_GIB) -> None:
    """Makes the tables of TRACED from `candidates`, `gaps`, the source's commits and the source patterns.

    Repositories are taken in portions of `of_a_gib` commits for each GiB that DuckDB may have.
    """
    globs = {
        name: of
        for name, of in connection.execute("select name, source_patterns from catalogue").fetchall()
        if of
    }
    gaps = _gaps(connection)
    for name, schema in TRACED.items():
        create_table(connection, name, schema.empty_table())
    for _ in portions(connection, _OF_REPOSITORIES, of_a_gib):
        _trace(connection, globs, gaps)


def _trace(
    connection: duckdb.DuckDBPyConnection,
    globs: Mapping[str, Sequence[str]],
    gaps: Mapping[str, Sequence[tuple[datetime, datetime]]],
) -> None:
    """Adds the rows of the repositories that `candidates` has."""
    ordered = "select distinct repo from candidates order by repo nulls last"
    repos = [repo for (repo,) in connection.execute(ordered).fetchall()]
    tags = tags_of(connection, repos)
    waiting: list[dict[str, pa.Table]] = []
    for repo, commits, deployments, copies in zip(
        repos,
        by_repository(connection, repos, _COMMITS),
        by_repository(connection, repos, _DEPLOYMENTS, {"label": REVISION_LABEL}),
        told_copies(connection, repos),
        strict=True,
    ):
        known = KnownRepository(repo, commits, deployments, tags[repo], copies)
        waiting.append(trace_repository(known, globs, gaps))
        if sum(len(rows) for tables in waiting for rows in tables.values()) > _ROWS_AT_ONCE:
            _add(connection, waiting)
    _add(connection, waiting)


def _add(connection: duckdb.DuckDBPyConnection, waiting: list[dict[str, pa.Table]]) -> None:
    for name in waiting[0] if waiting else ():
        rows = pa.concat_tables([tables[name] for tables in waiting])
        connection.register("content", rows)
        connection.execute(f"insert into {name} from content")
        connection.unregister("content")
    waiting.clear()


def compare(connection: duckdb.DuckDBPyConnection) -> None:
    """Adds to the table `ancestry` the returns of `sequences` that have the revision before from another repository."""
    pairs = connection.execute(
        "select distinct s.repo, s.sha, s.previous_sha from sequences as s"
        " anti join ancestry as a on a.repo = s.repo and a.sha = s.sha and a.of_sha = s.previous_sha"
        " where s.arrival_here > 1 and s.sha <> s.previous_sha and s.repo is distinct from s.previous_repo"
        " order by all"
    ).fetchall()
    rows = []
    by_repo = {repo: list(of_repo) for repo, of_repo in groupby(pairs, key=lambda pair: pair[0])}
    for (repo, of_repo), graph in zip(by_repo.items(), graphs(connection, list(by_repo)), strict=True):
        for _, sha, of_sha in of_repo:
            if sha in graph.number and of_sha in graph.number:
                back = graph.contains(graph.number[of_sha], graph.number[sha])
                rows.append({"repo": repo, "sha": sha, "of_sha": of_sha, "is_ancestor": back})
    _add(connection, [{"ancestry": pa.Table.from_pylist(rows, schema=TRACED["ancestry"])}])


def _gaps(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[datetime, datetime]]]:
    """The stretches, by service, in which Argo CD dropped syncs that nobody read."""
    rows = connection.execute(
        "select service, from_at, until_at from gaps where fact = 'deployments' and source = 'argocd' order by all"
    ).fetchall()
    gaps = defaultdict(list)
    for service, from_at, until_at in rows:
        gaps[service].append((from_at, until_at))
    return gaps
