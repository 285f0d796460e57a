"""Which commits are one change, whatever their SHA: copies made by rebases, merge queues, cherry-picks and rewrites.

Two commits are one change if author, authored instant and title are the same, or if one says that it was cherry-picked
from the other. Not if one of them is an ancestor of the other, for then somebody made both; nor if one was amended to
the other: both have the same parents, and nothing was built on the one that was committed first.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from warehouse.building.ancestry.graph import Graph

AUTHORED, PICKED = "same author, authored time and title", "cherry-picked"


class _Alike(NamedTuple):
    """A commit of the branch and the own commit of a pull request that it resembles."""

    repo: str
    number: int
    head: str
    commit_count: int
    listed: int
    sha: str
    own_sha: str
    is_sure: bool


class _Copy(NamedTuple):
    """One of several commits of one instant and title; `number` of what only a pull request has."""

    repo: str
    authored_at: int
    title: str
    sha: str
    author: str | None
    number: int | None
    place: int
    committed_at: int | None


class ToldCopies(NamedTuple):
    """What the source tables say of a repository's commits that may be one change, row by row."""

    alike: Sequence[tuple[Any, ...]] = ()
    copies: Sequence[tuple[Any, ...]] = ()
    picks: Sequence[tuple[Any, ...]] = ()
    within: Sequence[tuple[Any, ...]] = ()


class FoundCopies(NamedTuple):
    """Of one repository: `landings` (number, SHA, the own commit's), `same` (SHA, change, another one of it, method).

    `change` is the commit that stands for all that are one change; `changes` has it for each of them.
    """

    landings: list[tuple[int, str, str | None]]
    same: list[tuple[str, str, str, str]]
    changes: dict[str, str]


def find_copies(told: ToldCopies, graph: Graph) -> FoundCopies:
    """Which commits of a branch are a pull request's, where they are copies, and which commits are one change."""
    within = {number: (sha, own) for _, number, sha, own in told.within}
    landings = list(_landed(map(_Alike._make, told.alike), graph))
    rebased = {number for number, _, _ in landings if number in within}
    copies = [_Copy._make(row) for row in told.copies]
    alike = [copy for copy in copies if copy.number not in rebased]
    squashed = {sha: own for number, (sha, own) in within.items() if number not in rebased}
    found = FoundCopies(landings, [], {})
    for same in _changes(alike, told.picks, squashed, graph):
        first, second, *_ = same
        found.changes.update(dict.fromkeys(same, first))
        found.same.extend(
            (sha, first, second if sha == first else first, method) for sha, method in same.items()
        )
    return found


def _landed(alike: Iterable[_Alike], graph: Graph) -> Iterator[tuple[int, str, str | None]]:
    """(number, SHA, the own commit's) of the copies that a rebase or a merge queue made of a pull request's commits.

    `alike` are the commits of the branch that resemble own ones. Those count that lie as many first parents back from
    the merge as the pull request has commits; where its list is known not to be whole, all that lie there. None for a
    squash, which resembles none of them.
    """
    for (number, head, count, listed), found in groupby(
        alike, key=lambda row: (row.number, row.head, row.commit_count, row.listed)
    ):
        last = graph.number.get(head)
        if last is None:
            continue
        chain = [graph.shas[commit] for commit in graph.first_parents(last, count)]
        copies = {row.sha: row for row in found}
        landed = [(number, sha, copies[sha].own_sha if sha in copies else None) for sha in chain]
        known = [one for one in landed if one[2] is not None]
        if count > listed and known:
            yield from landed
        elif head in copies and copies[head].is_sure:
            yield from known


def _picked(
    told: Iterable[tuple[Any, ...]],
    squashed: Mapping[str, Sequence[str]],
    changes: Mapping[str, Collection[str]],
    graph: Graph,
) -> Iterator[tuple[str, Sequence[str]]]:
    """(sha, the commits that it was picked from): a squash tells it of the commits within it, where of each of them."""
    within = {copy: own for sha, own in squashed.items() for copy in changes.get(sha, (sha,))}
    names_of = {sha: [graph.find(name) or name for name in named] for _, sha, named in told}
    for sha, named in names_of.items():
        # a copy of a copy has the names of the first one in its message, too
        again = {one for name in named for one in names_of.get(name, ())} | set(changes.get(sha, ()))
        names = [name for name in named if name not in again]
        if names and sha not in within:
            yield sha, names
        elif names and len(names) == len(within[sha]):
            own = zip(within[sha], names, strict=True)
            yield from ((one, [name]) for one, name in own if one not in within)


