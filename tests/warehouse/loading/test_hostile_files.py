"""Whatever stands in one cell of a file: an import takes all or none, a source sets aside what is wrong."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collectors.contract.items import Malformed, Resume, SourceError
from collectors.contract.records import Component, Response
from collectors.files import backstage
from collectors.survey import collect as survey
from config.errors import DataError
from config.settings import Settings
from config.survey import Survey
from tests.support.github_organisation import NOW, PEOPLE, SINCE
from tests.support.hostile.values import Raw, drawn, written
from tests.support.places import LONG
from tests.warehouse.loading.test_hostile_values import SOUND
from warehouse.loading.imports import import_file
from warehouse.storage.store import open_warehouse

LONGEST_MESSAGE = 1_000
LONGEST_SECONDS = 5
LONGEST_YAML = 10_000
EXAMPLES = 20
MORE = [pytest.param(1_000, marks=pytest.mark.soak)] if LONG else []


def as_text(value: Any) -> str:
    """`value` as it stands in a cell or a scalar, without half characters: no file of UTF-8 holds them."""
    told = value if isinstance(value, str) else value.written if isinstance(value, Raw) else str(value)
    return told.encode("utf-8", "replace").decode()


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    file = io.StringIO(newline="")
    table = csv.DictWriter(file, list(rows[-1]))
    table.writeheader()
    table.writerows({name: as_text(value) for name, value in row.items()} for row in rows)
    return file.getvalue().encode()


def as_jsonl(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(written(row) + b"\n" for row in rows)


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    """The hostile row alone, for a column holds one type."""
    values = {name: [value.written if isinstance(value, Raw) else value] for name, value in rows[-1].items()}
    file = io.BytesIO()
    try:
        pq.write_table(pa.table(values), file)
    except (pa.ArrowException, ValueError, OverflowError, TypeError, NotImplementedError):
        return b"PAR1 no table holds this"
    return file.getvalue()


FORMS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "parquet": as_parquet,
}


@pytest.mark.parametrize("count", [EXAMPLES // 3, *MORE])
@pytest.mark.parametrize("form", FORMS)
def test_an_import_takes_all_or_none_and_says_why(tmp_path: Path, form: str, count: int) -> None:
    settings = Settings(organization="acme", warehouse=tmp_path / "w.duckdb")
    kinds = sorted(set(SOUND) - {"coverage", "owners"})
    for number in range(count):
        random = Random(f"{form} {number}")
        kind = kinds[number % len(kinds)]
        value = drawn(random)
        field = random.choice(sorted(SOUND[kind]))
        rows = [SOUND[kind], SOUND[kind] | {field: value}]
        path = tmp_path / f"{kind}.{form}"
        path.write_bytes(FORMS[form](rows))
        with open_warehouse(settings.warehouse) as warehouse:
            warehouse.connection.execute(f"delete from {kind}")
        begun, told = time.monotonic(), ""
        try:
            import_file(settings, kind, path)
        except DataError as error:
            told = str(error)
        assert time.monotonic() - begun < LONGEST_SECONDS, (kind, field)
        with open_warehouse(settings.warehouse) as warehouse:
            (stored,) = warehouse.connection.execute(f"select count(*) from {kind}").fetchall()
        assert (stored[0] == 0) == bool(told), (kind, field, told)
        assert len(told) < LONGEST_MESSAGE, (kind, field, told[:1_500])
        assert not told or told.startswith(str(path)), told


@pytest.mark.parametrize("count", [EXAMPLES, *MORE])
def test_a_cell_of_a_survey_costs_its_row(tmp_path: Path, count: int) -> None:
    for number in range(count):
        random = Random(f"survey {number}")
        sound = SOUND["responses"]
        field = random.choice(sorted(sound))
        rows = [sound | {"respondent": name} for name in ("anna", "ben")]
        rows.insert(1, sound | {"respondent": "hit", field: drawn(random)})
        path = tmp_path / "survey.csv"
        path.write_bytes(as_csv(rows))
        begun = time.monotonic()
        items = list(survey.collect(Survey(files=[str(path)]), Resume(NOW, SINCE), PEOPLE))
        assert time.monotonic() - begun < LONGEST_SECONDS
        stored = [item for item in items if isinstance(item, Response)]
        aside = [item for item in items if isinstance(item, Malformed)]
        assert len(stored) + len(aside) == 3, (number, field)
        assert len(stored) >= 2
        assert all(len(item.reason) < LONGEST_MESSAGE for item in aside), (number, field)


def as_yaml(value: Any) -> str:
    return written(value).decode()


def descriptors(hit: str) -> Iterator[str]:
    yield "kind: Component\nmetadata: {name: first}\n"
    yield hit
    yield "kind: Component\nmetadata: {name: last}\n"


@pytest.mark.parametrize("count", [EXAMPLES * 3, *MORE])
def test_a_value_of_a_catalogue_costs_its_document(tmp_path: Path, count: int) -> None:
    places = [
        *("kind: %s\nmetadata: {name: hit}\n", "kind: Component\nmetadata: {name: %s}\n"),
        *("kind: Component\nmetadata: {name: hit}\nspec: {owner: %s}\n", "kind: Component\nmetadata: %s\n"),
        "kind: Component\nmetadata: {name: hit, annotations: {argocd/app-name: %s}, tags: [%s]}\n",
        *("kind: Location\nspec: {targets: [%s]}\n", "kind: Component\n%s: 1\nmetadata: {name: hit}\n"),
    ]
    for number in range(count):
        random = Random(f"catalogue {number}")
        while len(told := as_yaml(drawn(random))) > LONGEST_YAML:
            pass
        path = tmp_path / "catalog-info.yaml"
        text = "---\n".join(descriptors(random.choice(places).replace("%s", told)))
        path.write_text(text, encoding="utf-8")
        begun = time.monotonic()
        items = []
        with suppress(SourceError):
            items = list(backstage.collect([str(path)], Resume(NOW, SINCE)))
        assert time.monotonic() - begun < LONGEST_SECONDS * 2, (number, told[:80])
        names = {item.name for item in items if isinstance(item, Component)}
        assert {"first", "last"} <= names, (number, told[:80])
        aside = [item for item in items if isinstance(item, Malformed)]
        assert all(len(item.reason) < LONGEST_MESSAGE for item in aside), (number, told[:80])
