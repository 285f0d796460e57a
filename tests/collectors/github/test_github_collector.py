"""What GitHub's collector makes of GitHub's answers."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response

from collectors.contract.items import Malformed, SourceError
from collectors.contract.records import Component, Coverage, PullRequest, Repository, WorkflowRun
from collectors.contract.records import Deployment as DeploymentRecord
from sample_data.model import DeploymentStatus, Person, Review
from tests.support.github_organisation import (
    ANNA,
    BEN,
    BOT,
    CREATED,
    NOW,
    PEOPLE,
    answer,
    everything,
    hours,
    make_commit,
    make_deployment,
    make_pull,
    make_repository,
    of,
    read,
    serve,
)
from tests.support.loopback import Loopback
from tests.support.places import RECORDED


def test_every_kind_is_read_with_its_coverage() -> None:
    with serve(everything()) as server:
        items = read(server, catalog=True, workflows=("*",))
    (repository,) = of(items, Repository)
    assert repository.repo == "acme/checkout"
    assert repository.topics == ("payments", "go")
    assert repository.language == "Go"
    assert repository.created_at == CREATED
    assert of(items, Component)[0].repo == "acme/checkout"
    assert [d.id for d in of(items, DeploymentRecord, "deployments")] == ["13", "12", "11"]
    assert len(of(items, WorkflowRun)) == 2
    assert {(c.source, c.subject, c.from_at, c.until_at) for c in of(items, Coverage)} == {
        (source, "acme/checkout", CREATED, NOW)
        for source in ("repositories", "pull_requests", "deployments", "releases", "workflow_runs")
    }


def test_a_published_release_is_a_finished_deployment_and_a_draft_is_none() -> None:
    with serve(everything()) as server:
        (release,) = of(read(server), DeploymentRecord, "releases")
    assert (release.id, release.ref, release.sha, release.sha_method) == ("21", "v1", "d" * 40, "release")
    assert release.status == "success"
    assert release.started_at == release.finished_at == hours(2)


def test_rest_tells_the_same_as_graphql() -> None:
    repository = everything()
    repository.git_dir = Path("not read")  # a repository without commits has no default branch for GraphQL
    repository.releases.clear()  # by REST their commits are those of the tags in the repository itself
    with serve(repository) as server:
        by_graphql, by_rest = (read(server, catalog=True, graphql=graphql) for graphql in (True, False))
    kinds = (Repository, PullRequest, DeploymentRecord, Component, Coverage)
    # several repositories and lists are read at once, so that any of them may be first
    told = [[sorted(map(repr, of(read_so, kind))) for kind in kinds] for read_so in (by_rest, by_graphql)]
    assert told[0] == told[1]
    assert len(of(by_rest, PullRequest)) == 3


@pytest.mark.parametrize("graphql", [True, False])
def test_a_pull_request_comes_with_commits_labels_and_what_it_reverts(graphql: bool) -> None:
    with serve(everything()) as server:
        pull = next(p for p in of(read(server, graphql=graphql), PullRequest) if p.number == 1)
    assert pull.merged_at == pull.closed_at == hours(5)
    assert pull.merge_sha == "c" * 40
    assert pull.labels == ("hotfix", "urgent")
    assert pull.reverts == 7
    assert [(c.is_bot, c.is_merge) for c in pull.commits] == [(False, False), (True, False), (False, True)]
    assert pull.commits[0].authored_at == hours(1)
    assert pull.author == PEOPLE.pseudonym("anna")
    assert pull.ready_at == hours(2)
    assert pull.first_review_at == hours(3), "neither the author's own nor a bot's review comes first"


@pytest.mark.parametrize(
    ("fields", "ready_at", "first_review_at"),
    [
        ({}, None, None),
        ({"is_draft": True, "ready_at": hours(2)}, None, None),
        ({"reviews": (Review(BEN, hours(3), "PENDING"),)}, None, None),
        (
            {"reviews": (Review(BEN, hours(3), "DISMISSED"), Review(BEN, hours(2), "COMMENTED"))},
            None,
            hours(2),
        ),
        ({"author": BOT, "reviews": (Review(BOT, hours(2)), Review(ANNA, hours(4)))}, None, hours(4)),
    ],
    ids=["never a draft", "a draft again", "pending is not submitted", "earliest", "of a bot's"],
)
@pytest.mark.parametrize("graphql", [True, False])
def test_when_a_pull_request_was_ready_and_first_reviewed(
    graphql: bool, fields: dict[str, Any], ready_at: datetime | None, first_review_at: datetime | None
) -> None:
    with serve(make_repository(pull_requests=[make_pull(1, **fields)])) as server:
        (pull,) = of(read(server, graphql=graphql), PullRequest)
    assert (pull.ready_at, pull.first_review_at) == (ready_at, first_review_at)


@pytest.mark.parametrize(
    ("body", "reverts"),
    [
        ("Reverts acme/checkout#12", 12),
        ("Because of the outage\n\nReverts #12", 12),
        ("reverts Acme/Checkout#3 ", 3),
        ("Reverts acme/other#12", None),
        ("This reverts nothing, see #12", None),
        ("", None),
    ],
)
def test_a_revert_names_a_pull_request_of_the_same_repository(body: str, reverts: int | None) -> None:
    with serve(make_repository(pull_requests=[make_pull(1, body=body)])) as server:
        assert of(read(server), PullRequest)[0].reverts == reverts


@pytest.mark.parametrize("graphql", [True, False])
def test_a_bot_is_told_by_its_account(graphql: bool) -> None:
    pulls = [make_pull(1, author=BOT), make_pull(2, author=Person("bot-lover"))]
    with serve(make_repository(pull_requests=pulls)) as server:
        by_number = {p.number: p for p in of(read(server, graphql=graphql), PullRequest)}
    assert by_number[1].is_bot
    assert by_number[1].author == PEOPLE.pseudonym("renovate[bot]")
    assert not by_number[2].is_bot


@pytest.mark.parametrize("graphql", [True, False])
def test_an_agent_is_no_bot_and_its_pull_request_says_so(graphql: bool) -> None:
    agent = Person("Copilot" if not graphql else "copilot-swe-agent", "Bot")
    trailer = "Mend it\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
    commits = (make_commit(1, agent), make_commit(2, message=trailer), make_commit(3), make_commit(4, BOT))
    reviews = (Review(Person("gemini-code-assist", "Bot"), hours(2)), Review(BEN, hours(3)))
    pulls = [make_pull(1, author=agent, commits=commits, reviews=reviews), make_pull(2)]
    with serve(make_repository(pull_requests=pulls)) as server:
        by_number = {p.number: p for p in of(read(server, graphql=graphql), PullRequest)}
    assert (by_number[1].assisted_by, by_number[1].is_bot) == ("Copilot", False)
    assert (by_number[2].assisted_by, by_number[2].is_bot) == (None, False)
    assert [c.assisted_by for c in by_number[1].commits] == ["Copilot", "Claude", None, None]
    assert [c.is_bot for c in by_number[1].commits] == [False, False, False, True]
    assert by_number[1].first_review_at == hours(3), "an agent's review is none by a person"


@pytest.mark.parametrize(
    ("states", "status", "finished_minute"),
    [
        (("QUEUED", "IN_PROGRESS", "SUCCESS", "INACTIVE"), "success", 3),
        (("SUCCESS", "FAILURE", "SUCCESS"), "success", 1),
        (("IN_PROGRESS", "FAILURE"), "failure", 2),
        (("ERROR", "INACTIVE"), "failure", 1),
        (("PENDING", "INACTIVE"), "cancelled", 2),
        (("INACTIVE",), "success", None),
        (("WAITING",), "running", None),
        ((), "running", None),
    ],
)
@pytest.mark.parametrize("graphql", [True, False])
def test_a_deployment_ends_with_its_first_success_or_its_failure(
    graphql: bool, states: tuple[str, ...], status: str, finished_minute: int | None
) -> None:
    with serve(make_repository(deployments=[make_deployment(1, *states)])) as server:
        (deployment,) = of(read(server, graphql=graphql), DeploymentRecord)
    assert deployment.status == status
    began = states.index("IN_PROGRESS") + 1 if "IN_PROGRESS" in states else 0
    assert deployment.started_at == hours(1) + timedelta(minutes=began), "what waits has not begun"
    assert deployment.finished_at == (finished_minute and hours(1) + timedelta(minutes=finished_minute))
    assert (deployment.sha, deployment.sha_method, deployment.environment) == (
        f"{1:040x}",
        "deployment",
        "production",
    )


def test_a_deployments_address_is_its_log_else_its_environments_page() -> None:
    log = DeploymentStatus("SUCCESS", hours(2), "https://ci.example/runs/5")
    deployments = [replace(make_deployment(1), statuses=(log,)), make_deployment(2, "SUCCESS")]
    with serve(make_repository(deployments=deployments)) as server:
        found = {d.id: d.url for d in of(read(server), DeploymentRecord)}
        assert found == {
            "1": "https://ci.example/runs/5",
            "2": f"{server.url}/acme/checkout/deployments/production",
        }


@pytest.mark.parametrize("graphql", [True, False])
def test_repositories_are_chosen_by_pattern_archive_and_fork(graphql: bool) -> None:
    repositories = [
        make_repository("api"),
        make_repository("API-old", is_archived=True),
        make_repository("api-fork", is_fork=True),
        make_repository("web"),
    ]
    with serve(*repositories) as server:

        def chosen(*patterns: str, **fields: Any) -> set[str]:
            return {r.repo for r in of(read(server, {}, *patterns, graphql=graphql, **fields), Repository)}

        assert chosen("acme/api*") == {"acme/api", "acme/API-old", "acme/api-fork"}
        assert chosen("acme/api*", archived=False, forks=False) == {"acme/api"}
        assert chosen("acme/web", "ACME/Api") == {"acme/web", "acme/api"}
        assert chosen("acme/web", "acme/a*", archived=False) == {"acme/web", "acme/api", "acme/api-fork"}


@pytest.mark.parametrize("patterns", [["acme/*"], ["acme/made"]])
@pytest.mark.parametrize("graphql", [True, False])
def test_the_template_that_a_repository_was_made_from_is_known(graphql: bool, patterns: list[str]) -> None:
    with serve(make_repository("made", template="acme/template")) as server:
        (made,) = of(read(server, {}, *patterns, graphql=graphql), Repository)
    assert made.from_template == "acme/template"


def test_repositories_are_chosen_by_topic() -> None:
    repositories = [
        make_repository("api", topics=("service", "go")),
        make_repository("web", topics=("site",)),
        make_repository("notes"),
    ]
    with serve(*repositories) as server:
        for graphql in (True, False):
            found = of(read(server, topics=["Service", "site"], graphql=graphql), Repository)
            assert {r.repo for r in found} == {"acme/api", "acme/web"}
        with pytest.raises(SourceError, match=r"acme/\* with topics mobile"):
            read(server, topics=["mobile"])


@pytest.mark.parametrize("patterns", [("acme/*",), ("acme/api", "acme/web", "acme/notes")])
@pytest.mark.parametrize("graphql", [True, False])
def test_repositories_are_chosen_by_custom_properties(graphql: bool, patterns: tuple[str, ...]) -> None:
    repositories = [
        make_repository("api", properties={"tier": "1", "regulated": "true", "regions": ("eu", "us")}),
        make_repository("web", properties={"tier": "1", "regulated": "false"}),
        make_repository("notes"),
    ]
    with serve(*repositories) as server:

        def having(**properties: Any) -> set[str]:
            items = read(server, {}, *patterns, graphql=graphql, properties=properties)
            return {r.repo for r in of(items, Repository)}

        assert having(tier=1) == {"acme/api", "acme/web"}
        assert having(tier="1", regulated=True) == {"acme/api"}
        assert having(regions="us") == {"acme/api"}
        with pytest.raises(SourceError, match="with properties tier"):
            having(tier="2")


REAL = RECORDED / "ants" / "pulls.json"


@pytest.mark.skipif(not REAL.exists(), reason="the recorded pull requests of ants are not beside the project")
def test_recorded_pull_requests_are_read_by_rest_without_loss() -> None:
    recorded = json.loads(REAL.read_text(encoding="utf-8"))
    recorded.sort(key=lambda pull: pull["updated_at"], reverse=True)
    repository = {"id": 1, "full_name": "panjf2000/ants", "created_at": "2018-05-19T00:00:00Z", "fork": False}

    def rest(request: Request) -> Response:
        match request.path.removeprefix("/api/v3/repos/panjf2000/ants"):
            case "":
                return answer(200, repository)
            case "/pulls":
                start = 20 * (int(request.args["page"]) - 1)
                link = '<x>; rel="next"' if start + 20 < len(recorded) else ""
                return answer(200, recorded[start : start + 20], Link=link)
        return answer(200, [])

    with Loopback(rest) as server:
        items = read(server, {}, "panjf2000/ants", since=datetime(2018, 1, 1, tzinfo=UTC), graphql=False)
    pulls = of(items, PullRequest)
    assert of(items, Malformed) == []
    assert len(pulls) == len({pull.number for pull in pulls}) == 49
    assert len([pull for pull in pulls if pull.merged_at and pull.merge_sha]) == 26
    by_number = {pull["number"]: pull for pull in recorded}
    for pull in pulls:
        raw = by_number[pull.number]
        assert pull.title == raw["title"]
        assert pull.created_at == datetime.fromisoformat(raw["created_at"])
        assert pull.labels == tuple(label["name"] for label in raw["labels"])
        assert (pull.head_branch, pull.base_branch) == (raw["head"]["ref"], raw["base"]["ref"])
