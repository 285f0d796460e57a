"""What the clone of a config repository says of a revision that Argo CD deployed: its message, and the images it sets.

Only of repositories that are cloned anyway, on GitHub's configured host. A clone has no file contents, so each file
that is read is fetched: of a revision only those that may set an image, and of all no more than `_FILES_A_RUN`.
"""

import re
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collectors.argocd.sync import ConfigSource
from collectors.contract.items import SourceError
from collectors.git.clone import Clone
from collectors.github.api import GitHubApi
from collectors.transport import cost
from collectors.transport.json_values import text
from collectors.transport.pacing import Hold
from config.text.yaml_documents import MANIFEST_YAML, UnreadableYaml, yaml_documents

_FILES_A_RUN = 500
_FILES_A_REVISION = 20
_LARGEST = 1_000_000  # characters; nobody writes so much about an image
_KUSTOMIZATION = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class ConfigClones:
    """The clones in `cache` of those `repositories` (`owner/name`) that `api` opens; for several threads."""

    def __init__(self, api: GitHubApi, cache: Path, repositories: Collection[str]) -> None:
        self._api = api
        self._cache = cache
        self._names = {name.lower(): name for name in repositories}
        self._host = urlsplit(api.web).hostname
        self._hold = Hold(cost.current_meter(), "git")
        self._clones: dict[str, Clone | SourceError | None] = {}
        self._refreshed: set[str] = set()
        self._lock = threading.Lock()
        self._left = _FILES_A_RUN

    def message(self, config: ConfigSource) -> str | None:
        """The message of the commit that was deployed; None where no clone has it."""
        try:
            clone = self._clone(config)
            return (
                self._message(clone, config.revision) if clone and config.is_git and config.revision else None
            )
        except SourceError:  # the run of git tells of it
            return None

    def images(self, config: ConfigSource) -> tuple[str, ...] | None:
        """The images that the files in the application's folder set; None where that cannot be read for now.

        A kustomization speaks for all of them where it sets any.
        """
        try:
            clone = self._clone(config)
            if clone is None or not config.is_git or not config.revision or config.path is None:
                return ()
            if self._message(clone, config.revision) is None:
                return None
            files = clone.files(config.revision, config.path)
            first = [blob for name, blob in files if name in _KUSTOMIZATION]
            others = [blob for name, blob in files if re.search(r"\.ya?ml$", name) and blob not in first]
            for blobs in (first, others[:_FILES_A_REVISION]):
                contents = [self._content(clone, blob) for blob in blobs]
                if None in contents:
                    return None
                if found := tuple(dict.fromkeys(image for one in contents for image in images_in(one or ""))):
                    return found
        except SourceError:  # the run of git tells of it
            return None
        return ()

    def _clone(self, config: ConfigSource) -> Clone | None:
        name = self._names.get((config.repo or "").lower())
        if name is None or config.host != self._host:
            return None
        with self._lock:
            if name not in self._clones:
                try:
                    clone = Clone(name, self._api.web, self._api.token(), self._cache, self._hold)
                    self._clones[name] = clone if clone.is_here else None
                except SourceError as error:
                    self._clones[name] = error
            found = self._clones[name]
        if isinstance(found, SourceError):
            raise found
        return found

    def _message(self, clone: Clone, revision: str) -> str | None:
        """The message of a commit; where it is not here, the clone is fetched, once: it may have been pushed since."""
        if (found := clone.message(revision)) is None:
            with self._lock:
                if clone.repo not in self._refreshed:
                    self._refreshed.add(clone.repo)
                    clone.refresh()
            found = clone.message(revision)
        return found

    def _content(self, clone: Clone, blob: str) -> str | None:
        with self._lock:
            if not self._left:
                return None
            self._left -= 1
        return clone.content(blob)


def images_in(content: str) -> Iterator[str]:
    """The images that a kustomization, a chart's values or a manifest set, with their tags."""
    if len(content) > _LARGEST:
        return
    contents = []
    for document in yaml_documents(content, MANIFEST_YAML):
        if isinstance(document, UnreadableYaml):  # a template is no YAML
            return
        contents.append(document.content)
    yield from _set_in(contents, set())


def _set_in(value: Any, seen: set[int]) -> Iterator[str]:
    if not isinstance(value, dict | list) or id(value) in seen:  # an anchor may stand for much, many times
        return
    seen.add(id(value))
    if isinstance(value, list):
        for part in value:
            yield from _set_in(part, seen)
        return
    for key, part in value.items():
        if key == "images" and isinstance(part, list):
            for override in part:
                if tag := text(override, "newTag"):
                    yield f"{text(override, 'newName') or text(override, 'name')}:{tag}"
        elif key == "image" and isinstance(part, str):
            yield part
        elif key == "image" and (tag := text(part, "tag")):
            yield f"{text(part, 'repository') or key}:{tag}"
        else:
            yield from _set_in(part, seen)
