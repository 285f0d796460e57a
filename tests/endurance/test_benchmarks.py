"""`make bench` plays every row of its table, on a small organisation; no figure fails."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import ROOT


@pytest.mark.soak
def test_the_bench_plays_every_row_and_writes_what_it_found(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    subprocess.run(
        [sys.executable, "-m", "benchmarks.commands", "--size", "0.01", "--rounds", "1", "--json", path],
        cwd=ROOT,
        check=True,
    )
    found = json.loads(path.read_text(encoding="utf-8"))
    assert len(found["rows"]) == 7
    for row in found["rows"]:
        assert row["cost"]["seconds"] > 0
        assert row["cost"]["mib"] > 0
        assert row["ratio"] > 0
