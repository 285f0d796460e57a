"""Which deployment shipped which commit: git ancestry, never time.

Writes tables for the models: `traces` (each candidate's commit and what it brought), `shipped` (a row per commit and
service with the first deployment that contains it), `baselined` (a pull request's commits, and those that have copies,
that a service's baseline contained), `ancestry` (whether a return goes back to an ancestor), and those of identity.py.

What the collected commits do not say stays unknown. A deployment whose own commit is unknown is untraced; where a walk
ends at an unknown parent (a shallow clone) without having met anything deployed before, what it passed may be new or
may be history (`is_adrift`), and how many commits the deployment brought is unknown (`new_commits` is null).
"""

import gc
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate
from itertools import groupby

import duckdb
import pyarrow as pa

from warehouse.building.histories import TracedHistory, traced_histories
from warehouse.building.identity import Identities, table_of

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
SHIPPED = pa.schema(
    [
        *((name, pa.string()) for name in ("service", "repo", "sha", "source", "id")),
        ("is_adrift", pa.bool_()),
        ("is_imported", pa.bool_()),
    ]
)
BASELINED = pa.schema([(name, pa.string()) for name in ("service", "repo", "sha")])
ANCESTRY = pa.schema(
    [("repo", pa.string()), ("sha", pa.string()), ("of_sha", pa.string()), ("is_ancestor", pa.bool_())]
)
REVISION_LABEL = "org.opencontainers.image.revision"
Gaps = Sequence[tuple[datetime, datetime]]


@dataclass
class Candidate:
    """A row of `candidates`, and what the graph says of it."""

    source: str
    id: str
    service: str
    repo: str | None
    sequence: str
    at: datetime | None
    sha: str | None
    sha_method: str | None
    ref: str | None
    images: list[str] | None
    label: str | None
    by_paths: bool
    ships: bool  # successful, timed, and told by the ranking source
    service_sha: str | None = None  # the commit that first gave the service the content it has at `sha`
    is_traced: bool = False
    is_baseline: bool = False
    new_commits: int | None = None
    unrelated_commits: int | None = None
    unknown_since: datetime | None = None


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """For millions of rows without a circle among them, which would be looked through again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_without_garbage_collection()
def trace(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes `traces`, `shipped` and `baselined` from `candidates`, `gaps`, the source's commits and source patterns."""
    patterns = _source_patterns(connection)
    gaps = _gaps(connection)
    identities = Identities(connection)
    candidates = _candidates(connection)
    traced: list[Candidate] = []
    shipped: list[tuple[str, str, str, str, str, bool, bool]] = []
    baselined: list[tuple[str, str, str]] = []
    by_repo = {repo: list(rows) for repo, rows in groupby(candidates, key=lambda c: c.repo)}
    known = traced_histories(connection, list(by_repo))
    for (repo, of_repo), history in zip(by_repo.items(), known, strict=True):
        history.changes = identities.of(repo, history.graph)
        for candidate in of_repo:
            resolve(candidate, history)
        of_repo = list(_belonging(of_repo, history, patterns))
        by_service = defaultdict(list)
        for candidate in of_repo:
            by_service[candidate.service].append(candidate)
        for service, deployments in by_service.items():
            walk = _walk(deployments, history, patterns.get(service), gaps.get(service, ()))
            for sha, by, is_adrift, is_imported in walk:
                if not by.is_baseline:
                    shipped.append((service, repo or "", sha, by.source, by.id, is_adrift, is_imported))
                elif sha in history.pulled or sha in history.changes:
                    baselined.append((service, repo or "", sha))
        traced += of_repo
    rows_of = [{name: getattr(c, name) for name in TRACES.names} for c in traced]
    _create(connection, "traces", pa.Table.from_pylist(rows_of, schema=TRACES))
    _create(connection, "shipped", table_of(shipped, SHIPPED))
    _create(connection, "baselined", table_of(baselined, BASELINED))
    for name, content in identities.tables().items():
        _create(connection, name, content)


