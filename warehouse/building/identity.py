"""Which commits are one change, whatever their SHA: copies made by rebases, merge queues, cherry-picks and rewrites.

Writes two tables for the models: `landings` (which commits of a branch are a pull request's, where they are copies) and
`same_changes` (a row per commit that is one of several of a change: `change`, the one of them that stands for all, and
`same_as`, another one, and `method`, how that was recognised).

Two commits are one change if author, authored instant and title are the same, or if one says that it was cherry-picked
from the other. Not if one of them is an ancestor of the other, for then somebody made both; nor if one was amended to
the other: both have the same parents, and nothing was built on the one that was committed first.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from warehouse.building.graph import Graph

LANDINGS = pa.schema(
    [("repo", pa.string()), ("number", pa.int64()), ("sha", pa.string()), ("own_sha", pa.string())]
)
SAME_CHANGES = pa.schema([(name, pa.string()) for name in ("repo", "sha", "change", "same_as", "method")])
AUTHORED, PICKED = "same author, authored time and title", "cherry-picked"
# what so many commits have in common, a tool gave them: no person writes as many copies
_MOST_COPIES = 200

# merged pull requests whose own commits are not on the branch: they were rebased or squashed
_UNLIKE = """
create temp table unlike_own as
with merged as (
    select
        p.repo,
        p.number,
        p.merge_sha,
        p.commits,
        len(p.commits) as listed,
        greatest(coalesce(p.commit_count, 0), len(p.commits)) as commit_count,
        case when len(m.parents) > 1 then m.parents[2] else m.sha end as head
    from source.pull_requests as p
    inner join source.commits as m on m.repo = p.repo and m.sha = p.merge_sha
    where p.merged_at is not null and len(p.commits) > 0
)
select m.* exclude (commits), c.sha, c.authored_at, c.subject, c.is_merge, ordinal
from merged as m
cross join lateral (select unnest(m.commits) as c, generate_subscripts(m.commits, 1) as ordinal)
where not list_contains(list_transform(m.commits, lambda c: c.sha), m.head)
"""
# a squash that keeps an own commit's time may be any of them but the last, unless the title says so
_ALIKE = """
with own as (
    select u.*, u.ordinal = max(u.ordinal) over of_pull as is_last
    from unlike_own as u
    where not u.is_merge
    window of_pull as (partition by u.repo, u.number)
)
select
    o.repo, o.number, o.head, o.commit_count, o.listed, c.sha,
    min(o.sha) as own_sha, bool_or(o.is_last or o.subject is not null) as is_sure
from own as o
inner join source.commits as c
    on c.repo = o.repo
    and c.authored_at = o.authored_at
    and (o.subject is null or c.subject = o.subject)
group by all
order by all
"""
# a title without the number that GitHub puts behind it; of own commits only those that are not on any branch themselves
_COPIES = r"""
with told as (
    select c.repo, c.sha, c.author, c.authored_at, c.committed_at, c.subject, null::bigint as number, 0 as place
    from source.commits as c
    where c.authored_at is not null and c.subject <> ''
    union all
    select u.repo, u.sha, null, u.authored_at, null, u.subject, u.number, u.ordinal
    from unlike_own as u
    anti join source.commits as c on c.repo = u.repo and c.sha = u.sha
    where u.subject is not null and not u.is_merge
),
titled as (
    select t.* exclude (subject), regexp_replace(t.subject, ' [(]#[0-9]+[)]$', '') as title
    from told as t
),
shared as (
    select t.repo, t.authored_at, t.title
    from titled as t
    group by all
    having count(distinct t.sha) between 2 and ?
)
select t.repo, epoch_us(t.authored_at), t.title, t.sha, t.author, t.number, t.place, epoch_us(t.committed_at)
from titled as t
semi join shared as s on s.repo = t.repo and s.authored_at = t.authored_at and s.title = t.title
order by all
"""
_PICKS = (
    "select c.repo, c.sha, c.picked_from from source.commits as c where len(c.picked_from) > 0 order by all"
)
# of those without a merge commit, the commit that the merge put on the branch and the own ones
_WITHIN = """
select u.repo, u.number, u.head, list(u.sha order by u.ordinal)
from unlike_own as u
where u.head = u.merge_sha and not u.is_merge
group by all
order by all
"""


class _Alike(NamedTuple):
    """A row of _ALIKE: a commit of the branch and the own commit of a pull request that it resembles."""

    repo: str
    number: int
    head: str
    commit_count: int
    listed: int
    sha: str
    own_sha: str
    is_sure: bool


class _Copy(NamedTuple):
    """A row of _COPIES: one of several commits of one instant and title; `number` of what only a pull request has."""

    repo: str
    authored_at: int
    title: str
    sha: str
    author: str | None
    number: int | None
    place: int
    committed_at: int | None


class Identities:
    """What the source tables say of all repositories; `of` goes with each repository's graph, `tables` at the end."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(_UNLIKE)
        self._alike = _by_repo(connection, _ALIKE)
        self._copies = _by_repo(connection, _COPIES, [_MOST_COPIES])
        self._picks = _by_repo(connection, _PICKS)
        self._within = _by_repo(connection, _WITHIN)
        connection.execute("drop table unlike_own")
        self._landings: list[tuple[str, int, str, str | None]] = []
        self._same: list[tuple[str, ...]] = []

    def of(self, repo: str | None, graph: Graph) -> dict[str, str]:
        """The change of each commit of a repository that is one of several, by SHA."""
        if repo is None:
            return {}
        within = {number: (sha, own) for _, number, sha, own in self._within.get(repo, ())}
        rebased = set()
        for number, sha, own_sha in _landed(map(_Alike._make, self._alike.get(repo, ())), graph):
            if number in within:
                rebased.add(number)
            self._landings.append((repo, number, sha, own_sha))
        changes = {}
        copies = [_Copy._make(row) for row in self._copies.get(repo, ())]
        alike = [copy for copy in copies if copy.number not in rebased]
        squashed = {sha: own for number, (sha, own) in within.items() if number not in rebased}
        for same in _changes(alike, self._picks.get(repo, ()), squashed, graph):
            first, second, *_ = same
            for sha, method in same.items():
                changes[sha] = first
                self._same.append((repo, sha, first, second if sha == first else first, method))
        return changes

    def tables(self) -> dict[str, pa.Table]:
        """What was found in all repositories."""
        return {
            "landings": table_of(self._landings, LANDINGS),
            "same_changes": table_of(self._same, SAME_CHANGES),
        }


def table_of(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Rows as an Arrow table, column by column."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(c, kind) for c, kind in zip(columns, schema.types, strict=True)], schema=schema)


def _by_repo(
    connection: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] = ()
) -> dict[str, list[tuple[Any, ...]]]:
    rows = connection.execute(query, values).fetchall()
    return {repo: list(of_repo) for repo, of_repo in groupby(rows, key=lambda row: row[0])}


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
    for copy in sorted(in_graph, key=lambda one: (graph.depth(graph.number[one.sha]), one.committed_at or 0)):
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
