"""A backup is whole, made while others write, and brings everything back."""

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.contract.records import Link
from config.settings import Settings
from tests.conftest import Small
from tests.support.command_line import run
from tests.support.places import ROOT
from warehouse.loading.backup import back_up
from warehouse.loading.people_key import people_of
from warehouse.storage.store import WarehouseError, open_warehouse

WRITING = """
import sys
from pathlib import Path
from collectors.contract.records import Link
from warehouse.storage.store import open_warehouse
for number in range(10_000):
    with open_warehouse(Path(sys.argv[1])) as warehouse, warehouse.transaction():
        warehouse.upsert([Link(incident_source="a", incident_id=str(number), reason="one of two")])
        warehouse.upsert([Link(incident_source="b", incident_id=str(number), reason="one of two")])
    print(number, flush=True)
"""


NUMBERS = ["metrics", "--by", "team", "--from", "2026-08-10", "--to", "2026-11-16", "--format", "json"]


def said(_: str) -> None:
    """Nobody is told that it waits."""


def test_a_copy_that_is_made_while_another_process_writes_has_each_transaction_as_a_whole(
    tmp_path: Path,
) -> None:
    settings = Settings(organization="acme", warehouse=tmp_path / "w" / "acme.duckdb")
    command = [sys.executable, "-c", WRITING, str(settings.warehouse)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        counted = []
        for number in range(3):
            copied = back_up(settings, tmp_path / f"copy{number}", said)
            assert [path.name for path in copied] == ["acme.duckdb"]
            process.stdout.readline()  # it goes on
            with open_warehouse(copied[0]) as warehouse:
                counted.append(
                    warehouse.connection.execute(
                        "select count_if(incident_source = 'a'), count_if(incident_source = 'b') from links"
                    ).fetchall()[0]
                )
        process.kill()
    assert all(first == second > 0 for first, second in counted)
    assert counted == sorted(counted)


def test_what_is_brought_back_has_the_numbers_the_people_and_the_answers(
    small: Small, tmp_path: Path
) -> None:
    folder = small.copied(tmp_path / "acme").folder
    people = people_of(Settings(organization="acme", warehouse=folder / "warehouse.duckdb"))
    (folder / "inbox").mkdir(mode=0o700)
    (folder / "inbox" / "2026-Q4.abc.json").write_text("an answer")
    (folder / "inbox" / "2026-Q4.def.0.tmp").write_text("half of one")
    assert run(folder, "build").returncode == 0
    numbers = run(folder, *NUMBERS).stdout
    done = run(folder, "backup", "backups/monday")
    assert (done.returncode, done.stdout) == (0, "")
    assert "warehouse.duckdb" in done.stderr
    assert "the key of its people, 1 answer;" in done.stderr
    copy = folder / "backups" / "monday"
    assert sorted(str(path.relative_to(copy)) for path in copy.rglob("*")) == [
        "inbox",
        "inbox/2026-Q4.abc.json",
        "warehouse.duckdb",
        "warehouse.people-key",
    ]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (copy, copy / "warehouse.people-key")] == [
        0o700,
        0o600,
    ]

    # as docs/commands.md says: the damaged one and its WAL aside, the copy in its place, built
    (folder / "warehouse.duckdb").write_bytes(b"damaged")
    (folder / "warehouse.people-key").unlink()
    shutil.rmtree(folder / "inbox")
    assert run(folder, "build").returncode == 1
    (folder / "warehouse.duckdb").unlink()
    subprocess.run(["cp", "-a", "backups/monday/.", "."], cwd=folder, check=True)
    assert run(folder, "build").returncode == 0
    assert run(folder, *NUMBERS).stdout == numbers
    again = people_of(Settings(organization="acme", warehouse=folder / "warehouse.duckdb"))
    assert again.respondent("ada") == people.respondent("ada")
    assert (folder / "inbox" / "2026-Q4.abc.json").read_text() == "an answer"
    there = ("--warehouse", "backups/monday/warehouse.duckdb")
    assert run(folder, "build", *there).returncode == 0
    assert run(folder, *NUMBERS, *there).stdout == numbers


def test_a_warehouse_of_an_older_version_is_copied_as_it_is(tmp_path: Path) -> None:
    settings = Settings(organization="acme", warehouse=tmp_path / "w.duckdb")
    with open_warehouse(settings.warehouse) as warehouse:
        warehouse.upsert([Link(incident_source="a", incident_id="1", reason="seen")])
        warehouse.connection.execute("update about set version = 1")
        warehouse.connection.execute("alter table links drop column reason")
    before = settings.warehouse.read_bytes()
    (copied,) = back_up(settings, tmp_path / "copy", said)
    assert settings.warehouse.read_bytes() == before
    with open_warehouse(copied) as warehouse:
        assert warehouse.connection.execute("select incident_id, reason from links").fetchall() == [
            ("1", None)
        ]


def test_it_is_refused_in_words_where_it_cannot_be_made(small: Small, tmp_path: Path) -> None:
    folder = small.copied(tmp_path / "acme").folder
    (folder / "taken").mkdir()
    done = run(folder, "backup", "taken")
    assert (done.returncode, done.stderr) == (
        2,
        "sixkeys: taken: is there already; name a folder that is not\n",
    )
    other = run(folder, "backup", "copy", "--warehouse", "none.duckdb")
    assert (other.returncode, other.stderr) == (
        1,
        f"sixkeys: {folder}/none.duckdb: is not there, so there is nothing to back up\n",
    )
    holding = f"import duckdb; c = duckdb.connect({str(folder / 'warehouse.duckdb')!r}); print(1, flush=True); input()"
    command = [sys.executable, "-c", holding]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        settings = Settings(organization="acme", warehouse=folder / "warehouse.duckdb")
        with pytest.raises(WarehouseError, match=f"process {process.pid} has held it"):
            back_up(settings, folder / "copy", said, wait_seconds=0.3)
        process.kill()
    assert not list(folder.glob("*copy*"))
