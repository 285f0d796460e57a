"""Which deployment of each service of a repository is the first that contains a commit: numbers in, numbers out.

A deployment ships what it contains and no earlier one of its service does. So each commit carries, for each service,
the earliest deployment at it or above it, and hands that down to its parents: one pass for all services.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from warehouse.building.ancestry.graph import Graph

_NEVER = np.iinfo(np.int32).max


class Claims(NamedTuple):
    """Deployments of a repository, one for each service that it may be of, in order of finish; all are columns."""

    row: np.ndarray  # whatever the caller knows it by
    deployment: np.ndarray
    sequence: np.ndarray
    service: np.ndarray
    commit: np.ndarray  # -1 where it is unknown
    at: np.ndarray  # datetime64[us], as of the end
    ships: np.ndarray  # successful, timed, and told by the ranking source
    by_paths: np.ndarray  # of the service only where the deployment changes something of it

    def only(self, rows: np.ndarray) -> "Claims":
        """Those of some rows, in their order."""
        return Claims(*(column[rows] for column in self))


class KnownCommits(NamedTuple):
    """What is known of a repository's commits, in the order of their numbers."""

    graph: Graph
    touched: np.ndarray  # bits of the services that each touches, all of them where that is unknown
    change: np.ndarray  # a number for each change that several commits are, -1 for all others
    is_pulled: np.ndarray  # own and merge commits of pull requests


class Walked(NamedTuple):
    """What the walk found: of each claim, and as `shipped` and `baselined` of each commit and service."""

    is_baseline: np.ndarray
    new_commits: np.ndarray  # -1 where unknown
    unrelated_commits: np.ndarray
    unknown_since: np.ndarray
    shipped: np.ndarray  # commit and claim, a row each
    is_adrift: np.ndarray
    is_imported: np.ndarray
    baselined: np.ndarray  # commit and service, a row each


def belonging(claims: Claims, commits: KnownCommits, services: int) -> tuple[Claims, np.ndarray]:
    """The claims of services that the deployment changes, and the commit that first gave each the content that it has.

    What it changes is what differs from the revision that ran before in the same sequence, either way. A revision
    that changed nothing of a service stands for the one before: going back to it later is a return.
    """
    belongs, stands_for = ~claims.by_paths, claims.commit.copy()
    running: dict[int, int] = {}
    content: dict[int, np.ndarray] = {}  # by commit: of each service, the one it stands for, or -1
    rows = np.flatnonzero(claims.by_paths)
    for of_one in np.split(rows, np.flatnonzero(np.diff(claims.deployment[rows])) + 1) if len(rows) else ():
        first, service = of_one[0], claims.service[of_one]
        commit, before = int(claims.commit[first]), running.get(int(claims.sequence[first]), -1)
        if claims.ships[first] and commit >= 0:
            running[int(claims.sequence[first])] = commit
        changed = _changed(before, commit, commits, services)
        own = np.ones(len(of_one), bool) if changed is None else changed[service]
        belongs[of_one] = own
        for at in np.unique(claims.commit[of_one]):
            if at < 0:
                continue
            here = content.setdefault(int(at), np.full(services, -1, np.int32))
            is_at = claims.commit[of_one] == at
            known = here[service]
            stands_for[of_one[is_at & own]] = np.where(known < 0, at, known)[is_at & own]
            if before >= 0:
                there = content[before][service]
                kept = is_at & ~own & claims.ships[of_one] & (known < 0)
                here[service[kept]] = np.where(there < 0, before, there)[kept]
    kept = np.flatnonzero(belongs)
    return claims.only(kept), stands_for[kept]


def _changed(before: int, commit: int, commits: KnownCommits, services: int) -> np.ndarray | None:
    """Of each service, whether paths of it differ between two revisions, or None where it cannot be known."""
    if before < 0 or commit < 0 or before == commit:
        return None
    bits = np.bitwise_or.reduce(commits.touched[commits.graph.differing(before, commit)], axis=0)
    return np.unpackbits(bits, count=services, bitorder="little").astype(bool)


