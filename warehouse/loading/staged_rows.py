"""The rows of a file on their way into the warehouse: each key once, persons by what may be kept of them.

They stand in a table of DuckDB, which goes to the disk where it is larger than the memory that it may take.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from collectors.contract.arrow_types import arrow_schema
from collectors.contract.people import People
from collectors.contract.records import Comment, Commit, Deployment, PullRequest, Record, Response
from collectors.files.record_batches import PLACE, read_batches
from collectors.files.record_files import place
from config.errors import DataError
from config.text.quoting import one_short_line
from warehouse.storage.instants import aware
from warehouse.storage.schema import columns

STAGED = "staged"
# beside what Arrow reads, and once that is done
_MEMORY_WHILE_READING, _MEMORY = "128MiB", "192MiB"
_PERSONS_AT_ONCE = 100_000
# the column of a person, and what is kept of it
_PERSON: dict[type[Record], tuple[str, Callable[[People, Any], str | None]]] = {
    Commit: ("author", People.pseudonym),
    PullRequest: ("author", People.pseudonym),
    Deployment: ("creator", People.pseudonym),
    Response: ("respondent", People.respondent),
    Comment: ("respondent", People.respondent),
}


@dataclass(frozen=True)
class Staged:
    """How many rows stand in the table, and how many others were the same as one of them; `repeat` is the first."""

    rows: int
    repeated: int = 0
    repeat: str = ""


def stage(
    connection: duckdb.DuckDBPyConnection,
    record: type[Record],
    path: Path,
    people: People,
    check: Callable[[pa.RecordBatch], Iterable[pa.RecordBatch]] = lambda batch: (batch,),
) -> Staged:
    """Puts what stands in the file at `path` into the table `staged`: the record's columns, after that of their place.

    `check` yields what of a batch is sound, and raises DataError for what is not. The first mistake of the file is
    raised, which may be two rows of one key that are not the same.
    """
    connection.execute(f"set memory_limit = '{_MEMORY_WHILE_READING}'")
    types = {PLACE: "bigint"} | columns(record)
    told = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    connection.execute(f"create temp table {STAGED} ({told})")
    mistakes: list[BaseException] = []
    batches = _up_to_mistake(
        (
            sound
            for batch in _without_persons(read_batches(record.TABLE, path), record, people)
            for sound in check(batch)
        ),
        mistakes,
    )
    # in a stream, so that the database writes a batch while the next one is read
    schema = pa.schema([(PLACE, pa.int64()), *arrow_schema(record)])
    connection.register("batches", pa.RecordBatchReader.from_batches(schema, batches))
    connection.execute(f"insert into {STAGED} from batches")
    connection.unregister("batches")
    for mistake in mistakes:
        if not isinstance(mistake, DataError):
            raise mistake
    pa.default_memory_pool().release_unused()
    connection.execute(f"set memory_limit = '{_MEMORY}'")
    repeats = _repeats(connection, record, path)
    if mistakes:
        raise mistakes[0]
    ((n,),) = connection.execute(f"select count(*) from {STAGED}").fetchall()
    return Staged(n, *repeats)


def _up_to_mistake(
    batches: Iterable[pa.RecordBatch], mistakes: list[BaseException]
) -> Iterator[pa.RecordBatch]:
    """`batches`, which end with the first of their `mistakes`: none comes through the database as what it is."""
    try:
        yield from batches
    except (Exception, KeyboardInterrupt) as error:
        mistakes.append(error)


def _without_persons(
    batches: Iterable[pa.RecordBatch], record: type[Record], people: People
) -> Iterator[pa.RecordBatch]:
    """`batches` with what may be kept of persons, as if they had been collected."""
    if record not in _PERSON:
        yield from batches
        return
    column, meaning = _PERSON[record]
    kept = lru_cache(_PERSONS_AT_ONCE)(lambda told: meaning(people, told))
    for batch in batches:
        told = batch.column(column).dictionary_encode()
        known = pa.array([kept(person) for person in told.dictionary.to_pylist()], pa.string())
        yield batch.set_column(batch.schema.get_field_index(column), column, known.take(told.indices))


def _repeats(connection: duckdb.DuckDBPyConnection, record: type[Record], path: Path) -> tuple[int, str]:
    """Takes rows out that are the same as an earlier one; how many, and which the first is.

    Raises DataError for the first that has the key of an earlier one and is not the same.
    """
    key = ", ".join(record.KEY)
    # of a text of any length, no more than a number is held
    connection.execute(
        f"create temp table repeats as from {STAGED} where hash({key}) in"
        f" (select hash({key}) from {STAGED} group by 1 having count(*) > 1)"
    )
    content = ", ".join(_compared(name, kind) for name, kind in columns(record).items())
    pairs = (
        f"(select {PLACE} as second, first_value({PLACE}) over same_key as first, {key},"
        f" first_value(row({content})) over same_key is distinct from row({content}) as differs"
        f" from repeats window same_key as (partition by {key} order by {PLACE})) where second <> first"
    )
    execute = connection.execute
    wrong = execute(
        f"select first, second, {key} from {pairs} and differs order by second limit 1"
    ).fetchall()
    if wrong:
        first, second, *parts = wrong[0]
        raise DataError(
            f"{place(path, first)} and {_row(path, second)} have the same key ({told_key(record, parts)})"
            f" and are not the same; give each a key of its own, such as the job's name before a build's number"
        )
    ((n,),) = execute(f"select count(*) from {pairs}").fetchall()
    if not n:
        return 0, ""
    ((second, first),) = execute(f"select second, first from {pairs} order by second limit 1").fetchall()
    execute(f"delete from {STAGED} where {PLACE} in (select second from {pairs})")
    return n, f"{place(path, second)} is {_row(path, first)}"


def _row(path: Path, number: int) -> str:
    """The line or row alone of a place in a file."""
    return place(path, number).rpartition(":")[2].strip()


def _compared(name: str, kind: str) -> str:
    # the order of a mapping says nothing
    return f'list_sort(map_entries("{name}"))' if kind.startswith("map(") else f'"{name}"'


def told_key(record: type[Record], parts: Iterable[Any]) -> str:
    """The parts of a key by their names."""
    told = zip(record.KEY, map(aware, parts), strict=True)
    return ", ".join(f"{name} {one_short_line(str(part))}" for name, part in told)
