"""Reads what is known of the deployments of services on a golden path, and judges their steps: `judged_steps`."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby

import duckdb
import pyarrow as pa

from warehouse.building.ancestry.graph import Graph
from warehouse.building.ancestry.repository import table_of
from warehouse.building.ancestry.revisions import ToldRevision, resolve
from warehouse.building.histories import graphs, tags_of
from warehouse.building.standards.conformance import (
    AskedStep,
    JobRun,
    PlacedDeployment,
    ReadOfDeployment,
    judge_steps,
)
from warehouse.storage.arrow_tables import create_table

JUDGED = pa.schema(
    [
        *((name, pa.string()) for name in ("source", "id", "service", "path")),
        ("position", pa.int64()),
        *((name, pa.string()) for name in ("outcome", "reason", "run_url", "job_url")),
    ]
)
# counted deployments on a path with steps, the pull request that became the commit, and since when its runs matter
_DEPLOYED = """
create temp table path_deployed as
with on_paths as (
    select d.repo, d.sha
    from deployments as d
    where d.service in (select s.service from path_stretches as s where s.path is not null)
),

pulls as (
    select p.repo, p.merge_sha as sha, p.number, p.commits, p.merged_at
    from source.pull_requests as p where p.merged_at is not null and p.merge_sha is not null
    union all
    select l.repo, l.sha, l.number, p.commits, p.merged_at
    from landings as l
    inner join source.pull_requests as p on p.repo = l.repo and p.number = l.number
),

became as (
    select p.repo, p.sha, p.commits[-1].sha as pull, p.commits[-1].authored_at as pull_at
    from pulls as p
    semi join on_paths as o on o.repo = p.repo and o.sha = p.sha
    where len(p.commits) > 0
    qualify row_number() over (partition by p.repo, p.sha order by p.merged_at desc, p.number desc) = 1
)

select d.source, d.id, d.service, s.path, d.repo, d.sha, nullif(b.pull, d.sha) as pull, d.environment, d.started_at,
    d.at, d.url, least(c.committed_at, b.pull_at, d.at) as since,
    exists (
        select 1 from source.workflow_runs as r, settings as t
        where r.repo = d.repo and r.sha in (d.sha, b.pull) and r.conclusion is null and r.finished_at is null
            and r.created_at > t.as_of - interval 1 day
    ) as is_going_on
from deployments as d
inner join path_stretches as s on s.service = d.service and s.path is not null
    and (s.from_at is null or s.from_at <= d.at) and (s.until_at is null or s.until_at > d.at)
left join became as b on b.repo = d.repo and b.sha = d.sha
left join source.commits as c on c.repo = d.repo and c.sha = d.sha
where d.excluded_because is null and d.at is not null and s.path in (select t.path from path_steps as t)
"""
_READ = """
select d.source, d.id, d.service, d.path, d.repo, d.sha, d.pull, d.url, d.started_at, d.at,
    case
        when not coalesce(bool_or(c.from_at <= d.since and c.until_at >= d.since), false)
            or not coalesce(bool_or(c.from_at <= d.at and c.until_at >= d.at), false)
            then 'the runs of that time were not read'
        -- the jobs of a run are read when it is over
        when bool_or(d.is_going_on) then 'a run at its commit goes on'
    end as unread
from path_deployed as d
left join source.coverage as c
    on (c.source = 'workflow_jobs' and c.subject = d.repo)
    or (c.source = 'import workflow_runs' and c.subject in (d.repo, 'every service'))
group by all
order by d.at, d.source, d.id, d.service
"""
# a run may have called the file that the job is in; its own file is what is known of the job
_JOBS = """
with wanted as (
    select distinct d.repo, d.path, unnest([d.sha, d.pull]) as sha from path_deployed as d
),

jobs as (
    select w.path, r.repo, r.sha, r.workflow, r.created_at, r.id, r.attempt, r.url, r.finished_at, r.conclusion,
        unnest(r.jobs) as job
    from source.workflow_runs as r
    inner join wanted as w on w.repo = r.repo and w.sha = r.sha
),

found as (
    select j.*, s.position, s.job_step, list_filter(j.job.steps, lambda t: t.name = s.job_step)[1] as step
    from jobs as j
    inner join step_jobs as s on s.path = j.path and s.workflow = j.workflow and s.job = j.job.name
)

select f.path, f.repo, f.sha, f.position, f.workflow, f.created_at, f.id, f.attempt,
    concat_ws(' / ', f.job.name, f.job_step),
    case when f.job_step is null then f.job.started_at else f.step.started_at end,
    case when f.job_step is null then coalesce(f.job.finished_at, f.finished_at) else f.step.finished_at end,
    case when f.job_step is null then coalesce(f.job.conclusion, f.conclusion) else f.step.conclusion end,
    f.job.url, f.url
from found as f
order by all
"""
_APPROVED = """
select d.source, d.id, d.service, t.position, min(a.environment)
from path_deployed as d
inner join source.workflow_runs as r on r.repo = d.repo and r.sha = d.sha and r.created_at <= d.at
cross join lateral unnest(r.approved) as a (environment)
inner join path_steps as t on t.path = d.path
left join step_environments as e
    on e.path = t.path and e.position = t.position and lower(e.environment) = lower(a.environment)
