"""Where things are: a newcomer finds a page, a source, a table and their tests by rule, and a name says one thing."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.frame.navigation import PAGES
from tests.support.places import ROOT
from warehouse.building.steps import CATALOGUE, FIRST_STEPS, STEPS_IN_ORDER, model

PACKAGES = ("config", "collectors", "warehouse", "dashboards", "sample_data")
MOST_FILES = 16
# what modules of a kind have in common goes by the same name in each of them
BY_RULE = {
    "collect", "again", "try_connection", "open_api",  # a source
    "show", "headline", "nothing", "csv_name",  # a page
}  # fmt: skip


def folders() -> list[Path]:
    """Every folder of the packages that holds modules."""
    return sorted({path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")})


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Every module of the product; the sample organisation has its own world of names."""
    for package in PACKAGES[:-1]:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def promises(tree: ast.Module) -> bool:
    return "no streamlit, no database" in (ast.get_docstring(tree) or "").lower()


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_says_in_one_line_what_lives_there_and_is_seen_at_a_glance(folder: Path) -> None:
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert said
    assert len(said.splitlines()) == 1
    files = [path for path in folder.iterdir() if path.is_file() and path.name != "__init__.py"]
    assert len(files) <= MOST_FILES


def test_a_folder_of_tests_is_seen_at_a_glance() -> None:
    inside = defaultdict(list)
    for path in (ROOT / "tests").rglob("*.py"):
        inside[path.parent].append(path.name)
    assert {str(folder): names for folder, names in inside.items() if len(names) > MOST_FILES} == {}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_in_the_folder_of_its_name(path: str) -> None:
    # platform is a module of Python's own
    own = {"platform": "platform_use"}.get(path, path)
    (folder,) = (
        folder
        for folder in (ROOT / "dashboards").iterdir()
        if own == folder.name or path in (f"{part}s" for part in folder.name.removesuffix("s").split("_and_"))
        or path in folder.name.split("_and_")
    )  # fmt: skip
    alone = folder.name == own
    assert PAGES[path].file == f"{folder.name}/{'page' if alone else f'{path}_page'}.py"
    assert {"page.py", "loading.py", "content.py", f"{folder.name}.j2"} <= {
        one.name for one in folder.iterdir()
    }


def test_a_source_begins_at_collect() -> None:
    sources = {path.parent.name for path in (ROOT / "collectors").glob("*/collect.py")}
    assert sources == {"argocd", "git", "github", "pagerduty", "requests", "survey"}


def test_a_table_is_the_model_of_its_name() -> None:
    names = [path.stem for path in (ROOT / "warehouse" / "models").glob("*/*.sql")]
    assert len(names) == len(set(names))
    steps = {step for step in (*FIRST_STEPS, *STEPS_IN_ORDER) if isinstance(step, str)}
    assert steps | {CATALOGUE} == set(names)
    assert all(model(name).startswith("-- grain: ") for name in names)


def test_a_folder_of_tests_is_named_after_what_it_tests() -> None:
    own = {"support", "cases", "endurance", "house", "histories", "github_schema", "upgrades"}
    for folder in {path.parent for path in (ROOT / "tests").rglob("test_*.py")}:
        part = folder.relative_to(ROOT / "tests")
        assert part.parts[0] in own or (ROOT / part).is_dir() or part == Path("dashboards/pages"), folder


def test_no_name_is_one_of_python_s_own() -> None:
    inside = (ROOT / folder for folder in (*PACKAGES, "tests", "benchmarks"))
    named = [path for folder in inside for path in folder.rglob("*") if path.is_dir() or path.suffix == ".py"]
    assert [str(path) for path in named if path.stem in sys.stdlib_module_names] == []


def test_a_public_name_has_one_meaning() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path, tree in modules():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names = [node.name]
            elif isinstance(node, ast.Assign) and not isinstance(node.value, ast.Constant):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            else:
                names = []
            for name in names:
                if not name.startswith("_") and name not in BY_RULE | {"log"}:
                    homes[name].append(str(path))
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_what_promises_no_streamlit_and_no_database_loads_neither() -> None:
    pure = [
        ".".join(path.with_suffix("").parts)
        for path, tree in modules()
        if promises(tree) or (path.name == "content.py" and path.parts[0] == "dashboards")
    ]
    assert len(pure) > len({page.file.partition("/")[0] for page in PAGES.values()})
    code = f"import sys; [__import__(name) for name in {pure}]; print({{'duckdb', 'streamlit'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
