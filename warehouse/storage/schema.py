"""The source tables' columns, taken from the record classes: there is no second schema to keep."""

from collections.abc import Iterable
from functools import cache

import pyarrow as pa

from collectors.contract.arrow_types import arrow_schema
from collectors.contract.records import Record

_SQL_TYPES = {
    pa.string(): "varchar",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.timestamp("us"): "timestamp",
}


def _sql_type(arrow: pa.DataType) -> str:
    """The DuckDB type of an Arrow type that records have."""
    if pa.types.is_list(arrow):
        return f"{_sql_type(arrow.value_type)}[]"
    if pa.types.is_map(arrow):
        return f"map({_sql_type(arrow.key_type)}, {_sql_type(arrow.item_type)})"
    if pa.types.is_struct(arrow):
        return f"struct({', '.join(f'{part.name} {_sql_type(part.type)}' for part in arrow)})"
    return _SQL_TYPES[arrow]


@cache
def columns(record: type[Record]) -> dict[str, str]:
    """DuckDB column types of a record's table by name, in the record's order."""
    return {field.name: _sql_type(field.type) for field in arrow_schema(record)}


def arrow_table(records: Iterable[Record]) -> pa.Table:
    """`records`, all of one class, as a table; of two with the same key the last one stands."""
    unique = {tuple(getattr(r, k) for k in r.KEY): r for r in records}
    first = next(iter(unique.values()))
    return pa.Table.from_pylist([r.model_dump() for r in unique.values()], schema=arrow_schema(type(first)))
