"""Models grow with their rows: three times as much of everything in one service is three times the work, not nine."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.organisation import KINDS, Shape, shape_of, write_files
from config.settings import load_settings
from tests.warehouse.building.test_models import MODELS
from warehouse.building.steps import create_facts, on_this_machine
from warehouse.loading.imports import import_file
from warehouse.storage.store import attach

SMALL, LARGE = 0.005, 0.015


def rows_met(folder: Path, shape: Shape) -> dict[str, int]:
    """How many rows the operators of each model handed on, by model."""
    write_files(folder, shape)
    settings = load_settings(folder / "sixkeys.yaml")
    for kind in KINDS:
        import_file(settings, kind, folder / "files" / f"{kind}.parquet")
    until = datetime.combine(shape.until, datetime.min.time(), UTC) + timedelta(hours=3)
    profile = folder / "profile.json"
    found = {}
    with duckdb.connect() as connection:
        attach(connection, settings.warehouse)
        with on_this_machine(connection) as run:
            create_facts(connection, settings, until, run)
        for model in MODELS:
            connection.execute("pragma enable_profiling = 'json'")
            connection.execute(f"set profiling_output = '{profile}'")
            connection.execute(f"create temp table again as {model.read_text(encoding='utf-8')}")
            connection.execute("pragma disable_profiling")
            connection.execute("drop table temp.again")
            told = json.loads(profile.read_text(encoding="utf-8"))
            found[model.stem] = sum(map(_handed_on, told["operator"]))
    return found


def _handed_on(operator: dict[str, Any]) -> int:
    return operator["intermediate_rows"] + sum(map(_handed_on, operator.get("children", ())))


@pytest.mark.soak
def test_three_times_the_rows_are_three_times_the_work_of_each_model(tmp_path: Path) -> None:
    small = rows_met(tmp_path / "small", shape_of(SMALL, services=1))
    large = rows_met(tmp_path / "large", shape_of(LARGE, services=1))
    assert small["changes"] > 5_000
    steep = {name: (small[name], rows) for name, rows in large.items() if rows > 3.5 * small[name] + 1000}
    assert steep == {}
