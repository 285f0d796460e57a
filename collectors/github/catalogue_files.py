"""A repository's own descriptors: `catalog-info.yaml`, and the files that a Location in it names."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from posixpath import dirname, join, normpath
from typing import Any
from urllib.parse import quote

from collectors.contract.items import Item, Malformed, SourceError
from collectors.files.backstage import Located, few_aside, parse
from collectors.github.api import GitHubApi, MissingError, RefusedError
from collectors.transport.json_values import listing, mapping, text

NAME = "catalog-info.yaml"
# of one repository; a monorepo of more services than this is split
_MOST_FILES = 500
_MOST_CHARACTERS = 5_000_000
_MOST_GLOBS = 50
# named files that could not be had; after so many the others are not asked for
_MOST_MISSED = 20


def entities(api: GitHubApi, repo: str, descriptors: str | None) -> Iterator[Item]:
    """The entities of the repository's `catalog-info.yaml` and of what it names; what cannot be read is set aside.

    `descriptors` is its content, None where it is to be asked for. Whatever the files hold, they cost no more than so
    many requests, and no other repository.
    """
    return few_aside(_Files(api, repo).entities(descriptors))


class _Files:
    """The files of a repository, each asked for once and within limits."""

    def __init__(self, api: GitHubApi, repo: str) -> None:
        self._api = api
        self._repo = repo
        self._seen = {NAME}
        self._waiting: list[tuple[str, str]] = []
        self._characters = 0
        self._globs = 0
        self._missed = 0
        self._left = 0
        self._names: list[str] | None = None
        self._failure: SourceError | None = None

    def entities(self, descriptors: str | None) -> Iterator[Item]:
        """What the first file tells, and then those that it names."""
        try:
            self._waiting.append((NAME, self._content(NAME) if descriptors is None else descriptors))
        except MissingError:  # most repositories have none
            return
        except RefusedError as error:
            yield self._unread(NAME, error)
        for path, content in self._waiting:
            for item in parse(content, f"{self._repo}/{path}", self._repo):
                if isinstance(item, Located):
                    yield from self._follow(path, item)
                else:
                    yield item
        if self._left:
            reason = (
                f"{self._left:,} more files that are named were not asked for, since {_MOST_MISSED} could not be had;"
                " mend those that are told"
            )
            yield Malformed("components", self._repo, reason, "", hides=f"{self._repo}/")

    def _follow(self, path: str, located: Located) -> Iterator[Malformed]:
        """Gets the files that are named in the one at `path`; yields what cannot be got."""
        try:
            found = [] if located.amiss else self._named(path, located.target)
        except SourceError as error:
            yield replace(located.unread(str(error)), hides=f"{self._repo}/")
            return
        if not found:
            yield located.unread(located.amiss or "no file is there")
        for one in found:
            if one in self._seen:
                continue
            if self._missed >= _MOST_MISSED:
                self._left += 1
                continue
            self._seen.add(one)
            try:
                self._waiting.append((one, self._content(one)))
            except MissingError:
                self._missed += 1
                yield located.unread("no file is there")
            except SourceError as error:
                self._missed += 1
                yield self._unread(one, error)

    def _unread(self, path: str, error: SourceError) -> Malformed:
        place = f"{self._repo}/"
        return Malformed("components", f"{place}{path}", f"was not read: {error}", "", hides=place)

    def _content(self, path: str) -> str:
        """The text of a file on the default branch; raises SourceError, MissingError where there is none."""
        if self._failure:  # what kept failing is not asked for again and again
            raise self._failure
        if len(self._seen) > _MOST_FILES:
            raise SourceError(
                f"a repository's catalogue has no more than {_MOST_FILES} files; put several into one"
            )
        try:
            found = self._api.get(f"/repos/{self._repo}/contents/{quote(path)}")
            size = mapping(found).get("size")
            if isinstance(size, int) and size > _MOST_CHARACTERS:
                raise RefusedError(f"is larger than {_MOST_CHARACTERS:,} bytes; split it")
            if text(found, "encoding") == "none":  # more than 1 MB
                found = self._api.get(f"/repos/{self._repo}/git/blobs/{text(found, 'sha')}")
        except RefusedError:
            raise
        except SourceError as error:
            self._failure = error
            raise
        told: Any = mapping(found).get("content")
        try:
            content = base64.b64decode(told).decode("utf-8-sig", "replace")
        except (TypeError, ValueError):
            content = str(told)  # no descriptor, so that it is set aside
        self._characters += len(content)
        if self._characters > _MOST_CHARACTERS:
            raise SourceError(
                f"a repository's catalogue has no more than {_MOST_CHARACTERS:,} characters; split it"
            )
        return content

    def _named(self, path: str, target: str) -> list[str]:
        """The files that a target in the file at `path` names; a glob costs a request for all names, once."""
        place = normpath(join(dirname(path), target))
        if place.startswith(".."):
            return []
        if not set(place) & set("*?["):
            return [place]
        self._globs += 1
        if self._globs > _MOST_GLOBS:
            raise SourceError(f"a repository's catalogue has no more than {_MOST_GLOBS} globs; use fewer")
        if self._names is None:
            if self._failure:
                raise self._failure
            tree = listing(self._api.get(f"/repos/{self._repo}/git/trees/HEAD", recursive="1"), "tree")
            self._names = [text(entry, "path") or "" for entry in tree]
        return sorted(name for name in self._names if fnmatch(name, place.replace("**/", "*")))
