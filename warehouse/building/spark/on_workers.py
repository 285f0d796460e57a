"""What a worker of the cluster does in Python: looks whether it can take part, and walks repositories."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.building.ancestry.repository import TRACED
from warehouse.building.lineage import trace
from warehouse.metrics.definitions import definitions
from warehouse.storage.arrow_tables import create_table
from warehouse.storage.on_disk import quoted_path

# a row is of one of these tables; the two behind them are small, and each worker has the whole of them
WALKED = ("candidates", "source.commits", "source.deployments", "source.pull_requests")
WHOLE = ("catalogue", "gaps")
LOOKED = pa.schema([("is_shared", pa.bool_()), ("definitions", pa.string())])
# a worker walks on as many processors as it has tasks, each of which has its own of these
_HELD: dict[str, str | bool | int | float | list[str]] = {"threads": 1, "memory_limit": "1GiB"}
_ROWS_AT_ONCE = 10_000
_Batches = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def column_of(table: str) -> str:
    """The column of rows that are of several tables that has those of `table`, null in all others."""
    return table.replace(".", "_")


def looking(token: Path) -> _Batches:
    """Whether a worker sees the file `token`, and by which definitions it would build."""

    def looked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.record_batch([[token.is_file()], [definitions()]], schema=LOOKED)

    return looked


def walking(whole: dict[str, Path]) -> _Batches:
    """Rows of WALKED, all those of a repository among them, into rows of TRACED; `whole`: the files of WHOLE."""

    def walked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with duckdb.connect(config=_HELD) as connection:
            if not _received(connection, batches):
                return
            for name, path in whole.items():
                connection.execute(f"create view {name} as from read_parquet('{quoted_path(path)}')")
            trace(connection)
            for name in TRACED:
                reader = connection.sql(f"from {name}").to_arrow_reader(_ROWS_AT_ONCE)
                for rows in reader:
                    yield _among_others(name, rows)

    return walked


def _received(connection: duckdb.DuckDBPyConnection, batches: Iterable[pa.RecordBatch]) -> bool:
    """Makes the tables of WALKED; whether there is anything to walk."""
    connection.execute("create schema source")
    is_first = True
    for batch in batches:
        for table in WALKED:
            column = batch.column(column_of(table))
            rows = pa.Table.from_struct_array(column.filter(pc.is_valid(column)))
            if is_first:
                create_table(connection, table, rows)
            elif rows.num_rows:
                connection.register("content", rows)
                connection.execute(f"insert into {table} from content")
                connection.unregister("content")
        is_first = False
    return not is_first


def _among_others(name: str, rows: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        pa.StructArray.from_arrays(rows.columns, fields=list(schema))
        if table == name
        else pa.nulls(rows.num_rows, pa.struct(schema))
        for table, schema in TRACED.items()
    ]
    return pa.record_batch(columns, names=list(TRACED))
