"""Which commits are one change, whatever their SHA: copies made by rebases, merge queues, cherry-picks and rewrites.

Two commits are one change if author, authored instant and title are the same, or if one says that it was cherry-picked
from the other. Not if one of them is an ancestor of the other, for then somebody made both; nor if one was amended to
the other: both have the same parents, and nothing was built on the one that was committed first.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.building.ancestry.graph import Graph

AUTHORED, PICKED = "same author, authored time and title", "cherry-picked"


class _Copy(NamedTuple):
    """One of several commits of one instant and title; `number` of what only a pull request has."""

    authored_at: int
    title: str
    sha: str
    author: str | None
    number: int | None
    place: int
    committed_at: int | None


# a commit of the branch and the own commit of a pull request that it resembles
_ALIKE = pa.schema(
    [
        ("number", pa.int64()),
        ("head", pa.string()),
        ("commit_count", pa.int64()),
        ("listed", pa.int64()),
        ("sha", pa.string()),
        ("own_sha", pa.string()),
        ("is_sure", pa.bool_()),
    ]
)
_COPIES = pa.schema(
    [
        ("authored_at", pa.int64()),
        ("title", pa.string()),
        ("sha", pa.string()),
        ("author", pa.string()),
        ("number", pa.int64()),
        ("place", pa.int64()),
        ("committed_at", pa.int64()),
    ]
)


class ToldCopies(NamedTuple):
    """What the source tables say of a repository's commits that may be one change.

    By column what there is much of, `alike` in the order of pull requests.
    """

    alike: pa.Table = _ALIKE.empty_table()
    copies: pa.Table = _COPIES.empty_table()
    picks: Sequence[tuple[Any, ...]] = ()
    within: Sequence[tuple[Any, ...]] = ()


class FoundCopies(NamedTuple):
    """Of one repository: `landings` (`number`, `sha`, `own_sha`), `same` (SHA, change, another one of it, method).

    `change` is the commit that stands for all that are one change; `changes` has it for each of them.
    """

    landings: pa.Table
    same: list[tuple[str, str, str, str]]
    changes: dict[str, str]


def find_copies(told: ToldCopies, graph: Graph) -> FoundCopies:
    """Which commits of a branch are a pull request's, where they are copies, and which commits are one change."""
    within = {number: (sha, own) for _, number, sha, own in told.within}
    landings = _landed(told.alike, graph)
    rebased = set(landings["number"].to_pylist()) & within.keys()
    alike = _alike(told.copies, rebased)
    squashed = {sha: own for number, (sha, own) in within.items() if number not in rebased}
    found = FoundCopies(landings, [], {})
    for same in _changes(alike, told.picks, squashed, graph):
        first, second, *_ = same
        found.changes.update(dict.fromkeys(same, first))
        found.same.extend(
            (sha, first, second if sha == first else first, method) for sha, method in same.items()
        )
    return found


def _alike(copies: pa.Table, rebased: Collection[int]) -> list[_Copy]:
    """Those of one instant of which there are several without what only `rebased` pull requests have, in order."""
    of_rebased = pc.is_in(copies["number"], value_set=pa.array(rebased, pa.int64()))
    left = copies.select(_Copy._fields).filter(pc.invert(of_rebased))
    _, place, count = np.unique(left["authored_at"].to_numpy(), return_inverse=True, return_counts=True)
    several = left.filter(pa.array(count[place] > 1))
    ordered = several.sort_by([(name, "ascending") for name in _Copy._fields])
    return [_Copy._make(row) for row in zip(*(column.to_pylist() for column in ordered.columns), strict=True)]


def _landed(alike: pa.Table, graph: Graph) -> pa.Table:
    """`number`, `sha`, `own_sha` of the copies that a rebase or a merge queue made of a pull request's commits.

    `alike` are the commits of the branch that resemble own ones. Those count that lie as many first parents back from
    the merge as the pull request has commits; where its list is known not to be whole, all that lie there. Null for a
    squash, which resembles none of them.
    """
    told = alike.combine_chunks()
    commits, heads = (graph.numbers(told[name].combine_chunks()).tolist() for name in ("sha", "head"))
    counts, listed, is_sure = (told[name].to_pylist() for name in ("commit_count", "listed", "is_sure"))
    numbers = told["number"].to_numpy()
    begins = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    pulls, landed, own = [], [], []
    for begin, end in pairwise(begins) if len(numbers) else ():
        row_of = {commits[row]: row for row in range(begin, end)}
        head = heads[begin]
        chain = list(graph.first_parents(head, counts[begin])) if head >= 0 else []
        known = [commit for commit in chain if commit in row_of]
        if not (counts[begin] > listed[begin] and known):
            chain = known if head in row_of and is_sure[row_of[head]] else []
        pulls += [begin] * len(chain)
        landed += chain
        own += [row_of.get(commit) for commit in chain]
    return pa.table(
        {
            "number": told["number"].take(pa.array(pulls, pa.int64())),
            "sha": graph.sha_array.take(pa.array(landed, pa.int64())),
            "own_sha": told["own_sha"].take(pa.array(own, pa.int64())),
        }
    )


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
