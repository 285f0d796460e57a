"""A warehouse of an older version: what it lacks is made, what it had in another form is converted, nothing is lost."""

import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from collectors.contract.records import Component, Deployment, Response
from config.settings import Settings
from tests.support.places import LONG, ROOT
from warehouse.building.build import build
from warehouse.metrics.published_facts import open_facts
from warehouse.storage.migration import VERSION
from warehouse.storage.store import WarehouseError, open_warehouse

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
        connection.execute("update about set version = 1")
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


def test_what_cannot_be_brought_over_is_left_as_it_is_and_told(tmp_path: Path) -> None:
    path = older(tmp_path).warehouse
    with duckdb.connect(str(path)) as connection:
        connection.execute("alter table former_owners rename until_at to until")
        connection.execute("checkpoint")
    before = path.read_bytes()
    told = r"cannot be brought from version 1 of its form to \d+ \(owners as a record of their own: .*left as it is"
    for _ in range(2):
        with pytest.raises(WarehouseError, match=told), open_warehouse(path):
            pass
        assert path.read_bytes() == before
    with duckdb.connect(str(path)) as connection:
        connection.execute("alter table former_owners rename until to until_at")
    build(Settings(organization="acme", warehouse=path), NOW)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("commits.subject", "bigint"),
        ("runs.items", "varchar"),
        ("pull_requests.commits", "varchar[]"),
        ("commits.authored_at", "timestamp with time zone"),
    ],
)
def test_a_column_of_another_type_is_refused_before_anything_is_touched(
    tmp_path: Path, column: str, kind: str
) -> None:
    path, (table, name) = tmp_path / "w.duckdb", column.split(".")
    with open_warehouse(path) as warehouse:
        warehouse.connection.execute("update about set version = 2")
        warehouse.connection.execute(f"alter table {table} alter {name} set data type {kind}")
        warehouse.connection.execute("drop table links")
        warehouse.connection.execute("checkpoint")
    before = path.read_bytes()
    with (
        pytest.raises(WarehouseError, match=rf"{column} is {re.escape(kind)} and has to be"),
        open_warehouse(path),
    ):
        pass
    assert path.read_bytes() == before


def test_the_organisation_s_scorecards_are_kept_under_no_name_and_the_first_of_a_week_stands(
    tmp_path: Path,
) -> None:
    path = tmp_path / "w.duckdb"
    rows = [("acme", 45, 1), ("acme", 46, 2), ("", 46, 3), ("", 47, 4)]
    with open_warehouse(path) as warehouse:
        warehouse.connection.execute("update about set version = 2")
        for name, week, day in rows:
            warehouse.connection.execute(
                "insert into scorecards values ('organisation', ?, ?, ?, ?)",
                [name, f"2026-W{week}", datetime(2026, 11, day), name or "nameless"],
            )
            warehouse.connection.execute(
                "insert into scorecard_forms values ('organisation', ?, ?, 'txt', ?)",
                [name, f"2026-W{week}", (name or "nameless").encode()],
            )
        warehouse.connection.execute(
            "insert into scorecards values ('team', 'acme', '2026-W46', timestamp '2026-11-02', 'team')"
        )
        for table in ("deliveries", "scorecard_rows", "alerts"):
            warehouse.connection.execute(f"insert into {table} (scope, name) values ('organisation', 'acme')")
    with open_warehouse(path) as warehouse:
        for table, column in (("scorecards", "content"), ("scorecard_forms", "text::varchar")):
            found = warehouse.connection.execute(
                f"select name, week, {column} from {table} where scope = 'organisation' order by week"
            ).fetchall()
            assert found == [("", "2026-W45", "acme"), ("", "2026-W46", "acme"), ("", "2026-W47", "nameless")]
        assert warehouse.connection.execute(
            "select name from scorecards where scope = 'team'"
        ).fetchall() == [("acme",)]
        for table in ("deliveries", "scorecard_rows", "alerts"):
            assert warehouse.connection.execute(f"select name from {table}").fetchall() == [("",)]


def test_the_questions_of_a_closed_round_are_told_apart_where_one_is_satisfaction(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    closes = datetime(2026, 11, 6, tzinfo=UTC)
    rounds = {"both": ("satisfaction", "docs"), "changed": ("satisfaction", "docs"), "others": ("a", "docs")}
    with open_warehouse(path) as warehouse:
        warehouse.upsert(
            [
                Response(
                    round=name, respondent=f"p{person}", question=question, submitted_at=closes, closes_at=closes,
                    score=4 if name == "changed" and person == 0 else score,
                )
                for name, questions in rounds.items()
                for question, score in zip(questions, (5, 2), strict=True)
                for person in range(5)
            ]
        )  # fmt: skip
        warehouse.connection.execute("alter table round_answers drop column question")
        warehouse.connection.execute("update about set version = 3")
        warehouse.connection.execute(
            "insert into round_answers select r.round, r.respondent, null, r.submitted_at, r.closes_at, 3.5, 1, true"
            " from responses as r group by all"
        )
    settings = Settings(organization="acme", warehouse=path)
    build(settings, NOW)
    with open_facts(path) as facts:
        scores = facts.connection.execute(
            "select round, avg(score), count(*) from responses where excluded_because is null group by 1 order by 1"
        ).fetchall()
        assert scores == [("both", 5, 5), ("changed", 3.5, 5), ("others", 3.5, 5)]
        assert facts.connection.execute("select round, question, score, n from drivers").fetchall() == [
            ("both", "docs", 2, 5)
        ]


MIGRATING = """
import sys
from pathlib import Path
from warehouse.storage.store import open_warehouse
print("up", flush=True)
with open_warehouse(Path(sys.argv[1])):
    pass
"""


@pytest.mark.soak
def test_a_migration_that_is_killed_leaves_one_form_or_the_other(tmp_path: Path) -> None:
    made = older(tmp_path).warehouse
    with duckdb.connect(str(made)) as connection:  # so much that it takes a while
        connection.execute(
            "insert into deployments by name select 'tags' as source, 'acme/app@v' || n as id, 'acme/app' as repo,"
            " 'v' || n as ref, 'abc' as sha, 'success' as status from range(400000) as r(n)"
        )
    ends, seconds = Counter[int](), random.Random(14)
    for number in range(24 if LONG else 10):
        path = tmp_path / f"{number}.duckdb"
        shutil.copy(made, path)
        command = [sys.executable, "-c", MIGRATING, str(path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            assert process.stdout.readline() == "up\n"
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds.uniform(0, 1.5))
            process.kill()
        with duckdb.connect(str(path)) as connection:
            ((version,),) = connection.execute("select version from about").fetchall()
            tables = {
                name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()
            }
            ((moved,),) = connection.execute(
                "select count(*) from deployments where id like '%@abc' and id like '%@v%'"
            ).fetchall()
        ends[version] += 1
        assert (version, "owners" in tables, "former_owners" in tables, moved) in (
            (1, False, True, 0),
            (VERSION, True, False, 400_001),
        )
        with open_warehouse(path) as warehouse:
            assert warehouse.connection.execute("select version from about").fetchall() == [(VERSION,)]
        path.unlink()
    assert set(ends) == {1, VERSION}, "no kill was early enough, or none late enough"
