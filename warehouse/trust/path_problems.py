"""Golden paths that fit nothing: a step without a job, a path without a service, a name without a path."""

from collections.abc import Callable, Iterator
from typing import Any

from config.settings import Settings
from warehouse.metrics.units import plural

_MOST_SEEN = 8
# the jobs that were seen in the repositories of the services on a path, most frequent first
_STEPS_WITHOUT_JOBS = """
with seen as (
    select s.path, r.repo, r.workflow, j.name as job, count(*) as runs
    from path_stretches as s
    inner join services as v on v.service = s.service
    inner join source.workflow_runs as r on r.repo = v.repo
    cross join lateral unnest(r.jobs) as u (j)
    where s.path is not null and s.until_at is null
        and exists (
            select 1 from source.coverage as c
            where (c.source = 'workflow_jobs' and c.subject = r.repo)
                or (c.source = 'import workflow_runs' and c.subject in (r.repo, 'every service'))
        )
    group by all
),

jobs as (
    select e.path, e.job, sum(e.runs) as runs from seen as e group by e.path, e.job
)

select t.path, t.step,
    (select count(distinct (e.repo, e.workflow)) from seen as e where e.path = t.path),
    (select list(e.job order by e.runs desc, e.job) from jobs as e where e.path = t.path)
from path_steps as t
where t.kind <> 'production'
    and exists (select 1 from seen as e where e.path = t.path)
    and not exists (
        select 1 from seen as e
        inner join step_jobs as k on k.path = e.path and k.workflow = e.workflow and k.job = e.job
        where e.path = t.path and k.position = t.position
    )
    and not exists (select 1 from step_environments as p where p.path = t.path and p.position = t.position)
order by t.path, t.position
"""
_ON_PATHS = (
    "select s.path, list(s.service order by s.service) from path_stretches as s"
    " inner join services as v on v.service = s.service and v.gone_at is null"
    " where s.path is not null and s.until_at is null group by s.path order by s.path"
)


def path_problems(
    rows: Callable[[str], list[tuple[Any, ...]]], settings: Settings
) -> Iterator[tuple[str, str]]:
    """(what is wrong, what to write where), of a connection with the tables up to `candidates`."""
    for path, step, workflows, jobs in rows(_STEPS_WITHOUT_JOBS):
        seen = ", ".join(f"`{job}`" for job in jobs[:_MOST_SEEN])
        more = f" and {len(jobs) - _MOST_SEEN} more" if len(jobs) > _MOST_SEEN else ""
        yield (
            f'step {step} of the golden path "{path}" matches no job of {plural(workflows, "workflow")}; seen:'
            f" {seen}{more}",
            f"say which it is beside golden_paths in sixkeys.yaml: {{name: {path}, deployment: {{steps:"
            f" [{{name: {step}, match: {{job: GLOB}}}}]}}}}",
        )
    members = dict(rows(_ON_PATHS))
    known = [path.name for path in settings.golden_paths]
    for path in known:
        if path not in members and rows("select 1 from catalogue limit 1"):
            yield (
                f'no service is on the golden path "{path}"',
                "name it in the annotation sixkeys.dev/golden-path of its components, or say by members which it has",
            )
    for path, services in members.items():
        if path not in known and known:
            yield (
                f"{', '.join(services[:_MOST_SEEN])} {'names' if len(services) == 1 else 'name'} the golden path"
                f' "{path}", which nobody describes',
                f"mend the annotation, or describe it below golden_paths; known are {', '.join(known[:_MOST_SEEN])}",
            )
