"""Records of any kind from CSV, JSONL and Parquet files, for `sixkeys import`.

Strict, since a person waits for the answer: the first mistake ends the reading with where it is and what works.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from collectors.contract.records import RECORDS, Record
from collectors.files.columns import RecordColumn, Unfit, columns_of
from collectors.files.csv_table import read_table, text_in
from collectors.transport.json_values import read_json
from config.errors import DataError
from config.text.quoting import one_short_line

# (the line or row at which it stands, its values that are not missing)
Rows = Iterator[tuple[int, dict[str, Any]]]
PARQUET = ".parquet"
RecordColumns = dict[str, RecordColumn]
_ROWS_AT_ONCE = 10_000
_BYTES_AT_ONCE = 1 << 20


def read_records(kind: str, path: Path) -> Iterator[Record]:
    """The records of `kind` in the file at `path`, in its order, one by one as they are read.

    Column names are the record's; a CSV cell holds lists and structs as JSON, and an empty one is missing.
    Raises DataError with file, row, column, what is wrong and what works.
    """
    record = record_class(kind, path)
    for number, row in read_rows(record, path):
        yield record_from(record, row, place(path, number))


def record_class(kind: str, path: Path) -> type[Record]:
    """The class of the records of `kind` in the file at `path`; raises DataError where no such file can be read."""
    if kind not in RECORDS:
        near = difflib.get_close_matches(kind, RECORDS, n=1, cutoff=0.4)
        hint = f'did you mean "{near[0]}"?' if near else f"it is one of {', '.join(RECORDS)}"
        raise DataError(f'"{kind}" is not a kind of record; {hint}')
    if path.suffix.lower() not in _READERS:
        raise DataError(f"{path}: a file to import ends in {', '.join(_READERS)}; rename or convert it")
    return RECORDS[kind]


def place(path: Path, number: int) -> str:
    """Where in a file the line or row of a number stands."""
    return f"{path}: row {number}" if path.suffix.lower() == PARQUET else f"{path}:{number}"


def read_rows(record: type[Record], path: Path) -> Rows:
    """The rows of a file as it tells them, none of them judged yet."""
    with told_if_unreadable(path):
        yield from _READERS[path.suffix.lower()](path, columns_of(record))


@contextmanager
def told_if_unreadable(path: Path) -> Iterator[None]:
    """Tells in a DataError why a file cannot be read."""
    try:
        yield
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except pa.ArrowException as error:
        raise DataError(f"{path}: is not a Parquet file: {str(error).splitlines()[0]}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}; check the path") from None


def _csv(path: Path, columns: RecordColumns) -> Rows:
    table = read_table(text_in(path), str(path), columns)
    _check(table.columns, columns, f"{path}:{table.header_line}")
    nested = {name for name in table.columns if columns[name].shape.is_nested}
    for line, cells in table.rows:
        if len(cells) != len(table.columns):
            raise DataError(
                f"{path}:{line}: has {len(cells)} cells where the first line names {len(table.columns)}"
            )
        row: dict[str, Any] = {name: cell for name, cell in zip(table.columns, cells, strict=True) if cell}
        for name in nested & row.keys():
            row[name] = _json(row[name], columns[name], f"{path}:{line}")
        yield line, row


def _json(cell: str, column: RecordColumn, where: str) -> Any:
    try:
        return read_json(cell)
    except ValueError:
        raise DataError(_told(where, column, Unfit(cell, "JSON"))) from None


def _jsonl(path: Path, columns: RecordColumns) -> Rows:
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for number, line in enumerate(file, 1):
            where = f"{path}:{number}"
            if line.isspace():
                continue
            try:
                row = read_json(line)
            except ValueError as error:
                raise DataError(f"{where}: is not JSON: {error}; a line holds one record") from None
            if not isinstance(row, dict):
                raise DataError(
                    f'{where}: is no JSON object; write a line like {{"{next(iter(columns))}": …}}'
                )
            _check_known(row, columns, where)
            yield number, {name: value for name, value in row.items() if value is not None}


def _parquet(path: Path, columns: RecordColumns) -> Rows:
    first = 1
    for batch in parquet_batches(path, columns):
        numbers = range(first, first + batch.num_rows)
        yield from zip(numbers, plain_rows(batch, columns, path, numbers), strict=True)
        first += batch.num_rows


def parquet_batches(path: Path, columns: RecordColumns) -> Iterator[pa.RecordBatch]:
    """What stands in a Parquet file with some of `columns`, of which no more than a part is held at a time."""
    with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BYTES_AT_ONCE) as file:
        _check(file.schema_arrow.names, columns, str(path))
        yield from file.iter_batches(_ROWS_AT_ONCE)


def plain_rows(
    batch: pa.RecordBatch, columns: RecordColumns, path: Path, numbers: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """The rows as Python has them, which knows fewer years than Parquet; `numbers` are theirs in the file."""
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError):
        rows = (_plain_row(batch, row, columns, place(path, number)) for row, number in enumerate(numbers))
    for row in rows:
        # NaN is what pandas writes for a missing number; it is not equal to itself
        yield {name: value for name, value in row.items() if value is not None and value == value}


def _plain_row(batch: pa.RecordBatch, row: int, columns: RecordColumns, where: str) -> dict[str, Any]:
    plain = {}
    for name in batch.schema.names:
        try:
            plain[name] = batch.column(name)[row].as_py()
        except (ValueError, OverflowError) as error:
            raise DataError(
                f"{where}: {name}: cannot be read: {one_short_line(error)};"
                f" write it like {columns[name].shape.shown_example}"
            ) from None
    return plain


_READERS: dict[str, Callable[[Path, RecordColumns], Rows]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    PARQUET: _parquet,
}


def _check(header: list[str], columns: RecordColumns, where: str) -> None:
    """Raises DataError where the columns in `header` are not those of the record."""
    _check_known(header, columns, where)
    for name in header:
        if header.count(name) > 1:
            raise DataError(f'{where}: the column "{name}" comes twice; remove one')
    for column in columns.values():
        if column.required and column.name not in header:
            found = f"beside {', '.join(header)}" if header else "in a first line that names the columns"
            raise DataError(f'{where}: the column "{column.name}" is missing; add it {found}')


def _check_known(names: Iterable[str], columns: RecordColumns, where: str) -> None:
    for name in names:
        if name not in columns:
            near = difflib.get_close_matches(name, columns, n=1, cutoff=0.4)
            hint = f'did you mean "{near[0]}"?' if near else f"the columns are {', '.join(columns)}"
            raise DataError(f'{where}: unknown column "{name}"; {hint}')


def record_from(record: type[Record], row: dict[str, Any], where: str) -> Record:
    """The record of a row that stands at `where`; raises DataError with what is wrong and what works."""
    columns = columns_of(record)
    for name, value in row.items():
        clean = columns[name].shape.clean
        if clean:
            try:
                row[name] = clean(value)
            except Unfit as unfit:
                raise DataError(_told(where, columns[name], unfit)) from None
    try:
        return record.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
    name, *path = (str(part) for part in first["loc"])
    column = columns[name]
    inside = tuple(path)
    if first["type"] in ("missing", "string_too_short"):
        part = ".".join((name, *inside))
        raise DataError(f"{where}: {part}: is missing; write it like {column.shape.shown_example}")
    if first["type"] == "extra_forbidden":
        raise DataError(
            f'{where}: {name}: holds an unknown "{inside[-1]}"; write it like {column.shape.shown_example}'
        )
    if first["type"] == "value_error":
        wrong = first["msg"].removeprefix("Value error, ")
        raise DataError(f"{where}: {'.'.join((name, *inside))}: {wrong}")
    what = (
        column.shape.what
        if not inside
        else first["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    )
    raise DataError(_told(where, column, Unfit(first["input"], what, inside)))


def _told(where: str, column: RecordColumn, unfit: Unfit) -> str:
    return f"{where}: {'.'.join((column.name, *unfit.path))}: {unfit}; write it like {column.shape.shown_example}"
