"""The files of a repository that change with what lands on its default branch, or would with a pull request.

Read from the clone that the source `git` keeps; where repositories are not cloned, `by_api.py` asks GitHub's API.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from collectors.contract.items import SourceError
from collectors.git.clone import Clone
from collectors.git.history import since_1970

_HEADER = re.compile(r":\d{6} (\d{6}) ([0-9a-f]+) ([0-9a-f]+) [A-Z]\d*")
_START = re.compile(r"\x01([0-9a-f]{40,64})")
_FILE = re.compile(r"100\d{3} blob ([0-9a-f]+)\t(.+)", re.DOTALL)


@dataclass(frozen=True)
class ChangedFile:
    """A file before and after: what `FileReader.contents` takes, None where it is not there."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Landing:
    """A commit of the default branch with the files that it changes against what was there before."""

    sha: str
    authored_at: datetime
    committed_at: datetime
    files: Sequence[ChangedFile]


@dataclass(frozen=True)
class ProposedChange:
    """A pull request that is not merged, at its last commit; `closed_at` where it was closed."""

    number: int
    head: str
    opened_at: datetime
    closed_at: datetime | None


class FileReader(Protocol):
    """What is asked of a repository; `folders` are those that files have to be in. All raise SourceError."""

    def head(self) -> str | None:
        """The last commit of the default branch; None of an empty repository."""

    def is_behind(self, sha: str) -> bool:
        """Whether a commit is on the default branch."""

    def landings(self, after: str | None, since: datetime, folders: Sequence[str]) -> Iterator[Landing]:
        """What landed after a commit of the default branch, and since an instant, the oldest first."""

    def proposed(
        self, changes: Collection[ProposedChange], folders: Sequence[str]
    ) -> Iterator[tuple[ProposedChange, list[ChangedFile]]]:
        """The files that each of the pull requests would change; not of those whose commits are gone."""

    def files(self, folders: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(path, what `contents` takes) of the files that are there now."""

    def contents(self, files: Iterable[str], longest: int) -> dict[str, str | None]:
        """The texts of files; None of one longer than `longest` bytes."""


class CloneReader:
    """Reads a clone that is here; its file contents are fetched in one go."""

    def __init__(self, clone: Clone, branch: str | None) -> None:
        self._clone = clone
        self._branch = f"refs/heads/{branch}" if branch else "HEAD"

    def head(self) -> str | None:
        told = "".join(self._clone.parts("for-each-ref", "--format=%(objectname)", self._branch))
        return told.strip() or None

    def is_behind(self, sha: str) -> bool:
        try:
            count = "".join(self._clone.parts("rev-list", "--count", sha, f"^{self._branch}", "--"))
        except SourceError:  # it is gone
            return False
        return count.strip() == "0"

    def landings(self, after: str | None, since: datetime, folders: Sequence[str]) -> Iterator[Landing]:
        form = "--format=%x01%H%x00%at%x00%ct%x00"
        arguments = ["log", "--first-parent", "--diff-merges=first-parent", "--root", "--raw", "--no-abbrev"]
        arguments += ["--no-renames", "--reverse", "-z", form, self._branch]
        arguments += [f"^{after}"] if after else []
        for sha, authored, committed, files in _landed(self._clone.parts(*arguments, *_within(folders))):
            authored_at, committed_at = since_1970(authored), since_1970(committed)
            if isinstance(committed_at, datetime) and committed_at >= since:
                written_at = authored_at if isinstance(authored_at, datetime) else committed_at
                yield Landing(sha, min(written_at, committed_at), committed_at, files)

    def proposed(
        self, changes: Collection[ProposedChange], folders: Sequence[str]
    ) -> Iterator[tuple[ProposedChange, list[ChangedFile]]]:
        there = self._clone.fetch({change.head for change in changes})
        for change in changes:
            if change.head not in there:
                continue
            try:
                base = "".join(self._clone.parts("merge-base", self._branch, change.head)).strip()
            except SourceError:  # it has no history in common with the branch
                continue
            told = self._clone.parts(
                "diff-tree",
                "-r",
                "-z",
                "--raw",
                "--no-abbrev",
                "--no-renames",
                base,
                change.head,
                *_within(folders),
            )
            yield change, list(_changed(told))

    def files(self, folders: Sequence[str]) -> Iterator[tuple[str, str]]:
        for entry in self._clone.parts("ls-tree", "-r", "-z", self._branch, *_within(folders)):
            if found := _FILE.fullmatch(entry):
                yield found[2], found[1]

    def contents(self, files: Iterable[str], longest: int) -> dict[str, str | None]:
        return self._clone.contents(list(files), longest)


def _within(folders: Sequence[str]) -> list[str]:
    return ["--", *(f":(literal){folder}" for folder in folders)] if all(folders) else ["--"]


def _landed(parts: Iterator[str]) -> Iterator[tuple[str, str, str, list[ChangedFile]]]:
    """(sha, authored, committed, files) of what `git log --raw -z` prints."""
    sha = ""
    fields: list[str] = []
    rest: list[str] = []
    for part in parts:
        if start := _START.fullmatch(part.removeprefix("\n")):
            if sha:
                yield sha, fields[0], fields[1], list(_changed(iter(rest)))
            sha, fields, rest = start[1], [], []
        elif len(fields) < 2:
            fields.append(part)
        else:
            rest.append(part)
    if sha:
        yield sha, fields[0], fields[1], list(_changed(iter(rest)))


def _changed(parts: Iterator[str]) -> Iterator[ChangedFile]:
    """The plain files of what git prints with `--raw -z`; a link, or a repository within, is none."""
    for part in parts:
        if not (header := _HEADER.fullmatch(part.strip("\n"))):
            continue
        path = next(parts, "")
        mode, before, after = header.groups()
        is_there = mode.startswith("100") and after.strip("0")
        yield ChangedFile(path, before if before.strip("0") else None, after if is_there else None)
