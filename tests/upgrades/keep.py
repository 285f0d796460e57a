"""Keeps a warehouse as the program of a commit makes it: `.venv/bin/python tests/upgrades/keep.py COMMIT`.

That program collects the sample organisation of a fixed day, publishes its scorecards and delivers them to a folder.
Beside this file it leaves `COMMIT.tar.xz` with the configuration, the platform team's file, the warehouse, the key of
its people and the facts, and `COMMIT.json` with the numbers that it gave. Of what was rendered, which has large
pictures, it keeps the organisation's and one team's.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import duckdb

TODAY = "2026-11-16"
HERE = Path(__file__).parent


def keep(commit: str) -> None:
    """Runs the program of `commit` in a folder of its own and keeps what comes of it."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        program = folder / "program"
        subprocess.run(["git", "worktree", "add", "--detach", program, commit], cwd=HERE, check=True)
        try:
            _run(folder, program, "demo", "--no-dashboard", "--today", TODAY)
            numbers = [
                number
                for by in ("organisation", "team")
                for number in json.loads(
                    _run(
                        folder,
                        program,
                        "metrics",
                        "--by",
                        by,
                        "--format",
                        "json",
                        "--config",
                        "demo/sixkeys.yaml",
                    )
                )
            ]
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", program], cwd=HERE, check=True)
        (HERE / f"{commit}.json").write_text(_one_a_line(numbers), encoding="utf-8")
        _pack(folder / "demo", HERE / f"{commit}.tar.xz")


def _run(folder: Path, program: Path, *arguments: str) -> str:
    command = [sys.executable, program / "sixkeys.py", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(program)}
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def _one_a_line(numbers: list[dict]) -> str:
    kept = ("metric", "scope", "name", "value", "n", "status")
    lines = (json.dumps({key: number[key] for key in kept}) for number in numbers)
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _pack(demo: Path, archive: Path) -> None:
    warehouse = demo / "warehouse"
    facts = (warehouse / "acme.facts").read_text().strip()
    names = ("acme.duckdb", "acme.people-key", "acme.facts", facts)
    for name in ("acme.duckdb", facts):
        _thin(warehouse / name)
    config = (demo / "sixkeys.yaml").read_text().replace(f"{demo}/", "")
    with tarfile.open(archive, "w:xz", preset=9) as tar:
        for path in [demo / "token", *demo.glob("platform.yaml"), *(warehouse / name for name in names)]:
            tar.add(path, path.relative_to(demo), filter=_of_nobody)
        about = _of_nobody(tarfile.TarInfo("sixkeys.yaml"))
        about.size = len(config.encode())
        tar.addfile(about, io.BytesIO(config.encode()))


def _thin(path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as made")
        tables = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'made'"
        ).fetchall()
        if ("scorecard_forms",) not in tables:
            return
        connection.execute(
            "delete from made.scorecard_forms where scope <> 'organisation' and name <> 'payments' or scope = 'system'"
        )
        thin = path.with_suffix(".thin")
        connection.execute(f"attach '{thin}' as thin (storage_version 'v1.4.0')")
        connection.execute("copy from database made to thin")
    thin.replace(path)


def _of_nobody(about: tarfile.TarInfo) -> tarfile.TarInfo:
    about.uid = about.gid = 0
    about.uname = about.gname = ""
    return about


if __name__ == "__main__":
    keep(sys.argv[1])
