"""The recipes of CONTRIBUTING.md hold for what was made by them: every source, metric, model and page that there is."""

import ast
import re
from pathlib import Path

import pytest

from config.metrics import Metric, metrics
from dashboards.frame.navigation import PAGES
from tests.support import running_dashboard
from tests.support.places import ROOT
from tests.support.written_paths import defined, paths
from warehouse.building import steps

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"(?ms)^### An? (\w+)\n\n(.*?)(?=\n+##|\Z)", PAGE))
SOURCES = sorted(path.parent.name for path in (ROOT / "collectors").glob("*/collect.py"))
# commits come with GitHub's repositories: a section, an API and a check of their own they do not need
WITH_GITHUB = {"git", "requests"}
# a fact of people, whose rows nobody is shown
UNSHOWN = "responses"
OF_KEYS = {"_INPUTS", "_SHARES", "_BECAUSE", "tests/support/small_scorecard.py"}
METRICS = [metric for metric in metrics().values() if metric.fact != UNSHOWN]


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def value(path: str, name: str) -> str:
    """What a module assigns to a name or does in a function of that name, as it is written."""
    for node in ast.parse(text(path)).body:
        match node:
            case ast.FunctionDef(name=found) if found == name:
                return ast.unparse(node)
            case ast.Assign(targets=[ast.Name(id=found)]) | ast.AnnAssign(target=ast.Name(id=found)) if (
                found == name
            ):
                return ast.unparse(node)
    raise AssertionError(f"{path} has no {name}")


def named(recipe: str) -> set[str]:
    """The paths of a recipe, with the names in them."""
    return {f"{path}: {name}" if name else path for path, name in paths(RECIPES[recipe])}


def test_there_is_a_recipe_for_whatever_is_added() -> None:
    assert list(RECIPES) == ["collector", "metric", "model", "page", "version", "guardrail"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_is_short_and_names_what_there_is(recipe: str) -> None:
    assert len(re.findall(r"(?m)^(?:\d+\.|  ) ", RECIPES[recipe])) <= 10
    names = [(path, name) for path, name in paths(RECIPES[recipe]) if name]
    assert names
    assert [f"{path}: {name}" for path, name in names if not defined(path, name)] == []


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_is_where_the_recipe_puts_it(source: str) -> None:
    offered = set(re.findall(r"(?m)^def (\w+)", text(f"collectors/{source}/collect.py")))
    assert {"collect", "again"} <= offered
    assert f"from collectors.{source} import collect as {source}" in text("warehouse/loading/configured.py")
    tests = [path for path in (ROOT / "tests" / "collectors").rglob("test_*.py") if source in path.name]
    assert tests
    if source not in WITH_GITHUB:
        assert f"| `sources.{source}." in text("docs/sources.md")
        assert re.search(rf"(?m)^    {source}: ", text("config/sources.py"))
        assert re.search(rf"(?m)^#?  {source}:", text("config/example.yaml"))
        assert f"sources.{source}" in value("collectors/connections.py", "try_connections")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.id)
def test_a_metric_is_where_the_recipe_puts_it(metric: Metric) -> None:
    # the README calls it by its name; the last knows a share by its input, and takes any other for one of failures
    # and a metric of the platform has its rows on the page of the platform
    elsewhere = {"sample_data/README.md", "warehouse/scorecards/kept_rows.py: _became"}
    for place in named("metric") - elsewhere:
        path, _, name = place.partition(": ")
        if metric.group == "platform" and (name in OF_KEYS or path in OF_KEYS):
            continue
        if "<" in path:
            cases = (ROOT / "tests" / "cases").rglob("*.yaml")
            assert [case for case in cases if metric.id in case.read_text(encoding="utf-8")], place
        elif name in ("_SHARES", "_BECAUSE"):
            assert (metric.statistic == "share") == (repr(metric.id) in value(path, name)), place
        else:
            assert metric.id in (value(path, name) if name else text(path)), place


@pytest.mark.parametrize("fact", sorted({metric.fact for metric in METRICS}))
def test_a_fact_that_metrics_count_is_where_the_recipe_puts_it(fact: str) -> None:
    assert fact in steps.STEPS_IN_ORDER
    for place in named("model"):
        path, _, name = place.partition(": ")
        of_platform = all(metric.group == "platform" for metric in METRICS if metric.fact == fact)
        if of_platform and path.startswith(
            ("dashboards/figures", "warehouse/rows/holding", "warehouse/scorecards")
        ):
            continue
        if name in ("_COLUMNS", "_STARTS", "_ENDED", "TABLES"):
            assert repr(fact) in value(path, name), place
    columns = re.findall(r"`(\w+)`", RECIPES["model"].partition("A fact that metrics count has")[2])
    given = text(f"warehouse/models/facts/{fact}.sql")
    assert [column for column in columns[:7] if not re.search(rf"\b{column}\b", given)] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_where_the_recipe_puts_it(page: str) -> None:
    file = Path("dashboards") / PAGES[page].file
    folder = ROOT / file.parent
    assert file.name == "page.py" or file.name.endswith("_page.py")
    assert {"__init__.py", "loading.py", "content.py"} <= {path.name for path in folder.iterdir()}
    # a template of its own, or nothing that is not drawn with those for all pages
    drawn = re.findall(
        r'of="(\w+)"', "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    )
    assert (folder / f"{folder.name}.j2").exists() == (folder.name in drawn)
    assert page in running_dashboard._DRAWN
    tests = (ROOT / "tests" / "dashboards" / "pages").glob("test_*_page*.py")
    assert [path for path in tests if page in path.read_text(encoding="utf-8")]
