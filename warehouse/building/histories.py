"""The known history of each repository: its commits as Arrow columns, and its git tags."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.building.ancestry.graph import Graph
from warehouse.building.ancestry.revisions import Tags

_GRAPH = """
select c.repo, c.sha, c.parents
from source.commits as c
where c.repo in (select unnest($repos))
order by c.repo
"""
_TAGS = """
select d.repo, d.ref, d.sha, coalesce(d.finished_at, d.started_at)
from source.deployments as d
where d.source in ('releases', 'tags') and d.ref is not null and d.sha is not null
    and d.repo in (select unnest($repos))
"""
_ROWS_AT_ONCE = 100_000


def graphs(connection: duckdb.DuckDBPyConnection, repos: Sequence[str | None]) -> Iterator[Graph]:
    """The commit graph of each of `repos`, which are in the order of their names; an empty one where nothing is known.

    All are read in one pass, and one of them is held at a time.
    """
    for commits in by_repository(connection, repos, _GRAPH, {"repos": _named(repos)}):
        yield Graph(commits["sha"].combine_chunks(), commits["parents"].combine_chunks())


def tags_of(connection: duckdb.DuckDBPyConnection, repos: Sequence[str | None]) -> Mapping[str | None, Tags]:
    """The git tags of each of `repos`."""
    tags: defaultdict[str | None, Tags] = defaultdict(Tags)
    for repo, name, sha, at in connection.execute(_TAGS, {"repos": _named(repos)}).fetchall():
        tags[repo].add(name, sha, at)
    return tags


def by_repository(
    connection: duckdb.DuckDBPyConnection,
    repos: Sequence[str | None],
    query: str,
    values: Mapping[str, Any] | None = None,
) -> Iterator[pa.Table]:
    """For each of `repos` the rows of `query` that are of it; both are in the order of the first column, nulls last."""
    ((path,),) = connection.execute("select current_setting('search_path')").fetchall()
    with connection.cursor() as cursor:
        cursor.execute(f"set search_path = '{path}'")
        reader = cursor.sql(query, params=dict(values or {})).to_arrow_reader(_ROWS_AT_ONCE)
        found = groupby(_runs(reader), key=lambda run: run[0])
        current = next(found, None)
        for repo in repos:
            while current is not None and _comes_before(current[0], repo):
                current = next(found, None)
            if current is None or current[0] != repo:
                yield reader.schema.empty_table()
                continue
            yield pa.Table.from_batches([rows for _, rows in current[1]], reader.schema)
            current = next(found, None)


def _comes_before(one: str | None, other: str | None) -> bool:
    return one is not None and (other is None or one < other)


def _runs(batches: pa.RecordBatchReader) -> Iterator[tuple[str | None, pa.RecordBatch]]:
    """Stretches of rows of one repository."""
    for batch in batches:
        begin = 0
        encoded = pc.run_end_encode(batch.column(0))
        for repo, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
            yield repo, batch.slice(begin, end - begin)
            begin = end


def _named(repos: Sequence[str | None]) -> list[str]:
    return sorted({repo for repo in repos if repo is not None})
