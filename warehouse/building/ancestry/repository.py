"""One repository traced: what is known of it as Arrow tables in, its rows of the tables that models join out.

`traces` (each candidate's commit and what it brought), `shipped` (a row per commit and service with the first
deployment that contains it), `baselined` (a pull request's commits, and those that have copies, that a service's
baseline contained), `landings` (which commits of a branch are a pull request's, where they are copies) and
`same_changes` (a row per commit that is one of several of a change: `change`, the one of them that stands for all, and
`same_as`, another one, and `method`, how that was recognised), `ancestry` (a row for each revision that came back in a
sequence and the one before it: whether it is an ancestor of that).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.building.ancestry.copies import FoundCopies, ToldCopies, find_copies
from warehouse.building.ancestry.graph import Graph
from warehouse.building.ancestry.revisions import Tags, ToldRevision, resolve
from warehouse.building.ancestry.source_paths import SourcePaths
from warehouse.building.ancestry.walk import Claims, KnownCommits, belonging, walk

_TEXT, _COUNT, _FLAG, _INSTANT = pa.string(), pa.int64(), pa.bool_(), pa.timestamp("us")
TRACED = {
    "traces": pa.schema(
        [
            *(
                (name, _TEXT)
                for name in ("source", "id", "service", "repo", "sha", "sha_method", "service_sha")
            ),
            ("is_traced", _FLAG),
            ("is_baseline", _FLAG),
            ("new_commits", _COUNT),
            ("unrelated_commits", _COUNT),
            ("unknown_since", _INSTANT),
        ]
    ),
    "shipped": pa.schema(
        [
            *((name, _TEXT) for name in ("service", "repo", "sha", "source", "id")),
            ("is_adrift", _FLAG),
            ("is_imported", _FLAG),
        ]
    ),
    "baselined": pa.schema([(name, _TEXT) for name in ("service", "repo", "sha")]),
    "landings": pa.schema([("repo", _TEXT), ("number", _COUNT), ("sha", _TEXT), ("own_sha", _TEXT)]),
    "same_changes": pa.schema([(name, _TEXT) for name in ("repo", "sha", "change", "same_as", "method")]),
    "ancestry": pa.schema([*((name, _TEXT) for name in ("repo", "sha", "of_sha")), ("is_ancestor", _FLAG)]),
}


@dataclass(frozen=True)
class KnownRepository:
    """What is known of a repository.

    `commits`: `sha`, `parents`, `paths`, `is_pulled`. `deployments`, in order of finish: `source`, `id`, `sequence`,
    `at`, `sha`, `sha_method`, `images`, `label`, and as lists beside each other `services`, `by_paths` and `ships`: of
    which services it may be, of which only if it changes something of theirs, and of which it tells what is live.
    """

    repo: str | None
    commits: pa.Table
    deployments: pa.Table
    tags: Tags
    copies: ToldCopies


def trace_repository(
    known: KnownRepository,
    globs: Mapping[str, Sequence[str]],
    gaps: Mapping[str, Sequence[tuple[datetime, datetime]]],
) -> dict[str, pa.Table]:
    """The repository's rows of each table of TRACED. `globs`: source patterns by service; `gaps`: what was not read."""
    told, of_commits = _arrays(known.deployments), _arrays(known.commits)
    graph = Graph(of_commits["sha"], of_commits["parents"])
    services = told["services"].flatten().dictionary_encode()
    service, names = services.dictionary, services.dictionary.to_pylist()
    copies = find_copies(known.copies, graph)
    sources = SourcePaths([globs.get(name) or () for name in names])
    commits = _known_commits(of_commits, graph, sources, copies)
    sha, method = _resolved(known, graph)
    claims, stands_for = belonging(_claims(told, services.indices, sha, graph), commits, len(names))
    by_service = np.argsort(claims.service, kind="stable")
    claims, stands_for = claims.only(by_service), stands_for[by_service]
    unread = {place: _ordered(gaps[name]) for place, name in enumerate(names) if gaps.get(name)}
    found = walk(claims, commits, len(names), unread)
    commit, by = found.shipped[:, 0], claims.only(found.shipped[:, 1])
    kept, keeper = found.baselined[:, 0], found.baselined[:, 1]
    traces = [
        told["source"].take(claims.row),
        told["id"].take(claims.row),
        service.take(claims.service),
        _repeated(known.repo, len(claims.row)),
        sha.take(claims.row),
        method.take(claims.row),
        pc.coalesce(graph.sha_array.take(_unless_negative(stands_for)), sha.take(claims.row)),
        pa.array(claims.commit >= 0),
        pa.array(found.is_baseline),
        _unless_negative(found.new_commits),
        _unless_negative(found.unrelated_commits),
        pa.array(found.unknown_since),
    ]
    shipped = [
        service.take(by.service),
        _repeated(known.repo, len(commit)),
        graph.sha_array.take(commit),
        told["source"].take(by.row),
        told["id"].take(by.row),
        pa.array(found.is_adrift),
        pa.array(found.is_imported),
    ]
    baselined = [service.take(keeper), _repeated(known.repo, len(kept)), graph.sha_array.take(kept)]
    return {
        "traces": pa.table(traces, schema=TRACED["traces"]),
        "shipped": pa.table(shipped, schema=TRACED["shipped"]),
        "baselined": pa.table(baselined, schema=TRACED["baselined"]),
        "landings": pa.table(
            [_repeated(known.repo, len(copies.landings)), *copies.landings.columns], schema=TRACED["landings"]
        ),
        "same_changes": table_of([(known.repo, *row) for row in copies.same], TRACED["same_changes"]),
        "ancestry": _ancestry(known.repo, claims, stands_for, graph),
    }


