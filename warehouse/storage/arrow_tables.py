"""Arrow tables as tables of DuckDB, for the models to join."""

import duckdb
import pyarrow as pa


def create_table(connection: duckdb.DuckDBPyConnection, name: str, content: pa.Table) -> None:
    """Makes the table `name` of the rows of `content`."""
    connection.register("content", content)
    connection.execute(f"create table {name} as from content")
    connection.unregister("content")