def compare(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the table `ancestry` for each pair of revisions in `sequences` that may be a return."""
    pairs = connection.execute(
        "select distinct repo, sha, previous_sha from sequences"
        " where arrival_here > 1 and sha is not null and previous_sha is not null and sha <> previous_sha"
        " order by all"
    ).fetchall()
    rows = []
    by_repo = {repo: list(of_repo) for repo, of_repo in groupby(pairs, key=lambda pair: pair[0])}
    known = traced_histories(connection, list(by_repo))
    for (repo, of_repo), history in zip(by_repo.items(), known, strict=True):
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
    found = connection.execute("select name, source_patterns from catalogue").fetchall()
    return {name: source_pattern(globs) for name, globs in found if globs}


def source_pattern(globs: Iterable[str]) -> re.Pattern[str]:
    """What the paths of a service match that has the source patterns `globs`."""
    return re.compile("|".join(map(_below, globs)))


def _below(pattern: str) -> str:
    """A regular expression of the paths that a source pattern means: `dir`, `dir/`, `/dir/**` are all of the folder."""
    plain = pattern.strip().removeprefix("./").strip("/")
    whole = translate(plain.removesuffix("/**"))
    return f"{whole}|{translate(plain.removesuffix('/**') + '/*')}" if plain else ".*"


def _gaps(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[datetime, datetime]]]:
    """The stretches, by service, in which Argo CD dropped syncs that nobody read."""
    rows = connection.execute(
        "select service, from_at, until_at from gaps where fact = 'deployments' and source = 'argocd' order by all"
    ).fetchall()
    gaps = defaultdict(list)
    for service, from_at, until_at in rows:
        gaps[service].append((from_at, until_at))
    return gaps


def _candidates(connection: duckdb.DuckDBPyConnection) -> list[Candidate]:
    rows = connection.execute(
        "select c.source, c.id, c.service, c.repo, c.sequence, c.at, c.sha, c.sha_method, c.ref, c.images,"
        " d.labels[?], c.by_paths, c.status = 'success' and c.at is not null"
        " and c.told_by is null and c.no_deployment_because is null"
        " from candidates as c left join source.deployments as d on d.source = c.source and d.id = c.id"
        " order by c.repo nulls last, c.finish_order",
        [REVISION_LABEL],
    ).fetchall()
    return [Candidate(*row) for row in rows]


def resolve(candidate: Candidate, history: TracedHistory) -> None:
    """Finds the full SHA: the source's own, the one that its images name by SHA or tag, or the OCI revision label's."""
    known = history.graph.number
    if candidate.sha is not None:
        candidate.sha = (
            candidate.sha if candidate.sha in known else history.graph.find(candidate.sha) or candidate.sha
        )
    else:
        # images that the config repository sets are not seen to have run, and say so
        where = "config " if candidate.sha_method == "config" else ""
        by_image = _from_images(candidate.images or (), candidate, history)
        found = (by_image[0], f"{where}{by_image[1]}") if by_image else _from_label(candidate, history)
        candidate.sha, candidate.sha_method = found or (None, None)
    candidate.is_traced = candidate.sha in known


# a number is no commit unless it is too long for a build's or a day's
_COMMIT = re.compile(r"(?<![0-9a-z])(?=[0-9]*[a-f]|[0-9a-f]{10})[0-9a-f]{7,64}(?![0-9a-z])")


def _from_images(
    images: Iterable[str], candidate: Candidate, history: TracedHistory
) -> tuple[str, str] | None:
    """The one commit that the image tags name, by SHA or git tag; images named like the service go first."""
    own_names = {candidate.service, (candidate.repo or "").rpartition("/")[2]}
    found: dict[bool, dict[str, str]] = {True: {}, False: {}}
    for image in images:
        name, _, tag = image.partition("@")[0].rpartition(":")
        if not name or "/" in tag:
            continue
        is_own = name.rpartition("/")[2] in own_names
        if tagged := history.tags.find(tag, candidate.at):
            found[is_own] |= dict.fromkeys(tagged, "image tag")
            continue
        for word in _COMMIT.findall(tag):
            if sha := history.graph.find(word):
                found[is_own].setdefault(sha, "image sha")
    choices = found[True] or found[False]
    return next(iter(choices.items())) if len(choices) == 1 else None


def _from_label(candidate: Candidate, history: TracedHistory) -> tuple[str, str] | None:
    """The commit that the label of the image names; an abbreviated one only where the history knows it."""
    named = (candidate.label or "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{7,64}", named):
        return None
    sha = history.graph.find(named) or (named if len(named) in (40, 64) else None)
    return (sha, "oci label") if sha else None


def _belonging(
    candidates: list[Candidate], history: TracedHistory, patterns: dict[str, re.Pattern[str]]
) -> Iterator[Candidate]:
    """The candidates without those of a service whose paths the deployment does not change.

    What it changes is what differs from the revision that ran before in the same sequence, either way. A revision
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
            before = running.get(candidate.sequence)
            changed[key] = before, _touched(candidate, before, history)
            if candidate.ships and candidate.is_traced and candidate.sha:
                running[candidate.sequence] = candidate.sha
        before, paths = changed[key]
        pattern = patterns[candidate.service]
        here = (candidate.service, candidate.sha or "")
        if paths is None or any(pattern.fullmatch(path) for path in paths):
            candidate.service_sha = content.get(here, candidate.sha)
            yield candidate
        elif candidate.ships and before is not None:
            content.setdefault(here, content.get((candidate.service, before), before))


def _touched(candidate: Candidate, before: str | None, history: TracedHistory) -> set[str] | None:
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
    deployments: list[Candidate], history: TracedHistory, pattern: re.Pattern[str] | None, gaps: Gaps
) -> Iterator[tuple[str, Candidate, bool, bool]]:
    """Each commit with the first deployment of one service that contains it.

    And whether it may be history after all, and whether it came in with a history of its own.

    `deployments` in order of finish; what the first traced one contains is the baseline. Marks on them the baseline,
    their counts, and since when what they bring may have been live already, because an untraced deployment or a gap in
    what was read came between.
    """
    graph = history.graph
    visited = bytearray(len(graph.shas))
    delivered: set[str] = set()
    last_traced: datetime | None = None
    untraced = False
    for deployment in deployments:
        if not deployment.ships or deployment.at is None:
            continue
        if not deployment.is_traced:
            untraced = True
            continue
        new = graph.unvisited(graph.number[deployment.sha or ""], visited)
        deployment.is_baseline = last_traced is None
        if last_traced and (untraced or _has_gap(gaps, last_traced, deployment.at)):
            deployment.unknown_since = last_traced
        last_traced, untraced = deployment.at, False
        related = [number for number in new if _is_related(graph.shas[number], history, pattern)]
        if not graph.is_cut(new):
            deployment.new_commits = len(related)
            deployment.unrelated_commits = len(new) - len(related)
        adrift = set() if deployment.is_baseline else graph.adrift(new)
        changes = {
            number: change
            for number in (new if history.changes else ())
            if (change := history.changes.get(graph.shas[number]))
        }
        imported: set[int] = set()
        if not deployment.is_baseline:
            # a history that was written anew is the history that it was
            known = {number for number, change in changes.items() if change in delivered}
            imported = graph.unconnected(new, known)
        delivered.update(changes.values())
        for number in related:
            yield graph.shas[number], deployment, number in adrift, number in imported


def _has_gap(gaps: Gaps, after: datetime, until: datetime) -> bool:
    return any(from_at < until and until_at > after for from_at, until_at in gaps)


def _is_related(sha: str, history: TracedHistory, pattern: re.Pattern[str] | None) -> bool:
    if pattern is None:
        return True
    paths = history.paths.get(sha)
    return paths is None or any(pattern.fullmatch(path) for path in paths)
