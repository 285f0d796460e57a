"""What is no warehouse, or none of this version, is refused in a line that says what to do, and stays as it is."""

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.conftest import Small
from tests.support.command_line import run
from warehouse.metrics.published_facts import current_facts
from warehouse.storage.store import open_warehouse

CONFIGURATION = (
    "organization: acme\nsources: {catalog: {files: [catalog.yaml]}}\nwarehouse: data/acme.duckdb\n"
)
COMMANDS = (
    ["collect"],
    ["build"],
    ["import", "links", "links.csv"],
    ["forget", "deployments", "--id", "1", "--yes"],
    ["check"],
)
BACK = "bring a backup back (docs/commands.md: sixkeys backup)"


def written(folder: Path) -> Path:
    """Writes a configuration and what its commands need; where the warehouse is to be."""
    (folder / "sixkeys.yaml").write_text(CONFIGURATION)
    (folder / "catalog.yaml").write_text("kind: System\nmetadata: {name: shop}\nspec: {owner: a}\n")
    (folder / "links.csv").write_text("incident_source,incident_id,reason\na,1,seen\n")
    path = folder / "data" / "acme.duckdb"
    path.parent.mkdir()
    return path


def told_and_untouched(path: Path, *commands: list[str]) -> set[str]:
    """The one line that each command ends with; nothing in the warehouse's folder is another one then."""
    before, lines = state(path.parent), set()
    for command in commands:
        done = run(path.parent.parent, *command)
        assert done.returncode == 1, command
        (line,) = done.stderr.splitlines()
        lines.add(line)
        assert state(path.parent) == before, command
    return lines


def state(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in folder.iterdir()
        if path.suffix != ".lock"
    }


LEFT_BEHIND = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("insert into links (incident_source, incident_id, reason) values ('a', '2', 'of the newer one')")
os._exit(0)
"""


@pytest.mark.parametrize("killed", [False, True])
def test_a_newer_warehouse_is_not_touched_by_any_command(tmp_path: Path, killed: bool) -> None:
    path = written(tmp_path)
    with open_warehouse(path) as warehouse:
        warehouse.connection.execute("update about set version = 99")
        warehouse.connection.execute("alter table commits rename subject to title")
    if killed:  # so that there is something to be written yet
        subprocess.run([sys.executable, "-c", LEFT_BEHIND, str(path)], check=True)
        assert path.with_name("acme.duckdb.wal").stat().st_size
    lines = told_and_untouched(path, *COMMANDS)
    assert lines == {
        f"sixkeys: {path}: was made by a newer Sixkeys; update Sixkeys, or name another warehouse"
    }


def of_another_program(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table orders as select 1 as id")


def of_sqlite(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("create table orders (id)")


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (Path.touch, f"is empty; {BACK}"),
    "text": (
        lambda path: path.write_text("no database " * 1000),
        f"is no warehouse, or only the begin.*{BACK}",
    ),
    "sqlite": (of_sqlite, f"is no warehouse, or only the beginning of one; {BACK}"),
    "folder": (Path.mkdir, "is a folder; name a file in it as warehouse"),
    "another program": (of_another_program, "is a database, and no warehouse of Sixkeys; name another file"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_warehouse_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    make, expected = KINDS[kind]
    path = written(tmp_path)
    make(path)
    (line,) = told_and_untouched(path, *COMMANDS)
    assert expected.partition(".*")[0] in line


def test_facts_are_no_warehouse(small: Small, tmp_path: Path) -> None:
    path = written(tmp_path)
    shutil.copy(current_facts(small.settings.warehouse), path)
    (line,) = told_and_untouched(path, *COMMANDS)
    assert "is a database, and no warehouse of Sixkeys" in line


@pytest.mark.parametrize("part", [3, 5_000, 20_000, 0.3, 0.6, 0.9])
def test_a_warehouse_that_was_cut_short_is_told_with_what_to_do(
    small: Small, tmp_path: Path, part: float
) -> None:
    path = written(tmp_path)
    whole = small.settings.warehouse.read_bytes()
    path.write_bytes(whole[: part if part > 1 else int(len(whole) * part)])  # type: ignore[misc]
    done = run(tmp_path, "build")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert str(path) in line
    assert BACK in line


def test_a_damaged_block_is_told_with_what_to_do(small: Small, tmp_path: Path) -> None:
    path = written(tmp_path)
    damaged = bytearray(small.settings.warehouse.read_bytes())
    for place in range(300_000, len(damaged), 100_000):
        damaged[place] ^= 0xFF
    path.write_bytes(bytes(damaged))
    for command in (["build"], ["backup", "copy"], ["check"]):
        done = run(tmp_path, *command)
        assert done.returncode == 1, command
        (line,) = done.stderr.splitlines()
        assert BACK in line
    assert not list(tmp_path.glob("*copy*"))


def test_a_warehouse_that_says_no_version_is_refused_in_words(tmp_path: Path) -> None:
    path = written(tmp_path)
    with open_warehouse(path) as warehouse:
        warehouse.connection.execute("update about set version = null")
    (told,) = told_and_untouched(path, ["build"])
    assert "does not say of which version it is" in told
