"""What happens to a repository that is played out: changes, what was put on a branch, pull requests, deployments."""

from dataclasses import dataclass

from tests.histories.written_history import Written


@dataclass
class Change:
    """What somebody authored once; `reverts` are the changes (bits) that it undoes."""

    bit: int
    author: str
    authored: int
    title: str
    reverts: int = 0
    is_revert: bool = False
    is_hotfix: bool = False


@dataclass
class Landing:
    """What was put on a branch at once: the commits there, and the changes that it is."""

    branch: str
    method: str
    title: str
    commits: list[Written]
    changes: int
    number: int | None = None


@dataclass
class Pull:
    """A merged pull request as its record tells it."""

    number: int
    title: str
    created: int
    merged: int
    merge_sha: str
    base: str
    own: list[Written]
    is_hotfix: bool = False
    reverts: int | None = None
    listed: int | None = None  # so many of its own commits are told, of all where None


@dataclass
class Shipped:
    """A deployment, and what is true of it: the changes (bits) that it was the first to bring, whether it failed."""

    id: str
    service: str
    at: int
    sha: str
    branch: str
    status: str = "success"
    kind: str = "new"  # baseline, new, rollback, or unsuccessful
    brought: int = 0
    is_failed: bool = False
