"""A warehouse of an older version: what it lacks is made, what it had in another form is converted, nothing is lost."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from collectors.contract.records import Component, Deployment
from config.settings import Settings
from warehouse.building.build import build
from warehouse.loading.store import open_warehouse
from warehouse.metrics.published_facts import open_facts

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
HANDED_OVER = datetime(2026, 6, 1, tzinfo=UTC)


def older(folder: Path) -> Settings:
    """A warehouse as it was before owners were a record of their own and a tag was known by where it stood."""
    settings = Settings(organization="acme", warehouse=folder / "w.duckdb")
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(
            [
                Component(name="app", owner="after", system="shop", repo="acme/app"),
                Deployment(
                    source="tags",
                    id="acme/app@v1",
                    repo="acme/app",
                    ref="v1",
                    sha="abc",
                    status="success",
                    finished_at=NOW,
                ),
            ]
        )
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("drop table owners")
        for column in ("origin", "gone_at", "formerly", "deployments_from"):
            connection.execute(f"alter table components drop column {column}")
        for column in ("unit", "is_prerelease"):
            connection.execute(f"alter table deployments drop column {column}")
        connection.execute(
            "create table former_owners (name varchar, owner varchar, system varchar, until_at timestamp)"
        )
        connection.execute(
            "insert into former_owners values ('app', 'before', 'shop', timestamp '2026-06-01')"
        )
    return settings


def test_owners_tags_and_components_are_carried_over(tmp_path: Path) -> None:
    settings = older(tmp_path)
    build(settings, NOW)
    with open_facts(settings.warehouse) as facts:
        found = facts.connection.execute(
            "select team, from_at, until_at from owners order by from_at nulls first"
        ).fetchall()
    at = HANDED_OVER.replace(tzinfo=None)
    assert found == [("before", None, at), ("after", at, None)]
    with open_warehouse(settings.warehouse) as warehouse:
        assert warehouse.connection.execute("select id from deployments").fetchall() == [("acme/app@v1@abc",)]
        assert warehouse.connection.execute("select origin from components").fetchall() == [("",)]
        tables = {
            name
            for (name,) in warehouse.connection.execute("select table_name from duckdb_tables()").fetchall()
        }
    assert "former_owners" not in tables


def test_the_first_file_that_tells_of_a_component_takes_over_what_an_older_version_knew(
    tmp_path: Path,
) -> None:
    settings = older(tmp_path)
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(
            [Component(name="app", owner="after", system="shop", repo="acme/app", origin="a.yaml")]
        )
    build(settings, NOW)
    with open_warehouse(settings.warehouse) as warehouse:
        assert warehouse.connection.execute("select origin from components").fetchall() == [("a.yaml",)]
    with open_facts(settings.warehouse) as facts:
        assert facts.connection.execute(
            "select team from owners order by from_at nulls first"
        ).fetchall() == [
            ("before",),
            ("after",),
        ]
