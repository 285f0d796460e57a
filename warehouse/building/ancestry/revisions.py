"""Which commit a deployment is of: the one that its source names, or that its images or their label do."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from warehouse.building.ancestry.graph import Graph


class Tags:
    """The git tags of a repository, each with the commits that it stood at: `1.2.3` and `v1.2.3` are one."""

    def __init__(self) -> None:
        self._places: defaultdict[str, set[tuple[datetime, str]]] = defaultdict(set)

    def add(self, name: str, sha: str, at: datetime | None) -> None:
        """That the tag stood at a commit from an instant on."""
        for known in {name, _without_v(name)}:
            self._places[known].add((at or datetime.min, sha))

    def find(self, name: str, at: datetime | None) -> set[str]:
        """Where the tag stood at an instant: one commit, several where that cannot be told apart, or none."""
        places = self._places.get(name) or self._places.get(_without_v(name)) or set()
        until_then = {place for place in places if at is None or place[0] <= at} or places
        newest = max((place[0] for place in until_then), default=None)
        return {sha for when, sha in until_then if when == newest}


def _without_v(name: str) -> str:
    return re.sub(r"^v(?=[0-9])", "", name)


class ToldRevision(NamedTuple):
    """What a source tells of the commit that a deployment is of."""

    repo: str | None
    at: datetime | None
    sha: str | None
    sha_method: str | None
    images: Sequence[str] | None
    label: str | None


def resolve(told: ToldRevision, service: str, graph: Graph, tags: Tags) -> tuple[str | None, str | None]:
    """The full SHA and how it was found: the source's own, the images' by SHA or tag, or their OCI revision label's."""
    if told.sha is not None:
        return (told.sha if told.sha in graph.number else graph.find(told.sha) or told.sha), told.sha_method
    if found := _from_images(told, service, graph, tags):
        # images that the config repository sets are not seen to have run, and say so
        return found[0], f"{'config ' if told.sha_method == 'config' else ''}{found[1]}"
    return _from_label(told.label, graph) or (None, None)


# a number is no commit unless it is too long for a build's or a day's
_COMMIT = re.compile(r"(?<![0-9a-z])(?=[0-9]*[a-f]|[0-9a-f]{10})[0-9a-f]{7,64}(?![0-9a-z])")


def _from_images(told: ToldRevision, service: str, graph: Graph, tags: Tags) -> tuple[str, str] | None:
    """The one commit that the image tags name, by SHA or git tag; images named like the service go first."""
    own_names = {service, (told.repo or "").rpartition("/")[2]}
    found: dict[bool, dict[str, str]] = {True: {}, False: {}}
    for name, tag in _tagged(told.images or ()):
        is_own = name.rpartition("/")[2] in own_names
        if tagged := tags.find(tag, told.at):
            found[is_own] |= dict.fromkeys(tagged, "image tag")
            continue
        for word in _COMMIT.findall(tag):
            if sha := graph.find(word):
                found[is_own].setdefault(sha, "image sha")
    choices = found[True] or found[False]
    return next(iter(choices.items())) if len(choices) == 1 else None


def _tagged(images: Iterable[str]) -> Iterable[tuple[str, str]]:
    for image in images:
        name, _, tag = image.partition("@")[0].rpartition(":")
        if name and "/" not in tag:
            yield name, tag


def _from_label(label: str | None, graph: Graph) -> tuple[str, str] | None:
    """The commit that the label of the image names; an abbreviated one only where the history knows it."""
    named = (label or "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{7,64}", named):
        return None
    sha = graph.find(named) or (named if len(named) in (40, 64) else None)
    return (sha, "oci label") if sha else None