def _ancestry(repo: str | None, claims: Claims, stands_for: np.ndarray, graph: Graph) -> pa.Table:
    """Each commit that came back in a sequence, and the one that it came back from: is it an ancestor of that?"""
    rows = np.flatnonzero(claims.ships)
    rows = rows[np.lexsort((claims.sequence[rows], claims.service[rows]))]
    places = np.stack((claims.service[rows], claims.sequence[rows]), 1)
    states = np.column_stack((places, stands_for[rows]))
    is_return = np.ones(len(rows), bool)
    is_return[np.unique(states, axis=0, return_index=True)[1]] = False
    is_return[1:] &= (places[1:] == places[:-1]).all(axis=1)
    now = np.flatnonzero(is_return)
    pairs = np.stack((stands_for[rows[now]], stands_for[rows[now - 1]]), 1)
    is_asked = (pairs >= 0).all(axis=1) & (pairs[:, 0] != pairs[:, 1])
    asked = np.unique(pairs[is_asked], axis=0)
    found = [graph.contains(before, back) for back, before in asked.tolist()]
    shas = (graph.sha_array.take(pa.array(column)) for column in asked.T)
    return pa.table([_repeated(repo, len(asked)), *shas, pa.array(found, _FLAG)], schema=TRACED["ancestry"])


def table_of(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Rows as an Arrow table, column by column."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(c, kind) for c, kind in zip(columns, schema.types, strict=True)], schema=schema)


def _known_commits(
    told: Mapping[str, pa.Array], graph: Graph, sources: SourcePaths, copies: FoundCopies
) -> KnownCommits:
    numbers = {change: place for place, change in enumerate(dict.fromkeys(copies.changes.values()))}
    change = np.full(graph.size, -1)
    for sha, of in copies.changes.items():
        if sha in graph.number:
            change[graph.number[sha]] = numbers[of]
    return KnownCommits(graph, sources.touched(told["paths"]), change, _flags(told["is_pulled"]))


def _resolved(known: KnownRepository, graph: Graph) -> tuple[pa.Array, pa.Array]:
    """The commit of each deployment, and by what it was found."""
    told = known.deployments
    columns = (told[name].to_pylist() for name in ("sha", "sha_method"))
    found: list[tuple[str | None, str | None]] = list(zip(*columns, strict=True))
    # a SHA that is known in full is what it says
    for row in np.flatnonzero(graph.numbers(told["sha"].combine_chunks()) < 0).tolist():
        images, label = told["images"][row].as_py(), told["label"][row].as_py()
        at = told["at"][row].as_py() if images else None
        service = told["services"][row][0].as_py() if images else ""
        revision = ToldRevision(known.repo, at, *found[row], images, label)
        found[row] = resolve(revision, service, graph, known.tags)
    return pa.array([sha for sha, _ in found], _TEXT), pa.array([method for _, method in found], _TEXT)


def _claims(told: Mapping[str, pa.Array], service: pa.Array, sha: pa.Array, graph: Graph) -> Claims:
    keys = list(zip(told["source"].to_pylist(), told["id"].to_pylist(), strict=True))
    deployments = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    row = np.repeat(np.arange(len(keys)), told["services"].value_lengths().to_numpy())
    return Claims(
        row,
        np.array([deployments[key] for key in keys])[row],
        told["sequence"].dictionary_encode().indices.fill_null(-1).to_numpy()[row],
        service.to_numpy(),
        graph.numbers(sha)[row],
        told["at"].to_numpy(zero_copy_only=False)[row],
        _flags(told["ships"].flatten()),
        _flags(told["by_paths"].flatten()),
    )


def _ordered(gaps: Sequence[tuple[datetime, datetime]]) -> tuple[np.ndarray, np.ndarray]:
    begins, ends = zip(*sorted(gaps), strict=True)
    return np.array(begins, "datetime64[us]"), np.array(ends, "datetime64[us]")


def _arrays(table: pa.Table) -> dict[str, pa.Array]:
    return {name: table[name].combine_chunks() for name in table.column_names}


def _flags(column: pa.Array) -> np.ndarray:
    return column.to_numpy(zero_copy_only=False)


def _repeated(text: str | None, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, _TEXT), count)


def _unless_negative(numbers: np.ndarray) -> pa.Array:
    return pa.array(numbers, mask=numbers < 0)
