"""A build on a real cluster, a master and two workers on loopback, makes what a build on one machine makes."""

import math
import shutil
import socket
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.organisation import KINDS, shape_of, write_files
from config.settings import Settings, load_settings
from tests.conftest import Sample, Small
from tests.support import processors
from tests.support.command_line import run
from tests.support.loopback import Receiver
from tests.support.places import LONG, ROOT
from tests.support.spark.cluster import spark_cluster
from tests.support.spark.odd_records import odd_records
from tests.support.spark.same_facts import different_facts
from warehouse.building import lineage
from warehouse.building.ancestry.repository import TRACED
from warehouse.building.build import build
from warehouse.building.spark.cluster import on_spark
from warehouse.building.steps import FIRST_STEPS, STEPS_IN_ORDER, OpenEngine, create_basis, on_this_machine
from warehouse.metrics.published_facts import current_facts, open_facts
from warehouse.metrics.values import Scope, as_rows, compute
from warehouse.storage.store import attach, open_warehouse

pytestmark = pytest.mark.soak
NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
SCOPES: tuple[Scope, ...] = ("organisation", "team", "service")


def made(folder: Path) -> tuple[Path, Settings]:
    """A made organisation of 2,000 commits, imported."""
    write_files(folder, shape_of(0.01, until=date(2026, 11, 1)))
    config = folder / "sixkeys.yaml"
    for kind in KINDS:
        command = [sys.executable, "-m", "sixkeys", "import", kind, str(folder / "files" / f"{kind}.parquet")]
        subprocess.run([*command, "--config", config], cwd=ROOT, check=True)
    return config, load_settings(config)


def metrics_of(settings: Settings) -> list[dict[str, Any]]:
    with open_facts(settings.warehouse) as facts:
        return [row for by in SCOPES for row in as_rows(compute(facts, settings, by, "month"))]


def is_same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    return bool(one == other)


def copied(settings: Settings, folder: Path) -> Settings:
    """The settings with a copy of their warehouse in a new folder."""
    folder.mkdir(parents=True)
    shutil.copy(settings.warehouse, folder / "warehouse.duckdb")
    return settings.model_copy(update={"warehouse": folder / "warehouse.duckdb"})


def made_by(engine: OpenEngine, settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """The tables that all else is made of, as an engine makes them: of the steps up to the walk."""
    with duckdb.connect() as connection:
        attach(connection, settings.warehouse)
        with engine(connection, "memory") as run:
            create_basis(connection, settings, NOW, run)
            steps = STEPS_IN_ORDER[: STEPS_IN_ORDER.index(lineage.trace) + 1]
            for step in steps:
                run(step)
            names = [step for step in (*FIRST_STEPS, *steps) if isinstance(step, str)] + list(TRACED)
            return {name: sorted(connection.sql(f"from {name}").fetchall(), key=repr) for name in names}


def test_a_cluster_makes_the_same_facts_and_metrics_and_a_worker_that_is_killed_changes_nothing(
    sample: Sample, tmp_path: Path
) -> None:
    odd = copied(sample.settings, tmp_path / "odd")
    with open_warehouse(odd.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(odd_records())
    asked = [(sample.config, odd)]
    if LONG:  # and before it another one, undisturbed
        (tmp_path / "made").mkdir()
        asked.insert(0, made(tmp_path / "made"))
    there = [(config, copied(own, tmp_path / f"there {n}")) for n, (config, own) in enumerate(asked)]
    walks = 0
    with (
        processors.shared(),
        spark_cluster(tmp_path / "cluster") as cluster,
        cluster.building(*((config, own.warehouse, NOW) for config, own in there)) as steps,
    ):
        for step in steps:
            walks += step == "trace"
            if walks == len(asked) and step == "trace":
                cluster.workers[0].kill()
        # its session serves Spark Connect, on the worker that is left
        connected = made_by(on_spark(cluster.connected, cluster.folder, odd), odd)
    assert walks == len(asked)
    assert connected == made_by(on_this_machine, odd)
    assert all(connected[name] for name in ("services", "owners", "covered_days", "shipped"))
    for _, own in asked:
        build(own, NOW)
    for (_, here), (_, other) in zip(asked, there, strict=True):
        assert different_facts(current_facts(here.warehouse), current_facts(other.warehouse)) == []
        values = metrics_of(here), metrics_of(other)
        assert any(row["n"] for row in values[0])
        assert [
            row for row in zip(*values, strict=True) if not all(map(is_same, *(r.values() for r in row)))
        ] == []
    assert [path.name for path in (tmp_path / "cluster").glob("sixkeys-*")] == []


@pytest.mark.parametrize("scheme", ["spark", "sc"])
def test_a_cluster_that_is_not_there_is_one_line_and_the_facts_stay(small: Small, scheme: str) -> None:
    before = current_facts(small.settings.warehouse)
    with socket.socket() as nobody:  # has the port, and listens to none
        nobody.bind(("127.0.0.1", 0))
        place = f"{scheme}://127.0.0.1:{nobody.getsockname()[1]}"
        ended = run(small.folder, "build", "--engine", f"{place}/;token=hidden-word")
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"sixkeys: {place}: no Spark answers there")
    assert ended.stderr.count("\n") == 1
    assert "hidden-word" not in ended.stderr
    assert current_facts(small.settings.warehouse) == before


def test_what_is_no_server_of_spark_connect_is_one_line(small: Small) -> None:
    with Receiver() as server:
        place = server.url.replace("http://", "sc://")
        ended = run(small.folder, "build", "--engine", place)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"sixkeys: {place}: what answers there is no server of Spark Connect")
    assert ended.stderr.count("\n") == 1


def test_a_folder_that_spark_takes_for_a_pattern_is_one_line(small: Small, tmp_path: Path) -> None:
    ended = run(
        small.folder, "build", "--engine", "sc://127.0.0.1:1", "--shared-folder", str(tmp_path / "[ab]")
    )
    assert ended.returncode == 2
    assert "another folder with --shared-folder" in ended.stderr
