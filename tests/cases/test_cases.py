"""Each file below `cases` is a small organisation: records in, fact rows or values out, worked out by hand."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from collectors.contract.records import RECORDS, Record
from config.settings import Settings
from warehouse.building.build import build
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import as_rows, compute
from warehouse.storage.store import open_warehouse

FOLDER = Path(__file__).parent
CASES = sorted(FOLDER.rglob("*.yaml"))
# libyaml where it is there: a tenth of the time
READS = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# what a case need not say
DEFAULTS: dict[str, dict[str, Any]] = {
    "repositories": {"repo": "acme/app", "created_at": "2026-01-01T00:00:00Z"},
    "commits": {"repo": "acme/app"},
    "pull_requests": {"repo": "acme/app"},
    "deployments": {
        "source": "import",
        "service": "app",
        "repo": "acme/app",
        "environment": "production",
        "status": "success",
    },
    "incidents": {"source": "import", "service": "app", "urgency": "high"},
    "links": {"incident_source": "import", "deployment_source": "import", "reason": "by hand"},
    "events": {"title": "something"},
    "responses": {"question": "satisfaction", "closes_at": "2026-11-08T23:00:00Z"},
}


def records(given: dict[str, list[dict[str, Any]]]) -> list[Record]:
    found = []
    for kind, rows in given.items():
        for row in rows:
            fields = DEFAULTS.get(kind, {}) | row
            if kind == "commits":
                fields.setdefault("committed_at", fields["authored_at"])
            found.append(
                RECORDS[kind](**{name: value for name, value in fields.items() if value is not None})
            )
    return found


def cell(value: Any) -> Any:
    """Instants and days as a case writes them; figures to six digits."""
    if isinstance(value, datetime):
        return value.strftime("%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return round(value, 6) if isinstance(value, float) else value


def fact_rows(facts: Facts, table: str, columns: list[str]) -> list[list[Any]]:
    names = ", ".join(f'f."{column}"' for column in columns)
    return [
        [cell(v) for v in row]
        for row in facts.connection.execute(f"select {names} from {table} as f").fetchall()
    ]


def value_rows(
    facts: Facts, settings: Settings, asked: dict[str, Any], columns: list[str]
) -> list[list[Any]]:
    days = {key: date.fromisoformat(str(asked[key])) for key in ("start", "end") if key in asked}
    rows = as_rows(compute(facts, settings, **(asked | days)))
    return [[cell(row[column]) for column in columns] for row in rows]


def assert_nothing_is_lost(warehouse: Path, facts: Facts) -> None:
    """What was told counts, is left out with a reason, or is listed as counted nowhere."""
    with open_warehouse(warehouse) as opened:
        ((deployments, runs, incidents, repositories),) = opened.connection.execute(
            "select (select count(*) from deployments), (select count(*) from workflow_runs),"
            " (select count(*) from incidents), (select count(*) from repositories)"
        ).fetchall()
    ((told, listed, judged, made),) = facts.connection.execute(
        "select (select count(distinct (source, id)) from deployments),"
        " (select coalesce(sum(entries), 0) from not_counted),"
        " (select count(distinct (source, id)) from incidents),"
        " (select count(distinct repo) from repositories)"
    ).fetchall()
    assert deployments + runs == told + listed
    assert incidents == judged
    assert repositories == made


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with nothing in it, to be copied: to make one takes as long as some cases."""
    path = tmp_path_factory.mktemp("empty") / "w.duckdb"
    with open_warehouse(path):
        return path


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(FOLDER).with_suffix("")))
def test_case(path: Path, empty: Path, tmp_path: Path) -> None:
    case = yaml.load(path.read_text(encoding="utf-8"), READS)
    settings = Settings.model_validate(
        {"organization": "acme", "warehouse": tmp_path / "w.duckdb"} | case.get("settings", {})
    )
    shutil.copy(empty, settings.warehouse)
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(records(case["given"]))
    build(settings, case.get("now", datetime(2026, 11, 16, 9, tzinfo=UTC)))
    with open_facts(settings.warehouse) as facts:
        assert_nothing_is_lost(settings.warehouse, facts)
        for table, expected in case.get("expect", {}).items():
            found = fact_rows(facts, table, expected["columns"])
            assert sorted(map(repr, found)) == sorted(map(repr, expected["rows"])), f"{table}: {case['why']}"
        for expected in case.get("values", []):
            found = value_rows(facts, settings, expected["asked"], expected["columns"])
            assert found == expected["rows"], case["why"]
