"""Holds two published facts files equal: every table that readers get row for row, numbers to 1e-9."""

import math
from pathlib import Path
from typing import Any

import duckdb

_NEAR = 1e-9


def different_facts(one: Path, other: Path) -> list[str]:
    """What differs, table by table: types of columns, numbers of rows, and the first row of each."""
    found: list[str] = []
    with duckdb.connect() as connection:
        for name, path in (("one", one), ("other", other)):
            connection.execute(f"attach '{path}' as {name} (read_only)")
        tables = [_names(connection, name) for name in ("one", "other")]
        if tables[0] != tables[1]:
            return [f"tables {set(tables[0]) ^ set(tables[1])}"]
        for table in tables[0]:
            of_each = [_columns(connection, f"{name}.{table}") for name in ("one", "other")]
            if of_each[0] != of_each[1]:
                found.append(f"{table}: columns {sorted(of_each[0].items() ^ of_each[1].items())}")
                continue
            rows = [_rows(connection, f"{name}.{table}", of_each[0]) for name in ("one", "other")]
            if len(rows[0]) != len(rows[1]):
                found.append(f"{table}: {len(rows[0])} and {len(rows[1])} rows")
            apart = [pair for pair in zip(*rows, strict=False) if not _is_same(*pair)]
            if apart:
                found.append(f"{table}: {len(apart)} rows, such as {apart[0][0]} and {apart[0][1]}")
    return found


def _names(connection: duckdb.DuckDBPyConnection, database: str) -> list[str]:
    sql = "select table_name from duckdb_tables() where database_name = ? and schema_name = 'main' order by 1"
    return [name for (name,) in connection.execute(sql, [database]).fetchall()]


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in connection.execute(f"describe {table}").fetchall()}


def _rows(
    connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str]
) -> list[tuple[Any, ...]]:
    # by what is exact first, so that a number that is a little off moves no row
    order = sorted(columns, key=lambda name: (columns[name] == "DOUBLE", name))
    named = ", ".join(f'"{name}"' for name in order)
    return connection.execute(f"select {named} from {table} order by {named}").fetchall()


def _is_same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return all(
        math.isclose(a, b, rel_tol=_NEAR, abs_tol=_NEAR)
        if isinstance(a, float) and isinstance(b, float)
        else a == b
        for a, b in zip(one, other, strict=True)
    )
