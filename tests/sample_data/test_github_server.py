"""The sample server's GitHub: limits, paging and errors as the real one's."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from sample_data.model import (
    ArgoCD,
    Deployment,
    DeploymentStatus,
    Organisation,
    PagerDuty,
    Person,
    PullRequest,
    Repository,
)
from sample_data.servers.server import SampleServer
from tests.support.loopback import PATIENCE

NOW = datetime(2026, 11, 16, 6, tzinfo=UTC)
ANNA = Person("anna")


def make_organisation(folder: Path) -> Organisation:
    work, bare = folder / "work", folder / "checkout.git"
    for command in (
        ["git", "init", "--quiet", "--initial-branch=main", str(work)],
        [
            "git",
            "-C",
            str(work),
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b.example",
            "commit",
            "-qm",
            "x",
            "--allow-empty",
        ],
        ["git", "clone", "--quiet", "--bare", str(work), str(bare)],
    ):
        subprocess.run(command, check=True)
    created = NOW - timedelta(days=100)
    pulls = [
        PullRequest(
            id=10**10 + n,  # beyond 32 bits, as GitHub's are
            number=n,
            title=f"Change {n}",
            author=ANNA,
            created_at=created + timedelta(hours=n),
            updated_at=created + timedelta(hours=1000 - n),
            head_branch=f"b{n}",
        )
        for n in range(1, 251)
    ]
    deployment = Deployment(
        7,
        "f" * 40,
        "main",
        "production",
        created,
        ANNA,
        (DeploymentStatus("SUCCESS", created), DeploymentStatus("INACTIVE", NOW)),
    )
    checkout = Repository(
        1, "acme", "checkout", created, NOW, git_dir=bare, pull_requests=pulls, deployments=[deployment]
    )
    empty = Repository(2, "acme", "empty", created, None)
    return Organisation("acme", NOW, [checkout, empty], ArgoCD(), PagerDuty(), {}, {}, {})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleServer]:
    with SampleServer(make_organisation(tmp_path_factory.mktemp("server"))) as running:
        yield running


@pytest.fixture(scope="module")
def github(server: SampleServer) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=PATIENCE
    ) as client:
        yield client


def ask(github: httpx.Client, query: str, **variables: object) -> dict:
    return github.post("/api/graphql", json={"query": query, "variables": variables}).json()


PULLS = """query ($after: String, $direction: OrderDirection!) { repository(owner: "acme", name: "checkout") {
  pullRequests(first: 100, after: $after, orderBy: {field: UPDATED_AT, direction: $direction}) {
    totalCount pageInfo { hasNextPage endCursor } nodes { number databaseId } } } }"""


@pytest.mark.parametrize(("direction", "numbers"), [("DESC", range(1, 251)), ("ASC", range(250, 0, -1))])
def test_a_connection_is_paged_in_the_order_asked_for(
    github: httpx.Client, direction: str, numbers: range
) -> None:
    found, after = [], None
    while True:
        page = ask(github, PULLS, after=after, direction=direction)["data"]["repository"]["pullRequests"]
        assert page["totalCount"] == 250
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert [node["number"] for node in found] == list(numbers)
    assert found[0]["databaseId"] > 2**32


@pytest.mark.parametrize(
    ("arguments", "type_"),
    [("", "MISSING_PAGINATION_BOUNDARIES"), ("(first: 101)", "EXCESSIVE_PAGINATION")],
)
def test_a_connection_without_or_beyond_bounds_is_refused_as_github_refuses_it(
    github: httpx.Client, arguments: str, type_: str
) -> None:
    query = f'{{ repository(owner: "acme", name: "checkout") {{ pullRequests{arguments} {{ nodes {{ id }} }} }} }}'
    answer = ask(github, query)
    assert answer["data"]["repository"] is None
    assert answer["errors"][0]["type"] == type_


def test_points_are_counted_and_a_query_for_too_many_nodes_is_refused(
    github: httpx.Client, server: SampleServer
) -> None:
    query = """query ($first: Int!) { rateLimit { cost limit remaining resetAt nodeCount used } repository(
      owner: "acme", name: "checkout") { pullRequests(first: 100) { nodes { commits(first: $first) { nodes { commit {
      parents(first: 100) { totalCount } } } } } } } }"""
    before = server.points
    found = ask(github, query, first=10)["data"]["rateLimit"]
    assert (found["cost"], found["nodeCount"]) == (11, 100 + 1_000 + 100_000), "(1 + 100 + 1,000) / 100"
    assert server.points == before + 11
    assert found["remaining"] == found["limit"] - found["used"]
    answer = ask(github, query, first=60)
    assert answer["errors"][0]["type"] == "MAX_NODE_LIMIT_EXCEEDED"
    assert server.points == before + 11


def test_a_field_that_github_does_not_have_is_refused(github: httpx.Client) -> None:
    answer = ask(github, '{ repository(owner: "acme", name: "checkout") { leadTime } }')
    assert "data" not in answer
    assert "leadTime" in answer["errors"][0]["message"]


def test_what_is_not_there_is_null_beside_a_not_found_error(github: httpx.Client) -> None:
    answer = ask(
        github, '{ repository(owner: "acme", name: "gone") { id } nodes(ids: ["DE_7", "DE_8"]) { id } }'
    )
    assert answer["data"] == {"repository": None, "nodes": [{"id": "DE_7"}, None]}
    assert {error["type"] for error in answer["errors"]} == {"NOT_FOUND"}


def test_an_old_deployment_is_inactive_although_it_succeeded(github: httpx.Client) -> None:
    query = '{ node(id: "DE_7") { ... on Deployment { state statuses(first: 9) { nodes { state } } } } }'
    node = ask(github, query)["data"]["node"]
    assert node == {"state": "INACTIVE", "statuses": {"nodes": [{"state": "INACTIVE"}, {"state": "SUCCESS"}]}}


def test_rest_lists_are_paged_by_link_headers(github: httpx.Client) -> None:
    path = "/api/v3/repos/acme/checkout/pulls?state=all&sort=updated&direction=desc&per_page=100"
    numbers = []
    while path:
        answer = github.get(path)
        assert int(answer.headers["X-RateLimit-Remaining"]) < int(answer.headers["X-RateLimit-Limit"])
        numbers += [pull["number"] for pull in answer.json()]
        path = answer.links.get("next", {}).get("url", "")
    assert numbers == list(range(1, 251))


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/repos/acme/gone", 404, "Not Found"),
        ("/nonsense", 404, "Not Found"),
        ("/repos/acme/empty/commits", 409, "Git Repository is empty."),
    ],
)
def test_rest_errors_have_githubs_shape(github: httpx.Client, path: str, status: int, message: str) -> None:
    answer = github.get(f"/api/v3{path}")
    assert answer.status_code == status
    assert answer.json()["message"] == message


def test_nothing_is_served_without_the_token(server: SampleServer) -> None:
    assert httpx.get(f"{server.url}/api/v3/user", timeout=PATIENCE).json()["message"] == "Bad credentials"
    assert (
        httpx.post(
            f"{server.url}/api/graphql", json={"query": "{ viewer { login } }"}, timeout=PATIENCE
        ).status_code
        == 401
    )
    refused = httpx.get(f"{server.url}/acme/checkout.git/info/refs?service=git-upload-pack", timeout=PATIENCE)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic")


def test_git_speaks_protocol_two_to_who_has_the_token(server: SampleServer) -> None:
    answer = httpx.get(
        f"{server.url}/acme/checkout.git/info/refs?service=git-upload-pack",
        auth=("x-access-token", server.token),
        headers={"Git-Protocol": "version=2"},
        timeout=PATIENCE,
    )
    assert b"version 2" in answer.content
    assert b"filter" in answer.content


def test_requests_are_counted_by_source(tmp_path: Path) -> None:
    with SampleServer(make_organisation(tmp_path)) as server:
        httpx.get(f"{server.url}/api/v3/user?a=b", timeout=PATIENCE)
        httpx.post(f"{server.url}/api/graphql", timeout=PATIENCE)
        assert server.requests == {"github rest": 1, "github graphql": 1}
        assert server.log == [
            ("github rest", "GET", "/api/v3/user?a=b"),
            ("github graphql", "POST", "/api/graphql"),
        ]


def test_the_address_is_free_once_the_server_was_left(tmp_path: Path) -> None:
    with SampleServer(make_organisation(tmp_path)) as server:
        port = int(server.url.rpartition(":")[2])
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, timeout=PATIENCE)
    with SampleServer(server.organisation, port=port) as again:
        assert httpx.get(f"{again.url}/api/v3/user", timeout=PATIENCE).status_code == 401
