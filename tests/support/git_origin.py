"""A repository that people push to, and git's collector run against a server of it, for tests."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from collectors.contract.items import Checkpoint, Item, Resume
from collectors.contract.people import People
from collectors.contract.records import Commit, Deployment, Repository
from collectors.git.collect import collect
from config.agents import AGENTS
from config.settings import GitHub

NOW = datetime(2026, 11, 16, 6, tzinfo=UTC)
CREATED = datetime(2026, 10, 1, 8, tzinfo=UTC)
TOKEN = "secret-of-the-test"
PEOPLE = People(b"key", ["*[bot]", "renovate*"], agents=AGENTS)


class Origin:
    """A repository that people push to: a work tree with fixed times, and what the server serves of it."""

    def __init__(self, folder: Path) -> None:
        self.git_dir = folder / "origin.git"
        self._work = folder / "work"
        self._minutes = 0
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.git_dir)], check=True)
        subprocess.run(
            ["git", "clone", "-q", str(self.git_dir), str(self._work)], check=True, capture_output=True
        )
        self.git("checkout", "-q", "-b", "main")

    def git(self, *arguments: str, given: str = "", **environment: str) -> str:
        settings = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Anna",
            "GIT_AUTHOR_EMAIL": "anna@acme.example",
        }
        settings |= {"GIT_COMMITTER_NAME": "Anna", "GIT_COMMITTER_EMAIL": "anna@acme.example"}
        command = ["git", "-C", str(self._work), *arguments]
        env = os.environ | settings | environment
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=env, input=given)
        return done.stdout.strip()

    def commit(self, message: str, zone: str = "+0000", **files: str) -> str:
        """The new commit's SHA; a minute later than the last one."""
        self._minutes += 1
        for name, content in files.items():
            path = self._work / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.git("add", "--all")
        at = f"{int(self.time(self._minutes).timestamp())} {zone}"
        self.git("commit", "-qm", message, "--allow-empty", GIT_AUTHOR_DATE=at, GIT_COMMITTER_DATE=at)
        return self.git("rev-parse", "HEAD")

    def commits(self, count: int) -> None:
        """So many further commits, at once."""
        orders = []
        for number in range(count):
            self._minutes += 1
            by = f"Anna <anna@acme.example> {int(self.time(self._minutes).timestamp())} +0000"
            message = f"Commit {number}"
            orders.append(
                f"commit refs/heads/main\nauthor {by}\ncommitter {by}\ndata {len(message)}\n{message}\n"
                f"M 100644 inline a\ndata {len(message)}\n{message}\n"
            )
        self.git("fast-import", "--quiet", "--force", given="".join(orders))
        self.git("reset", "-q", "--hard", "main")

    @staticmethod
    def time(minutes: int) -> datetime:
        return CREATED + timedelta(minutes=minutes)

    def merge(self, branch: str) -> str:
        at = f"{int(self.time(100).timestamp())} +0000"
        self.git(
            "merge",
            "-q",
            "--no-ff",
            "-m",
            f"Merge {branch}",
            branch,
            GIT_AUTHOR_DATE=at,
            GIT_COMMITTER_DATE=at,
        )
        return self.git("rev-parse", "HEAD")

    def push(self) -> None:
        self.git("push", "-q", "--force", "--all")
        self.git("push", "-q", "--force", "--tags")


class Reader:
    """Runs the collector as the pipeline does, run by run, with the cache in `folder`."""

    def __init__(self, folder: Path, url: str, clone: bool = True, token: str = TOKEN) -> None:
        self.cache = folder / "cache"
        self.cursors: dict[str, Any] = {}
        self._token, self._clone = token, clone
        self._pushes = 0
        self.move(url)

    def move(self, url: str) -> None:
        """The host is at another address from now on."""
        self._source = GitHub(
            url=f"{url}/api/v3", token=SecretStr(self._token), repositories=["acme/*"], clone=self._clone
        )

    def __call__(
        self,
        name: str = "checkout",
        pushed: bool = True,
        wanted: tuple[str, ...] = (),
        with_paths: bool = False,
    ) -> list[Item]:
        items = list(self._stream(name, pushed, wanted, with_paths))
        self.cursors |= {
            i.subject: json.loads(json.dumps(i.cursor)) for i in items if isinstance(i, Checkpoint)
        }
        return items

    def interrupted(self) -> None:
        """A run that ends at its first item."""
        next(self._stream("checkout", True, (), False))

    def _stream(self, name: str, pushed: bool, wanted: tuple[str, ...], with_paths: bool) -> Iterator[Item]:
        self._pushes += pushed
        repo = f"acme/{name}"
        repository = Repository(
            repo=repo,
            created_at=CREATED,
            pushed_at=CREATED + timedelta(seconds=self._pushes),
            default_branch="main",
            url=f"https://github.example/{repo}",
        )
        resume = Resume(NOW, NOW - timedelta(days=365), dict(self.cursors))
        paths = [repo] if with_paths else []
        return collect(self._source, resume, PEOPLE, [repository], self.cache, {repo: wanted}, paths)


def commits(items: list[Item]) -> dict[str, Commit]:
    found = [item for item in items if isinstance(item, Commit)]
    by_sha = {commit.sha: commit for commit in found}
    assert len(by_sha) == len(found), "a commit came twice"
    return by_sha


def tags(items: list[Item]) -> dict[str | None, Deployment]:
    return {item.ref: item for item in items if isinstance(item, Deployment)}
