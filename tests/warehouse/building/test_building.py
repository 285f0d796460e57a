"""Building: what a build that was killed leaves, what is kept of earlier ones, and what else may go on beside it."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from collectors.contract.records import Deployment
from config.settings import Settings, load_settings
from tests.support.places import ROOT
from warehouse.building.build import bound_memory, build
from warehouse.metrics.published_facts import current_facts, facts_files, open_facts
from warehouse.storage.store import open_warehouse

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "sixkeys.yaml"
    path.write_text("organization: acme\nwarehouse: acme.duckdb\n", encoding="utf-8")
    settings = load_settings(path)
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert([deployment("d1")])
    return settings


def deployment(id: str) -> Deployment:
    return Deployment(
        source="import deployments", id=id, service="shop", status="success", finished_at=NOW - timedelta(1)
    )


def files(settings: Settings) -> set[str]:
    return {path.name for path in settings.warehouse.parent.iterdir()}


def test_what_builds_that_were_killed_left_is_removed_by_the_next(settings: Settings) -> None:
    build(settings, NOW)
    before = files(settings)
    folder = settings.warehouse.parent
    half = "acme.facts-20261115T090000Z-0123456789ab.duckdb"
    for left in ("work", "work.wal", "tmp", "tmp.wal", "stored", "stored.wal"):
        (folder / f"{half}.{left}").write_bytes(b"half")
    (folder / f"{half}.work.tmp").mkdir()
    (folder / f"{half}.work.tmp" / "duckdb_temp_storage").write_bytes(b"half")
    (folder / "acme.facts.0a1b2c3d.tmp").write_text("half")
    key = folder / "acme.people-key.0a1b2c3d.tmp"
    key.write_text("half")
    os.utime(key, (0, 0))
    (folder / "acme.people-key.4e5f6071.tmp").write_text("of one that is being made")
    before.add("acme.people-key.4e5f6071.tmp")
    of_another = folder / "other.facts-20261115T090000Z-0123456789ab.duckdb.work"
    of_another.write_bytes(b"of a build that may be at work")
    newest = build(settings, NOW)
    assert files(settings) == before | {newest.name, of_another.name}


def test_a_build_that_fails_leaves_nothing_and_what_was_published_stays(settings: Settings) -> None:
    published = build(settings, NOW)
    before = files(settings)
    with open_warehouse(settings.warehouse) as warehouse:
        warehouse.connection.execute("alter table deployments drop column finished_at")
        warehouse.connection.execute("alter table deployments add column finished_at boolean")
    with pytest.raises(duckdb.Error):
        build(settings, NOW)
    assert files(settings) == before
    assert current_facts(settings.warehouse) == published


def test_of_a_build_a_minute_few_are_kept(settings: Settings) -> None:
    for minute in range(8):
        built = build(settings, NOW + timedelta(minutes=minute))
        made_at = time.time() - 60 * (8 - minute)
        os.utime(built, (made_at, made_at))
    assert len(facts_files(settings.warehouse)) <= 6
    with open_facts(settings.warehouse) as facts:
        assert facts.as_of == NOW + timedelta(minutes=7)


def test_facts_that_are_removed_while_they_are_looked_for_are_in_nobodys_way(settings: Settings) -> None:
    build(settings, NOW)
    # what is listed and no longer there, as between two steps of a reader
    gone = settings.warehouse.with_name(
        f"{settings.warehouse.stem}.facts-20260101T000000Z-0123456789ab.duckdb"
    )
    gone.symlink_to(settings.warehouse.parent / "removed")
    with open_facts(settings.warehouse) as facts:
        assert facts.warning is None
    build(settings, NOW)


def test_facts_of_a_clock_that_was_ahead_neither_stay_nor_stand_in(settings: Settings) -> None:
    build(settings, NOW - timedelta(hours=1))
    ahead = build(settings, NOW + timedelta(days=365))
    before = ahead.read_bytes()
    good = build(settings, NOW)
    assert not ahead.exists()
    ahead.write_bytes(before)  # as a backup brings it back
    good.write_bytes(b"")
    with open_facts(settings.warehouse) as facts:
        assert facts.as_of == NOW - timedelta(hours=1)


def test_a_pointer_that_names_nothing_costs_nothing(settings: Settings) -> None:
    first = build(settings, NOW)
    contents = (b"\xff\xfe\0", b"x" * 100_000, b"../" * 40, "\u0101".encode() * 200)
    own = settings.warehouse.with_name("acme.facts")
    for number, content in enumerate(contents):
        settings.warehouse.with_name(f"other{number}.facts").write_bytes(content)
        own.write_bytes(content)
        with open_facts(settings.warehouse) as facts:
            assert facts.as_of == NOW
            assert facts.path == first
    settings.warehouse.with_name("another.facts").mkdir()
    assert build(settings, NOW) == current_facts(settings.warehouse)
    own.unlink()
    own.mkdir()
    with open_facts(settings.warehouse) as facts:
        assert facts.as_of == NOW


HOLD = """
import sys, fcntl
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
input()
"""


def test_a_build_waits_for_another_one_and_keeps_no_writer_waiting(settings: Settings) -> None:
    """The other build is stood for by its lock; the warehouse is not part of it."""
    lock = settings.warehouse.with_name("acme.building")
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        config = settings.warehouse.with_name("sixkeys.yaml")
        this = [sys.executable, str(ROOT / "sixkeys.py"), "build", "--config", str(config)]
        with subprocess.Popen(this, stderr=subprocess.PIPE, text=True) as waiting:
            with open_warehouse(settings.warehouse, wait_seconds=0) as warehouse, warehouse.transaction():
                warehouse.upsert([deployment("d2")])
            assert waiting.poll() is None
            other.stdin.write("\n")
            other.stdin.flush()
            assert waiting.wait(60) == 0
    with open_facts(settings.warehouse) as facts:
        assert facts.connection.execute("select count(*) from deployments").fetchall() == [(2,)]


@pytest.mark.parametrize(
    ("allowed", "commits", "held"),
    [
        ("100 GB", 0, 2**30),
        ("100 GB", 20_000_000, 20_000_000 * 300),
        ("500 MB", 20_000_000, 500_000_000),
    ],
)
def test_a_build_holds_what_its_commits_call_for_and_never_more_than_it_may(
    allowed: str, commits: int, held: int
) -> None:
    with duckdb.connect(config={"memory_limit": allowed}) as connection:
        connection.execute("attach ':memory:' as stored")
        connection.execute(f"create view stored.commits as from range({commits})")
        bound_memory(connection)
        ((found,),) = connection.execute(
            "select parse_formatted_bytes(current_setting('memory_limit'))"
        ).fetchall()
        assert found == pytest.approx(held, rel=0.1)
