"""What a worker of a cluster does in Python, without a cluster."""

from pathlib import Path
from typing import Any
from zlib import crc32

import duckdb
import pyarrow as pa
import pytest

from tests.conftest import Sample
from warehouse.building import lineage
from warehouse.building.ancestry.repository import TRACED
from warehouse.building.spark.engine import TO_WALK
from warehouse.building.spark.on_workers import WALKED, WHOLE, column_of, looking, walking
from warehouse.building.steps import STEPS_IN_ORDER, create_candidates, on_this_machine
from warehouse.metrics.definitions import definitions
from warehouse.storage.store import attach

WORKERS = 3
Rows = dict[str, list[tuple[Any, ...]]]


def in_order(rows: pa.Table) -> list[tuple[Any, ...]]:
    return sorted((tuple(row.values()) for row in rows.to_pylist()), key=repr)


def batches_of(connection: duckdb.DuckDBPyConnection, worker: int) -> list[pa.RecordBatch]:
    """The rows of the repositories that a worker has, each of one table, as a cluster hands them over."""
    found: list[pa.Table] = []
    for table in WALKED:
        rows = connection.sql(TO_WALK[table]).to_arrow_table()
        is_own = pa.array(
            [crc32(str(repo).encode()) % WORKERS == worker for repo in rows["of_repo"].to_pylist()]
        )
        own = rows.filter(is_own).drop_columns("of_repo").to_struct_array().combine_chunks()
        found.append(pa.table({column_of(table): own}))
    whole = pa.concat_tables(found, promote_options="default")
    return whole.to_batches(max_chunksize=500)


@pytest.fixture(scope="module")
def walked(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, Rows]:
    """The rows of TRACED, of one machine and of workers that have some of the repositories each."""
    folder = tmp_path_factory.mktemp("shared")
    with duckdb.connect() as connection:
        attach(connection, sample.settings.warehouse)
        create_candidates(connection, sample.settings, sample.organisation.now)
        with on_this_machine(connection) as run:
            first = STEPS_IN_ORDER.index("candidates") + 1
            for step in STEPS_IN_ORDER[first : STEPS_IN_ORDER.index(lineage.trace) + 1]:
                run(step)
        here = {name: in_order(connection.sql(f"from {name}").to_arrow_table()) for name in TRACED}
        for name in WHOLE:
            connection.execute(f"copy {name} to '{folder / name}' (format parquet)")
        walk = walking({name: folder / name for name in WHOLE})
        parts = [batch for worker in range(WORKERS) for batch in walk(batches_of(connection, worker))]
    there = pa.Table.from_batches(parts)
    return here, {
        name: in_order(
            pa.Table.from_struct_array(there[name].combine_chunks().filter(there[name].is_valid()))
        )
        for name in TRACED
    }


@pytest.mark.parametrize("table", TRACED)
def test_workers_that_walk_some_repositories_each_find_what_one_machine_finds(
    walked: tuple[Rows, Rows], table: str
) -> None:
    here, there = walked
    assert here[table] or table == "same_changes"  # nobody there copies a commit
    assert there[table] == here[table]


def test_a_worker_without_rows_walks_nothing() -> None:
    assert list(walking({})([])) == []


def test_a_worker_says_whether_it_sees_the_folder_and_by_what_it_builds(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    batch = pa.record_batch({"id": [1]})
    for name, is_seen in (("there", True), ("elsewhere", False)):
        (told,) = looking(tmp_path / name)([batch])
        assert told.to_pylist() == [{"is_shared": is_seen, "definitions": definitions()}]
