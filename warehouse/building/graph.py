"""A repository's commit graph over integers, and the questions that the models ask of it."""

import heapq
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property


class Graph:
    """Commits of one repository; a commit's number is its place in `shas`, parents outside the graph are dropped.

    A commit whose parent is unknown (a shallow clone) is where the known history ends.
    """

    def __init__(self, commits: Iterable[tuple[str, Sequence[str]]]) -> None:
        rows = list(commits)
        self.shas = [sha for sha, _ in rows]
        self.number = {sha: i for i, sha in enumerate(self.shas)}
        self.parents = [[self.number[p] for p in parents or () if p in self.number] for _, parents in rows]
        self._cut = {i for i, (_, told) in enumerate(rows) if told and len(told) > len(self.parents[i])}
        self._sorted = sorted(self.shas)

    @cached_property
    def _depth(self) -> list[int]:
        """The length of the longest path down to a root: a commit is deeper than each of its ancestors."""
        children: list[list[int]] = [[] for _ in self.shas]
        waiting = [len(parents) for parents in self.parents]
        for child, parents in enumerate(self.parents):
            for parent in parents:
                children[parent].append(child)
        depth = [0] * len(self.shas)
        ready = [commit for commit, count in enumerate(waiting) if count == 0]
        while ready:
            commit = ready.pop()
            for child in children[commit]:
                depth[child] = max(depth[child], depth[commit] + 1)
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
        return depth

    @cached_property
    def _built_on(self) -> set[int]:
        return {parent for parents in self.parents for parent in parents}

    def is_built_on(self, commit: int) -> bool:
        """Whether a commit is a parent of another."""
        return commit in self._built_on

    def find(self, prefix: str) -> str | None:
        """The full SHA that alone begins with `prefix`, or None."""
        at = bisect_left(self._sorted, prefix)
        found = [sha for sha in self._sorted[at : at + 2] if sha.startswith(prefix)]
        return found[0] if len(found) == 1 else None

    def depth(self, commit: int) -> int:
        """The length of the longest path from a commit down to a root."""
        return self._depth[commit]

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

    def is_cut(self, commits: Iterable[int]) -> bool:
        """Whether a parent of one of `commits` is unknown, so that they are not all there is."""
        return not self._cut.isdisjoint(commits)

    def adrift(self, reached: Sequence[int]) -> set[int]:
        """Of what one walk reached, the commits whose known history ends at an unknown parent and meets nothing older.

        Nobody can tell whether they are ahead of what earlier walks reached or part of its unknown history.
        """
        if not self.is_cut(reached):
            return set()
        fresh = set(reached)
        ending: set[int] = set()
        meeting: set[int] = set()
        for commit in sorted(reached, key=self._depth.__getitem__):
            if commit in self._cut or not ending.isdisjoint(self.parents[commit]):
                ending.add(commit)
            if any(parent in meeting or parent not in fresh for parent in self.parents[commit]):
                meeting.add(commit)
        return ending - meeting

    def unconnected(self, reached: Sequence[int], known: Collection[int]) -> set[int]:
        """Of what one walk reached, what goes back to roots of its own and to nothing older, nor to what is `known`."""
        if not any(not self.parents[commit] and commit not in self._cut for commit in reached):
            return set()
        fresh = set(reached)
        meeting: set[int] = set()
        for commit in sorted(reached, key=self._depth.__getitem__):
            is_older = commit in self._cut or commit in known
            if is_older or any(parent in meeting or parent not in fresh for parent in self.parents[commit]):
                meeting.add(commit)
        return fresh - meeting

    def only_in(self, commit: int, other: int) -> list[int]:
        """Commits reachable from `commit` and not from `other`: `git rev-list commit --not other`."""
        wanted, unwanted = 1, 2
        flags = {commit: wanted}
        flags[other] = flags.get(other, 0) | unwanted
        queue = [(-self._depth[c], c) for c in flags]
        heapq.heapify(queue)
        pending = sum(flag == wanted for flag in flags.values())
        found = []
        while queue and pending:
            _, current = heapq.heappop(queue)
            flag = flags[current]
            if flag == wanted:
                pending -= 1
                found.append(current)
            for parent in self.parents[current]:
                before = flags.get(parent)
                if before is None:
                    heapq.heappush(queue, (-self._depth[parent], parent))
                after = (before or 0) | flag
                pending += (after == wanted) - (before == wanted)
                flags[parent] = after
        return found

    def contains(self, commit: int, ancestor: int) -> bool:
        """Whether `ancestor` is `commit` itself or reachable from it."""
        if self._depth[ancestor] >= self._depth[commit]:
            return commit == ancestor
        # a history that was written anew from its roots has no root in common with what it was
        if self._roots[ancestor] & ~self._roots[commit]:
            return False
        return not self.only_in(ancestor, commit)

    @cached_property
    def _roots(self) -> list[int]:
        """The roots (bits) that each commit goes back to."""
        roots = [0] * len(self.shas)
        known = 0
        for commit in sorted(range(len(self.shas)), key=self._depth.__getitem__):
            for parent in self.parents[commit]:
                roots[commit] |= roots[parent]
            if not self.parents[commit]:
                roots[commit] = 1 << known
                known += 1
        return roots
