"""Files of any size are imported in the memory of a small one."""

import sys
from pathlib import Path
from subprocess import run

import duckdb
import pytest

from tests.support.places import LONG

MOST_MEBIBYTES = 600
_PEAK = """
import resource, runpy, sys
try:
    runpy.run_module("sixkeys", run_name="__main__", alter_sys=True)
finally:
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


@pytest.mark.soak
def test_millions_of_commits_are_imported_and_imported_again_in_bounded_memory(tmp_path: Path) -> None:
    n = 5_000_000 if LONG else 1_500_000
    (tmp_path / "sixkeys.yaml").write_text("organization: acme\nwarehouse: w.duckdb\n")
    (tmp_path / "peak.py").write_text(_PEAK)
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select format('acme/repository-{}', i % 50) as repo, sha1(i::varchar) as sha,"
            " [sha1((i - 50)::varchar)] as parents, timestamptz '2024-01-01 00:00:00Z' + to_seconds(i) as authored_at,"
            " 'person-' || i % 900 as author, 'Change number ' || i as subject"
            f" from range({n}) as t (i)) to '{tmp_path}/commits.parquet'"
        )
    for told in (f"({n:,} new, 0 replaced, 0 unchanged)", f"(0 new, 0 replaced, {n:,} unchanged)"):
        command = ["import", "commits", "commits.parquet", "--config", "sixkeys.yaml"]
        done = run(
            [sys.executable, "peak.py", *command], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert told in " ".join(done.stderr.split())
        assert int(done.stderr.split()[-1]) <= MOST_MEBIBYTES
