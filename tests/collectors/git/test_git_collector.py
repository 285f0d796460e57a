"""Commits and tags: real repositories, read by git from a server that speaks smart HTTP, and by its API."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from collectors.contract.items import Malformed, Resume, SourceError
from collectors.contract.records import Coverage, Repository
from collectors.git.collect import collect
from config.settings import GitHub
from sample_data import model
from sample_data.servers.server import SampleServer
from tests.support.git_origin import CREATED, NOW, PEOPLE, TOKEN, Origin, Reader, commits, tags
from tests.support.loopback import closed_address


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path / "origin")


@pytest.fixture
def server(origin: Origin) -> Iterator[SampleServer]:
    repositories = [
        model.Repository(1, "acme", "checkout", CREATED, NOW, git_dir=origin.git_dir),
        model.Repository(2, "acme", "empty", CREATED, None),
    ]
    organisation = model.Organisation(
        "acme", NOW, repositories, model.ArgoCD(), model.PagerDuty(), {}, {}, {}
    )
    with SampleServer(organisation, token=TOKEN) as running:
        yield running


@pytest.fixture
def read(tmp_path: Path, server: SampleServer) -> Reader:
    return Reader(tmp_path, server.url)


@pytest.fixture(params=[True, False], ids=["by clone", "by API"])
def read_either_way(request: pytest.FixtureRequest, tmp_path: Path, server: SampleServer) -> Reader:
    return Reader(tmp_path, server.url, clone=request.param)


def test_a_commit_keeps_its_author_times_subject_and_parents(origin: Origin, read_either_way: Reader) -> None:
    first = origin.commit("First line\nsecond line\n\nBody", zone="+0530", a="1")
    second = origin.commit("Änderung — “quoted” and\ttabbed", b="2")
    origin.push()
    found = commits(read_either_way())
    assert {commit.repo for commit in found.values()} == {"acme/checkout"}
    assert found[second].parents == (first,)
    assert found[first].parents == ()
    assert found[first].authored_at == found[first].committed_at == origin.time(1)
    assert found[first].subject == "First line"
    assert found[second].subject == "Änderung — “quoted” and\ttabbed"
    assert found[first].author == PEOPLE.pseudonym("anna@acme.example")
    assert found[first].paths is None


def test_all_branches_merges_and_squashes_are_read_parents_first(origin: Origin, read: Reader) -> None:
    base = origin.commit("Base", a="1")
    origin.git("checkout", "-q", "-b", "feature")
    feature = origin.commit("Feature", b="1")
    origin.git("checkout", "-q", "main")
    squash = origin.commit("Squashed (#7)", c="1")
    merge = origin.merge("feature")
    origin.git("checkout", "-q", "-b", "open", base)
    unmerged = origin.commit("Not merged", d="1")
    origin.push()
    found = commits(read())
    assert set(found) == {base, feature, squash, merge, unmerged}
    assert found[merge].parents == (squash, feature)
    order = list(found)
    assert all(order.index(parent) < order.index(c.sha) for c in found.values() for parent in c.parents)


@pytest.mark.parametrize(
    ("name", "email", "author", "is_bot"),
    [
        ("Ben", "77+ben@users.noreply.github.com", "ben", False),
        ("Ben", "ben@users.noreply.github.com", "ben", False),
        ("Ben", "Ben@Acme.example", "ben@acme.example", False),
        ("renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com", "renovate[bot]", True),
        ("Renovate Self-Hosted", "bot@acme.example", "bot@acme.example", True),
    ],
)
def test_an_author_is_the_login_of_a_noreply_address_else_the_address(
    origin: Origin, read_either_way: Reader, name: str, email: str, author: str, is_bot: bool
) -> None:
    origin.git("commit", "-qm", "x", "--allow-empty", GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=email)
    origin.push()
    (commit,) = commits(read_either_way()).values()
    assert (commit.author, commit.is_bot) == (PEOPLE.pseudonym(author), is_bot)


@pytest.mark.parametrize(
    ("name", "email", "trailers", "assisted_by", "is_bot"),
    [
        ("Ben", "ben@acme.example", "", None, False),
        (
            "Ben",
            "ben@acme.example",
            "Co-Authored-By: Claude Opus 4.5 <noreply@anthropic.com>",
            "Claude",
            False,
        ),
        ("Ben", "ben@acme.example", "Co-authored-by: Anna <anna@acme.example>", None, False),
        (
            "Ben",
            "ben@acme.example",
            "Signed-off-by: B <b@acme.example>\nCo-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>",
            "Copilot",
            False,
        ),
        (
            "copilot-swe-agent[bot]",
            "198982749+Copilot@users.noreply.github.com",
            "Co-authored-by: Anna <anna@acme.example>",
            "Copilot",
            False,
        ),
        (
            "Devin AI",
            "158243242+devin-ai-integration[bot]@users.noreply.github.com",
            "Co-Authored-By: Claude <noreply@anthropic.com>",
            "Devin",
            False,
        ),
        ("Claude Dupont", "claude@acme.example", "", None, False),
        ("Ben (aider)", "ben@acme.example", "", "aider", False),
        (
            "renovate[bot]",
            "29139614+renovate[bot]@users.noreply.github.com",
            "Co-authored-by: Cursor <cursoragent@cursor.com>",
            "Cursor",
            True,
        ),
        ("Ben", "ben@acme.example", "> Co-authored-by: Cursor <cursoragent@cursor.com>", None, False),
    ],
)
def test_a_coding_agent_is_told_by_the_author_or_a_trailer_and_is_no_bot(
    origin: Origin,
    read_either_way: Reader,
    name: str,
    email: str,
    trailers: str,
    assisted_by: str | None,
    is_bot: bool,
) -> None:
    message = f"Change\n\n{trailers}"
    origin.git("commit", "-qm", message, "--allow-empty", GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=email)
    origin.push()
    (commit,) = commits(read_either_way()).values()
    assert (commit.assisted_by, commit.is_bot) == (assisted_by, is_bot)


def test_a_revert_names_what_it_reverts(origin: Origin, read_either_way: Reader) -> None:
    wrong = origin.commit("Wrong", a="1")
    origin.git("revert", "--no-edit", wrong)
    origin.push()
    found = commits(read_either_way())
    assert {commit.reverts_sha for commit in found.values()} == {None, wrong}


def test_a_second_run_yields_only_what_was_pushed_since(origin: Origin, read_either_way: Reader) -> None:
    first = origin.commit("First")
    origin.git("checkout", "-q", "-b", "old")
    branch = origin.commit("Begun early")
    origin.git("checkout", "-q", "main")
    origin.push()
    assert first in commits(read_either_way())
    newer = origin.commit("Newer")
    merge = origin.merge("old")
    origin.push()
    found = commits(read_either_way())
    assert set(found) - {branch} == {newer, merge}
    assert commits(read_either_way()) == {}


def test_a_repository_that_was_not_pushed_to_costs_no_request(
    origin: Origin, server: SampleServer, read_either_way: Reader
) -> None:
    origin.commit("First")
    origin.push()
    read_either_way()
    server.requests.clear()
    items = read_either_way(pushed=False)
    assert server.requests == {}
    assert {(i.source, i.from_at, i.until_at) for i in items if isinstance(i, Coverage)} == {
        ("git", CREATED, NOW),
        ("tags", CREATED, NOW),
    }


def test_the_paths_of_a_commit_are_those_against_its_first_parent(
    origin: Origin, read_either_way: Reader
) -> None:
    root = origin.commit("Root", services__api="1", docs="1")
    origin.git("checkout", "-q", "-b", "feature")
    feature = origin.commit("Feature", **{"services__web": "1", "späce name": "1"})
    origin.git("checkout", "-q", "main")
    main = origin.commit("Docs", docs="2")
    empty = origin.commit("Nothing")
    merge = origin.merge("feature")
    origin.push()
    paths = {
        sha: set(commit.paths or ()) for sha, commit in commits(read_either_way(with_paths=True)).items()
    }
    assert paths == {
        root: {"services/api", "docs"},
        feature: {"services/web", "späce name"},
        main: {"docs"},
        empty: set(),
        merge: {"services/web", "späce name"},
    }


def test_history_is_read_again_once_its_paths_are_wanted(origin: Origin, read_either_way: Reader) -> None:
    sha = origin.commit("First", a="1")
    origin.push()
    assert commits(read_either_way())[sha].paths is None
    assert commits(read_either_way(pushed=False, with_paths=True))[sha].paths == ("a",)
    assert commits(read_either_way(pushed=False, with_paths=True)) == {}


def test_a_deployed_commit_that_is_on_no_branch_is_fetched_by_its_sha(
    origin: Origin, server: SampleServer, read_either_way: Reader
) -> None:
    origin.commit("First")
    origin.push()
    origin.git("checkout", "-q", "-b", "gone")
    deployed = origin.commit("Deployed, then deleted")
    origin.push()
    origin.git("checkout", "-q", "main")
    origin.git("push", "-q", "origin", "--delete", "gone")
    origin.git("branch", "-q", "-D", "gone")
    assert deployed not in commits(read_either_way())
    unknown = "1" * 40
    assert set(commits(read_either_way(pushed=False, wanted=(deployed, unknown, "not-a-sha")))) == {deployed}
    server.requests.clear()
    assert commits(read_either_way(pushed=False, wanted=(unknown, "not-a-sha"))) == {}
    assert server.requests == {}, "what the host does not give is not asked for again"


def test_a_repository_without_commits_has_none(read_either_way: Reader) -> None:
    items = read_either_way("empty")
    assert commits(items) == {}
    assert [item for item in items if isinstance(item, Malformed)] == []
    assert len([item for item in items if isinstance(item, Coverage)]) == 2


def test_a_tag_may_stand_for_a_deployment_of_the_commit_it_names(
    origin: Origin, read_either_way: Reader
) -> None:
    first = origin.commit("First")
    origin.git("tag", "v1")
    second = origin.commit("Second")
    origin.git("tag", "-a", "-m", "Two", "v2", GIT_COMMITTER_DATE=f"{int(origin.time(2).timestamp())} +0200")
    origin.push()
    found = tags(read_either_way())
    assert {ref: (tag.id, tag.sha, tag.status) for ref, tag in found.items()} == {
        "v1": (f"acme/checkout@v1@{first}", first, "success"),
        "v2": (f"acme/checkout@v2@{second}", second, "success"),
    }
    assert found["v1"].started_at == found["v1"].finished_at == origin.time(1)
    assert found["v2"].finished_at == origin.time(2)
    origin.commit("Third")
    origin.push()
    assert tags(read_either_way()) == {}
    origin.git("tag", "v3")
    origin.push()
    assert "v3" in tags(read_either_way())


def test_a_tag_that_moves_is_another_deployment_at_each_place(
    origin: Origin, read_either_way: Reader
) -> None:
    first = origin.commit("First")
    origin.git("tag", "production")
    origin.push()
    before = tags(read_either_way())["production"]
    second = origin.commit("Second")
    origin.git("tag", "--force", "production")
    origin.push()
    after = tags(read_either_way())["production"]
    assert (before.id, before.sha) == (f"acme/checkout@production@{first}", first)
    assert (after.id, after.sha) == (f"acme/checkout@production@{second}", second)


def test_an_annotated_tag_was_made_when_it_was_tagged(origin: Origin, read: Reader) -> None:
    origin.commit("First")
    origin.git("tag", "-a", "-m", "One", "v1", GIT_COMMITTER_DATE=f"{int(origin.time(90).timestamp())} +0000")
    origin.push()
    assert tags(read())["v1"].finished_at == origin.time(90)


@pytest.mark.parametrize("clone", [True, False])
def test_a_wrong_token_is_a_failure_that_does_not_tell_it(
    origin: Origin, server: SampleServer, tmp_path: Path, clone: bool
) -> None:
    with pytest.raises(SourceError, match=r"sources\.github\.token") as error:
        Reader(tmp_path, server.url, clone=clone, token="wrong-and-secret")()
    assert server.url in str(error.value)
    assert "wrong-and-secret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_repository_that_cannot_be_read_does_not_hold_up_the_others(
    origin: Origin, server: SampleServer, tmp_path: Path
) -> None:
    sha = origin.commit("First")
    origin.push()
    source = GitHub(url=f"{server.url}/api/v3", token=SecretStr(TOKEN), repositories=["acme/*"])
    repositories = [Repository(repo=f"acme/{name}", created_at=CREATED) for name in ("gone", "checkout")]
    items = []
    with pytest.raises(SourceError, match="acme/gone"):
        items.extend(collect(source, Resume(NOW, CREATED), PEOPLE, repositories, tmp_path, {}, []))
    stream = collect(source, Resume(NOW, CREATED), PEOPLE, repositories, tmp_path, {}, [])
    assert next(stream).sha == sha


def test_an_address_where_nobody_answers_is_a_failure_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"(?i)could not connect|failed to connect") as error:
        Reader(tmp_path, closed_address())()
    assert "\n" not in str(error.value)


def test_a_deployed_commit_from_before_the_first_day_is_asked_for_by_name(
    origin: Origin, server: SampleServer, tmp_path: Path
) -> None:
    at = "2025-01-01T00:00:00+0000"
    origin.git("commit", "-qm", "Imported", "--allow-empty", GIT_AUTHOR_DATE=at, GIT_COMMITTER_DATE=at)
    imported = origin.git("rev-parse", "HEAD")
    first = origin.commit("First")
    origin.push()
    read = Reader(tmp_path, server.url, clone=False)
    assert set(commits(read())) == {first}
    assert set(commits(read(pushed=False, wanted=(imported,)))) == {imported}
