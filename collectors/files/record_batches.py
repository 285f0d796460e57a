"""Records of any kind from a file, many at a time as Arrow has them, for `sixkeys import`.

They are those that are read one by one, and so are the mistakes: whatever is in doubt is read that way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collectors.contract.arrow_types import arrow_schema
from collectors.contract.records import Record
from collectors.files.columns import columns_of
from collectors.files.plain_columns import Arrays, plain_columns
from collectors.files.record_files import (
    PARQUET,
    RecordColumns,
    Rows,
    parquet_batches,
    place,
    plain_rows,
    read_rows,
    record_class,
    record_from,
    told_if_unreadable,
)
from config.errors import DataError

# the column with the line or row of each record
PLACE = "place"
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class _Told:
    """Rows of a file: the line or row of each, their columns, and `rows`, which tells some of them one by one."""

    numbers: np.ndarray
    columns: Arrays
    rows: Callable[[np.ndarray], Iterator[dict[str, Any]]]


def read_batches(kind: str, path: Path) -> Iterator[pa.RecordBatch]:
    """The records of `kind` in the file at `path`, in its order: their columns, with `place` before them.

    Raises DataError, as reading them one by one does, once all that stand before the mistake were yielded.
    """
    record = record_class(kind, path)
    parts = _of_parquet if path.suffix.lower() == PARQUET else _of_text
    for told in parts(record, path):
        yield from _judged(told, record, path)


def _of_parquet(record: type[Record], path: Path) -> Iterator[_Told]:
    columns, first = columns_of(record), 1
    with told_if_unreadable(path):
        for batch in parquet_batches(path, columns):
            numbers = np.arange(first, first + batch.num_rows)
            first += batch.num_rows
            sound = dict(zip(batch.schema.names, map(_sound, batch.columns), strict=True))
            yield _Told(numbers, sound, partial(_some_of_parquet, batch, columns, path, numbers))


def _some_of_parquet(
    batch: pa.RecordBatch, columns: RecordColumns, path: Path, numbers: np.ndarray, which: np.ndarray
) -> Iterator[dict[str, Any]]:
    return plain_rows(batch.take(pa.array(which)), columns, path, numbers[which].tolist())


def _sound(column: pa.Array) -> pa.Array:
    """A column of Parquet without NaN, which pandas writes for a missing number, and nothing that is damaged."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return _doubtful(column)
    if pa.types.is_float32(column.type) or pa.types.is_float64(column.type):
        return pc.if_else(pc.is_nan(column), None, column)
    return column


def _of_text(record: type[Record], path: Path) -> Iterator[_Told]:
    for numbered in _together(read_rows(record, path)):
        rows = [row for _, row in numbered]
        names = dict.fromkeys(chain.from_iterable(rows))
        yield _Told(
            np.array([number for number, _ in numbered]),
            {name: _column([row.get(name) for row in rows]) for name in names},
            partial(_some_of_text, rows),
        )


def _some_of_text(rows: list[dict[str, Any]], which: np.ndarray) -> Iterator[dict[str, Any]]:
    return (rows[one] for one in which)


def _together(rows: Rows) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Many rows at a time; before a mistake, what stands before it."""
    mistake = None
    while mistake is None:
        taken: list[tuple[int, dict[str, Any]]] = []
        try:
            taken.extend(islice(rows, _ROWS_AT_ONCE))
        except DataError as error:
            mistake = error
        if taken:
            yield taken
        elif mistake is None:
            return
    raise mistake


def _column(values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return _doubtful(pa.array([None if value is None else True for value in values]))


def _doubtful(column: pa.Array) -> pa.Array:
    """In place of each value one that no field takes as it is."""
    return pc.if_else(pc.is_valid(column), pa.scalar(b""), None)


def _judged(told: _Told, record: type[Record], path: Path) -> Iterator[pa.RecordBatch]:
    columns, sure = plain_columns(record, told.columns, len(told.numbers))
    schema = pa.schema([(PLACE, pa.int64()), *arrow_schema(record)])
    plain = pa.RecordBatch.from_arrays([pa.array(told.numbers), *columns.values()], schema=schema)
    in_doubt = np.flatnonzero(~np.array(sure))
    if not len(in_doubt):
        yield plain
        return
    found: list[dict[str, Any]] = []
    mistake, end = None, len(told.numbers)
    try:
        for number, row in zip(told.numbers[in_doubt].tolist(), told.rows(in_doubt), strict=True):
            found.append({PLACE: number, **record_from(record, row, place(path, number)).model_dump()})
    except DataError as error:
        mistake, end = error, in_doubt[len(found)]
    of_both = [plain.slice(0, end).filter(sure.slice(0, end)), pa.RecordBatch.from_pylist(found, schema)]
    yield from pa.Table.from_batches(of_both).sort_by(PLACE).combine_chunks().to_batches()
    if mistake:
        raise mistake
