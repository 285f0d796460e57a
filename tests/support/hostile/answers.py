"""Answers of every JSON API with one value replaced by a hostile one, and what a collector makes of them."""

import io
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import stamina
from pydantic import SecretStr
from werkzeug import Request, Response
from werkzeug.test import run_wsgi_app

from collectors.argocd import collect as argocd
from collectors.argocd.managed_reading import Guarded
from collectors.contract.items import Checkpoint, Gone, Item, Malformed, Resume, SourceError
from collectors.contract.records import Record, Repository
from collectors.git import collect as git
from collectors.github import collect as github
from collectors.github import issues, workflow_runs
from collectors.github.api import GitHubApi
from collectors.pagerduty import collect as pagerduty
from config.sources import ArgoCD, GitHub, GitHubIncidents, PagerDuty
from sample_data import model
from sample_data.servers.faults import App, Environ
from sample_data.servers.server import SampleServer
from tests.support.faulty_sources import make_application, make_incident, told
from tests.support.git_origin import Origin
from tests.support.github_organisation import (
    CREATED,
    NOW,
    PEOPLE,
    SINCE,
    TOKEN,
    everything,
    hours,
    make_deployment,
    make_pull,
    make_repository,
    make_run,
)
from tests.support.hostile import cluster_objects
from tests.support.hostile.values import Place, part_at, with_part, written

SOURCES = ("github", "github rest", "github issues", "github runs", "github commits", "argocd", "pagerduty")
Asked = tuple[str, bytes]
Key = tuple[Any, ...]


