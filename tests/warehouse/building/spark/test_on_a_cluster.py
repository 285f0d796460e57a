"""A build on a real cluster, a master and two workers on loopback, makes what a build on one machine makes."""

import math
import shutil
import socket
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.organisation import KINDS, shape_of, write_files
from config.settings import Settings, load_settings
from tests.conftest import Sample, Small
from tests.support import processors
from tests.support.command_line import run
from tests.support.places import LONG, ROOT
from tests.support.spark.cluster import spark_cluster
from tests.support.spark.same_facts import different_facts
from warehouse.building.build import build
from warehouse.metrics.published_facts import current_facts, open_facts
from warehouse.metrics.values import Scope, as_rows, compute

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


def test_a_cluster_makes_the_same_facts_and_metrics_and_a_worker_that_is_killed_changes_nothing(
    sample: Sample, tmp_path: Path
) -> None:
    asked = [(sample.config, sample.settings)]
    if LONG:  # and before it another one, undisturbed
        (tmp_path / "made").mkdir()
        asked.insert(0, made(tmp_path / "made"))
    here, there = [], []
    for number, (config, settings) in enumerate(asked):
        for of_each in (here, there):
            warehouse = tmp_path / f"{number}" / ("here" if of_each is here else "there") / "warehouse.duckdb"
            warehouse.parent.mkdir(parents=True)
            shutil.copy(settings.warehouse, warehouse)
            of_each.append((config, settings.model_copy(update={"warehouse": warehouse})))
    walks = 0
    asked_there = [(config, own.warehouse, NOW) for config, own in there]
    with (
        processors.shared(),
        spark_cluster(tmp_path / "cluster") as cluster,
        cluster.building(*asked_there) as steps,
    ):
        for step in steps:
            walks += step == "trace\n"
            if walks == len(asked) and step == "trace\n":
                cluster.workers[0].kill()
    assert walks == len(asked)
    for (_, one), (_, other) in zip(here, there, strict=True):
        build(one, NOW)
        assert different_facts(current_facts(one.warehouse), current_facts(other.warehouse)) == []
        values = metrics_of(one), metrics_of(other)
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


def test_a_folder_that_spark_takes_for_a_pattern_is_one_line(small: Small, tmp_path: Path) -> None:
    ended = run(
        small.folder, "build", "--engine", "sc://127.0.0.1:1", "--shared-folder", str(tmp_path / "[ab]")
    )
    assert ended.returncode == 2
    assert "another folder with --shared-folder" in ended.stderr
