"""What is made of some repositories at a time is what is made of all of them at once."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from collectors.contract.records import Component, Deployment
from tests.conftest import Sample
from warehouse.building import lineage
from warehouse.building.ancestry.repository import TRACED
from warehouse.building.portions import create_in_portions
from warehouse.building.steps import (
    BY_REPOSITORY,
    STEPS_IN_ORDER,
    create_basis,
    create_facts,
    model,
    on_this_machine,
)
from warehouse.building.touched import differing
from warehouse.storage.store import attach, open_warehouse


@pytest.fixture(scope="module")
def stored(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's warehouse with a service that has no repository."""
    path = tmp_path_factory.mktemp("portions") / "warehouse.duckdb"
    shutil.copy(sample.settings.warehouse, path)
    with open_warehouse(path) as warehouse, warehouse.transaction():
        at = sample.organisation.now - timedelta(days=1)
        warehouse.upsert(
            [
                Component(name="alone", owner="payments"),
                Deployment(
                    source="jenkins",
                    id="1",
                    service="alone",
                    environment="production",
                    status="success",
                    finished_at=at,
                ),
            ]
        )
    return path


@pytest.fixture(scope="module")
def built(sample: Sample, stored: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        attach(connection, stored)
        with on_this_machine(connection) as run:
            create_facts(connection, sample.settings, sample.organisation.now, run)
        yield connection


@pytest.mark.parametrize("name", sorted(BY_REPOSITORY))
def test_a_repository_at_a_time_is_all_at_once(built: duckdb.DuckDBPyConnection, name: str) -> None:
    ((repositories, rows),) = built.execute(
        f"select (select count(distinct c.repo) from source.commits as c), count(*) from {name}"
    ).fetchall()
    assert repositories > 5
    assert rows > 0
    create_in_portions(built, f"memory.main.again_{name}", model(name), of_a_gib=1)
    assert built.execute(differing("true", name, f"again_{name}")).fetchall() == []


def test_a_repository_traced_at_a_time_is_all_at_once(
    sample: Sample, stored: Path, built: duckdb.DuckDBPyConnection
) -> None:
    with duckdb.connect() as connection:
        attach(connection, stored)
        with on_this_machine(connection) as run:
            create_basis(connection, sample.settings, sample.organisation.now, run)
            for step in STEPS_IN_ORDER[: STEPS_IN_ORDER.index(lineage.trace)]:
                run(step)
        lineage.trace(connection, of_a_gib=1)
        for name in set(TRACED) - {"ancestry"}:  # to which a later step adds
            rows, at_once = (
                sorted(of.sql(f"from {name}").fetchall(), key=repr) for of in (connection, built)
            )
            assert rows == at_once
            assert rows or name not in ("traces", "shipped", "landings")
