"""The drawing of the folders and the walk through them, in docs/architecture.md, show what there is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import Sample
from tests.support.places import PACKAGES, PROGRAM, ROOT
from tests.support.written_paths import defined, paths
from warehouse.metrics.facts import Facts
from warehouse.scorecards.content import scorecard

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DRAWING = PAGE.split("```")[1]
WALK = re.split(r"(?m)^## ", PAGE)[2]


def drawn() -> dict[str, str]:
    """What the drawing says of each folder and of the program, in its order."""
    found: dict[str, str] = {}
    package = last = ""
    for line in DRAWING.splitlines():
        if entry := re.match(r"( │  )?([\w/.]+)\s+(\S.*)", line):
            package = package if entry[1] else entry[2]
            last = package + entry[2] if entry[1] else package
            found[last] = entry[3]
        elif more := re.match(r" │ {10,}(\S.*)", line):
            found[last] += f" {more[1]}"
    return found


def folders() -> set[str]:
    """Every folder of the packages that has files of its own."""
    inside = (path for package in PACKAGES for path in (ROOT / package).rglob("*"))
    return {
        f"{path.parent.relative_to(ROOT).as_posix()}/"
        for path in inside
        if path.is_file() and "__pycache__" not in path.parts
    }


def first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]


def imports(path: Path) -> Iterator[str]:
    """The folders that a module imports from, as `warehouse/metrics/`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.split(".")[0] in PACKAGES:
                place = ROOT / name.replace(".", "/")
                while not place.is_dir():
                    place = place.parent
                yield f"{place.relative_to(ROOT).as_posix()}/"


def test_every_folder_is_drawn_and_no_other() -> None:
    assert set(drawn()) == folders() | {PROGRAM.name}


def test_a_folder_is_drawn_with_the_line_that_stands_in_it() -> None:
    lines = {folder: ROOT / folder / "__init__.py" for folder in sorted(folders())}
    told = {folder: first_line(path) for folder, path in lines.items() if path.exists()}
    assert {folder: drawn()[folder] for folder in told} == told


def test_a_folder_imports_from_those_that_are_drawn_above_it() -> None:
    order = list(drawn())
    below = {
        (path.relative_to(ROOT).as_posix(), other)
        for folder in order
        for path in (ROOT / folder).glob("*.py")
        for other in imports(path)
        # a package's own modules wire its folders together
        if order.index(other) > order.index(folder) and folder != f"{other.split('/')[0]}/"
    }
    assert below == set()


def test_the_walk_names_what_there_is() -> None:
    steps = list(paths(WALK))
    assert len(steps) > 30
    assert [f"{path}: {name}" for path, name in steps if name and not defined(path, name)] == []


def test_the_walk_goes_through_every_part_of_a_deployments_way() -> None:
    """From GitHub's answer to who gets the scorecard, in this order."""
    passed = [path.rpartition("/")[0] for path, _ in paths(WALK)]
    way = (
        "collectors/github",
        "warehouse/loading",
        "warehouse/building",
        "warehouse/models/steps",
        "warehouse/models/facts",
        "dashboards/overview",
        "warehouse/metrics",
        "warehouse/scorecards",
        "dashboards/scorecards",
        "dashboards/delivery",
    )
    first = [passed.index(folder) for folder in way]
    assert first == sorted(first)


def test_the_scorecard_of_the_sample_has_the_walks_sentence_and_number(
    sample_facts: Facts, sample: Sample
) -> None:
    found = scorecard(sample_facts, sample.settings, "2026-W46")
    (told,) = re.findall(r"(?m)^> (.+)$", WALK)
    assert [one for one in found["sentences"] if told in one["text"]]
    (rate,) = (one for one in found["metrics"] if one["metric"] == "change_failure_rate")
    assert f"{rate['value']:.1%}".replace("%", " %") in WALK
    assert f"{round(rate['value'] * rate['n'])} of {rate['n']} deployments" in WALK
