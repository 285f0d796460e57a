"""Runs the steps of a build on an Apache Spark cluster, one after another, as one machine does.

What is told lies in the warehouse of the machine that builds. Each table goes to the shared folder as Parquet when a
model asks for it first; what a model makes comes back as Parquet, which the steps in Python, the next models and the
publishing read from there. So a worker that dies takes nothing with it that was finished.
"""

import re
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from warehouse.building import lineage
from warehouse.building.ancestry.repository import TRACED
from warehouse.building.spark.on_workers import WALKED, WHOLE, column_of, walking
from warehouse.building.steps import Step, as_stored, is_fact, model
from warehouse.storage.on_disk import quoted_path

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TABLES = """
select if(t.table_schema = 'main', '', t.table_schema || '.') || t.table_name
from information_schema.tables as t
where t.table_catalog = current_database() and t.table_schema in ('main', 'source')
"""
# a view has no schema in front of its name
_IN_SOURCE = re.compile(r"\bsource\.(?=\w)")
_TYPES = {
    pa.string(): "string",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp_ntz",
}
# what a worker needs to walk a repository: a deployment may be told of another one than it is of, and tags are
# deployments, too
TO_WALK = {
    "candidates": "select c.repo as of_repo, c.* from candidates as c",
    "source.commits": "select c.repo as of_repo, c.* from source.commits as c"
    " semi join candidates as d on d.repo = c.repo",
    "source.pull_requests": "select p.repo as of_repo, p.* from source.pull_requests as p"
    " semi join candidates as d on d.repo = p.repo",
    "source.deployments": "select k.repo as of_repo, d.* from source.deployments as d inner join"
    " (select c.repo, c.source, c.id from candidates as c"
    " union select t.repo, t.source, t.id from source.deployments as t where t.source in ('releases', 'tags'))"
    " as k on k.source = d.source and k.id = d.id",
}


class SparkEngine:
    """Runs steps in `spark`, whose workers see `folder`; `connection` has the tables that they begin with and make.

    Facts go into its database `facts`.
    """

    def __init__(
        self, spark: "SparkSession", connection: duckdb.DuckDBPyConnection, facts: str, folder: Path
    ) -> None:
        self._spark, self._connection, self._facts, self._folder = spark, connection, facts, folder
        self._known: dict[str, Path] = {}

    def __call__(self, step: Step) -> None:
        """Runs a step: a model and the walk on the cluster, another step in Python here."""
        if step is lineage.trace:
            self._walk()
        elif callable(step):
            step(self._connection)
        else:
            self._keep(step, self._asked(model(step)))

    def _asked(self, sql: str) -> "DataFrame":
        self._hand_over(sql)
        return self._spark.sql(_IN_SOURCE.sub("source_", sql))

    def _hand_over(self, sql: str) -> None:
        """Makes the tables known to the cluster that `sql` names and that were made here."""
        for (table,) in self._connection.execute(_TABLES).fetchall():
            if table not in self._known and re.search(rf"(?<![\w.]){re.escape(table)}\b", sql):
                path = self._folder / f"{table}.parquet"
                self._connection.execute(f"copy (from {table}) to '{quoted_path(path)}' (format parquet)")
                schema = self._connection.sql(f"from {table} limit 0").to_arrow_table().schema
                columns = ", ".join(f"`{field.name}` {_type(field.type)}" for field in schema)
                self._name(table, path, self._spark.read.schema(columns).parquet(_address(path)))

    def _name(self, table: str, path: Path, frame: "DataFrame") -> None:
        frame.createOrReplaceTempView(column_of(table))
        self._known[table] = path

    def _keep(self, table: str, frame: "DataFrame") -> None:
        """Runs what makes a table; it is there for both from now on."""
        path = self._folder / table
        frame.write.parquet(_address(path))
        self._name(table, path, self._spark.read.schema(frame.schema).parquet(_address(path)))
        rows = f"from read_parquet('{quoted_path(path / '*.parquet')}')"
        if is_fact(table):
            self._connection.execute(f"create table {self._facts}.main.{table} as {as_stored(table, rows)}")
        else:
            self._connection.execute(f"create view {table} as {rows}")

    def _walk(self) -> None:
        """Makes the tables of TRACED: each worker walks whole repositories, as one machine walks all of them."""
        rows = reduce(
            lambda one, other: one.unionByName(other, allowMissingColumns=True), map(self._to_walk, WALKED)
        )
        self._hand_over(" ".join(WHOLE))
        whole = {name: self._files(name) for name in WHOLE}
        columns = ", ".join(f"{name} {_type(pa.struct(schema))}" for name, schema in TRACED.items())
        traced = rows.repartition("of_repo").mapInArrow(walking(whole), columns)
        path = self._folder / "traced"
        traced.write.parquet(_address(path))
        files = quoted_path(path / "*.parquet")
        # tables here, since a step after it may add to them; they are handed over when a model asks for them
        for name in TRACED:
            self._connection.execute(
                f"create table {name} as select {name}.* from read_parquet('{files}') where {name} is not null"
            )

    def _to_walk(self, table: str) -> "DataFrame":
        """The rows of a table that a walk needs, as one column beside their repository."""
        rows = self._asked(TO_WALK[table])
        columns = ", ".join(f"`{name}`" for name in rows.columns[1:])
        return rows.selectExpr("of_repo", f"struct({columns}) as {column_of(table)}")

    def _files(self, table: str) -> Path:
        path = self._known[table]
        return path / "*.parquet" if path.is_dir() else path


def _address(path: Path) -> str:
    """A path for Spark, whose own file system may be another one."""
    return f"file://{path}"


def _type(arrow: pa.DataType) -> str:
    """The type of Spark of an Arrow type that tables of a build have."""
    if pa.types.is_list(arrow):
        return f"array<{_type(arrow.value_type)}>"
    if pa.types.is_map(arrow):
        return f"map<{_type(arrow.key_type)}, {_type(arrow.item_type)}>"
    if pa.types.is_struct(arrow):
        return f"struct<{', '.join(f'`{part.name}`: {_type(part.type)}' for part in arrow)}>"
    return _TYPES[arrow]
