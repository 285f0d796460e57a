"""Which deployment shipped which commit: git ancestry, never time.

Writes three tables for the models: `traces` (each candidate's commit and what it brought), `shipped` (a row per commit
and service with the first deployment that contains it) and `ancestry` (whether a return goes back to an ancestor).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import translate
from itertools import groupby

import duckdb
import pyarrow as pa

from warehouse.graph import Graph

TRACES = pa.schema(
    [
        ("source", pa.string()),
        ("id", pa.string()),
        ("service", pa.string()),
        ("repo", pa.string()),
        ("sha", pa.string()),
        ("sha_method", pa.string()),
        ("service_sha", pa.string()),
        ("is_traced", pa.bool_()),
        ("is_baseline", pa.bool_()),
        ("new_commits", pa.int64()),
        ("unrelated_commits", pa.int64()),
        ("unknown_since", pa.timestamp("us")),
    ]
)
SHIPPED = pa.schema([(name, pa.string()) for name in ("service", "repo", "sha", "source", "id")])
ANCESTRY = pa.schema(
    [("repo", pa.string()), ("sha", pa.string()), ("of_sha", pa.string()), ("is_ancestor", pa.bool_())]
)


@dataclass
class Candidate:
    """A row of `candidates`, and what the graph says of it."""

    source: str
    id: str
    service: str
    repo: str | None
    environment: str
    at: datetime | None
    sha: str | None
    sha_method: str | None
    ref: str | None
    images: list[str] | None
    by_paths: bool
    ships: bool  # successful, timed, and told by the ranking source
    service_sha: str | None = None  # the commit that first gave the service the content it has at `sha`
    is_traced: bool = False
    is_baseline: bool = False
    new_commits: int | None = None
    unrelated_commits: int | None = None
    unknown_since: datetime | None = None


@dataclass
class History:
    """A repository's graph, with what has to be known of its commits."""

    graph: Graph
    paths: dict[str, list[str] | None]
    tags: dict[str, str] = field(default_factory=dict)


