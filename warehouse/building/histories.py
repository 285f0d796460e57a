"""The known history of each repository: its commit graph, and what has to be known of the commits in it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

import duckdb

from warehouse.building.graph import Graph

# the commits of a repository, those of a pull request marked: its own and what the merge made
_COMMITS = """
with pulled as (
    select distinct
        p.repo,
        unnest(list_append(list_transform(p.commits, lambda c: c.sha), p.merge_sha)) as sha
    from source.pull_requests as p
    where p.merged_at is not null and p.merge_sha is not null and list_contains($repos, p.repo)
)
select c.repo, c.sha, c.parents, c.paths, p.sha is not null
from source.commits as c
left join pulled as p on p.repo = c.repo and p.sha = c.sha
where list_contains($repos, c.repo)
order by c.repo, c.sha
"""
_TAGS = """
select d.repo, d.ref, d.sha, coalesce(d.finished_at, d.started_at)
from source.deployments as d
where d.source in ('releases', 'tags') and d.ref is not null and d.sha is not null
    and list_contains($repos, d.repo)
"""
_ROWS_AT_ONCE = 10_000


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


@dataclass
class TracedHistory:
    """A repository's graph, with what has to be known of its commits."""

    graph: Graph
    paths: dict[str, list[str]] = field(default_factory=dict)
    tags: Tags = field(default_factory=Tags)
    pulled: set[str] = field(default_factory=set)  # own and merge commits of pull requests
    changes: dict[str, str] = field(default_factory=dict)  # of commits that are one of several of a change


def traced_histories(
    connection: duckdb.DuckDBPyConnection, repos: Sequence[str | None]
) -> Iterator[TracedHistory]:
    """The history of each of `repos`, which are in the order of their names; an empty one where nothing is known.

    All are read in one pass, and one of them is held at a time.
    """
    named = {"repos": sorted({repo for repo in repos if repo is not None})}
    tags: defaultdict[str | None, Tags] = defaultdict(Tags)
    for repo, name, sha, at in connection.execute(_TAGS, named).fetchall():
        tags[repo].add(name, sha, at)
    with connection.cursor() as cursor:
        by_repo = groupby(_rows(cursor.execute(_COMMITS, named)), key=lambda row: row[0])
        found = next(by_repo, None)
        for repo in repos:
            if found is None or found[0] != repo:
                yield TracedHistory(Graph(()), tags=tags[repo])
                continue
            yield _history(list(found[1]), tags[repo])
            found = next(by_repo, None)


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := result.fetchmany(_ROWS_AT_ONCE):
        yield from rows


def _history(commits: Sequence[tuple[Any, ...]], tags: Tags) -> TracedHistory:
    return TracedHistory(
        Graph((sha, parents) for _, sha, parents, _, _ in commits),
        {sha: paths for _, sha, _, paths, _ in commits if paths is not None},
        tags,
        {sha for _, sha, _, _, is_pulled in commits if is_pulled},
    )
