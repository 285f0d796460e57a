"""A small organisation behind every API, and each collector run against it while something goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import stamina
from pydantic import SecretStr
from werkzeug import Request, Response

from collectors.argocd import collect as argocd
from collectors.backstage import portal
from collectors.contract.items import Item, Malformed, Resume, SourceError
from collectors.contract.records import Record, Repository
from collectors.git import collect as git
from collectors.github import collect as github
from collectors.github import issues, workflow_runs
from collectors.github.api import GitHubApi
from collectors.pagerduty import collect as pagerduty
from collectors.survey import collect as survey
from collectors.transport.cost import Meter, metered
from config.sources import ArgoCD, Backstage, GitHub, GitHubIncidents, PagerDuty
from config.survey import Survey
from sample_data import model
from sample_data.servers.faults import App, Faulty
from sample_data.servers.server import SampleServer
from tests.support.git_origin import Origin
from tests.support.github_organisation import (
    ANNA,
    CREATED,
    NOW,
    PEOPLE,
    SINCE,
    TOKEN,
    hours,
    make_commit,
    make_deployment,
    make_pull,
    make_repository,
    make_run,
)

# fourteen pull requests and all else are later
LATE = hours(48)
# for an answer of a machine that is busy with other tests
PATIENCE = 30

CSV = (
    "round,respondent,question,team,submitted_at,closes_at,score\n"
    "Q3,jane,overall,payments,2026-10-01T09:00:00Z,2026-10-15T00:00:00Z,4\n"
    "Q3,john,overall,payments,2026-10-02T09:00:00Z,2026-10-15T00:00:00Z,5\n"
)


def told(at: Any) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def make_application() -> dict[str, Any]:
    source = {"repoURL": "https://github.com/acme/config", "path": "web"}
    history = [
        {
            "id": id,
            "revision": f"{id:040x}",
            "source": source,
            "deployStartedAt": told(hours(id)),
            "deployedAt": told(hours(id + 0.1)),
        }
        for id in range(3)
    ]
    operation = {
        "startedAt": told(hours(9)),
        "finishedAt": told(hours(9.1)),
        "phase": "Failed",
        "operation": {"sync": {"revision": "f" * 40}},
    }
    return {
        "metadata": {"name": "web", "namespace": "argocd", "uid": "u1"},
        "spec": {"project": "shop", "source": source, "destination": {"name": "eu-1", "namespace": "web"}},
        "status": {"history": history, "operationState": operation},
    }


def make_entity(number: int, **more: Any) -> dict[str, Any]:
    """A service as Backstage's API lists it, with what only that says of it (`relations`, `status`)."""
    metadata = {"name": f"web-{number}", "namespace": "default", "uid": f"{number:08}"}
    return {"kind": "Component", "metadata": metadata, "spec": {"owner": "shop", "type": "service"}} | more


def make_incident(number: int) -> dict[str, Any]:
    return {
        "id": f"Q{number}",
        "title": f"Incident {number}",
        "created_at": told(NOW - timedelta(days=9, minutes=-number)),
        "resolved_at": told(NOW - timedelta(days=8)),
        "status": "resolved",
        "service": {"id": "PWEB"},
        "urgency": "high",
        "priority": {"summary": "P2"},
        "resolve_reason": {"type": "merge_resolve_reason", "incident": {"id": "Q0"}},
    }


def make_organisation(git_dir: Path | None = None) -> model.Organisation:
    """A repository with more than a page of pull requests and of releases, an application, two pages of incidents."""
    repository = make_repository(
        git_dir=git_dir,
        issues=[
            model.Issue(n, n, f"Broken {n}", hours(n), hours(n), hours(n + 1), ("incident",))
            for n in range(1001, 1031)
        ],
        pull_requests=[make_pull(n, commits=(make_commit(n),)) for n in range(1, 121)],
        deployments=[make_deployment(n, "IN_PROGRESS", "SUCCESS") for n in range(201, 204)],
        # more than a page of commits is in `git_dir`, more than a page of runs here, of which three have jobs
        workflow_runs=[
            *(make_run(n, status="in_progress") for n in range(2001, 2101)),
            *(make_run(n, attempt) for n, attempt in ((2101, 1), (2102, 1), (2102, 2))),
        ],
        releases=[
            model.Release(n, f"v{n}", f"{n:040x}", "", hours(n - 200), hours(n - 200), ANNA)
            for n in range(301, 421)
        ],
    )
    incidents = [make_incident(number) for number in range(1, 103)]
    pager = model.PagerDuty(incidents, [])
    return model.Organisation(
        "acme",
        NOW,
        [repository],
        model.ArgoCD([make_application()], {}),
        pager,
        {},
        {},
        {},
        backstage=model.Backstage([make_entity(n) for n in range(3)]),
    )


