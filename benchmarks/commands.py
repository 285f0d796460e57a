"""What the commands cost on an organisation of a size, each beside its floor in the same run: `make bench SIZE=5`.

    python -m benchmarks.commands [--size 1] [--folder DIR] [--json FILE] [--rounds 3] [--services N]
        [--services-per-repository N]

Size 5 is a million commits (benchmarks/organisation.py), for which the targets hold on two cores. A floor is SQL that
was written for the purpose (benchmarks/floors.py). Each command is a process of its own: time on the wall, time of
processors, and the most memory that it had at once. Commands that only read take turns with their floors, and the
median of `rounds` counts.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.organisation import KINDS, Shape, shape_of

ROOT = Path(__file__).parents[1]
SIXKEYS = (sys.executable, "-m", "sixkeys")
FLOOR = (sys.executable, "-m", "benchmarks.floors")
# what a build may have at once, by the size up to which it holds
BUILD_MIB = {5: 1536, 50: 4096}


@dataclass(frozen=True)
class Cost:
    """Of a process: seconds on the wall and of processors, and the MiB that it had at most."""

    seconds: float = 0
    processor_seconds: float = 0
    mib: int = 0


@dataclass(frozen=True)
class Row:
    """A work and its floor; a target is a multiple of the floor (or seconds), and MiB."""

    work: str
    cost: Cost
    floor: Cost | None = None
    floor_is: str = ""
    most_ratio: float | None = None
    most_seconds: float | None = None
    most_mib: int | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as long as its floor it took."""
        return self.cost.seconds / self.floor.seconds if self.floor else None

    @property
    def is_met(self) -> bool:
        """Whether it reached all of its targets."""
        return (
            (self.most_ratio is None or (self.ratio or 0) <= self.most_ratio)
            and (self.most_seconds is None or self.cost.seconds <= self.most_seconds)
            and (self.most_mib is None or self.cost.mib <= self.most_mib)
        )

    @property
    def target(self) -> str:
        """The targets in words."""
        told = (
            f"{self.most_ratio:g} × {self.floor_is}" if self.most_ratio is not None else "",
            f"{self.most_seconds:g} s" if self.most_seconds is not None else "",
            f"{self.most_mib:,} MiB" if self.most_mib is not None else "",
        )
        return ", ".join(filter(None, told))


