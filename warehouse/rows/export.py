"""Every metric and fact table as files for a spreadsheet or another program."""

import os
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pandas as pd

from config.errors import DataError, SixkeysError
from config.settings import Settings
from warehouse.loading.fault_log import unforeseen
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.satisfaction import histogram, rounds
from warehouse.metrics.values import SCOPES, as_rows, compute, measured
from warehouse.rows.columns import TABLES, DescribedColumn, described_columns
from warehouse.rows.spreadsheets import defused
from warehouse.storage.lock import waited_for
from warehouse.storage.on_disk import age

_LEFT_BEHIND_FOR = timedelta(hours=1)


def export(
    facts: Facts, settings: Settings, folder: Path, format: Literal["csv", "parquet"] = "csv"
) -> list[Path]:
    """Writes `metrics` (every scope by week), the fact tables, `satisfaction` and what their columns mean; the files.

    Satisfaction is a histogram of each published group, never a person's answers. CSV is UTF-8 with instants in
    ISO 8601 and without a cell that a spreadsheet would execute. Each file takes the place of the one before only once
    all are written. Raises DataError where that cannot be.
    """
    token = f"{uuid.uuid4().hex[:8]}.tmp"
    parts: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep_export(folder)
        for name, table in _tables_of(facts, settings):
            ending = "csv" if name == "columns" else format
            path = folder / f"{name}.{ending}"
            parts[path] = folder / f".{path.name}.{token}"
            _write(table, parts[path], ending)
        for path, part in parts.items():
            os.replace(part, path)
    except OSError as error:
        raise DataError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return [*parts]


def export_as_configured(settings: Settings) -> str | None:
    """Writes the newest facts to where `reports.export` says, if it does; why that failed, in one line, or None."""
    to = settings.reports.export
    if to is None:
        return None
    try:
        # who comes second finds facts that are as new or newer
        with waited_for(settings.warehouse, "exporting"), open_facts(settings.warehouse) as facts:
            export(facts, settings, to.directory, to.format)
    except SixkeysError as error:
        return f"reports.export: {error}"
    except Exception as error:  # the numbers are published whatever becomes of their copies
        return unforeseen(settings, error, "reports.export", uuid.uuid4().hex)
    return None


def _tables_of(facts: Facts, settings: Settings) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each table by its file's name, made when it is asked for."""
    metrics = measured(facts, settings)
    rows = [
        row for scope in SCOPES for row in as_rows(compute(facts, settings, scope, "week", metrics=metrics))
    ]
    yield "metrics", pd.DataFrame(rows)
    for table in TABLES:
        yield table, facts.connection.execute(f"from {table} order by all").df()
    yield "satisfaction", _satisfaction(facts)
    yield "columns", pd.DataFrame(described_columns(), columns=list(DescribedColumn._fields))


def _write(table: pd.DataFrame, path: Path, format: str) -> None:
    with path.open("wb") as file:
        if format == "parquet":
            table.to_parquet(file, index=False)
        else:
            safe = spreadsheet_safe(table)
            safe.to_csv(file, index=False, encoding="utf-8-sig", date_format="%Y-%m-%dT%H:%M:%SZ")
        file.flush()
        os.fsync(file.fileno())


def _sweep_export(folder: Path) -> None:
    """Removes what an export left that was ended before it was done."""
    for path in folder.glob(".*.????????.tmp"):
        if age(path) > _LEFT_BEHIND_FOR:
            path.unlink(missing_ok=True)


def spreadsheet_safe(table: pd.DataFrame) -> pd.DataFrame:
    """`table` with an apostrophe before each text that a spreadsheet would take for a formula; days stay days."""
    safe = table.copy()
    for column in safe.columns:
        if column == "day" and pd.api.types.is_datetime64_any_dtype(safe[column]):
            safe[column] = safe[column].dt.date
        elif not pd.api.types.is_numeric_dtype(safe[column]) and not pd.api.types.is_datetime64_any_dtype(
            safe[column]
        ):
            safe[column] = safe[column].map(defused)
    return safe


def _satisfaction(facts: Facts) -> pd.DataFrame:
    rows = []
    for closed_on, everyone, teams in rounds(facts):
        for scope, group in [("organisation", everyone), *(("team", team) for team in teams.values())]:
            name = group.team or facts.organization
            about = {"round": group.round, "closed_on": closed_on, "scope": scope, "name": name}
            if group.is_withheld:
                rows.append({**about, "status": "withheld", "score": None, "n": group.n})
            for score, n in histogram(facts, group).items():
                rows.append({**about, "status": "value", "score": score, "n": n})
    return pd.DataFrame(rows, columns=["round", "closed_on", "scope", "name", "status", "score", "n"])
