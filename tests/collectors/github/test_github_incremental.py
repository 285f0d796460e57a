"""What GitHub's collector asks for: pages, what changed, and how often."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from collectors.contract.items import Checkpoint, Item, Resume
from collectors.contract.records import Coverage, PullRequest, Repository, WorkflowRun
from collectors.contract.records import Deployment as DeploymentRecord
from collectors.github.collect import collect
from sample_data import model
from sample_data.model import Review
from tests.support.github_organisation import (
    ANNA,
    BEN,
    CREATED,
    NOW,
    PEOPLE,
    SINCE,
    hours,
    make_commit,
    make_deployment,
    make_pull,
    make_repository,
    make_run,
    numbers,
    of,
    read,
    serve,
    settings,
)


def test_a_thousand_pull_requests_cost_at_most_thirty_requests() -> None:
    pulls = [
        make_pull(n, commits=(make_commit(n),), reviews=(Review(BEN, hours(n + 1)),)) for n in range(1, 1001)
    ]
    with serve(make_repository(pull_requests=pulls)) as server:
        assert sorted(numbers(read(server))) == list(range(1, 1001))
        assert sum(server.requests.values()) <= 30


def test_a_thousand_deployments_cost_at_most_ten_requests_beside_the_listing() -> None:
    deployments = [make_deployment(n, "IN_PROGRESS", "SUCCESS", "INACTIVE") for n in range(1, 1001)]
    with serve(make_repository(deployments=deployments)) as server:
        assert {d.status for d in of(read(server), DeploymentRecord)} == {"success"}
        assert sum(server.requests.values()) <= 11


def test_nested_lists_that_were_cut_are_completed() -> None:
    pull = make_pull(
        1,
        commits=tuple(make_commit(n) for n in range(230)),
        reviews=(*(Review(ANNA, hours(n)) for n in range(1, 121)), Review(BEN, hours(130))),
        labels=tuple(f"label {n}" for n in range(25)),
    )
    deployment = make_deployment(1, *["IN_PROGRESS"] * 120, "SUCCESS", *["INACTIVE"] * 31)
    with serve(make_repository(pull_requests=[pull], deployments=[deployment])) as server:
        items = read(server)
    (found,) = of(items, PullRequest)
    assert len(found.commits) == 230
    assert len(found.labels) == 25
    assert found.first_review_at == hours(130)
    assert of(items, DeploymentRecord)[0].finished_at == hours(1) + timedelta(minutes=121)


def test_many_repositories_are_listed_a_hundred_a_request() -> None:
    with serve(*(make_repository(f"service-{n}") for n in range(250))) as server:
        assert len(of(read(server), Repository)) == 250
        assert sum(server.requests.values()) == 3


def test_a_second_run_asks_only_whether_something_changed() -> None:
    old = [make_deployment(1, "SUCCESS")]
    repositories = [
        make_repository(name, pull_requests=[make_pull(1)], deployments=old) for name in ("a", "b", "c")
    ]
    with serve(*repositories) as server:
        cursors: dict[str, Any] = {}
        read(server, cursors)
        server.requests.clear()
        later = NOW + timedelta(hours=1)
        items = read(server, cursors, now=later)
        assert server.requests == {"github graphql": 1}
    assert numbers(items) == []
    assert {(c.from_at, c.until_at) for c in of(items, Coverage)} == {(CREATED, later)}


# by REST each pull request costs three requests
@pytest.mark.parametrize(("graphql", "count"), [(True, 199), (False, 20)])
def test_only_what_was_updated_is_read_again(graphql: bool, count: int) -> None:
    quiet = make_repository("quiet", pull_requests=[make_pull(1)])
    busy = make_repository("busy", pull_requests=[make_pull(n) for n in range(1, count + 1)])
    with serve(quiet, busy) as server:
        cursors: dict[str, Any] = {}
        read(server, cursors, graphql=graphql)
        busy.pull_requests[4] = make_pull(5, updated_at=NOW, merged_at=NOW, merge_sha="f" * 40)
        server.requests.clear()
        items = read(server, cursors, now=NOW + timedelta(hours=1), graphql=graphql)
        assert sum(server.requests.values()) <= (2 if graphql else 18)
    changed = [pull for pull in of(items, PullRequest) if pull.repo == "acme/busy"]
    assert (changed[0].number, changed[0].merged_at) == (5, NOW)
    assert len(changed) <= 2, "the updated one, and the newest one before it"


@pytest.mark.parametrize("graphql", [True, False])
def test_a_deployment_that_went_on_is_read_again_until_it_ended(graphql: bool) -> None:
    repository = make_repository(deployments=[make_deployment(n, "SUCCESS") for n in range(2, 20)])
    repository.deployments.append(make_deployment(1, "IN_PROGRESS", created_at=NOW - timedelta(days=2)))
    repository.deployments.append(make_deployment(99, "SUCCESS", created_at=NOW - timedelta(days=1, hours=1)))
    with serve(repository) as server:
        cursors: dict[str, Any] = {}
        read(server, cursors, graphql=graphql)
        repository.deployments[-2] = make_deployment(
            1, "IN_PROGRESS", "SUCCESS", created_at=NOW - timedelta(days=2)
        )
        items = read(server, cursors, graphql=graphql)
        assert "1" in {d.id for d in of(items, DeploymentRecord) if d.status == "success"}
        assert not cursors["acme/checkout deployments"].get("open")


def test_a_deployment_of_the_last_day_is_read_again_although_it_ended() -> None:
    at = NOW - timedelta(hours=3)
    repository = make_repository(deployments=[make_deployment(1, "FAILURE", created_at=at)])
    with serve(repository) as server:
        cursors: dict[str, Any] = {}
        assert of(read(server, cursors), DeploymentRecord)[0].status == "failure"
        repository.deployments[0] = make_deployment(1, "FAILURE", "SUCCESS", created_at=at)
        assert of(read(server, cursors), DeploymentRecord)[0].status == "success"


def test_a_release_is_found_whenever_it_is_published() -> None:
    repository = make_repository(
        releases=[model.Release(n, f"v{n}", "d" * 40, "", hours(n), hours(n), ANNA) for n in (1, 2)]
    )
    repository.releases[0] = replace(repository.releases[0], is_draft=True)
    with serve(repository) as server:
        cursors: dict[str, Any] = {}
        assert [d.ref for d in of(read(server, cursors), DeploymentRecord)] == ["v2"]
        repository.releases[0] = replace(repository.releases[0], is_draft=False, published_at=NOW)
        assert {d.ref for d in of(read(server, cursors), DeploymentRecord)} == {"v1", "v2"}
        server.requests.clear()
        read(server, cursors)
        assert sum(server.requests.values()) == 1


@pytest.mark.parametrize("graphql", [True, False])
def test_a_prerelease_that_becomes_a_release_is_read_again(graphql: bool) -> None:
    releases = [model.Release(n, f"v{n}", "d" * 40, "", hours(n), hours(n), ANNA) for n in range(1, 9)]
    releases[4] = replace(releases[4], is_prerelease=True)
    repository = make_repository(releases=releases)
    with serve(repository) as server:
        cursors: dict[str, Any] = {}
        first = of(read(server, cursors, graphql=graphql), DeploymentRecord)
        assert [d.ref for d in first if d.is_prerelease] == ["v5"]
        releases[4] = replace(releases[4], is_prerelease=False, updated_at=NOW)
        again = of(read(server, cursors, graphql=graphql), DeploymentRecord)
    assert ("v5", False) in {(d.ref, d.is_prerelease) for d in again}


@pytest.mark.parametrize(("graphql", "count", "cut_after"), [(True, 300, 120), (False, 120, 105)])
def test_a_reading_that_was_cut_short_goes_on_where_it_was(graphql: bool, count: int, cut_after: int) -> None:
    repository = make_repository(pull_requests=[make_pull(n) for n in range(1, count + 1)])
    with serve(repository) as server:
        source = settings(server.url, graphql=graphql)
        cursors: dict[str, Any] = {}
        stored: list[Item] = []
        for item in collect(source, Resume(NOW, SINCE, {}), PEOPLE):
            if isinstance(item, Checkpoint):
                cursors[item.subject] = json.loads(json.dumps(item.cursor))
                if len(numbers(stored)) >= cut_after:
                    break
            stored.append(item)
        assert len(numbers(stored)) < count
        late = count * 3 // 4
        repository.pull_requests[late - 1] = make_pull(late, updated_at=NOW)
        server.requests.clear()
        rest = read(server, cursors, graphql=graphql)
    assert set(numbers(stored)) | set(numbers(rest)) == set(range(1, count + 1))
    assert len(numbers(rest)) < count, "what was stored before is not read once more"
    assert late in numbers(rest), "what was updated meanwhile is read"


def test_an_earlier_first_day_reads_what_lies_before() -> None:
    pulls = [make_pull(n, updated_at=NOW - timedelta(days=n)) for n in range(1, 61)]
    with serve(make_repository(pull_requests=pulls)) as server:
        cursors: dict[str, Any] = {}
        month = read(server, cursors, since=NOW - timedelta(days=30))
        assert numbers(month) == list(range(1, 31))
        assert {c.from_at for c in of(month, Coverage)} == {NOW - timedelta(days=30)}
        later = read(server, cursors, since=NOW - timedelta(days=29), now=NOW + timedelta(days=1))
        assert {c.from_at for c in of(later, Coverage)} == {NOW - timedelta(days=30)}, (
            "one stretch that grows"
        )
        assert numbers(read(server, cursors, since=NOW - timedelta(days=50))) == list(range(1, 51))


def test_each_attempt_of_a_workflow_run_is_read_once_with_its_jobs() -> None:
    old = NOW - timedelta(days=10)
    runs = [make_run(1, at=old), make_run(2), make_run(2, 2), make_run(3, status="in_progress")]
    repository = make_repository(workflow_runs=runs)
    other = make_run(9, path=".github/workflows/lint.yml")
    with serve(repository, make_repository("other", workflow_runs=[other])) as server:
        cursors: dict[str, Any] = {}
        first = of(read(server, cursors, workflows=("deploy*",)), WorkflowRun)
        assert {(r.id, r.attempt, r.conclusion) for r in first} == {
            (1, 1, "success"),
            (2, 1, "success"),
            (2, 2, "success"),
            (3, 1, None),
            (9, 1, "success"),
        }
        assert not next(r for r in first if r.id == 9).jobs, "nobody asks for its jobs"
        second_attempt = next(r for r in first if (r.id, r.attempt) == (2, 2))
        assert second_attempt.workflow == "deploy.yml"
        assert second_attempt.jobs[0].name == "deploy"
        assert second_attempt.finished_at == second_attempt.created_at + timedelta(minutes=2), (
            "the last job's end"
        )
        server.requests.clear()
        repository.workflow_runs[3] = make_run(3)
        repository.workflow_runs.append(make_run(1, 2, at=old))
        again = of(read(server, cursors, now=NOW + timedelta(days=2), workflows=("deploy*",)), WorkflowRun)
        assert {(r.id, r.attempt, r.conclusion) for r in again} == {(3, 1, "success"), (1, 2, "success")}
        assert server.requests["github rest"] == 4, (
            "one for each repository's runs, one an attempt for its jobs"
        )


def test_workflow_runs_are_read_only_where_they_are_wanted() -> None:
    with serve(make_repository(workflow_runs=[make_run(1)])) as server:
        assert of(read(server), WorkflowRun) == []
        assert of(read(server, workflows=("*",), workflow_runs=False), WorkflowRun) == []
        assert server.requests["github rest"] == 0


def test_more_runs_than_a_search_reaches_are_read_window_by_window() -> None:
    runs = [make_run(n, at=hours(n), status="in_progress") for n in range(1, 2201)]
    with serve(make_repository(workflow_runs=runs)) as server:
        items = read(server, workflows=("*",))
    assert {run.id for run in of(items, WorkflowRun)} == set(range(1, 2201))
