"""The configured sources: which collector reads each, with what it needs to know."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from glob import glob
from pathlib import Path
from typing import Any

from collectors.argocd import collect as argocd
from collectors.argocd.config_clones import ConfigClones
from collectors.backstage import portal
from collectors.contract.items import Item, Resume, SetAside, SourceError
from collectors.contract.people import People
from collectors.contract.records import Incident, Repository
from collectors.files import backstage, events, record_files
from collectors.git import collect as git
from collectors.github import collect as github
from collectors.github import issues, workflow_runs
from collectors.github.api import GitHubApi
from collectors.pagerduty import change_events
from collectors.pagerduty import collect as pagerduty
from collectors.requests import collect as requests
from collectors.survey import collect as survey
from collectors.survey.inbox import inbox
from config.platform_team.membership import PathMembership
from config.platform_team.step_kinds import judged_steps
from config.settings import Settings, asks_for_jobs
from config.sources import ArgoCD, Catalog, GitHub, PagerDuty
from config.text.references import require_resolved, unresolved_references
from warehouse.loading.asked_waits import patient
from warehouse.loading.guarded_objects import guarded_objects
from warehouse.loading.people_key import people_of
from warehouse.loading.request_repositories import collect_requests, workflows_of
from warehouse.storage.instants import aware, naive
from warehouse.storage.store import open_warehouse

_CLONES = "git"


@dataclass(frozen=True)
class Source:
    """A source by the name that `sixkeys collect --source` takes, how to read it, and the first day that is wanted.

    It is read beside the others once those that it comes `after` have ended, well or not: it needs what they tell, or
    shares a limit or a folder with them. `again` gives the cursors from which items of the quarantine are met again;
    where each run reads everything there is, they need no moving and it `is_whole`.
    """

    name: str
    collect: Callable[[Resume], Iterator[Item]]
    since: date | None = None
    again: Callable[[Mapping[str, Any], Iterable[SetAside]], dict[str, Any]] = lambda cursors, _: {**cursors}
    is_whole: bool = False
    after: tuple[str, ...] = ()
    later: "LaterReading | None" = None


@dataclass(frozen=True)
class LaterReading:
    """What else is read of a source once those that it comes `after` have ended, well or not."""

    collect: Callable[[Resume], Iterator[Item]]
    after: tuple[str, ...]


def sources(
    settings: Settings,
    is_by_hand: bool = False,
    possibly_caused: Callable[[Settings, Collection[str]], Sequence[Incident]] = lambda settings, ids: (),
) -> list[Source]:
    """All configured sources, each behind those that it comes after.

    An Argo CD keeps ten syncs, so it waits for nobody but once, for the clones that its config is read from. One that
    asked to wait is asked only when it `is_by_hand`. `possibly_caused` gives those of PagerDuty's incidents by their
    ids that a deployment may have caused.
    """
    configured = settings.sources
    people = people_of(settings)
    awaits_clones = (
        configured.github and configured.github.clone and not (settings.warehouse.parent / _CLONES).is_dir()
    )
    polled = [
        Source(
            f"argocd:{instance.name}",
            partial(_argocd, settings, configured.github, instance),
            again=argocd.again,
            after=("git", "requests") if awaits_clones else (),
        )
        for instance in configured.argocd
    ]
    found: list[Source] = [] if awaits_clones else [*polled]
    if configured.catalog.files or configured.catalog.backstage:
        read = partial(_catalog, configured.catalog, settings.warehouse.parent)
        found.append(Source("catalog", read, is_whole=True))
    if configured.github:
        found.append(
            Source(
                "github",
                partial(
                    github.collect,
                    configured.github,
                    people=people,
                    catalog=configured.catalog.from_github,
                    workflows=[entry.workflow for entry in settings.deployments.workflows],
                    workflows_of=workflows_of(settings.self_service),
                ),
                configured.github.since,
                github.again,
                # where both tell of a component, what GitHub holds stands
                after=("catalog",) if configured.catalog.from_github else (),
            )
        )
        # what Argo CD deployed is fetched too, and it fetches into the same clones
        before_git = ("catalog", "github", *(() if awaits_clones else (one.name for one in polled)))
        found.append(
            Source(
                "git",
                partial(_git, settings.warehouse, configured.github, people),
                configured.github.since,
                git.again,
                after=before_git,
            )
        )
        if settings.self_service.requests:
            found.append(
                Source(
                    "requests",
                    partial(
                        collect_requests,
                        settings.warehouse,
                        configured.github,
                        settings.self_service,
                        settings.warehouse.parent / _CLONES,
                    ),
                    configured.github.since,
                    requests.again,
                    after=("git",),
                )
            )
        if configured.github.workflow_runs and asks_for_jobs(settings):
            read_jobs = partial(_jobs, settings, configured.github, people)
            # by the API both may ask for 900 things a minute
            others = ("catalog", "github") if configured.github.clone else ("git", "requests")
            again, since = workflow_runs.jobs_again, configured.github.since
            found.append(Source("github_jobs", read_jobs, since, again, after=others))
        if configured.github.incidents:
            found.append(
                Source(
                    "github_issues",
                    partial(_issues, settings.warehouse, configured.github),
                    configured.github.since,
                    issues.again,
                    after=("github",),
                )
            )
    if awaits_clones:
        found += polled
    if configured.pagerduty:
        since = configured.pagerduty.since or (configured.github.since if configured.github else None)
        found.append(
            Source(
                "pagerduty",
                partial(_pagerduty, settings.warehouse, configured.pagerduty),
                since,
                pagerduty.again,
                # once what tells of deployments and of causes has ended
                later=LaterReading(
                    partial(_changes, settings, configured.pagerduty, possibly_caused),
                    ("catalog", "github", "git", *(one.name for one in polled), "links"),
                ),
            )
        )
    if configured.survey or settings.survey_page:
        found.append(
            Source(
                "survey",
                partial(
                    survey.collect,
                    configured.survey,
                    people=people,
                    timezone=settings.timezone,
                    inbox=inbox(settings.warehouse) if settings.survey_page else None,
                ),
                again=survey.again,
            )
        )
    for kind, key, globs in (
        ("links", "incidents.links", settings.incidents.links),
        ("tickets", "self_service.tickets", settings.self_service.tickets),
    ):
        if globs:
            found.append(Source(kind, partial(_files, kind, key, globs), is_whole=True))
    folder = events.event_inbox(settings.warehouse)
    if settings.events is not None or folder.is_dir():
        told = partial(events.collect, settings.events or [], folder, settings.timezone)
        found.append(Source("events", told, is_whole=True))
    return [_patient(one, is_by_hand) for one in found]


def _patient(source: Source, is_by_hand: bool) -> Source:
    later = source.later
    return replace(
        source,
        collect=patient(source.name, source.collect, is_by_hand),
        later=later and replace(later, collect=patient(source.name, later.collect, is_by_hand)),
    )


_LISTED = (
    "select c.subject from coverage as c where c.source = 'repositories'"
    " and c.until_at = (select max(until_at) from coverage where source = 'repositories')"
)


def _listed(warehouse: Path) -> list[str]:
    """The repositories of the last listing."""
    with open_warehouse(warehouse) as opened:
        rows = opened.connection.execute(f"{_LISTED} order by c.subject").fetchall()
    return [repo for (repo,) in rows]


def _known(warehouse: Path) -> list[str]:
    """The repositories of any listing, also while one is being read."""
    with open_warehouse(warehouse) as opened:
        rows = opened.connection.execute("select repo from repositories order by repo").fetchall()
    return [repo for (repo,) in rows]


def _catalog(catalog: Catalog, base: Path, resume: Resume) -> Iterator[Item]:
    # one source, so that what moves from a file to the portal is not gone
    if catalog.files:
        yield from backstage.collect(catalog.files, resume, base)
    if catalog.backstage:
        yield from portal.collect(catalog.backstage)


def _jobs(settings: Settings, source: GitHub, people: People, resume: Resume) -> Iterator[Item]:
    """The runs of the repositories of services on a golden path that has steps: no others are read with their jobs."""
    membership = PathMembership(settings.golden_paths)
    steps = [step for path in settings.golden_paths for step in judged_steps(path)]
    with_steps = {step.path for step in steps}
    with open_warehouse(settings.warehouse) as opened:
        rows = opened.connection.execute(
            "select r.repo, r.created_at, c.golden_path, c.template, c.tags, r.from_template from components as c"
            " inner join repositories as r on lower(r.repo) = lower(c.repo)"
            f" where c.kind = 'Component' and c.gone_at is null and r.repo in ({_LISTED})"
        ).fetchall()
    repositories = {
        repo: created_at.replace(tzinfo=UTC)
        for repo, created_at, named, template, tags, made_from in rows
        if membership.path_of(named, [template, made_from], tags or ()) in with_steps
    }
    globs = sorted({glob for step in steps if step.match for glob in step.match.step})
    whole = workflow_runs.WholeRuns(tuple(globs))
    yield from workflow_runs.collect_jobs(source, resume, people, repositories, whole)


def _issues(warehouse: Path, source: GitHub, resume: Resume) -> Iterator[Item]:
    with open_warehouse(warehouse) as opened:
        known = opened.connection.execute(
            "select id from incidents where source = ?", [issues.SOURCE]
        ).fetchall()
    yield from issues.collect(source, resume, _listed(warehouse), {id for (id,) in known})


def _argocd(settings: Settings, github_: GitHub | None, instance: ArgoCD, resume: Resume) -> Iterator[Item]:
    guarded = guarded_objects(settings, instance.name)
    # what GitHub lacks is told with GitHub; Argo CD keeps little, and tells itself what a revision names
    if github_ is None or not github_.clone or any(unresolved_references(github_)):
        yield from argocd.collect(instance, resume, guarded=guarded)
        return
    with GitHubApi(github_) as api:
        clones = ConfigClones(api, settings.warehouse.parent / _CLONES, _known(settings.warehouse))
        yield from argocd.collect(instance, resume, clones=clones, guarded=guarded)


def _pagerduty(warehouse: Path, source: PagerDuty, resume: Resume) -> Iterator[Item]:
    with open_warehouse(warehouse) as opened:
        changes = opened.connection.execute(
            "select id, change_events from incidents where source = 'pagerduty' and len(change_events) > 0"
        ).fetchall()
    yield from pagerduty.collect(source, resume, dict(changes))


def _changes(
    settings: Settings,
    source: PagerDuty,
    possibly_caused: Callable[[Settings, Collection[str]], Sequence[Incident]],
    resume: Resume,
) -> Iterator[Item]:
    """The change events of those incidents since the last run that a deployment may have caused."""
    known = change_events.AskedIncidents(resume)
    with open_warehouse(settings.warehouse) as opened:
        rows = opened.connection.execute(
            "select id from incidents where source = 'pagerduty' and (opened_at >= ? or list_contains(?, id))",
            [naive(known.since or datetime.min.replace(tzinfo=UTC)), sorted(known.unknown)],
        ).fetchall()
        failed = opened.connection.execute(
            "select 1 from (select max_by(status, started_at) as status from runs"
            " where source <> 'pagerduty' group by source) where status = 'failed'"
        ).fetchall()
    ids = {id for (id,) in rows} - set(known.asked)
    incidents = possibly_caused(settings, ids) if ids else ()
    yield from change_events.collect_changes(source, resume, incidents, not failed)


def _git(warehouse: Path, source: GitHub, people: People, resume: Resume) -> Iterator[Item]:
    with open_warehouse(warehouse) as opened:
        # those of the last listing: what was deleted, or only imported, cannot be cloned
        rows = opened.connection.execute(
            f"select r.* from repositories as r where r.repo in ({_LISTED}) order by r.repo"
        ).fetchall()
        columns = [column[0] for column in opened.connection.description or ()]
        ((listed_at,),) = opened.connection.execute(
            "select max(until_at) from coverage where source = 'repositories'"
        ).fetchall()
        wanted = opened.connection.execute(
            "select d.repo, list(distinct d.sha order by d.sha) from deployments as d where d.repo is not null"
            " and length(d.sha) = 40 and not exists"
            " (select 1 from commits as c where c.repo = d.repo and c.sha = d.sha) group by d.repo"
        ).fetchall()
        with_paths = opened.connection.execute(
            "select distinct repo from components where cardinality(source_patterns) > 0 and repo is not null"
        ).fetchall()
    repositories = [_repository(dict(zip(columns, row, strict=True))) for row in rows]
    yield from git.collect(
        source,
        resume,
        people,
        repositories,
        cache=warehouse.parent / _CLONES,
        wanted=dict(wanted),
        with_paths={repo for (repo,) in with_paths},
        listed_at=listed_at and min(listed_at.replace(tzinfo=UTC), resume.now),
    )


def _repository(row: dict[str, Any]) -> Repository:
    return Repository(**{name: aware(value) for name, value in row.items()})


# a source of files, and the kind of their records
_KINDS = {"links": "links", "tickets": "requests"}


def _files(source: str, key: str, globs: list[str], resume: Resume) -> Iterator[Item]:
    require_resolved(globs)
    for pattern in globs:
        found = sorted(glob(pattern, recursive=True))
        if not found:
            raise SourceError(f"{source}: {pattern} matches no file; mend {key} in the configuration")
        for path in found:
            yield from record_files.read_records(_KINDS[source], Path(path))
