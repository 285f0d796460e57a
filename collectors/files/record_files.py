"""Records of any kind from CSV, JSONL and Parquet files, for `sixkeys import`.

Strict, since a person waits for the answer: the first mistake ends the reading with where it is and what works.
"""

import difflib
import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from collectors.contract.records import RECORDS, Record
from collectors.files.columns import RecordColumn, Unfit, columns_of
from collectors.files.csv_table import read_table
from collectors.transport.json_values import read_json
from config.errors import DataError
from config.text.quoting import one_short_line

Columns = dict[str, RecordColumn]
# (where it stands, its values that are not missing)
_Rows = Iterator[tuple[str, dict[str, Any]]]
_ROWS_AT_ONCE = 10_000


def read_records(kind: str, path: Path) -> Iterator[Record]:
    """The records of `kind` in the file at `path`, in its order, one by one as they are read.

    Column names are the record's; a CSV cell holds lists and structs as JSON, and an empty one is missing.
    Raises DataError with file, row, column, what is wrong and what works.
    """
    return (record for _, record in read_rows(kind, path))


def read_rows(kind: str, path: Path) -> Iterator[tuple[str, Record]]:
    """As `read_records`, each with where it stands: the file and the line or row."""
    if kind not in RECORDS:
        near = difflib.get_close_matches(kind, RECORDS, n=1, cutoff=0.4)
        hint = f'did you mean "{near[0]}"?' if near else f"it is one of {', '.join(RECORDS)}"
        raise DataError(f'"{kind}" is not a kind of record; {hint}')
    rows = _READERS.get(path.suffix.lower())
    if rows is None:
        raise DataError(f"{path}: a file to import ends in {', '.join(_READERS)}; rename or convert it")
    record = RECORDS[kind]
    columns = columns_of(record)
    try:
        for where, row in rows(path, columns):
            yield where, _record(record, columns, row, where)
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except pa.ArrowException as error:
        raise DataError(f"{path}: is not a Parquet file: {str(error).splitlines()[0]}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}; check the path") from None


def _csv(path: Path, columns: Columns) -> _Rows:
    table = read_table(path.read_bytes(), str(path), columns)
    _check(table.columns, columns, f"{path}:{table.header_line}")
    nested = {name for name in table.columns if columns[name].shape.is_nested}
    for line, cells in table.rows:
        where = f"{path}:{line}"
        if len(cells) != len(table.columns):
            raise DataError(
                f"{where}: has {len(cells)} cells where the first line names {len(table.columns)}"
            )
        row = {name: cell for name, cell in zip(table.columns, cells, strict=True) if cell}
        for name in nested & row.keys():
            row[name] = _json(row[name], columns[name], where)
        yield where, row


def _json(cell: str, column: RecordColumn, where: str) -> Any:
    try:
        return read_json(cell)
    except ValueError:
        raise DataError(_told(where, column, Unfit(cell, "JSON"))) from None


def _jsonl(path: Path, columns: Columns) -> _Rows:
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
            yield where, {name: value for name, value in row.items() if value is not None}


def _parquet(path: Path, columns: Columns) -> _Rows:
    with pq.ParquetFile(path) as file:
        header = file.schema_arrow.names
        _check(header, columns, str(path))
        number = 0
        for batch in file.iter_batches(_ROWS_AT_ONCE):
            for row in _plain(batch, columns, f"{path}: row", number + 1):
                number += 1
                # NaN is what pandas writes for a missing number; it is not equal to itself
                yield f"{path}: row {number}", {n: v for n, v in row.items() if v is not None and v == v}


def _plain(batch: pa.RecordBatch, columns: Columns, where: str, first: int) -> list[dict[str, Any]]:
    """The rows as Python has them, which knows fewer years than Parquet; the first is row `first` of `where`."""
    try:
        return batch.to_pylist()
    except (ValueError, OverflowError):
        for number, name in itertools.product(range(batch.num_rows), batch.schema.names):
            try:
                batch.column(name)[number].as_py()
            except (ValueError, OverflowError) as error:
                raise DataError(
                    f"{where} {first + number}: {name}: cannot be read: {one_short_line(error)};"
                    f" write it like {columns[name].shape.shown_example}"
                ) from None
        raise


_READERS: dict[str, Callable[[Path, Columns], _Rows]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".parquet": _parquet,
}


def _check(header: list[str], columns: Columns, where: str) -> None:
    """Raises DataError where the columns in `header` are not those of the record."""
    _check_known(header, columns, where)
    for name in header:
        if header.count(name) > 1:
            raise DataError(f'{where}: the column "{name}" comes twice; remove one')
    for column in columns.values():
        if column.required and column.name not in header:
            found = f"beside {', '.join(header)}" if header else "in a first line that names the columns"
            raise DataError(f'{where}: the column "{column.name}" is missing; add it {found}')


def _check_known(names: Iterable[str], columns: Columns, where: str) -> None:
    for name in names:
        if name not in columns:
            near = difflib.get_close_matches(name, columns, n=1, cutoff=0.4)
            hint = f'did you mean "{near[0]}"?' if near else f"the columns are {', '.join(columns)}"
            raise DataError(f'{where}: unknown column "{name}"; {hint}')


def _record(record: type[Record], columns: Columns, row: dict[str, Any], where: str) -> Record:
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
