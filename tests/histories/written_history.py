"""Commits as git itself would write them, each known by its SHA before it is written, and the repository with them."""

import hashlib
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
COMMITTER = "Web Flow <web-flow@acme.example>"
MENDER = "History Mender <mender@acme.example>"


@dataclass(frozen=True, repr=False)
class Written:
    """A commit without files; times are seconds since 1970. `holds` are the changes (bits) that its content has."""

    parents: tuple["Written", ...]
    author: str
    authored: int
    committed: int
    message: str
    holds: int = 0
    committer: str = COMMITTER
    sha: str = field(init=False, default="")

    def __post_init__(self) -> None:
        lines = [f"tree {_EMPTY_TREE}", *(f"parent {parent.sha}" for parent in self.parents)]
        lines += [f"author {self.author} {self.authored} +0000"]
        lines += [f"committer {self.committer} {self.committed} +0000", "", self.message]
        body = "\n".join(lines).encode()
        sha = hashlib.sha1(b"commit %d\0" % len(body) + body).hexdigest()
        object.__setattr__(self, "sha", sha)

    @property
    def title(self) -> str:
        return self.message.partition("\n")[0]

    def __hash__(self) -> int:
        return hash(self.sha)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Written) and other.sha == self.sha


def reachable(tips: Iterable[Written], without: Iterable[Written] = ()) -> list[Written]:
    """What `tips` and not `without` can be reached from, parents before children."""
    left_out = set(reachable(without)) if without else set()
    found: dict[Written, None] = {}
    for tip in tips:
        stack = [(tip, False)]
        while stack:
            commit, is_done = stack.pop()
            if is_done:
                found[commit] = None
            elif commit not in found and commit not in left_out:
                stack.append((commit, True))
                stack += [(parent, False) for parent in reversed(commit.parents)]
    return list(found)


def written_anew(tips: Iterable[Written]) -> dict[Written, Written]:
    """The commits of a history that somebody rewrote from its roots: other SHAs, and all else as it was."""
    anew: dict[Written, Written] = {}
    for commit in reachable(tips):
        parents = tuple(anew[parent] for parent in commit.parents)
        anew[commit] = replace(commit, parents=parents, committer=MENDER)
    return anew


def write(folder: Path, commits: Iterable[Written]) -> None:
    """A bare repository with `commits` and no branch yet."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    stream: list[str] = []
    marks: dict[str, int] = {}
    for commit in reachable(commits):
        marks[commit.sha] = len(marks) + 1
        stream.append(
            f"reset refs/heads/w\n\ncommit refs/heads/w\nmark :{len(marks)}\n"
            f"author {commit.author} {commit.authored} +0000\n"
            f"committer {commit.committer} {commit.committed} +0000\n"
            f"data {len(commit.message.encode())}\n{commit.message}\n"
        )
        orders = ("from", *["merge"] * len(commit.parents))
        stream += [f"{order} :{marks[p.sha]}\n" for order, p in zip(orders, commit.parents, strict=False)]
        stream.append("\n")
    exported = folder / "marks"
    _git(folder, "fast-import", "--quiet", "--force", f"--export-marks={exported}", given="".join(stream))
    told = dict(line[1:].split() for line in exported.read_text().splitlines())
    assert told == {str(mark): sha for sha, mark in marks.items()}, "git gives other SHAs"
    _git(folder, "update-ref", "-d", "refs/heads/w")


def point(folder: Path, branches: dict[str, Written]) -> None:
    """Moves the branches, by force."""
    orders = "".join(f"update refs/heads/{name} {tip.sha}\n" for name, tip in branches.items())
    _git(folder, "update-ref", "--stdin", given=orders)


def _git(folder: Path, *arguments: str, given: str = "") -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], input=given, text=True, check=True)