class Recorded:
    """A WSGI application between the sources and their collectors, which answers again what it answered before.

    `answers` are those in JSON by what was asked; `hit` replaces a part of one of them.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._known: dict[Asked, tuple[bytes, str, Any]] = {}
        self.answers: dict[Asked, Any] = {}
        self.hit: tuple[Asked, Place, Any] | None = None
        self.is_recording = True

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        """The answer of before, or that of the source."""
        request = Request(environ)
        asked = request.full_path, request.get_data()
        if asked not in self._known:
            found = self._asked(environ, asked[1])
            if not self.is_recording:
                return Response(*found)(environ, start_response)
            self._known[asked] = found
            if "json" in found[2].get("content-type", ""):
                self.answers[asked] = json.loads(found[0])
        body, state, headers = self._known[asked]
        if self.hit and self.hit[0] == asked:
            body = written(with_part(self.answers[asked], *self.hit[1:]))
        return Response(body, state, headers)(environ, start_response)

    def _asked(self, environ: Environ, body: bytes) -> tuple[bytes, str, Any]:
        given, state, headers = run_wsgi_app(self._app, {**environ, "wsgi.input": io.BytesIO(body)})
        headers.pop("content-length", None)
        return b"".join(given), state, headers


@dataclass
class Reading:
    """What one run of a source came to: records by their key, what was set aside, and the cursors after it."""

    stored: dict[tuple[Any, ...], Record] = field(default_factory=dict)
    set_aside: list[Malformed] = field(default_factory=list)
    error: str | None = None
    cursors: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def take(self, item: Item) -> None:
        """What storing `item` comes to."""
        if isinstance(item, Malformed):
            self.set_aside.append(item)
        elif isinstance(item, Checkpoint):
            self.cursors[item.subject] = json.loads(json.dumps(item.cursor))
        elif isinstance(item, Gone):
            self.stored.pop((item.record.TABLE, *item.key), None)
        else:
            self.stored[(item.TABLE, *(getattr(item, key) for key in item.KEY))] = item


class HostileBench:
    """Every source behind one address, of which one answer may be hostile in one place; clones go into `folder`."""

    def __init__(self, url: str, recorded: Recorded, folder: Path) -> None:
        self.url, self._recorded, self._folder = url, recorded, folder
        self.sound: dict[str, Reading] = {}
        self.answers: dict[str, dict[Asked, Any]] = {}
        self._hanging: dict[tuple[str, Asked, Place], set[Key]] = {}
        for source in SOURCES:
            recorded.answers = {}
            self.sound[source] = self.read(source)
            self.answers[source] = dict(sorted(recorded.answers.items()))
        recorded.is_recording = False

    def read(
        self, source: str, cursors: dict[str, Any] | None = None, hit: tuple[Asked, Place, Any] | None = None
    ) -> Reading:
        """A run of `source` from `cursors` on, one part of whose answers is hostile where there is a `hit`."""
        reading = Reading(cursors=dict(cursors or {}))
        if hit:
            self._recorded.answers, self._recorded.hit = self.answers[source], hit
        begun = time.monotonic()
        try:
            with stamina.set_testing(True, attempts=2, cap=True):
                for item in self._items(source, Resume(NOW, SINCE, dict(cursors or {}))):
                    reading.take(item)
        except SourceError as error:
            reading.error = str(error)
        finally:
            self._recorded.hit = None
        reading.seconds = time.monotonic() - begun
        return reading

    def hanging(self, source: str, asked: Asked, place: Place) -> set[Key]:
        """The keys of what is lost or changed where the innermost item of a list on the way to `place` is missing."""
        steps = [n for n, step in enumerate(place, 1) if _begins_an_item(step)]
        in_lists = [n for n in steps if isinstance(place[n - 1], int)]
        # of a query the item itself, however deep the place is in it; what belongs to one item is one answer elsewhere
        last = (in_lists or steps or [0])[0] if "graphql" in asked[0] else (steps or [0])[-1]
        last = 0 if _OF_ONE_ITEM.search(asked[0]) else last
        item = (source, asked, place[:last])
        if item not in self._hanging:
            hit = part_at(self.answers[source][asked], place[:last])
            own = {str(hit[name]) for name in _IDS if isinstance(hit, dict) and hit.get(name)}
            if _OF_ONE_ITEM.search(asked[0]):
                own |= set(re.split("[/?]", asked[0]))
            found = {key for key in self.sound[source].stored if own.intersection(map(str, key[1:]))}
            for instead in (None, _hollow(hit)):
                without = self.read(source, hit=(asked, place[:last], instead))
                if without.error is None:
                    found |= self.differing(source, without)
            self._hanging[item] = found
        return self._hanging[item]

    def differing(self, source: str, reading: Reading) -> set[Key]:
        """The keys of what a sound run stores and `reading` does not, or not so."""
        return {key for key, record in self.sound[source].stored.items() if reading.stored.get(key) != record}

    def _items(self, source: str, resume: Resume) -> Iterator[Item]:
        token = SecretStr(TOKEN)
        hub = GitHub(
            url=f"{self.url}/api/v3",
            token=token,
            repositories=["acme/*"],
            graphql=source != "github rest",
            workflow_runs=False,
            clone=False,
            incidents=GitHubIncidents(labels=["incident"]) if source == "github issues" else None,
        )
        names = ["acme/checkout", "acme/billing"]
        match source:
            case "github" | "github rest":
                return github.collect(hub, resume, PEOPLE, catalog=True)
            case "github issues":
                return issues.collect(hub, resume, names)
            case "github runs":
                return self._runs(hub, names, resume)
            case "github commits":
                known = [Repository(repo=name, created_at=CREATED, pushed_at=NOW) for name in names]
                return git.collect(hub, resume, PEOPLE, known, self._folder, {}, ["acme/checkout"])
            case "argocd":
                instance = ArgoCD.model_construct(name="main", url=f"{self.url}/argocd", token=token)
                return argocd.collect(instance, resume, guarded=Guarded(lambda *_: True, dict))
            case _:
                account = PagerDuty.model_construct(url=f"{self.url}/pagerduty", token=token, since=None)
                return pagerduty.collect(account, resume)

    @staticmethod
    def _runs(hub: GitHub, names: list[str], resume: Resume) -> Iterator[Item]:
        with GitHubApi(hub) as api:
            for name in names:
                yield from workflow_runs.collect_runs(api, name, SINCE, resume, PEOPLE)


def _begins_an_item(step: str | int) -> bool:
    """Whether it leads into a list, or to one of the repositories that a query asks for."""
    return isinstance(step, int) or re.fullmatch(r"[rn]\d+", step) is not None


_OF_ONE_ITEM = re.compile(r"/(pulls|deployments|issues|attempts|incidents|commits)/[^/]+/\w+")
_IDS = ("id", "number", "sha", "oid", "uid", "name", "nameWithOwner", "full_name")


def _hollow(value: Any, key: str = "") -> Any:
    """`value` with nothing in it but what it is known by."""
    if isinstance(value, dict):
        return {key: _hollow(part, key) for key, part in value.items()}
    return [] if isinstance(value, list) else value if key in _IDS else None


def _organisation(folder: Path) -> model.Organisation:
    """Two repositories, two applications and three incidents, with something of every kind."""
    origin = Origin(folder)
    origin.commits(3)
    origin.git("tag", "v1", "HEAD~1")
    origin.push()
    labelled = [
        model.Issue(n, n, "Broken", hours(n), hours(n), hours(n + 1), ("incident",)) for n in (41, 42)
    ]
    first = everything()
    first.git_dir, first.issues = origin.git_dir, labelled
    second = make_repository(
        "billing",
        git_dir=origin.git_dir,
        issues=[model.Issue(51, 51, "Late", hours(9), hours(9), None, ("incident",))],
        pull_requests=[make_pull(4), make_pull(5, merged_at=hours(9), merge_sha="b" * 40)],
        deployments=[make_deployment(14, "SUCCESS")],
        workflow_runs=[make_run(34), make_run(35, status="in_progress")],
    )
    other = make_application()
    other["metadata"] = {
        "name": "api",
        "namespace": "teams",
        "uid": "u2",
        "labels": {"team": "shop", "tier": "1"},
    }
    other["status"]["history"] = [
        {
            **entry,
            "revision": f"{9:040x}",
            "source": {**entry["source"], "kustomize": {"images": ["web=acme/web:1"]}},
        }
        for entry in other["status"]["history"]
    ]
    incidents = [make_incident(number) for number in (1, 2, 3)]
    incidents[2] |= {"status": "acknowledged", "resolved_at": None, "resolve_reason": None}
    incidents[1] |= {"resolve_reason": None, "acknowledgements": [{"at": incidents[1]["created_at"]}]}
    entries = [
        {
            "id": f"R{n}",
            "type": f"{kind}_log_entry",
            "created_at": told(hours(2190 + n)),
            "incident": {"id": f"Q{1 + n % 3}"},
        }
        for n, kind in enumerate(("trigger", "acknowledge", "resolve", "notify"))
    ]
    event = {
        "id": "E1",
        "summary": "Deployed",
        "timestamp": told(hours(2000)),
        "links": [{"href": "https://ci.example/1", "text": "Build"}],
        "custom_details": {"sha": "a" * 40, "build": {"number": 7}},
        "correlation_reason": {"reason": "most_recent"},
    }
    pager = model.PagerDuty(incidents, entries, {"Q2": [event, {**event, "id": "E2"}]})
    metadata = {("web", f"{1:040x}"): {"message": f"x\n\nArgocd-reference-commit-sha: {'a' * 40}\n"}}
    objects = {"web": cluster_objects.everything(), "api": [cluster_objects.network_policy()]}
    argo = model.ArgoCD([make_application(), other], metadata, objects)
    return model.Organisation("acme", NOW, [first, second], argo, pager, {}, {}, {})


@contextmanager
def hostile_bench(folder: Path) -> Iterator[HostileBench]:
    """A bench of a small organisation."""
    recorded: list[Recorded] = []

    def around(app: App) -> App:
        recorded.append(Recorded(app))
        return recorded[0]

    with SampleServer(_organisation(folder / "origin"), token=TOKEN, around=around) as server:
        yield HostileBench(server.url, recorded[0], folder / "cache")