where e.environment is not null
    or (
        t.kind = 'staging'
        and regexp_matches(lower(a.environment), '(^|[^a-z])(staging|stage|stg|preprod|uat)([^a-z]|$)')
    )
    or (t.kind = 'production' and (
        lower(a.environment) = lower(d.environment)
        or lower(a.environment) in (select lower(p.environment) from production_environments as p)
        or regexp_matches(lower(a.environment), '(^|[^a-z])(prod|production|prd|live)([^a-z]|$)')
    )
)
group by all
"""
# what went to an environment of a step, of the same service
_PLACED = """
select distinct s.service, s.path, s.repo, e.position, e.environment, d.source, d.id, d.started_at, d.finished_at,
    d.status, d.url, d.sha, d.sha_method, d.images, d.labels['org.opencontainers.image.revision']
from (select distinct p.service, p.path, p.repo from path_deployed as p) as s
inner join step_environments as e on e.path = s.path
inner join source.deployments as d
    on coalesce(d.environment, concat_ws('/', d.cluster, d.namespace)) = e.environment
left join claims as a
    on a.kind = 'application' and a.value = coalesce(d.unit, d.application) and a.service = s.service
where d.status <> 'running'
    and (d.service = s.service or a.service is not null
        or (d.service is null and d.application is null and d.repo = s.repo))
order by s.repo nulls last, d.finished_at nulls last, d.source, d.id, s.service, s.path, e.position
"""


@dataclass
class _Deployed:
    """A deployment on a path, in a repository, with what was read of it."""

    path: str
    repo: str | None
    evidence: ReadOfDeployment


_All = dict[tuple[str, str, str], _Deployed]


def judge_paths(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes `judged_steps` from `deployments`, `path_stretches` and what the golden paths ask for."""
    connection.execute(_DEPLOYED)
    steps: dict[str, list[AskedStep]] = defaultdict(list)
    for path, *asked in connection.execute("from path_steps order by path, position").fetchall():
        steps[path].append(AskedStep(*asked))
    told: _All = {
        (source, id, service): _Deployed(path, repo, ReadOfDeployment(*rest))
        for source, id, service, path, repo, *rest in connection.execute(_READ).fetchall()
    }
    _add_jobs(connection, told)
    for *key, position, environment in connection.execute(_APPROVED).fetchall():
        told[key[0], key[1], key[2]].evidence.approved[position] = environment
    _add_places(connection, told)
    rows = [
        (*key, one.path, step.position, *finding[:4])
        for key, one in told.items()
        for step, finding in zip(steps[one.path], judge_steps(steps[one.path], one.evidence), strict=True)
    ]
    create_table(connection, "judged_steps", table_of(rows, JUDGED))
    connection.execute("drop table path_deployed")


def _add_jobs(connection: duckdb.DuckDBPyConnection, told: _All) -> None:
    """Hands each deployment the jobs at its commit, and at the last commit of its pull request."""
    by_commit: dict[tuple[str, str | None, str], list[tuple[int, JobRun]]] = defaultdict(list)
    rows = connection.execute(_JOBS).fetchall()
    for path, repo, sha, position, workflow, created_at, run, attempt, *job in rows:
        found = JobRun(sha, workflow, (created_at, run, attempt), *job)
        by_commit[path, repo, sha].append((position, found))
    for one in told.values():
        for sha in filter(None, (one.evidence.sha, one.evidence.pull)):
            for position, found in by_commit.get((one.path, one.repo, sha), ()):
                one.evidence.jobs[position].append(found)


def _add_places(connection: duckdb.DuckDBPyConnection, told: _All) -> None:
    """Hands each deployment those to the environments of its steps that hold its commit, by ancestry."""
    placed = connection.execute(_PLACED).fetchall()
    wanted: dict[tuple[str, str | None], list[_Deployed]] = defaultdict(list)
    for (_, _, service), one in told.items():
        wanted[service, one.repo].append(one)
    by_repo = {repo: list(rows) for repo, rows in groupby(placed, key=lambda row: row[2])}
    tags = tags_of(connection, list(by_repo))
    for (repo, rows), graph in zip(by_repo.items(), graphs(connection, list(by_repo)), strict=True):
        for service, path, _, position, environment, *place in rows:
            _, _, started_at, finished_at, status, url, *commit = place
            revision = ToldRevision(repo, finished_at, *commit)
            there, _ = resolve(revision, service, graph, tags[repo])
            found = PlacedDeployment(environment, started_at, finished_at, status, url)
            for one in wanted[service, repo]:
                # what came to the environment later holds everything: only the same commit is late
                is_later = (finished_at or started_at or one.evidence.at) > one.evidence.at
                if one.path != path or (is_later and there != one.evidence.sha):
                    continue
                if _holds(graph, there, one.evidence.sha):
                    one.evidence.places[position].append(found)


def _holds(graph: Graph, sha: str | None, wanted: str | None) -> bool:
    """Whether a commit is another one or has it among its ancestors."""
    if sha is None or wanted is None or sha == wanted:
        return sha is not None and sha == wanted
    number = graph.number
    return sha in number and wanted in number and graph.contains(number[sha], number[wanted])