def run(folder: Path, *command: str) -> Cost:
    """Runs a command in `folder`; what it cost. Raises SystemExit with what it said where it fails."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    with tempfile.TemporaryFile("w+") as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {said.read()[-2000:]}")
    unit = 1024 if sys.platform == "darwin" else 1  # ru_maxrss is bytes there, KiB elsewhere
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024 // unit)


def _in_turns(folder: Path, rounds: int, ours: Sequence[str], floor: Sequence[str]) -> tuple[Cost, Cost]:
    """What two commands that only read cost: medians of several rounds."""
    found = [(run(folder, *SIXKEYS, *ours), run(folder, *FLOOR, *floor)) for _ in range(rounds)]
    first, second = ([pair[n] for pair in found] for n in (0, 1))
    return _median(first), _median(second)


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        median(cost.seconds for cost in costs),
        median(cost.processor_seconds for cost in costs),
        max(cost.mib for cost in costs),
    )


def measured(folder: Path, shape: Shape, rounds: int) -> list[Row]:
    """The rows of the table, in the order in which their works need each other."""
    here = str(folder)
    files = [told for kind in KINDS for told in (kind, f"files/{kind}.parquet")]
    rows = [
        Row(
            "import of all files",
            run(folder, *SIXKEYS, "import", *files),
            run(folder, *FLOOR, "import", here),
            "read_parquet, keys checked",
            most_ratio=3,
            most_mib=600,
        )
    ]
    most = next((mib for size, mib in BUILD_MIB.items() if shape.size <= size), None)
    whole = run(folder, *SIXKEYS, "build")
    links = run(folder, *FLOOR, "build", here)
    rows.append(Row("full build", whole, links, "links and lead times only", 8, most_mib=most))
    run(folder, *SIXKEYS, "import", "deployments", "later/deployments.parquet")
    again = run(folder, *SIXKEYS, "build")
    rows.append(Row("build after one new deployment", again, whole, "the full build", 0.05))
    until = shape.until
    year = ("--from", str(_year_before(until)), "--to", str(until))
    ours, floor = _in_turns(
        folder, rounds, ("metrics", "--by", "team", "--period", "month", *year), ("metrics", here)
    )
    rows.append(Row("metrics by team and month, a year", ours, floor, "imports and the SQL", 2))
    ours, floor = _in_turns(
        folder,
        rounds,
        ("metrics", "--by", "service", "--period", "week", *year),
        ("metrics", here, "service", "week"),
    )
    rows.append(
        Row("metrics by service and week, a year", ours, floor, "imports and the SQL", most_seconds=1.5)
    )
    ours, floor = _in_turns(
        folder, rounds, ("explain", "lead_time", "--where", "team=team-00", *year), ("explain", here)
    )
    rows.append(
        Row("explain lead_time of a team, a year", ours, floor, "imports and the SQL", most_seconds=1.5)
    )
    ours = run(folder, *SIXKEYS, "export", "report", "--format", "parquet")
    rows.append(
        Row("export as Parquet", ours, run(folder, *FLOOR, "export", here), "copy of the same tables", 2)
    )
    return rows


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=min(day.day, 28))


def drawn(rows: Sequence[Row], shape: Shape) -> Table:
    """The rows as a table for a terminal."""
    table = Table(title=f"size {shape.size:g}: {shape.services} services, {os.cpu_count()} processors")
    for name in ("work", "s", "processor s", "MiB", "floor s", "floor MiB", "×", "at most", ""):
        table.add_column(name, justify="left" if name in ("work", "at most", "") else "right")
    for row in rows:
        floor = (f"{row.floor.seconds:,.2f}", f"{row.floor.mib:,}") if row.floor else ("", "")
        table.add_row(
            row.work,
            f"{row.cost.seconds:,.2f}",
            f"{row.cost.processor_seconds:,.2f}",
            f"{row.cost.mib:,}",
            *floor,
            f"{row.ratio:,.2f}" if row.ratio is not None else "",
            row.target,
            "met" if row.is_met else "not met",
        )
    return table


def as_json(rows: Sequence[Row], shape: Shape) -> dict[str, Any]:
    """The rows as plain values, with what was measured."""
    return {
        "size": shape.size,
        "services": shape.services,
        "services_per_repository": shape.services_per_repository,
        "processors": os.cpu_count(),
        "rows": [asdict(row) | {"ratio": row.ratio, "is_met": row.is_met} for row in rows],
    }


def main() -> None:
    """Writes the files unless they are there, measures, prints the table, and writes the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.commands")
    parser.add_argument("--size", type=float, default=1)
    parser.add_argument("--services", type=int)
    parser.add_argument("--services-per-repository", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--folder", type=Path, help="where the files are kept; else they are removed at the end"
    )
    parser.add_argument("--json", type=Path, default=Path("artifacts/bench.json"))
    asked = parser.parse_args()
    shape = shape_of(asked.size, asked.services, asked.services_per_repository)
    with tempfile.TemporaryDirectory(prefix="sixkeys-bench-") as temporary:
        folder = (asked.folder or Path(temporary)).resolve()
        _ready(folder, shape)
        rows = measured(folder, shape, asked.rounds)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(as_json(rows, shape), indent=2) + "\n", encoding="utf-8")
    Console(width=None if sys.stdout.isatty() else 160).print(drawn(rows, shape))


def _ready(folder: Path, shape: Shape) -> None:
    """The files of the shape and no warehouse."""
    for path in (*folder.glob("warehouse.*"), folder / "report", folder / "copied"):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    told = folder / "shape.json"
    if not (told.exists() and json.loads(told.read_text(encoding="utf-8")) == shape.as_json()):
        # in a process of its own: what this one once held would count as what its children hold
        asked = {name.replace("_", "-"): str(value) for name, value in shape.as_json().items()}
        options = [f"--{name}={value}" for name, value in asked.items()]
        run(ROOT, sys.executable, "-m", "benchmarks.organisation", str(folder), *options)


if __name__ == "__main__":
    main()