def trace(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the tables `traces` and `shipped` from `candidates`, the source's commits and the source patterns."""
    patterns = _source_patterns(connection)
    candidates = _candidates(connection)
    traced: list[Candidate] = []
    shipped: list[tuple[str, str, str, str, str]] = []
    for repo, rows in groupby(candidates, key=lambda c: c.repo):
        of_repo = list(rows)
        history = _history(connection, repo)
        for candidate in of_repo:
            _resolve(candidate, history)
        of_repo = list(_belonging(of_repo, history, patterns))
        by_service = defaultdict(list)
        for candidate in of_repo:
            by_service[candidate.service].append(candidate)
        for service, deployments in by_service.items():
            for sha, by in _walk(deployments, history, patterns.get(service)):
                shipped.append((service, repo or "", sha, by.source, by.id))
        traced += of_repo
    rows_of = [{name: getattr(c, name) for name in TRACES.names} for c in traced]
    _create(connection, "traces", pa.Table.from_pylist(rows_of, schema=TRACES))
    columns: list[Sequence[str]] = list(zip(*shipped, strict=True)) or [()] * len(SHIPPED)
    _create(connection, "shipped", pa.table([pa.array(c, pa.string()) for c in columns], schema=SHIPPED))


def compare(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the table `ancestry` for each pair of revisions in `sequences` that may be a return."""
    pairs = connection.execute(
        "select distinct repo, sha, previous_sha from sequences"
        " where arrival_here > 1 and sha is not null and previous_sha is not null and sha <> previous_sha"
        " order by all"
    ).fetchall()
    rows = []
    for repo, of_repo in groupby(pairs, key=lambda pair: pair[0]):
        history = _history(connection, repo)
        number = history.graph.number
        for _, sha, of_sha in of_repo:
            if sha in number and of_sha in number:
                back = history.graph.contains(number[of_sha], number[sha])
                rows.append({"repo": repo, "sha": sha, "of_sha": of_sha, "is_ancestor": back})
    _create(connection, "ancestry", pa.Table.from_pylist(rows, schema=ANCESTRY))


def _create(connection: duckdb.DuckDBPyConnection, table: str, content: pa.Table) -> None:
    connection.register("content", content)
    connection.execute(f"create table {table} as from content")
    connection.unregister("content")


def _source_patterns(connection: duckdb.DuckDBPyConnection) -> dict[str, re.Pattern[str]]:
    found = connection.execute(
        "select name, source_patterns from source.components where kind = 'Component'"
    ).fetchall()
    return {name: re.compile("|".join(translate(p) for p in globs)) for name, globs in found if globs}


def _candidates(connection: duckdb.DuckDBPyConnection) -> list[Candidate]:
    rows = connection.execute(
        "select c.source, c.id, c.service, c.repo, c.environment, c.at, c.sha, c.sha_method, c.ref, c.images,"
        " c.by_paths, c.status = 'success' and c.at is not null and c.told_by is null from candidates as c"
        " order by c.repo nulls last, c.at nulls last, c.id, c.source, c.service"
    ).fetchall()
    return [Candidate(*row) for row in rows]


def _history(connection: duckdb.DuckDBPyConnection, repo: str | None) -> History:
    commits = connection.execute(
        "select sha, parents, paths from source.commits where repo = ? order by sha", [repo]
    ).fetchall()
    tags = connection.execute(
        "select ref, sha from source.deployments where repo = ? and source in ('releases', 'tags')"
        " and ref is not null and sha is not null",
        [repo],
    ).fetchall()
    graph = Graph((sha, parents) for sha, parents, _ in commits)
    return History(graph, {sha: paths for sha, _, paths in commits if paths is not None}, dict(tags))


def _resolve(candidate: Candidate, history: History) -> None:
    """Finds the full SHA: the source's own, the one behind a tag, or the one that its images name."""
    known = history.graph.number
    if candidate.sha is not None:
        candidate.sha = (
            candidate.sha if candidate.sha in known else history.graph.find(candidate.sha) or candidate.sha
        )
    else:
        found = _from_images(candidate.images or (), candidate, history)
        if found:
            candidate.sha, candidate.sha_method = found
    candidate.is_traced = candidate.sha in known


def _from_images(images: Iterable[str], candidate: Candidate, history: History) -> tuple[str, str] | None:
    """The one commit that the image tags name, by SHA or git tag; images named like the service go first."""
    own_names = {candidate.service, (candidate.repo or "").rpartition("/")[2]}
    found: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
    for image in images:
        name, _, tag = image.partition("@")[0].rpartition(":")
        if not name or "/" in tag:
            continue
        is_own = name.rpartition("/")[2] in own_names
        if tag in history.tags:
            found[is_own].add((history.tags[tag], "image tag"))
            continue
        for word in re.findall(r"(?<![0-9a-z])[0-9a-f]{7,40}(?![0-9a-z])", tag):
            sha = history.graph.find(word)
            if sha:
                found[is_own].add((sha, "image sha"))
    choices = found[True] or found[False]
    return choices.pop() if len(choices) == 1 else None


def _belonging(
    candidates: list[Candidate], history: History, patterns: dict[str, re.Pattern[str]]
) -> Iterator[Candidate]:
    """The candidates without those of a service whose paths the deployment does not change.

    What it changes is what differs from the revision that ran before in the same environment, either way. A revision
    that changed nothing of a service stands for the one before: going back to it later is a return.
    """
    running: dict[str, str] = {}
    changed: dict[tuple[str, str], tuple[str | None, set[str] | None]] = {}
    content: dict[tuple[str, str], str] = {}
    for candidate in candidates:
        candidate.service_sha = candidate.sha
        if not candidate.by_paths:
            yield candidate
            continue
        key = (candidate.source, candidate.id)
        if key not in changed:
            before = running.get(candidate.environment)
            changed[key] = before, _touched(candidate, before, history)
            if candidate.ships and candidate.is_traced and candidate.sha:
                running[candidate.environment] = candidate.sha
        before, paths = changed[key]
        pattern = patterns[candidate.service]
        here = (candidate.service, candidate.sha or "")
        if paths is None or any(pattern.fullmatch(path) for path in paths):
            candidate.service_sha = content.get(here, candidate.sha)
            yield candidate
        elif candidate.ships and before is not None:
            content.setdefault(here, content.get((candidate.service, before), before))


def _touched(candidate: Candidate, before: str | None, history: History) -> set[str] | None:
    """The paths that differ between two revisions, or None where it cannot be known."""
    number = history.graph.number
    if before is None or candidate.sha not in number:
        return None
    here, there = number[candidate.sha], number[before]
    if here == there:
        return None
    commits = history.graph.only_in(here, there) + history.graph.only_in(there, here)
    paths: set[str] = set()
    for commit in commits:
        of_commit = history.paths.get(history.graph.shas[commit])
        if of_commit is None:
            return None
        paths.update(of_commit)
    return paths


def _walk(
    deployments: list[Candidate], history: History, pattern: re.Pattern[str] | None
) -> Iterator[tuple[str, Candidate]]:
    """Each commit with the first deployment of one service that contains it; the baseline's are history.

    `deployments` in order of finish. Marks on them the baseline, their counts, and since when what they bring may
    have been live already because an untraced deployment came between.
    """
    graph = history.graph
    visited = bytearray(len(graph.shas))
    last_traced: datetime | None = None
    untraced = False
    for deployment in deployments:
        if not deployment.ships:
            continue
        if not deployment.is_traced:
            untraced = True
            continue
        new = graph.unvisited(graph.number[deployment.sha or ""], visited)
        deployment.is_baseline = last_traced is None
        deployment.unknown_since = last_traced if untraced else None
        last_traced, untraced = deployment.at, False
        related = [sha for sha in map(graph.shas.__getitem__, new) if _is_related(sha, history, pattern)]
        deployment.new_commits = len(related)
        deployment.unrelated_commits = len(new) - len(related)
        if not deployment.is_baseline:
            for sha in related:
                yield sha, deployment


def _is_related(sha: str, history: History, pattern: re.Pattern[str] | None) -> bool:
    if pattern is None:
        return True
    paths = history.paths.get(sha)
    return paths is None or any(pattern.fullmatch(path) for path in paths)
