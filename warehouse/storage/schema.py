"""The source tables' columns, taken from the record classes: there is no second schema to keep."""

import types
import typing
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

import pyarrow as pa
from pydantic import AwareDatetime, BaseModel

from collectors.contract.records import Record

_SCALARS: dict[Any, tuple[str, pa.DataType]] = {
    str: ("varchar", pa.string()),
    int: ("bigint", pa.int64()),
    float: ("double", pa.float64()),
    bool: ("boolean", pa.bool_()),
    datetime: ("timestamp", pa.timestamp("us")),
    AwareDatetime: ("timestamp", pa.timestamp("us")),
}


def _column(annotation: Any) -> tuple[str, pa.DataType]:
    """The DuckDB and Arrow type of a field's annotation."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _column(next(a for a in arguments if a is not type(None)))
    if origin is typing.Annotated:
        return _column(arguments[0])
    if origin is typing.Literal:
        return _SCALARS[str]
    if origin is tuple:
        sql, arrow = _column(arguments[0])
        return f"{sql}[]", pa.list_(arrow)
    if origin is dict:
        return "map(varchar, varchar)", pa.map_(pa.string(), pa.string())
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        parts = {name: _column(field.annotation) for name, field in annotation.model_fields.items()}
        sql = ", ".join(f"{name} {kind}" for name, (kind, _) in parts.items())
        return f"struct({sql})", pa.struct([pa.field(name, arrow) for name, (_, arrow) in parts.items()])
    raise TypeError(f"no column type for {annotation}")


@cache
def columns(record: type[Record]) -> dict[str, str]:
    """DuckDB column types of a record's table by name, in the record's order."""
    return {name: _column(field.annotation)[0] for name, field in record.model_fields.items()}


@cache
def arrow_schema(record: type[Record]) -> pa.Schema:
    """The Arrow schema of a record's table; instants are naive UTC in microseconds."""
    return pa.schema(
        [pa.field(name, _column(field.annotation)[1]) for name, field in record.model_fields.items()]
    )


def arrow_table(records: Iterable[Record]) -> pa.Table:
    """`records`, all of one class, as a table; of two with the same key the last one stands."""
    unique = {tuple(getattr(r, k) for k in r.KEY): r for r in records}
    first = next(iter(unique.values()))
    return pa.Table.from_pylist([r.model_dump() for r in unique.values()], schema=arrow_schema(type(first)))
