"""A repository's commit graph over integers, and the questions that the models ask of it."""

import heapq
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# a question that is answered within so many commits needs to know nothing of the graph as a whole
_NEAR = 1000


class Graph:
    """Commits of one repository; a commit's number is its place in `shas`, parents outside the graph are dropped.

    A commit whose parent is unknown (a shallow clone) is where the known history ends: it is cut.
    """

    def __init__(self, shas: pa.Array, parents: pa.Array) -> None:
        self.sha_array = shas
        self.size = len(shas)
        told = pc.fill_null(pc.list_value_length(parents), 0).to_numpy()
        children = np.repeat(np.arange(len(shas)), told)
        named = self.numbers(parents.flatten())
        is_known = (named >= 0) & (named != children)
        known = np.bincount(children[is_known], minlength=len(shas))
        self.is_cut = known < told
        self.is_root = known == 0
        self._parents = named[is_known]
        flat, ends = self._parents.tolist(), np.cumsum(known).tolist()
        self.parents = [flat[begin:end] for begin, end in pairwise([0, *ends])]
        self.order = self._ordered()
        self.place = np.empty(len(shas), np.int64)
        self.place[self.order] = np.arange(len(shas))
        if (self.place[children[is_known]] > self.place[self._parents]).any():
            place = self.place.tolist()
            self.parents = [[p for p in of if place[p] > place[i]] for i, of in enumerate(self.parents)]

    @cached_property
    def shas(self) -> list[str]:
        """The SHAs in the order of the commits' numbers."""
        found: list[str] = self.sha_array.to_pylist()
        return found

    @cached_property
    def number(self) -> dict[str, int]:
        """Each commit's number by its SHA."""
        return {sha: i for i, sha in enumerate(self.shas)}

    def numbers(self, shas: pa.Array) -> np.ndarray:
        """The number of the commit of each of `shas`, -1 where it is unknown or null."""
        found = pc.index_in(shas, value_set=self.sha_array, skip_nulls=True)
        return pc.fill_null(found, -1).to_numpy()

    def _ordered(self) -> list[int]:
        """All commits, children before parents; of those told to be their own ancestors, as in no git, any first."""
        waiting = np.bincount(self._parents, minlength=self.size).tolist()
        order = self._free([commit for commit, children in enumerate(waiting) if not children], waiting)
        for commit in range(len(waiting) if len(order) < len(waiting) else 0):
            if waiting[commit] > 0:
                waiting[commit] = 0
                order += self._free([commit], waiting)
        return order

    def _free(self, order: list[int], waiting: list[int]) -> list[int]:
        """`order` with all whose children are in it, of which so many are `waiting`."""
        for commit in order:
            for parent in self.parents[commit]:
                waiting[parent] -= 1
                if not waiting[parent]:
                    order.append(parent)
        return order

    @cached_property
    def depth(self) -> list[int]:
        """The length of the longest path down to a root: a commit is deeper than each of its ancestors."""
        depth = [0] * self.size
        for commit in reversed(self.order):
            for parent in self.parents[commit]:
                if depth[parent] >= depth[commit]:
                    depth[commit] = depth[parent] + 1
        return depth

    @cached_property
    def _built_on(self) -> set[int]:
        return set(self._parents.tolist())

    def is_built_on(self, commit: int) -> bool:
        """Whether a commit is a parent of another."""
        return commit in self._built_on

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.shas)

    def find(self, prefix: str) -> str | None:
        """The full SHA that alone begins with `prefix`, or None."""
        at = bisect_left(self._sorted, prefix)
        found = [sha for sha in self._sorted[at : at + 2] if sha.startswith(prefix)]
        return found[0] if len(found) == 1 else None

    def first_parents(self, start: int, count: int) -> Iterator[int]:
        """`start` and what it was built on, first parent by first parent: `count` commits at most."""
        commit: int | None = start
        for _ in range(count):
            if commit is None:
                return
            yield commit
            commit = next(iter(self.parents[commit]), None)

    def unvisited(self, start: int, visited: bytearray) -> list[int]:
        """What is reachable from `start` through commits not yet `visited`, marking it: linear over all calls."""
        if visited[start]:
            return []
        visited[start] = 1
        reached, stack = [start], [start]
        while stack:
            for parent in self.parents[stack.pop()]:
                if not visited[parent]:
                    visited[parent] = 1
                    reached.append(parent)
                    stack.append(parent)
        return reached

    def differing(self, one: int, other: int) -> list[int]:
        """Commits reachable from one of two and not from both: `git rev-list one...other`."""
        if one == other:
            return []
        place, both = self.place, 3
        side = {one: 1, other: 2}
        queue = sorted((int(place[one]), int(place[other])))
        pending = len(queue)
        found = []
        while queue and pending:
            current = self.order[heapq.heappop(queue)]
            of_current = side[current]
            if of_current != both:
                pending -= 1
                found.append(current)
            for parent in self.parents[current]:
                before = side.get(parent)
                if before is None:
                    heapq.heappush(queue, int(place[parent]))
                after = (before or 0) | of_current
                pending += (after != both) - (before in (1, 2))
                side[parent] = after
        return found

    def contains(self, commit: int, ancestor: int, near: int = _NEAR) -> bool:
        """Whether `ancestor` is `commit` itself or reachable from it; first looked for among `near` commits."""
        last = self.place[ancestor]
        if self.place[commit] >= last:
            return commit == ancestor
        seen = {commit}
        stack = [commit]
        while stack and len(seen) < near:
            for parent in self.parents[stack.pop()]:
                if parent == ancestor:
                    return True
                if parent not in seen and self.place[parent] < last:
                    seen.add(parent)
                    stack.append(parent)
        return bool(stack) and self._contains_far(commit, ancestor)

    def _contains_far(self, commit: int, ancestor: int) -> bool:
        depth = self.depth
        lowest = depth[ancestor]
        if lowest >= depth[commit]:
            return False
        # a history that was written anew from its roots has no root in common with what it was
        first, last = self._roots
        if first[ancestor] < first[commit] or last[ancestor] > last[commit]:
            return False
        seen = {commit}
        stack = [commit]
        while stack:
            for parent in self.parents[stack.pop()]:
                if parent == ancestor:
                    return True
                if depth[parent] > lowest and parent not in seen:
                    seen.add(parent)
                    stack.append(parent)
        return False

    @cached_property
    def _roots(self) -> tuple[list[int], list[int]]:
        """The first and the last of the roots that each commit goes back to."""
        first = list(range(self.size))
        last = list(first)
        for commit in reversed(self.order):
            if parents := self.parents[commit]:
                first[commit] = min(map(first.__getitem__, parents))
                last[commit] = max(map(last.__getitem__, parents))
        return first, last
