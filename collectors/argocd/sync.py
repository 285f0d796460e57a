"""What one sync of an Argo CD application was made from: its config source and revision, its images, its commit.

The same shape (`source`, `sources`, `revision`, `revisions`) stands in a history entry and in a sync result.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from collectors.transport.json_values import listing, mapping, text
from collectors.transport.repository_addresses import repository_host, repository_name, without_credentials

_SHA = re.compile(r"[0-9a-f]{7,64}")
_TRAILER = re.compile(r"(?im)^argocd-reference-commit-(sha|repourl):[ \t]*(\S+)[ \t]*$")


@dataclass(frozen=True)
class ConfigSource:
    """The source that carries an application's configuration; `index` is its place in `sources`, None without them."""

    repo: str | None
    revision: str | None
    index: int | None
    host: str | None = None  # of the repository
    path: str | None = None  # the application's folder in it, "" for its root

    @property
    def is_git(self) -> bool:
        """Whether the revision is a commit: a chart's is its version."""
        return bool(self.revision and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", self.revision))


def config_of(sync: dict[str, Any]) -> ConfigSource:
    """The config source of `sync` with its own revision.

    Of several sources it is the first git one that renders manifests; else one that only lends its values to a chart
    (`ref` without a path), since that is the one that changes; else the first.
    """
    sources = listing(sync, "sources")
    if not sources:
        return _config(mapping(sync, "source"), text(sync, "revision"), None)
    index = min(range(len(sources)), key=lambda i: (_rank(mapping(sources[i])), i))
    revisions = listing(sync, "revisions")
    revision = revisions[index] if index < len(revisions) and isinstance(revisions[index], str) else None
    return _config(mapping(sources[index]), revision or None, index)


def _config(source: dict[str, Any], revision: str | None, index: int | None) -> ConfigSource:
    url = text(source, "repoURL")
    name = url and (repository_name(url) or without_credentials(url))
    return ConfigSource(name, revision, index, repository_host(url), _folder(text(source, "path")))


def _folder(path: str | None) -> str | None:
    """A folder without `.` and slashes around it; None where it leaves the repository."""
    parts = PurePosixPath((path or "").strip("/")).parts
    return None if ".." in parts else "/".join(parts)


def _rank(source: dict[str, Any]) -> int:
    if text(source, "chart") or (text(source, "repoURL") or "oci://").startswith("oci://"):
        return 2
    return 1 if text(source, "ref") and not text(source, "path") else 0


def images_of(sync: dict[str, Any]) -> tuple[str, ...]:
    """The images that `sync` says it ran, in its order: those of its result, else those that its sources set."""
    ran = (image for resource in listing(sync, "resources") for image in listing(resource, "images"))
    found = [image for image in ran if isinstance(image, str)]
    if not found:
        sources = listing(sync, "sources") or [mapping(sync, "source")]
        found = [image for source in sources for image in _set_by(mapping(source))]
    return tuple(dict.fromkeys(found))


def _set_by(source: dict[str, Any]) -> Iterator[str]:
    for override in listing(source, "kustomize", "images"):
        # old-name=new-name:tag
        if isinstance(override, str) and (image := override.rpartition("=")[2]):
            yield image
    parameters = {
        text(parameter, "name") or "": text(parameter, "value")
        for parameter in listing(source, "helm", "parameters")
    }
    for name, value in parameters.items():
        key = name.rpartition(".")[2].lower()
        if not value:
            continue
        if key == "image":
            yield value
        elif key == "imagetag" or name.lower().endswith("image.tag"):
            prefix = name.removesuffix(".tag")
            # without a repository beside it the tag is all that is known; the parameter stands for the name
            yield f"{parameters.get(prefix + '.repository') or prefix}:{value}"


def referenced_commit(metadata: dict[str, Any]) -> tuple[str | None, str | None]:
    """The application's commit that a config revision names, as (sha, repository); Nones where it names none.

    Argo CD's `Argocd-reference-commit-*` trailers, parsed by it (`references`) or read from the message.
    """
    for reference in listing(metadata, "references"):
        sha = text(reference, "commit", "sha")
        if sha and _SHA.fullmatch(sha.lower()):
            return sha.lower(), repository_name(text(reference, "commit", "repoUrl"))
    trailers = {key.lower(): value for key, value in _TRAILER.findall(text(metadata, "message") or "")}
    sha = trailers.get("sha", "").lower()
    if not _SHA.fullmatch(sha):
        return None, None
    return sha, repository_name(trailers.get("repourl"))
