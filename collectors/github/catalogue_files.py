"""A repository's own descriptors: `catalog-info.yaml`, and the files that a Location in it names."""

import base64
from collections.abc import Iterator
from fnmatch import fnmatch
from posixpath import dirname, join, normpath
from typing import Any
from urllib.parse import quote

from collectors.contract.items import Item, SourceError
from collectors.files.backstage import Located, parse
from collectors.github.api import GitHubApi, MissingError
from collectors.transport.json_values import listing, mapping, text

NAME = "catalog-info.yaml"
# of one repository; a monorepo of more services than this is split
_MOST_FILES = 500


def entities(api: GitHubApi, repo: str, descriptors: str) -> Iterator[Item]:
    """The entities of `descriptors`, the content of the repository's `catalog-info.yaml`, and of what it names."""
    waiting, seen = [(NAME, descriptors)], {NAME}
    while waiting:
        path, content = waiting.pop(0)
        for item in parse(content, f"{repo}/{path}", repo):
            if not isinstance(item, Located):
                yield item
                continue
            try:
                found = _named(api, repo, path, item)
                fresh = [one for one in found if one not in seen and len(seen) < _MOST_FILES]
                seen.update(fresh)
                waiting += [(one, content_of(api, repo, one)) for one in fresh]
            except MissingError:
                yield item.unread("no file is there")
            except SourceError as error:
                yield item.unread(str(error))
            else:
                if not found:
                    yield item.unread("no file is there" if item.is_within else "it is at another place")


def content_of(api: GitHubApi, repo: str, path: str) -> str:
    """The text of a file on the default branch; raises MissingError where there is none."""
    found = api.get(f"/repos/{repo}/contents/{quote(path)}")
    content: Any = mapping(found).get("content")
    try:
        return base64.b64decode(content).decode("utf-8", "replace")
    except (TypeError, ValueError):
        return str(content)  # no descriptor, so that it is set aside


def _named(api: GitHubApi, repo: str, path: str, located: Located) -> list[str]:
    """The files of the repository that a target in the file at `path` names; a glob costs a request for all names."""
    if not located.is_within:
        return []
    target = normpath(join(dirname(path), located.target))
    if target.startswith(".."):
        return []
    if not set(target) & set("*?["):
        return [target]
    tree = listing(api.get(f"/repos/{repo}/git/trees/HEAD", recursive="1"), "tree")
    names = (text(entry, "path") or "" for entry in tree)
    return sorted(name for name in names if fnmatch(name, target.replace("**/", "*")))