def runs_of(source: GitHub, resume: Resume, patience: int) -> Iterator[Item]:
    """The workflow runs alone, without the lists of repositories that come before them."""
    with GitHubApi(source, patience) as api:
        yield from workflow_runs.collect_runs(api, "acme/checkout", SINCE, resume, PEOPLE)


@dataclass
class Outcome:
    """What a run made of the faults: rows stored, items set aside, why it ended early, and what it asked for."""

    stored: list[Record] = field(default_factory=list)
    set_aside: list[Malformed] = field(default_factory=list)
    error: str | None = None
    asked: list[str] = field(default_factory=list)
    meter: Meter = field(default_factory=Meter)
    waits: list[str] = field(default_factory=list)


class Bench:
    """All sources behind one address, with `faulty` between them and their collectors."""

    def __init__(self, url: str, faulty: Faulty, folder: Path) -> None:
        self.url, self.faulty, self._folder = url, faulty, folder

    def read(
        self, source: str, retry_at_once: bool = True, repositories: int = 1, patience: int = PATIENCE
    ) -> Outcome:
        """The outcome of one run of `source` from the beginning; of git's with so many repositories.

        An answer is waited for `patience` seconds.
        """
        outcome = Outcome()
        outcome.meter.on_wait = outcome.waits.append
        before = len(self.faulty.asked)
        with stamina.set_testing(retry_at_once, attempts=20, cap=True), metered(outcome.meter):
            try:
                for item in self._items(source, repositories, patience):
                    if isinstance(item, Record):
                        outcome.stored.append(item)
                    elif isinstance(item, Malformed):
                        outcome.set_aside.append(item)
            except SourceError as error:
                outcome.error = str(error).replace(self.url, "")
        outcome.asked = self.faulty.asked[before:]
        return outcome

    def _items(self, source: str, repositories: int, patience: int) -> Iterator[Item]:
        # by REST each pull request costs three requests, so that only the last ones are read
        resume = Resume(NOW, LATE if source == "github rest" else SINCE)
        token = SecretStr(TOKEN)
        hub = GitHub(
            url=f"{self.url}/api/v3", token=token, repositories=["acme/*"], graphql=source != "github rest"
        )
        known = [
            Repository(repo=f"acme/{name}", created_at=CREATED, pushed_at=NOW)
            for name in ("checkout", *(f"other{n}" for n in range(1, repositories)))
        ]
        match source:
            case "github" | "github rest":
                return github.collect(hub, resume, PEOPLE, timeout=patience)
            case "github issues":
                labelled = hub.model_copy(update={"incidents": GitHubIncidents(labels=["incident"])})
                return issues.collect(labelled, resume, ["acme/checkout"], timeout=patience)
            case "github runs":
                return runs_of(hub, resume, patience)
            case "github commits":
                by_api = hub.model_copy(update={"clone": False})
                return git.collect(
                    by_api, resume, PEOPLE, known, self._folder, {}, [], stall_seconds=patience
                )
            case "git":
                return git.collect(hub, resume, PEOPLE, known, self._folder, {}, [], stall_seconds=patience)
            case "argocd":
                instance = ArgoCD.model_construct(name="main", url=f"{self.url}/argocd", token=token)
                return argocd.collect(instance, resume, timeout=patience)
            case "pagerduty":
                account = PagerDuty.model_construct(url=f"{self.url}/pagerduty", token=token, since=None)
                return pagerduty.collect(account, resume, timeout=patience)
            case "backstage":
                backstage = Backstage.model_construct(
                    url=f"{self.url}/backstage", token=token, portal="https://portal.acme.example"
                )
                return portal.collect(backstage, timeout=patience)
            case _:
                survey_ = Survey(files=[f"{self.url}/survey.csv"])
                return survey.collect(survey_, resume, PEOPLE, timeout=patience)


def _with_survey(app: App) -> App:
    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        if Request(environ).path == "/survey.csv":
            return Response(CSV, content_type="text/csv")(environ, start_response)
        return app(environ, start_response)

    return serve


def organisation_with_history(folder: Path) -> model.Organisation:
    """The organisation with a git repository of 103 commits and a tag, which is written into `folder`."""
    origin = Origin(folder)
    origin.commits(103)
    origin.git("tag", "v1", "HEAD~50")
    origin.push()
    return make_organisation(origin.git_dir)


@contextmanager
def serving(folder: Path, organisation: model.Organisation) -> Iterator[Bench]:
    """A bench of `organisation`; clones go into `folder`."""
    faulties: list[Faulty] = []

    def around(app: App) -> App:
        faulties.append(Faulty(_with_survey(app)))
        return faulties[0]

    with SampleServer(organisation, token=TOKEN, around=around) as server, faulties[0]:
        yield Bench(server.url, faulties[0], folder / "cache")
