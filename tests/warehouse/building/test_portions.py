"""What a model makes of some repositories at a time is what it makes of all of them at once."""

from collections.abc import Iterator

import duckdb
import pytest

from tests.conftest import Sample
from warehouse.building.portions import create_in_portions
from warehouse.building.steps import BY_REPOSITORY, create_facts, model, on_this_machine
from warehouse.building.touched import differing
from warehouse.storage.store import attach


@pytest.fixture(scope="module")
def built(sample: Sample) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        attach(connection, sample.settings.warehouse)
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
