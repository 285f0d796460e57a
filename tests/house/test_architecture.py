"""What holds for the whole code base: the direction of imports, sizes, names, locked dependencies."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.places import PACKAGES, ROOT

FOLDERS = (*PACKAGES, "tests", "benchmarks", "docs", ".ci")
GENERATED = {"requirements.txt", "requirements-dev.txt", "requirements-spark.txt"}
# written by `python -m warehouse.rows.columns`: as long as there are columns
DESCRIBED = {"exports.md"}
LONGEST = 400


def files() -> Iterator[Path]:
    """The project's own text files."""
    inside = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    for path in (*ROOT.iterdir(), *inside):
        is_ours = "__pycache__" not in path.parts and path.name != ".git"  # a file where this is a worktree
        if path.is_file() and is_ours and path.suffix not in (".png", ".parquet", ".gz", ".xz"):
            yield path


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_go_one_way() -> None:
    # in a process of its own: it sets up logging and thereby silences every logger that is there already
    linter = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", "pyproject.toml"]
    done = subprocess.run(linter, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_only_the_command_line_and_tests_know_the_command_line() -> None:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            imported = {
                name
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                for name in (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
            }
            assert "sixkeys" not in imported, named(path)


def test_no_file_is_long() -> None:
    lengths = {
        named(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in files()
        if path.name not in GENERATED | DESCRIBED
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST} == {}


def test_files_are_named_after_the_thing_inside() -> None:
    nothing = {"utils.py", "helpers.py", "common.py", "misc.py", "base.py"}
    assert [named(path) for path in files() if path.name in nothing] == []


def test_no_file_names_an_index_of_packages_or_a_path_of_some_machine() -> None:
    foreign = re.compile(
        r"pypi\.org|pythonhosted|npmjs\.|--(extra-)?index-url|--find-links|/work/|/home/\w|/root/"
    )
    allowed = {
        "tests/house/test_architecture.py",
        "Makefile",
    }  # the Makefile keeps such options out of the lock
    found = {
        named(path): match[0]
        for path in files()
        if named(path) not in allowed and (match := foreign.search(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_every_dependency_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"].values()
    for dependency in (*project["dependencies"], *(name for extra in extras for name in extra)):
        line = next(line for line in text.splitlines() if line.startswith(f'    "{dependency}"'))
        assert re.search(r"#\s+\w+", line), f"{dependency} has no reason"


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_every_dependency_is_locked_with_hashes(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    pinned = {line.split("==")[0] for line in lines if not line.startswith(" ")}
    assert all(
        re.fullmatch(r"[a-z0-9.-]+==\S+( ; .+)? \\", line) for line in lines if not line.startswith(" ")
    )
    assert all(
        re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines if line.startswith(" ")
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["build"]]
    extra = name.removeprefix("requirements").strip("-").removesuffix(".txt")
    wanted += project["optional-dependencies"].get(extra, ())
    for dependency in wanted:
        found = re.match(r"[A-Za-z0-9_.-]+", dependency)
        assert found
        assert found[0].lower().replace("_", "-") in pinned, f"{dependency} is not locked: run make lock"