def walk(
    claims: Claims,
    commits: KnownCommits,
    services: int,
    gaps: Mapping[int, tuple[np.ndarray, np.ndarray]],
) -> Walked:
    """Walks the deployments of a repository, whose `claims` are in order of service and finish.

    What the first traced one of a service contains is its baseline. `gaps` are the stretches, by service, of which
    nothing was read, in order of their beginning: what comes after one, or after an untraced deployment, may have been
    live already since the traced one before (`unknown_since`). What goes back to unknown parents and to nothing older
    may be history (`is_adrift`), and how much comes with an unknown parent is unknown. What goes back to roots of its
    own and to nothing older came in with them (`is_imported`), unless it is a copy of what was there.
    """
    graph = commits.graph
    ships = np.flatnonzero(claims.ships & (claims.commit >= 0))
    baseline = np.full(services, _NEVER)
    np.minimum.at(baseline, claims.service[ships], ships)
    line, lines = _first_containing(graph, claims, ships, services)
    n = len(claims.service)
    told = lines != _NEVER
    sizes = np.bincount(line, minlength=len(lines))
    new = np.bincount(lines[told], np.broadcast_to(sizes[:, None], lines.shape)[told], n).astype(np.int64)
    with_roots = np.unique(line[graph.is_root])
    own_roots = np.unique(np.where(lines[with_roots] == baseline, _NEVER, lines[with_roots]))
    ends = np.searchsorted(claims.service, np.arange(services + 1))
    bits_of = np.ascontiguousarray(commits.touched.T)
    is_kept = commits.is_pulled | (commits.change >= 0)
    related = np.zeros(n, np.int64)
    shipped, adrift, imported, baselined = [], [], [], []
    for service, (begin, end) in enumerate(pairwise(ends.tolist())):
        first = np.ascontiguousarray(lines[:, service])[line]
        is_own = (bits_of[service >> 3] >> (service & 7)) & 1 == 1
        reached = np.flatnonzero(is_own & (first != _NEVER))
        by = first[reached]
        related[begin:end] = np.bincount(by - begin, minlength=end - begin)
        is_new = by != baseline[service]
        kept = reached[~is_new & is_kept[reached]]
        baselined.append(np.stack((kept, np.full(len(kept), service)), 1))
        reached = reached[is_new]
        shipped.append(np.stack((reached, by[is_new]), 1))
        with_own = own_roots[(own_roots >= begin) & (own_roots < end)]
        is_adrift, is_imported = _loose(commits, first, with_own)
        adrift.append(is_adrift[reached])
        imported.append(is_imported[reached])
    is_whole = np.zeros(n, bool)
    is_whole[ships] = True
    cut = lines[np.unique(line[graph.is_cut])]
    is_whole[cut[cut != _NEVER]] = False
    return Walked(
        np.isin(np.arange(n), baseline),
        np.where(is_whole, related, -1),
        np.where(is_whole, new - related, -1),
        _unknown_since(claims, gaps),
        np.concatenate(shipped),
        np.concatenate(adrift),
        np.concatenate(imported),
        np.concatenate(baselined),
    )


def _first_containing(
    graph: Graph, claims: Claims, ships: np.ndarray, services: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of each commit its line in the second array, which has the first claim of each service that contains it."""
    deployed, place = np.unique(claims.commit[ships], return_inverse=True)
    own = np.full((len(deployed) + 1, services), _NEVER, np.int32)
    np.minimum.at(own, (place + 1, claims.service[ships]), ships.astype(np.int32))
    lines = list(own)
    line = [0] * graph.size
    for number, commit in enumerate(deployed.tolist(), 1):
        line[commit] = number
    joined: dict[tuple[int, int], int] = {}
    for commit in graph.order:
        above = line[commit]
        if not above:
            continue
        for parent in graph.parents[commit]:
            here = line[parent]
            if here == above:
                continue
            if not here:
                line[parent] = above
            elif here <= len(deployed) and deployed[here - 1] == parent:
                np.minimum(lines[here], lines[above], out=lines[here])
            else:
                if (here, above) not in joined:
                    joined[here, above] = _join(lines, here, above)
                line[parent] = joined[here, above]
    return np.array(line, np.int32), np.array(lines, np.int32).reshape(-1, services)


def _join(lines: list[np.ndarray], one: int, other: int) -> int:
    """The place of the line with the earlier of each two claims, which is mostly one of both."""
    both = np.minimum(lines[one], lines[other])
    for known in (one, other):
        if np.array_equal(both, lines[known]):
            return known
    lines.append(both)
    return len(lines) - 1


def _loose(commits: KnownCommits, first: np.ndarray, with_own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which commits are adrift and which imported: of those claims of one service that brought roots `with_own`."""
    is_adrift, is_imported = np.zeros((2, len(first)), bool)
    if not len(with_own):
        return is_adrift, is_imported
    graph = commits.graph
    copies = np.flatnonzero(commits.change >= 0)
    earliest = np.full(commits.change.max(initial=-1) + 1, _NEVER)
    np.minimum.at(earliest, commits.change[copies], first[copies])
    is_older = graph.is_cut.copy()
    is_older[copies] |= earliest[commits.change[copies]] < first[copies]
    brought = np.flatnonzero(np.isin(first, with_own))
    alone: set[int] = set()
    for commit in brought[np.argsort(-graph.place[brought])].tolist():
        parents = graph.parents[commit]
        if any(parent not in alone or first[parent] != first[commit] for parent in parents):
            continue
        alone.add(commit)
        is_adrift[commit] = graph.is_cut[commit] or any(is_adrift[parent] for parent in parents)
        is_imported[commit] = not is_older[commit] and all(is_imported[parent] for parent in parents)
    return is_adrift, is_imported


def _unknown_since(claims: Claims, gaps: Mapping[int, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Since when what a claim brought may have been live; not a time where it was not before the claim itself."""
    since = np.full(len(claims.at), np.datetime64("NaT", "us"))
    shipping = np.flatnonzero(claims.ships)
    traced = np.flatnonzero(claims.commit[shipping] >= 0)
    service = claims.service[shipping[traced]]
    next_one = np.flatnonzero(service[1:] == service[:-1])
    before, after = traced[next_one], traced[next_one + 1]
    earlier, later = shipping[before], shipping[after]
    is_unknown = after - before > 1
    for owner, (begins, ends) in gaps.items():
        of = np.flatnonzero(claims.service[later] == owner)
        begun = np.searchsorted(begins, claims.at[later[of]], "left")
        until = np.maximum.accumulate(ends)[np.maximum(begun, 1) - 1]
        is_unknown[of] |= (begun > 0) & (until > claims.at[earlier[of]])
    since[later[is_unknown]] = claims.at[earlier[is_unknown]]
    return since
