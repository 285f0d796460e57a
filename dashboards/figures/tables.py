"""Rows as CSV and values as JSON, for files, programs and spreadsheets."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from config.text.legible import legible_json
from warehouse.rows.spreadsheets import BYTE_ORDER_MARK, defused


def as_json(content: Any) -> str:
    """`content` as indented JSON, dates and instants as ISO 8601."""
    return legible_json(json.dumps(content, indent=2, ensure_ascii=False, default=_jsonable))


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z" if value.tzinfo is None else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def write_data(stream: Any, format: str, content: Any) -> None:
    """`content` as JSON, or its rows as CSV, on `stream`."""
    if format == "json":
        stream.write(as_json(content) + "\n")
    else:
        write_csv(stream, content)


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """`rows` as CSV with a heading; lists and structs as JSON, and no cell that a spreadsheet would execute.

    It begins with the byte order mark by which Excel knows UTF-8.
    """
    out = io.StringIO()
    write_csv(out, rows)
    return out.getvalue()


def as_rows_of(found: Iterable[Any]) -> list[dict[str, Any]]:
    """Dataclasses as rows of a CSV, a column for each field."""
    return [asdict(one) for one in found]


def write_csv(stream: Any, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes `as_csv` of the rows to `stream` as they come; a stream of bytes is written in UTF-8, whatever it was."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8")
    writer = None
    for row in rows:
        if writer is None:
            stream.write(BYTE_ORDER_MARK)
            writer = csv.DictWriter(stream, fieldnames=list(row), lineterminator="\n")
            writer.writerow({column: defused(column) for column in row})
        writer.writerow({column: _csv_cell(value) for column, value in row.items()})


def _csv_cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False, default=_jsonable)
    elif isinstance(value, date | timedelta):
        value = _jsonable(value)
    return defused(value)
