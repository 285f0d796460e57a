"""What the golden paths say, as small tables that the models join: who is on which, and which jobs are their steps."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import translate
from typing import Any

import duckdb
import pyarrow as pa

from config.platform_team.membership import PathMembership
from config.platform_team.step_kinds import JudgedStep, fits, judged_steps
from config.settings import Settings
from warehouse.storage.arrow_tables import create_table

_STRING, _BOOL, _WHOLE = pa.string(), pa.bool_(), pa.int64()
# each kind of job that was read, with the files that its runs called and those of its steps that were kept
_JOBS = """
with jobs as (
    select r.workflow, r.referenced_workflows as called, unnest(r.jobs) as job
    from source.workflow_runs as r
)

select distinct j.workflow, j.called, j.job.name, list_transform(j.job.steps, lambda s: s.name)
from jobs as j
order by all
"""
_PLACES = (
    "select distinct coalesce(environment, concat_ws('/', cluster, namespace)) from source.deployments"
    " where coalesce(environment, cluster, namespace) is not null order by 1"
)
_MEMBERS = (
    "select m.component, m.from_at, m.origin, m.golden_path, m.template, m.tags, r.from_template"
    " from source.memberships as m left join catalogue as c on c.name = m.component"
    " left join source.repositories as r on r.repo = c.repo order by 1, 2, 3"
)


def create_path_inputs(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Makes `member_paths`, `path_steps`, `step_jobs` and `step_environments` of an attached warehouse."""

    def table(name: str, columns: dict[str, pa.DataType], content: Sequence[Sequence[Any]]) -> None:
        arrays = [pa.array([row[i] for row in content], kind) for i, kind in enumerate(columns.values())]
        create_table(connection, name, pa.table(arrays, names=list(columns)))

    membership = PathMembership(settings.golden_paths)
    members = connection.execute(_MEMBERS).fetchall()
    table(
        "member_paths",
        {"component": _STRING, "from_at": pa.timestamp("us"), "origin": _STRING, "path": _STRING},
        [
            (component, at, origin, membership.path_of(named, [template, repository], tags or ()))
            for component, at, origin, named, template, tags, repository in members
        ],
    )
    steps = [step for path in settings.golden_paths for step in judged_steps(path)]
    table(
        "path_steps",
        {
            "path": _STRING,
            "position": _WHOLE,
            "step": _STRING,
            "kind": _STRING,
            "is_required": _BOOL,
            "timeout_seconds": pa.float64(),
            "is_auto": _BOOL,
            "has_place": _BOOL,
        },
        [
            (s.path, s.position, s.name, s.kind, s.is_required, s.timeout_seconds, s.is_auto, s.has_place)
            for s in steps
        ],
    )
    jobs = connection.execute(_JOBS).fetchall() if steps else []
    table(
        "step_jobs",
        {"path": _STRING, "position": _WHOLE, "workflow": _STRING, "job": _STRING, "job_step": _STRING},
        list(dict.fromkeys(_step_jobs(steps, jobs))),
    )
    places = [place for (place,) in connection.execute(_PLACES).fetchall()] if steps else []
    table(
        "step_environments",
        {"path": _STRING, "position": _WHOLE, "environment": _STRING},
        [(s.path, s.position, place) for s in steps for place in places if _is_of(s, place)],
    )


def _step_jobs(steps: Sequence[JudgedStep], jobs: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """(path, position, workflow, job, step of the job or None) for each job that is a step of a path."""
    for step in steps:
        globs = step.match.step if step.match else []
        of_step = re.compile("|".join(translate(glob.lower()) for glob in globs))
        for workflow, called, job, names in jobs:
            if not fits(step, workflow, called or [], job):
                continue
            if not globs:
                yield step.path, step.position, workflow, job, None
            for name in names or () if globs else ():
                if name and of_step.fullmatch(name.lower()):
                    yield step.path, step.position, workflow, job, name


def _is_of(step: JudgedStep, place: str) -> bool:
    """Whether a place of deployments is where the step deploys to."""
    if step.match and step.match.environment:
        return any(re.fullmatch(translate(glob.lower()), place.lower()) for glob in step.match.environment)
    spaced = re.sub(r"[^a-z0-9]+", " ", place.lower())
    words = "|".join(re.sub(r"[^a-z]+", " ", word) for word in step.places)
    return bool(words) and re.search(rf"(?<![a-z])(?:{words})(?![a-z])", spaced) is not None
