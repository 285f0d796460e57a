"""What GitHub's collector makes of answers that are none."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr
from werkzeug import Request, Response

from collectors.contract.items import Malformed, Resume, SourceError
from collectors.contract.records import Coverage, Deployment, PullRequest, Repository
from collectors.github.collect import collect
from config.settings import GitHub, GitHubApp
from sample_data.model import Review
from sample_data.servers.faults import App, Faulty
from sample_data.servers.github_graphql import GitHubGraphQL
from sample_data.servers.server import SampleServer
from tests.support.github_organisation import (
    BEN,
    NOW,
    PEOPLE,
    SINCE,
    TOKEN,
    answer,
    everything,
    hours,
    make_commit,
    make_deployment,
    make_organisation,
    make_pull,
    make_repository,
    numbers,
    of,
    read,
    serve,
    settings,
)
from tests.support.loopback import Loopback, closed_address


@pytest.mark.parametrize("graphql", [True, False])
def test_a_named_repository_that_is_not_there_is_set_aside(graphql: bool) -> None:
    with serve(make_repository()) as server:
        items = read(server, {}, "acme/checkout", "acme/gone", graphql=graphql)
    assert [r.repo for r in of(items, Repository)] == ["acme/checkout"]
    assert "gone" in of(items, Malformed)[0].reason


@pytest.mark.parametrize("graphql", [True, False])
@pytest.mark.parametrize("pattern", ["acme/nothing*", "acme/gone", "stranger/*"])
def test_no_repository_at_all_is_a_failure_that_says_what_to_mend(graphql: bool, pattern: str) -> None:
    with serve(make_repository()) as server, pytest.raises(SourceError, match=r"sources\.github"):
        read(server, {}, pattern, graphql=graphql)


def test_a_null_where_an_object_was_is_set_aside_and_the_rest_is_read() -> None:
    broken = make_pull(2, created_at=None)  # not null in the schema, so the whole pull request is null
    with serve(make_repository(pull_requests=[make_pull(1), broken, make_pull(3)])) as server:
        items = read(server)
    assert numbers(items) == [3, 1]
    (malformed,) = of(items, Malformed)
    assert malformed.subject == "acme/checkout"
    assert "pullRequests.nodes.1.createdAt" in malformed.reason


def test_a_repository_that_goes_while_it_is_read_is_not_taken_for_read() -> None:
    repositories = [make_repository(name, pull_requests=[make_pull(1)]) for name in ("here", "gone")]
    api = GitHubGraphQL(make_organisation(*repositories), TOKEN)
    partial = GitHubGraphQL(make_organisation(repositories[0]), TOKEN)

    def shrinking(request: Request) -> Response:
        return (api if "repositoryOwner" in request.get_json()["query"] else partial)(request)

    cursors: dict[str, Any] = {}
    with Loopback(shrinking) as server:
        items = read(server, cursors)
    assert [(pull.repo, pull.number) for pull in of(items, PullRequest)] == [("acme/here", 1)]
    assert [m.subject for m in of(items, Malformed)] == ["acme/gone"]
    assert {c.subject for c in of(items, Coverage) if c.source == "pull_requests"} == {"acme/here"}
    with Loopback(api) as server:
        assert [pull.repo for pull in of(read(server, cursors), PullRequest)] == ["acme/gone"]


def test_an_item_of_the_wrong_shape_is_set_aside_with_its_reason() -> None:
    broken = replace(make_pull(2), title={"not": "a title"})
    with serve(make_repository(pull_requests=[make_pull(1), broken])) as server:
        items = read(server, graphql=False)
    assert numbers(items) == [1]
    (malformed,) = of(items, Malformed)
    assert (malformed.kind, malformed.subject) == ("pull_requests", "acme/checkout#2")
    assert "title" in malformed.reason


def test_a_state_of_a_deployment_that_is_not_known_is_set_aside_and_does_not_run_for_ever() -> None:
    told = [make_deployment(1, "QUEUED", "PAUSED"), make_deployment(2, "PAUSED", "SUCCESS")]
    with serve(make_repository(deployments=told)) as server:
        items = read(server, graphql=False)
    assert [(one.id, one.status) for one in of(items, Deployment)] == [("2", "success")]
    (aside,) = of(items, Malformed)
    assert aside.kind == "deployments"
    assert "status" in aside.reason


@pytest.mark.parametrize("graphql", [True, False])
def test_what_is_set_aside_names_nobody(graphql: bool) -> None:
    commit = replace(make_commit(1), sha="")
    broken = make_pull(1, commits=(commit,), body="Thanks to @anna", reviews=(Review(BEN, hours(1)),))
    with serve(make_repository(pull_requests=[broken])) as server:
        (malformed,) = of(read(server, graphql=graphql), Malformed)
    assert "commits.0.sha" in malformed.reason
    assert not any(name in malformed.raw for name in ("anna", "ben", "noreply"))
    if graphql:
        assert str(PEOPLE.pseudonym("ben")) in malformed.raw


# as GitHub says it, with and without the reason
OUT_OF_TIME = (
    "Something went wrong while executing your query. This may be the result of a timeout.",
    "Something went wrong while executing your query on 2026-11-16T09:30:00Z.",
)


def test_half_as_much_is_asked_for_where_github_runs_out_of_time_and_more_again_once_it_answers() -> None:
    repositories = [
        make_repository(name, pull_requests=[make_pull(n) for n in range(1, 201)]) for name in ("a", "b")
    ]
    sizes: list[int] = []
    refused: list[int] = []

    def busy(faulty: Faulty, environ: dict[str, Any], start_response: Any) -> Any:
        query = json.loads(environ["wsgi.input"].getvalue())["query"]
        asked = sum(int(n) for n in re.findall(r"pullRequests\(first: (\d+), after", query))
        if asked:
            sizes.append(asked)
        if asked > 12 and len(sizes) < 8:  # after that it has time again
            refused.append(asked)
            # what came in time comes with it
            some = {"r0": {"pullRequests": {"nodes": [], "pageInfo": {"hasNextPage": False}}}}
            return answer(200, {"data": some, "errors": [{"message": OUT_OF_TIME[len(refused) % 2]}]})(
                environ, start_response
            )
        return faulty.app(environ, start_response)

    faulties: list[Faulty] = []

    def around(app: App) -> Faulty:
        faulties.append(Faulty(app))
        return faulties[0]

    with SampleServer(make_organisation(*repositories), token=TOKEN, around=around) as server:
        faulties[0].next(busy, times=None)
        found = [(pull.repo, pull.number) for pull in of(read(server), PullRequest)]
    assert sorted(found) == [(f"acme/{name}", number) for name in ("a", "b") for number in range(1, 201)]
    assert refused == [100, 50, 25, 24]
    # a larger one is tried after three that were answered
    assert sizes[:16] == [100, 50, 25, 12, 12, 12, 24, 12, 12, 12, 24, 24, 24, 48, 48, 48]


@pytest.mark.parametrize("asked", ["names", "ids", "cut lists"])
def test_whatever_is_asked_for_in_one_request_is_halved(asked: str) -> None:
    pulls = [make_pull(n, commits=tuple(make_commit(c) for c in range(150))) for n in range(1, 5)]
    deployments = [make_deployment(n, "IN_PROGRESS", created_at=NOW) for n in range(11, 15)]
    repositories = [
        make_repository(name, pull_requests=pulls, deployments=deployments) for name in ("a", "b")
    ]
    mark = {"names": "query Named", "ids": "query DeploymentsById", "cut lists": "query Rest"}[asked]
    api = GitHubGraphQL(make_organisation(*repositories), TOKEN)
    seen: list[int] = []

    def slow(request: Request) -> Response:
        sent = request.get_json()
        if sent["query"].startswith(mark):
            size = len(sent["variables"].get("ids") or re.findall(r"\b[rn]\d+:", sent["query"]))
            seen.append(size)
            if size > 1:
                return answer(200, {"data": None, "errors": [{"message": OUT_OF_TIME[1]}]})
        return api(request)

    cursors: dict[str, Any] = {}
    with Loopback(slow) as server, serve(*repositories) as well:
        items = [item for _ in range(2) for item in read(server, cursors, "acme/a", "acme/b")]
        expected = read(well, {}, "acme/a", "acme/b")
    assert seen[0] > 1
    assert 1 in seen
    for kind in (Repository, PullRequest, Deployment):
        told = {repr(record.model_copy(update={"url": None})) for record in of(items, kind)}
        assert told == {repr(record.model_copy(update={"url": None})) for record in of(expected, kind)}


@pytest.mark.parametrize(
    "lacking",
    [
        ("Repository.isMirror", "Repository.templateRepository"),
        ("Deployment.databaseId", "DeploymentStatus.logUrl", "Release.databaseId"),
        ("Repository.repositoryTopics", "PullRequest.timelineItems", "Deployment.ref"),
    ],
    ids=["of repositories", "of deployments", "with all that is inside"],
)
def test_a_field_that_an_old_server_lacks_is_left_out(lacking: tuple[str, ...]) -> None:
    api = GitHubGraphQL(make_organisation(everything()), TOKEN, lacking)
    with Loopback(api) as server:
        items = read(server)
    assert of(items, Malformed) == []
    assert [r.repo for r in of(items, Repository)] == ["acme/checkout"]
    assert sorted(numbers(items)) == [1, 2, 3]
    assert len(of(items, Deployment)) == 4


@pytest.mark.parametrize("graphql", [True, False])
def test_a_wrong_token_says_what_to_set_and_not_what_it_was(graphql: bool) -> None:
    with serve(make_repository()) as server, pytest.raises(SourceError) as error:
        read(server, graphql=graphql, token="wrong-and-secret")
    assert "401" in str(error.value)
    assert server.url in str(error.value)
    assert "sources.github.token" in str(error.value)
    assert "wrong-and-secret" not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize("graphql", [True, False])
@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (lambda: answer(200, "<html>Sign in</html>"), r"something other than|no list"),
        (lambda: answer(200, '{"data": {"repositoryOwner"'), "something other than JSON"),
        (lambda: answer(200, ""), r"something other than|no list"),
        (
            lambda: answer(403, {"message": "Resource not accessible by integration"}),
            "403.*Resource not accessible",
        ),
        (lambda: answer(404, {"message": "Not Found"}), "404"),
        (lambda: answer(302, "", Location="https://elsewhere.example/"), r"something other than|no list"),
        (lambda: answer(301, "", Location="https://elsewhere.example/"), "redirects elsewhere"),
    ],
    ids=["HTML", "cut off", "nothing", "403", "404", "302", "301"],
)
def test_an_answer_that_is_no_answer_is_a_failure_in_one_line(
    graphql: bool, response: Callable[[], Response], expected: str
) -> None:
    with Loopback(lambda request: response()) as server, pytest.raises(SourceError, match=expected) as error:
        read(server, graphql=graphql)
    assert server.url in str(error.value)
    assert "\n" not in str(error.value)
    assert TOKEN not in str(error.value)


def test_an_address_where_nobody_answers_is_a_failure_in_one_line() -> None:
    source = settings(closed_address())
    with pytest.raises(SourceError, match=r"cannot be reached.*refused.*check sources\.github\.url"):
        list(collect(source, Resume(NOW, SINCE, {}), PEOPLE))


def test_one_bad_gateway_is_tried_again() -> None:
    api = GitHubGraphQL(make_organisation(make_repository()), TOKEN)
    with Loopback(api, faults=[answer(502, "<html>Bad gateway</html>")]) as server:
        assert len(of(read(server), Repository)) == 1


def test_a_query_that_an_old_server_refuses_points_to_rest() -> None:
    refusal = {"errors": [{"message": "Argument 'orderBy' doesn't exist on Field 'releases'"}]}
    with Loopback(lambda request: answer(200, refusal)) as server, pytest.raises(SourceError) as error:
        read(server)
    assert "orderBy" in str(error.value)
    assert "sources.github.graphql" in str(error.value)


def test_an_app_reads_with_its_installations_token() -> None:
    api = GitHubGraphQL(make_organisation(make_repository()), TOKEN)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def with_installation(request: Request) -> Response:
        if request.path == "/api/v3/app/installations/5/access_tokens":
            return answer(201, {"token": TOKEN, "expires_at": "2099-01-01T00:00:00Z"})
        return api(request)

    with Loopback(with_installation) as server:
        for private_key, expected in ((pem, "acme/checkout"), ("no key", "private_key")):
            app = GitHubApp(id=4, installation=5, private_key=SecretStr(private_key))
            source = GitHub(url=f"{server.url}/api/v3", app=app, repositories=["acme/*"])
            try:
                found = str(list(collect(source, Resume(NOW, SINCE, {}), PEOPLE)))
            except SourceError as error:
                found = str(error)
            assert expected in found


@pytest.mark.parametrize("graphql", [True, False])
def test_an_answer_that_repeats_the_installations_token_is_told_without_it(graphql: bool) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    given = "v1.1f699f1069f60xxx"

    def echoing(request: Request) -> Response:
        if request.path.endswith("/access_tokens"):
            return answer(201, {"token": given, "expires_at": "2099-01-01T00:00:00Z"})
        return answer(401, {"message": f"{'a proxy says ' * 4}{request.headers['Authorization']}{'!' * 60}"})

    with Loopback(echoing) as server:
        app = GitHubApp(id=4, installation=5, private_key=SecretStr(pem))
        source = GitHub(url=f"{server.url}/api/v3", app=app, repositories=["acme/*"], graphql=graphql)
        with pytest.raises(SourceError, match="a proxy says") as error:
            list(collect(source, Resume(NOW, SINCE, {}), PEOPLE))
    assert given[:8] not in str(error.value)
    assert given[-8:] not in str(error.value)


def test_a_field_that_no_server_can_lack_points_to_rest() -> None:
    refusal = {"errors": [{"message": "Field 'repositories' doesn't exist on type 'RepositoryOwner'"}]}
    with Loopback(lambda request: answer(200, refusal)) as server, pytest.raises(SourceError) as error:
        read(server)
    assert "sources.github.graphql" in str(error.value)


def test_the_rate_limit_of_graphql_is_waited_for() -> None:
    api = GitHubGraphQL(make_organisation(make_repository()), TOKEN)
    limited = answer(200, {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]})
    limited.headers["X-RateLimit-Reset"] = "0"  # long past, so that the wait is the shortest there is
    with Loopback(api, faults=[limited]) as server:
        assert len(of(read(server), Repository)) == 1
