"""The warehouse file: upsert, transactions, waiting, versions."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.contract.items import Malformed
from collectors.contract.records import Commit, Coverage, PullRequest, WorkflowRun
from tests.support.places import ROOT
from warehouse.storage.migration import VERSION
from warehouse.storage.store import Warehouse, WarehouseError, open_warehouse

AT = datetime(2026, 11, 2, 10, tzinfo=UTC)
PULL = {"repo": "acme/app", "number": 1, "created_at": AT, "commits": [{"sha": "a" * 40, "authored_at": AT}]}


def commit(sha: str, subject: str) -> Commit:
    return Commit(repo="acme/app", sha=sha, authored_at=AT, committed_at=AT, subject=subject)


def test_a_record_with_a_known_key_replaces_the_earlier_one(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb") as warehouse:
        with warehouse.transaction():
            warehouse.upsert(
                [commit("a", "first"), commit("b", "kept"), commit("a", "again in the same batch")]
            )
        with warehouse.transaction():
            warehouse.upsert([commit("a", "second")])
        rows = warehouse.connection.execute("select sha, subject from commits order by sha").fetchall()
    assert rows == [("a", "second"), ("b", "kept")]


def test_a_run_that_is_read_again_without_its_parts_keeps_them(tmp_path: Path) -> None:
    def run(jobs: list[dict[str, object]], id: int = 1, **more: object) -> WorkflowRun:
        return WorkflowRun(repo="acme/app", id=id, workflow="ci.yml", created_at=AT, jobs=jobs, **more)

    whole = {"name": "test", "conclusion": "success", "steps": [{"name": "Quality gate"}]}
    with open_warehouse(tmp_path / "w.duckdb") as warehouse:
        for again in (
            run([whole], approved=["production"]),
            run([], branch="main"),
            run([{"name": "test", "conclusion": "success"}]),
            run([{"name": "build"}], id=2),
            run([], id=2),
        ):
            with warehouse.transaction():
                warehouse.upsert([again])
        rows = warehouse.connection.execute(
            "select jobs[1].name, jobs[1].steps[1].name, approved from workflow_runs order by id"
        ).fetchall()
        assert rows == [("test", "Quality gate", ["production"]), ("build", None, [])]
        with warehouse.transaction():
            warehouse.upsert([run([whole | {"conclusion": "failure"}])])
        found = warehouse.connection.execute(
            "select jobs[1].conclusion from workflow_runs where id = 1"
        ).fetchall()
    assert found == [("failure",)]


def stored_with_a_bad_cursor(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        warehouse.upsert([commit("a", "first")])
        warehouse.move_cursor("git", "acme/app", {("no", "JSON"): 1}, AT)


def test_who_opens_a_warehouse_twice_still_keeps_others_out(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    other = (
        "import sys; from pathlib import Path; from warehouse.storage.store import open_warehouse;"
        "open_warehouse(Path(sys.argv[1]), wait_seconds=0).__enter__()"
    )
    with open_warehouse(path):
        for _ in range(2):
            with open_warehouse(path) as again, again.transaction():
                again.upsert([commit("a", "first")])
        done = subprocess.run(
            [sys.executable, "-c", other, str(path)], cwd=ROOT, capture_output=True, text=True
        )
    assert "has held it for 0 s" in done.stderr


def test_two_warehouses_in_a_folder_never_share_what_lies_beside_them(tmp_path: Path) -> None:
    for name in ("acme.duckdb", "acme-2.duckdb", "other.db"):
        with open_warehouse(tmp_path / name):
            pass
    with pytest.raises(WarehouseError, match=r"acme.duckdb is there, .*give this one a name of its own"):
        open_warehouse(tmp_path / "acme.db").__enter__()
    assert {path.name for path in tmp_path.iterdir()} == {"acme.duckdb", "acme-2.duckdb", "other.db"}


def test_nothing_of_a_broken_transaction_stays(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb") as warehouse:
        with pytest.raises(TypeError):
            stored_with_a_bad_cursor(warehouse)
        assert warehouse.cursors("git") == {}
        assert warehouse.connection.execute("select count(*) from commits").fetchall() == [(0,)]


def test_coverage_only_grows(tmp_path: Path) -> None:
    def until(days: int) -> Coverage:
        return Coverage(source="s", subject="*", from_at=AT, until_at=AT + timedelta(days=days))

    with open_warehouse(tmp_path / "w.duckdb") as warehouse:
        for days in (2, 5, 3):
            with warehouse.transaction():
                warehouse.upsert([until(days)])
        rows = warehouse.connection.execute("select until_at from coverage").fetchall()
    assert rows == [((AT + timedelta(days=5)).replace(tzinfo=None),)]


def test_the_same_malformed_item_is_kept_once(tmp_path: Path) -> None:
    item = Malformed("incidents", "pagerduty", "opened_at: Field required", "{}")
    with open_warehouse(tmp_path / "w.duckdb") as warehouse:
        for _ in range(2):
            with warehouse.transaction():
                warehouse.quarantine("pagerduty", [item], AT)
        assert warehouse.connection.execute("select count(*) from quarantine").fetchall() == [(1,)]


def test_a_writer_waits_and_says_for_whom(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb; c = duckdb.connect({str(path)!r}); print('held', flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin
    assert holder.stdout
    with holder:
        assert holder.stdout.readline() == "held\n"
        told: list[str] = []
        with (
            pytest.raises(WarehouseError, match=f"process {holder.pid} has held it"),
            open_warehouse(path, told.append, wait_seconds=0.5),
        ):
            pass
        assert [f"process {holder.pid}" in line for line in told] == [True]

        def let_go(line: str) -> None:
            assert holder.stdin
            holder.stdin.write("\n")
            holder.stdin.flush()

        with open_warehouse(path, let_go, wait_seconds=30) as warehouse:
            assert warehouse.cursors("git") == {}


def test_a_part_that_is_new_in_a_list_is_empty_in_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    commits = "struct(sha varchar, authored_at timestamp, is_merge boolean, is_bot boolean)[]"
    with open_warehouse(path) as warehouse:
        warehouse.upsert([PullRequest(**PULL)])
        warehouse.connection.execute("update about set version = 1")
        warehouse.connection.execute(f"alter table pull_requests alter commits set data type {commits}")
    with open_warehouse(path) as warehouse:
        stored = warehouse.connection.execute("select commits[1].sha, commits[1].subject from pull_requests")
        assert stored.fetchall() == [("a" * 40, None)]
        assert warehouse.connection.execute("select version from about").fetchall() == [(VERSION,)]


def test_a_warehouse_of_this_version_is_opened_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with open_warehouse(path) as warehouse:
        warehouse.connection.execute("checkpoint")
    before = path.read_bytes()
    with open_warehouse(path) as warehouse:
        warehouse.connection.execute("checkpoint")
    assert path.read_bytes() == before


def test_a_warehouse_without_a_newer_column_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with open_warehouse(path) as warehouse:
        warehouse.connection.execute("update about set version = version - 1")
        warehouse.connection.execute("alter table repositories drop column pushed_at")
    with open_warehouse(path) as warehouse:
        found = warehouse.connection.execute("select pushed_at from repositories").fetchall()
    assert found == []
