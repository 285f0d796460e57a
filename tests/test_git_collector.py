"""Commits and tags: real repositories, read by git from a server that speaks smart HTTP, and by its API."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from collectors.git import collect
from collectors.records import Coverage, Repository
from collectors.stream import Malformed, Resume, SourceError
from config.settings import GitHub
from sample_data import model
from sample_data.server import SampleServer
from tests.git_origin import CREATED, NOW, PEOPLE, TOKEN, Origin, Reader, commits, tags
from tests.loopback import closed_address


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


def test_the_history_is_cloned_without_file_contents(
    origin: Origin, server: SampleServer, read: Reader
) -> None:
    origin.commit(
        "First", **{".mailmap": "Other <other@acme.example> <anna@acme.example>"}, a="content " * 50
    )
    origin.git("mv", "a", "b")
    origin.commit("Renamed")
    origin.push()
    found = commits(read(with_paths=True))
    assert sorted(path for commit in found.values() for path in commit.paths or ()) == [
        ".mailmap",
        "a",
        "a",
        "b",
    ]
    assert len([entry for entry in server.log if entry[1] == "POST"]) == 2, (
        "refs and one pack, no content afterwards"
    )
    clone = read.cache / "acme" / "checkout.git"
    listed = subprocess.run(
        ["git", "-C", str(clone), "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "commit" in listed
    assert "blob" not in listed


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


def test_what_was_pushed_over_is_not_read_twice_nor_lost(origin: Origin, read: Reader) -> None:
    base = origin.commit("Base")
    first = origin.commit("First try")
    origin.push()
    assert set(commits(read())) == {base, first}
    origin.git("reset", "-q", "--hard", base)
    second = origin.commit("Second try")
    origin.push()
    assert set(commits(read())) == {second}
    origin.git("reset", "-q", "--hard", first)
    third = origin.commit("On the first try after all")
    origin.push()
    assert set(commits(read())) == {third}


def test_a_lost_or_broken_cache_is_made_again_and_nothing_is_read_twice(
    origin: Origin, server: SampleServer, read: Reader
) -> None:
    origin.commit("First")
    origin.push()
    read()
    clone = read.cache / "acme" / "checkout.git"
    second = origin.commit("Second")
    origin.push()
    # as a killed git leaves it: a lock, and a clone that was not finished
    (clone / "packed-refs.lock").touch()
    (clone / "config").write_text("broken [")
    left = clone.parent / ".checkout.git-left"
    left.mkdir()
    assert set(commits(read())) == {second}
    assert not left.exists()
    subprocess.run(["rm", "-rf", str(clone)], check=True)
    third = origin.commit("Third")
    origin.push()
    assert set(commits(read())) == {third}


def test_a_run_that_stopped_before_its_checkpoint_is_repeated_in_full(origin: Origin, read: Reader) -> None:
    first, second = origin.commit("First"), origin.commit("Second")
    origin.push()
    read()
    read.cursors.clear()  # the transaction with the cursor did not happen, the clone did
    assert set(commits(read(pushed=False))) == {first, second}


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
        "v1": ("acme/checkout@v1", first, "success"),
        "v2": ("acme/checkout@v2", second, "success"),
    }
    assert found["v1"].started_at == found["v1"].finished_at == origin.time(1)
    assert found["v2"].finished_at == origin.time(2)
    origin.commit("Third")
    origin.push()
    assert tags(read_either_way()) == {}
    origin.git("tag", "v3")
    origin.push()
    assert "v3" in tags(read_either_way())


def test_an_annotated_tag_was_made_when_it_was_tagged(origin: Origin, read: Reader) -> None:
    origin.commit("First")
    origin.git("tag", "-a", "-m", "One", "v1", GIT_COMMITTER_DATE=f"{int(origin.time(90).timestamp())} +0000")
    origin.push()
    assert tags(read())["v1"].finished_at == origin.time(90)


RUN = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from collectors.git import collect
from collectors.people import People
from collectors.records import Repository
from collectors.stream import Resume
from config.settings import GitHub
source = GitHub(url=sys.argv[1], token="${TOKEN}", repositories=["acme/*"])
now = datetime(2026, 11, 16, tzinfo=UTC)
repositories = [Repository(repo="acme/checkout", created_at=now)]
print(len(list(collect(source, Resume(now, now), People(b"k"), repositories, Path(sys.argv[2]), {}, []))))
"""


def test_the_token_is_in_no_stored_file_and_no_process_list(
    origin: Origin, server: SampleServer, tmp_path: Path
) -> None:
    origin.commit("First")
    origin.push()
    trace, cache = tmp_path / "trace", tmp_path / "cache"
    # git itself writes down every process that it starts
    (tmp_path / ".gitconfig").write_text(f"[trace2]\neventTarget = {trace}\n")
    environment = os.environ | {
        "HOME": str(tmp_path),
        "TOKEN": TOKEN,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-c", RUN, f"{server.url}/api/v3", str(cache)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout == "4\n", "a commit, two coverages, a checkpoint"
    assert "remote-http" in trace.read_text()
    assert server.requests["git"] == 3, "the token is sent at once, not only when asked for"
    stored = [path for path in (trace, *cache.rglob("*")) if path.is_file()]
    assert len(stored) > 5
    secrets = (TOKEN.encode(), base64.b64encode(f"x-access-token:{TOKEN}".encode()))
    assert not [path for path in stored if any(secret in path.read_bytes() for secret in secrets)]
    assert not [path for _, _, path in server.log if TOKEN in path]


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


@pytest.mark.parametrize("url", ["http://github.example", "http://10.0.0.1:8080"])
def test_a_token_is_not_sent_over_plain_http_to_another_machine(tmp_path: Path, url: str) -> None:
    with pytest.raises(SourceError, match="not https"):
        Reader(tmp_path, url)()


def test_an_address_where_nobody_answers_is_a_failure_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"(?i)could not connect|failed to connect") as error:
        Reader(tmp_path, closed_address())()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["..", "a b", "-x/../../y"])
def test_a_name_that_leads_out_of_the_cache_is_refused(
    server: SampleServer, tmp_path: Path, name: str
) -> None:
    with pytest.raises(SourceError):
        Reader(tmp_path, server.url)(name)
    assert not list(tmp_path.glob("*.git"))
