"""The clones that git's collector keeps: what is in them, how they are mended, and what is not in them."""

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from collectors.contract.items import SourceError
from sample_data import model
from sample_data.servers.server import SampleServer
from tests.support.git_origin import CREATED, NOW, TOKEN, Origin, Reader, commits


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


def test_a_clone_is_fetched_from_where_the_host_is_now(
    origin: Origin, server: SampleServer, read: Reader
) -> None:
    first = origin.commit("First")
    origin.push()
    assert set(commits(read())) == {first}
    second = origin.commit("Second")
    origin.push()
    with SampleServer(server.organisation, token=TOKEN) as moved:
        read.move(moved.url)
        asked_before = server.requests.total()
        assert set(commits(read())) == {second}
        assert moved.requests.total() > 0
        assert server.requests.total() == asked_before, "the old host is asked for nothing"


def test_a_clone_that_no_list_names_goes_once_it_is_long_unused(origin: Origin, read: Reader) -> None:
    origin.commit("First")
    origin.push()
    read()
    here = read.cache / "acme" / "checkout.git"
    left, used = (read.cache / "acme" / f"{name}.git" for name in ("left", "used"))
    for path in (left, used):
        shutil.copytree(here, path)
    long_ago = (NOW - timedelta(days=31)).timestamp()
    for path in (here, left):
        os.utime(path, (long_ago, long_ago))
    os.utime(used, (NOW.timestamp(), NOW.timestamp()))
    read(pushed=False)
    assert (here.exists(), left.exists(), used.exists()) == (True, False, True)


def test_what_a_killed_git_left_locked_is_unlocked(origin: Origin, read: Reader) -> None:
    first = origin.commit("First")
    origin.push()
    read()
    second = origin.commit("Second")
    origin.push()
    kept = read.cache / "acme" / "checkout.git" / "refs" / "sixkeys" / "kept"
    kept.mkdir(parents=True, exist_ok=True)
    (kept / f"{first}.lock").touch()
    assert set(commits(read())) == {second}


def test_a_run_that_stopped_before_its_checkpoint_is_repeated_in_full(origin: Origin, read: Reader) -> None:
    first, second = origin.commit("First"), origin.commit("Second")
    origin.push()
    read()
    read.cursors.clear()  # the transaction with the cursor did not happen, the clone did
    assert set(commits(read(pushed=False))) == {first, second}


RUN = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from collectors.contract.items import Resume
from collectors.contract.people import People
from collectors.contract.records import Repository
from collectors.git.collect import collect
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


@pytest.mark.parametrize("url", ["http://github.example", "http://10.0.0.1:8080"])
def test_a_token_is_not_sent_over_plain_http_to_another_machine(tmp_path: Path, url: str) -> None:
    with pytest.raises(SourceError, match="not https"):
        Reader(tmp_path, url)()


@pytest.mark.parametrize("name", ["..", "a b", "-x/../../y"])
def test_a_name_that_leads_out_of_the_cache_is_refused(
    server: SampleServer, tmp_path: Path, name: str
) -> None:
    with pytest.raises(SourceError):
        Reader(tmp_path, server.url)(name)
    assert server.requests == {}
    assert not list(tmp_path.glob("*.git"))


def test_what_was_pushed_over_stays_known_although_the_host_forgets_it(origin: Origin, read: Reader) -> None:
    base = origin.commit("Base")
    forgotten = origin.commit("First try")
    origin.push()
    assert set(commits(read())) == {base, forgotten}
    origin.git("reset", "-q", "--hard", base)
    second = origin.commit("Second try")
    origin.push()
    clone = read.cache / "acme" / "checkout.git"
    subprocess.run(["git", "-C", str(origin.git_dir), "gc", "-q", "--prune=now"], check=True)
    subprocess.run(["git", "-C", str(clone), "update-ref", "refs/heads/main", base], check=True)
    subprocess.run(["git", "-C", str(clone), "gc", "-q", "--prune=now"], check=True)
    assert set(commits(read())) == {second}


def test_a_deployed_commit_that_was_fetched_but_not_read_is_read(origin: Origin, read: Reader) -> None:
    base = origin.commit("Base")
    deployed = origin.commit("Deployed, then pushed over")
    origin.push()
    read.interrupted()
    origin.git("reset", "-q", "--hard", base)
    second = origin.commit("Second try")
    origin.push()
    assert set(commits(read(wanted=(deployed,)))) == {base, deployed, second}
