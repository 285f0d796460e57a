"""The Arrow types of a record's columns, taken from the record classes: there is no second schema to keep."""

import types
import typing
from datetime import datetime
from functools import cache
from typing import Any

import pyarrow as pa
from pydantic import AwareDatetime, BaseModel

from collectors.contract.fields import Record

_SCALARS: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us"),
    AwareDatetime: pa.timestamp("us"),
}


def arrow_type(annotation: Any) -> pa.DataType:
    """The Arrow type of a field's annotation; an instant is UTC without a zone, in microseconds."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return arrow_type(next(a for a in arguments if a is not type(None)))
    if origin is typing.Annotated:
        return arrow_type(arguments[0])
    if origin is typing.Literal:
        return pa.string()
    if origin is tuple:
        return pa.list_(arrow_type(arguments[0]))
    if origin is dict:
        return pa.map_(pa.string(), pa.string())
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return pa.struct(list(arrow_fields(annotation)))
    raise TypeError(f"no column type for {annotation}")


def arrow_fields(model: type[BaseModel]) -> list[pa.Field]:
    """The Arrow fields of a record or of a struct in one, in its order."""
    return [pa.field(name, arrow_type(field.annotation)) for name, field in model.model_fields.items()]


@cache
def arrow_schema(record: type[Record]) -> pa.Schema:
    """The Arrow schema of a record's table; instants are naive UTC in microseconds."""
    return pa.schema(arrow_fields(record))