def _changes(
    alike: Sequence[_Copy],
    picks: Iterable[tuple[Any, ...]],
    squashed: Mapping[str, Sequence[str]],
    graph: Graph,
) -> Iterator[dict[str, str]]:
    """The commits that are one change, by SHA, each with how that was recognised; the first stands for all."""
    changes: dict[str, dict[str, str]] = {}
    for _, found in groupby(alike, key=lambda copy: (copy.authored_at, copy.title)):
        for same in _told_apart(list(found), graph):
            changes |= dict.fromkeys(same, dict.fromkeys(same, AUTHORED))
    picked = list(_picked(picks, squashed, changes, graph))
    # what names several is a copy of them if they are one, picked from each other
    for sha, (original, *others) in sorted(picked, key=lambda pick: len(pick[1])):
        if any(one not in changes.get(original, ()) for one in others):
            continue
        one = changes.get(original) or {original: PICKED}
        other = changes.get(sha) or {sha: PICKED}
        if any(_one_holds_the_other(its, copy, graph) for its in one for copy in other):
            continue
        if one is not other:
            both = one | other
            changes |= dict.fromkeys(both, both)
    # a commit that is only named, and not known, is no copy by itself
    seen = {id(same): same for same in changes.values()}
    yield from (same for same in seen.values() if len(same) > 1)


def _told_apart(alike: Sequence[_Copy], graph: Graph) -> Iterator[list[str]]:
    """Commits of one author, time and title as the changes that they are: an ancestor of another is another one."""
    authors = {copy.author for copy in alike if copy.author is not None}
    # the commits of one author that are one change, by how many before them are others
    chains: defaultdict[tuple[str | None, int], list[str]] = defaultdict(list)
    rank: dict[str, int] = {}
    in_graph = [copy for copy in alike if copy.sha in graph.number]
    for copy in sorted(in_graph, key=lambda one: (graph.depth[graph.number[one.sha]], one.committed_at or 0)):
        # who is not told may be any
        of = copy.author if len(authors) > 1 else None
        commit = graph.number[copy.sha]
        before = sorted((n for (who, n) in chains if who == of), reverse=True)
        rank[copy.sha] = next(
            (
                n + 1
                for n in before
                if any(_is_another(graph.number[one], commit, graph) for one in chains[of, n])
            ),
            0,
        )
        chains[of, rank[copy.sha]].append(copy.sha)
    seen_of: defaultdict[int | None, int] = defaultdict(int)
    first_author = min(authors) if len(authors) > 1 else None
    own = [copy for copy in alike if copy.sha not in graph.number]
    for copy in sorted(own, key=lambda one: (one.number or 0, one.place)):
        n = seen_of[copy.number]
        seen_of[copy.number] += 1
        if copy.sha not in rank:
            rank[copy.sha] = n
            chains[first_author, n].append(copy.sha)
    committed = {copy.sha: copy.committed_at for copy in alike}
    for same in chains.values():
        if len(same) > 1:
            yield sorted(same, key=lambda sha: (committed[sha] is None, committed[sha] or 0, sha))


def _is_another(first: int, second: int, graph: Graph) -> bool:
    """Whether the second of two commits that resemble each other is built on the first, or was written in its place."""
    is_sibling = bool(graph.parents[first]) and graph.parents[first] == graph.parents[second]
    return not graph.is_built_on(first) if is_sibling else graph.contains(second, first)


def _one_holds_the_other(one: str, other: str, graph: Graph) -> bool:
    first, second = graph.number.get(one), graph.number.get(other)
    if first is None or second is None:
        return False
    return graph.contains(first, second) or graph.contains(second, first)
