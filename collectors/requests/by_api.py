"""The files that change, through GitHub's REST API, where repositories are not cloned.

A request for the commits of a folder, and for each of them one for its files and one for each content.
"""

import base64
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from collectors.contract.items import SourceError
from collectors.github.api import EmptyError, GitHubApi, MissingError
from collectors.requests.changed_files import ChangedFile, Landing, ProposedChange
from collectors.transport.json_values import Json, as_instant, listing, mapping, text

_MOST_CONTENTS = 2_000


class ApiReader:
    """Reads the repository `repo` (`owner/name`) through `api`; a content is known by `SHA:path`."""

    def __init__(self, api: GitHubApi, repo: str, branch: str | None) -> None:
        self._api = api
        self._path = f"/repos/{repo}"
        self._branch = branch or "HEAD"
        self._left = _MOST_CONTENTS

    def head(self) -> str | None:
        try:
            return text(self._api.get(f"{self._path}/commits/{quote(self._branch)}"), "sha")
        except (EmptyError, MissingError):
            return None

    def is_behind(self, sha: str) -> bool:
        try:
            told = text(self._api.get(f"{self._path}/compare/{sha}...{quote(self._branch)}"), "status")
        except MissingError:
            return False
        return told in ("ahead", "identical")

    def landings(self, after: str | None, since: datetime, folders: Sequence[str]) -> Iterator[Landing]:
        fresh = self._fresh(after)
        found: dict[str, Json] = {}
        for folder in folders:
            within: dict[str, Any] = {"path": folder} if folder else {}
            for page in self._api.pages(
                f"{self._path}/commits", sha=self._branch, since=f"{since:%Y-%m-%dT%H:%M:%SZ}", **within
            ):
                found |= {sha: raw for raw in page if (sha := text(raw, "sha"))}
        commits = (_landing(raw) for sha, raw in found.items() if fresh is None or sha in fresh)
        in_order = sorted((one for one in commits if one), key=lambda one: (one[2], one[0]))
        for sha, authored_at, committed_at, parent in in_order:
            told = (file for page in self._api.pages(f"{self._path}/commits/{sha}", "files") for file in page)
            yield Landing(
                sha, min(authored_at, committed_at), committed_at, list(_changed(told, parent, sha))
            )

    def proposed(
        self, changes: Collection[ProposedChange], folders: Sequence[str]
    ) -> Iterator[tuple[ProposedChange, list[ChangedFile]]]:
        for change in changes:
            try:
                told = self._api.get(f"{self._path}/compare/{quote(self._branch)}...{change.head}")
            except MissingError:
                continue
            base = text(told, "merge_base_commit", "sha")
            yield change, list(_changed(map(mapping, listing(told, "files")), base, change.head))

    def files(self, folders: Sequence[str]) -> Iterator[tuple[str, str]]:
        head = self.head()
        told = self._api.get(f"{self._path}/git/trees/{head}", recursive="1")
        for entry in listing(told, "tree"):
            path = text(entry, "path")
            if path and text(entry, "type") == "blob" and any(_is_in(folder, path) for folder in folders):
                yield path, f"{head}:{path}"

    def contents(self, files: Iterable[str], longest: int) -> dict[str, str | None]:
        return {file: self._content(file, longest) for file in sorted(set(files))}

    def _fresh(self, after: str | None) -> set[str | None] | None:
        """The commits that the branch has since `after`; None where all are new."""
        if after is None:
            return None
        pages = self._api.pages(f"{self._path}/compare/{after}...{quote(self._branch)}", "commits")
        return {text(raw, "sha") for page in pages for raw in page}

    def _content(self, file: str, longest: int) -> str | None:
        sha, _, path = file.partition(":")
        if self._left <= 0:
            raise SourceError(
                f"requests: more than {_MOST_CONTENTS:,} files would have to be asked for one by one; set"
                " sources.github.clone to true, or name fewer paths in self_service.requests"
            )
        self._left -= 1
        try:
            found = self._api.get(f"{self._path}/contents/{quote(path)}", ref=sha)
        except MissingError:
            return ""
        size: Any = mapping(found).get("size")
        if not isinstance(size, int) or size > longest or text(found, "encoding") != "base64":
            return None
        try:
            return base64.b64decode(text(found, "content") or "").decode("utf-8", "replace")
        except ValueError:
            return None


def _landing(raw: Json) -> tuple[str, datetime, datetime, str | None] | None:
    """(sha, authored, committed, first parent) of a commit; None of one without a time.

    And of a merge: the commits that it brings are listed as well.
    """
    sha, committed_at = text(raw, "sha"), as_instant(raw, "commit", "committer", "date")
    if sha is None or committed_at is None or len(listing(raw, "parents")) > 1:
        return None
    authored_at = as_instant(raw, "commit", "author", "date") or committed_at
    return sha, authored_at, committed_at, next((text(one, "sha") for one in listing(raw, "parents")), None)


def _changed(files: Iterable[Json], before: str | None, after: str) -> Iterator[ChangedFile]:
    for file in files:
        name, earlier, status = text(file, "filename"), text(file, "previous_filename"), text(file, "status")
        if not name:
            continue
        if status == "renamed" and earlier and before:
            yield ChangedFile(earlier, f"{before}:{earlier}", None)
        is_new = before is None or status in ("added", "renamed", "copied")
        old, new = None if is_new else f"{before}:{name}", None if status == "removed" else f"{after}:{name}"
        yield ChangedFile(name, old, new)


def _is_in(folder: str, path: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")
