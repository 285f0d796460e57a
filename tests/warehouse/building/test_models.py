"""The models keep to what DuckDB and Spark both run."""

import re
from pathlib import Path

import pytest
import sqlglot

from warehouse.building.steps import CATALOGUE, FIRST_STEPS, STEPS_IN_ORDER
from warehouse.metrics import definitions

MODELS = sorted(definitions.MODELS.rglob("*.sql"))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_a_model_is_one_select_for_both_engines(path: Path, engine: str) -> None:
    statements = sqlglot.parse(path.read_text(encoding="utf-8"), read=engine)
    assert [type(statement).__name__ for statement in statements] in (["Select"], ["Union"])


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_says_its_grain_and_avoids_what_engines_read_differently(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("-- grain: one ")
    code = re.sub(r"--.*", "", text)
    # each of these runs on one engine only, or gives another answer on the other
    forbidden = (
        r"\b(varchar|quantile_cont|date_diff|list_contains|asof|generate_series|distinct on|concat)\b|::|//"
        r"|\b(string_agg|dayofweek|exclude)\b|\* replace\b|\w\[\]|unnest\(\["
    )
    assert not re.search(forbidden, code)


def test_every_model_is_built() -> None:
    steps = {step for step in (*FIRST_STEPS, *STEPS_IN_ORDER) if isinstance(step, str)}
    assert steps | {CATALOGUE} == {path.stem for path in MODELS}
