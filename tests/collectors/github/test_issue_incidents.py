"""Incidents that are GitHub issues: which count, how they are read again, and how much that asks of GitHub."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from werkzeug import Request, Response

from collectors.contract.items import Checkpoint, Item, Malformed, Resume, SourceError
from collectors.contract.records import Coverage, Incident
from collectors.github.api import GitHubApi
from collectors.github.issues import collect
from collectors.github.vanished_issues import vanished
from config.settings import GitHub, Settings
from sample_data.model import Issue
from sample_data.servers.server import SampleServer
from tests.support.github_organisation import NOW, SINCE, TOKEN, answer, make_repository, of, serve, settings
from tests.support.loopback import PATIENCE, Loopback
from warehouse.metrics.published_facts import open_facts
from warehouse.pipeline import collect as collect_all
from warehouse.progress import Silent
from warehouse.storage.store import open_warehouse

INCIDENTS = {"labels": ["incident", "Outage"], "priorities": ["sev:*", "P[0-9]"]}


def hour(count: float) -> datetime:
    return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=count)


def make_issue(number: int, *labels: str, closed: float | None = None, updated: float | None = None) -> Issue:
    closed_at = None if closed is None else hour(closed)
    updated_at = hour(updated) if updated is not None else closed_at or hour(number)
    return Issue(
        number, number, f"Broken {number}", hour(number), updated_at, closed_at, labels or ("incident",)
    )


def read(
    server: SampleServer | Loopback,
    *repositories: str,
    cursors: dict[str, Any] | None = None,
    since: datetime = SINCE,
    incidents: dict[str, Any] | None = None,
) -> list[Item]:
    """All items; `cursors` is moved as the pipeline would move it."""
    cursors = {} if cursors is None else cursors
    source = settings(server.url, incidents=incidents or INCIDENTS)
    items = list(collect(source, Resume(NOW, since, dict(cursors)), repositories or ["acme/checkout"]))
    cursors |= {
        item.subject: json.loads(json.dumps(item.cursor)) for item in items if isinstance(item, Checkpoint)
    }
    return items


def found(items: list[Item]) -> list[str]:
    return sorted(incident.id for incident in of(items, Incident))


def test_an_issue_with_a_label_is_an_incident_from_creation_to_close() -> None:
    issues = [
        make_issue(1, "bug", "incident", "P2", "sev:high", closed=3),
        make_issue(2, "outage", "P1"),
        make_issue(3, "bug"),
    ]
    # GitHub's labels know no capitals
    issues[1] = Issue(2, 2, "Broken 2", hour(2), hour(2), None, ("Outage", "P1"))
    with serve(make_repository(issues=issues)) as server:
        items = read(server)
    first, second = sorted(of(items, Incident), key=lambda incident: incident.id)
    assert first == Incident(
        source="github_issues",
        id="acme/checkout#1",
        source_service="acme/checkout",
        title="Broken 1",
        priority="sev:high",
        status="closed",
        opened_at=hour(1),
        resolved_at=hour(3),
        url=f"{server.url}/acme/checkout/issues/1",
    )
    assert (second.id, second.status, second.resolved_at, second.priority) == (
        "acme/checkout#2",
        "open",
        None,
        "P1",
    )
    (covered,) = of(items, Coverage)
    assert (covered.source, covered.subject, covered.from_at, covered.until_at) == (
        "github_issues", "acme/checkout", SINCE, NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("COMPLETED", "closed"),
        ("NOT_PLANNED", "not planned"),
        ("DUPLICATE", "duplicate"),
        ("REOPENED", "closed"),
    ],
)
def test_an_issue_that_was_closed_for_another_reason_than_being_done_says_so(
    reason: str, status: str
) -> None:
    closed, still_open = make_issue(1, closed=3), make_issue(2)
    issues = [replace(issue, state_reason=reason) for issue in (closed, still_open)]
    with serve(make_repository(issues=issues)) as server:
        told = {incident.id: incident.status for incident in of(read(server), Incident)}
    assert told == {"acme/checkout#1": status, "acme/checkout#2": "open"}


def test_only_what_changed_is_read_again_and_a_reopened_one_is_open() -> None:
    repository = make_repository(issues=[make_issue(n, closed=n + 1) for n in range(1, 10)])
    cursors: dict[str, Any] = {}
    with serve(repository) as server:
        assert len(found(read(server, cursors=cursors))) == 9
        assert found(read(server, cursors=cursors)) == ["acme/checkout#9"]
        repository.issues[2] = make_issue(3, updated=20)
        (again,) = [i for i in of(read(server, cursors=cursors), Incident) if i.id == "acme/checkout#3"]
        assert (again.status, again.resolved_at) == ("open", None)
        # another label, or an earlier day, is looked for from the beginning
        assert len(found(read(server, cursors=cursors, incidents={"labels": ["incident"]}))) == 9
        assert len(found(read(server, cursors=cursors, since=SINCE - timedelta(days=1)))) == 9


def test_many_repositories_are_one_request_and_long_lists_are_read_to_their_end() -> None:
    names = [f"r{n:02}" for n in range(50)]
    repositories = [make_repository(name, issues=[make_issue(1)]) for name in names]
    repositories[7].issues = [make_issue(n) for n in range(1, 150)]
    with serve(*repositories) as server:
        items = read(server, *(f"acme/{name}" for name in names))
        # 20 of each, then the last of 149 by 100
        assert server.requests == {"github graphql": 3}
        assert len(found(items)) == 49 + 149
        cursors: dict[str, Any] = {}
        read(server, *(f"acme/{name}" for name in names), cursors=cursors)
        server.requests.clear()
        read(server, *(f"acme/{name}" for name in names), cursors=cursors)
        assert server.requests == {"github graphql": 1}


def test_a_reading_that_was_cut_off_goes_on_where_it_was() -> None:
    with serve(make_repository(issues=[make_issue(n) for n in range(1, 150)])) as server:
        items: Iterator[Item] = collect(
            settings(server.url, incidents=INCIDENTS), Resume(NOW, SINCE), ["acme/checkout"]
        )
        seen: list[Item] = []
        for item in items:
            seen.append(item)
            if isinstance(item, Checkpoint):
                break
        cursors = {"acme/checkout": json.loads(json.dumps(item.cursor))}
        assert len(found(seen)) == 20
        assert not of(seen, Coverage)
        rest = read(server, cursors=cursors)
    assert set(found(seen)) | set(found(rest)) == {f"acme/checkout#{n}" for n in range(1, 150)}
    assert len(found(rest)) == 130


def test_a_repository_that_is_gone_hides_no_other_and_is_not_covered() -> None:
    with serve(make_repository(issues=[make_issue(1)])) as server:
        items = read(server, "acme/gone", "acme/checkout")
    assert found(items) == ["acme/checkout#1"]
    assert [covered.subject for covered in of(items, Coverage)] == ["acme/checkout"]
    assert not of(items, Malformed)


def test_a_query_that_takes_too_long_is_asked_in_halves_and_grows_again() -> None:
    names = [f"acme/r{n:03}" for n in range(150)]
    too_much = answer(
        200, {"data": None, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "too much"}]}
    )
    with serve(*(make_repository(name[5:], issues=[make_issue(1)]) for name in names)) as server:

        def passed_on(request: Request) -> Response:
            passed = httpx.request(
                request.method, f"{server.url}{request.path}", content=request.get_data(),
                headers={"Authorization": request.headers["Authorization"], "Content-Type": "application/json"},
                timeout=PATIENCE,
            )  # fmt: skip
            return Response(passed.content, passed.status_code, content_type="application/json")

        with Loopback(passed_on, faults=[too_much]) as between:
            items = read(between, *names)
        # 50 are too many; 25 three times, then 50 and the last 25
        assert len(between.requests) == 1 + 3 + 2
    assert len(found(items)) == 150


def test_an_issue_that_makes_no_sense_is_set_aside() -> None:
    node = {
        "number": 1,
        "state": "OPEN",
        "createdAt": None,
        "updatedAt": "2026-11-01T00:00:00Z",
        "title": None,
    }
    page = {"pageInfo": {"hasNextPage": False}, "nodes": [node, None]}
    with Loopback(lambda request: answer(200, {"data": {"r0": {"issues": page}}})) as server:
        items = read(server)
    (bad,) = of(items, Malformed)
    assert (bad.kind, bad.subject) == ("incidents", "acme/checkout#1")
    assert of(items, Coverage)


def test_a_refused_token_is_told() -> None:
    with (
        Loopback(lambda request: answer(401, {"message": "Bad credentials"})) as server,
        pytest.raises(SourceError) as caught,
    ):
        read(server)
    assert "answered 401" in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_incidents_need_labels_and_graphql() -> None:
    with pytest.raises(ValidationError, match="labels"):
        settings("http://127.0.0.1", incidents={})
    with pytest.raises(ValidationError, match="reads issues by GraphQL only"):
        settings("http://127.0.0.1", incidents=INCIDENTS, graphql=False)


def test_an_issue_reaches_the_numbers_of_its_repository_also_under_its_next_name(tmp_path: Path) -> None:
    repository = make_repository(issues=[make_issue(1, closed=2)])
    with serve(repository) as server:
        github: GitHub = settings(server.url, incidents=INCIDENTS, clone=False)
        configured = Settings.model_validate({"organization": "acme", "warehouse": tmp_path / "w.duckdb"})
        configured = configured.model_copy(
            update={"sources": configured.sources.model_copy(update={"github": github})}
        )
        for name in ("checkout", "cashier"):
            repository.name = name
            runs = collect_all(configured, Silent(), now=NOW)
            assert [run.error for run in runs if run.source in ("github", "github_issues")] == [None, None]
            with open_facts(configured.warehouse) as facts:
                rows = facts.connection.execute("select id, service, open_seconds from incidents").fetchall()
            assert rows == [(f"acme/{name}#1", f"acme/{name}", 3600.0)]
    with open_warehouse(configured.warehouse) as warehouse:
        subjects = warehouse.connection.execute(
            "select subject from cursors where source = 'github_issues' order by subject"
        ).fetchall()
    assert subjects == [("*",), ("acme/cashier",)]


def test_an_issue_that_loses_its_label_is_no_incident_any_more_and_one_that_gets_it_back_is(
    tmp_path: Path,
) -> None:
    repository = make_repository(issues=[make_issue(n, closed=n + 1) for n in range(1, 30)])
    with serve(repository) as server:
        stored = Stored(server, tmp_path)
        every = {f"acme/checkout#{n}" for n in range(1, 30)}
        assert stored() == every
        repository.issues[2] = make_issue(3, "bug", closed=4, updated=40)
        repository.issues.append(make_issue(41, "bug"))  # was never one
        assert stored() == every - {"acme/checkout#3"}
        repository.issues[2] = make_issue(3, "incident", closed=4, updated=42)
        assert stored() == every
        assert stored() == every
        assert stored.asked == 2, "the listing, and the issues of all repositories"


class Stored:
    """A warehouse that is collected into run by run, and what it has of incidents afterwards."""

    def __init__(self, server: SampleServer, folder: Path) -> None:
        github: GitHub = settings(server.url, incidents=INCIDENTS, clone=False)
        configured = Settings.model_validate({"organization": "acme", "warehouse": folder / "w.duckdb"})
        self._settings = configured.model_copy(
            update={"sources": configured.sources.model_copy(update={"github": github})}
        )
        self._server = server
        self.asked = 0  # queries of the last run

    def __call__(self, now: datetime = NOW) -> set[str]:
        before = self._server.requests["github graphql"]
        runs = collect_all(self._settings, Silent(), now=now)
        assert [run.error for run in runs if run.source in ("github", "github_issues")] == [None, None]
        self.asked = self._server.requests["github graphql"] - before
        with open_warehouse(self._settings.warehouse) as warehouse:
            return {id for (id,) in warehouse.connection.execute("select id from incidents").fetchall()}


def test_an_issue_that_is_deleted_or_transferred_is_no_incident_of_its_repository_any_more(
    tmp_path: Path,
) -> None:
    here = make_repository(issues=[make_issue(n, closed=n + 1) for n in range(1, 130)])
    there = make_repository("ledger")
    with serve(here, there) as server:
        stored = Stored(server, tmp_path)
        every = {f"acme/checkout#{n}" for n in range(1, 130)}
        assert stored() == every
        deleted, moved = here.issues.pop(4), here.issues.pop(6)
        there.issues.append(replace(moved, number=1, updated_at=hour(200)))
        left = every - {f"acme/checkout#{n.number}" for n in (deleted, moved)} | {"acme/ledger#1"}
        assert stored() == left
        assert stored.asked == 2 + 2, "the listing, the issues, and those that are stored by 100"
        assert stored() == left
        assert stored.asked == 2


def test_an_incident_whose_label_was_deleted_leaves_and_what_was_only_switched_off_stays(
    tmp_path: Path,
) -> None:
    repository = make_repository(issues=[make_issue(1, "outage"), make_issue(2, "Outage", "bug")])
    repository.issues[0] = replace(repository.issues[0], labels=("Outage",))
    with serve(repository) as server:
        stored = Stored(server, tmp_path)
        assert stored() == {"acme/checkout#1", "acme/checkout#2"}
        repository.has_issues = False
        for asked in (3, 2):
            assert stored() == {"acme/checkout#1", "acme/checkout#2"}
            assert stored.asked == asked, "what has no answer is asked once"
        repository.has_issues = True
        # its issues are not updated by it
        repository.issues[1] = replace(repository.issues[1], labels=("bug",))
        assert stored() == {"acme/checkout#1"}


def test_an_issue_that_github_still_finds_in_another_repository_has_left() -> None:
    def moved(request: Request) -> Response:
        issue = {"repository": {"nameWithOwner": "acme/ledger"}, "labels": {"nodes": [{"name": "incident"}]}}
        here = {"repository": {"nameWithOwner": "acme/checkout"}, "labels": None}
        found = {
            "nameWithOwner": "acme/checkout",
            "hasIssuesEnabled": True,
            "i1": issue,
            "i2": here,
            "i3": None,
        }
        error = {"type": "FORBIDDEN", "path": ["repository", "i3"], "message": "not yours"}
        return answer(200, {"data": {"repository": found}, "errors": [error]})

    with Loopback(moved) as server, GitHubApi(settings(server.url)) as api:
        assert list(vanished(api, "acme/checkout", [1, 2, 3], ["incident"])) == [1]
