"""Every metric and fact table as files for a spreadsheet or another program."""

from pathlib import Path
from typing import Literal

import pandas as pd

from config.errors import DataError
from config.settings import Settings
from warehouse.metrics.facts import Facts
from warehouse.metrics.satisfaction import histogram, rounds
from warehouse.metrics.values import SCOPES, as_rows, compute
from warehouse.rows.spreadsheets import defused

TABLES = ("services", "deployments", "changes", "incidents", "recoveries", "repositories", "events")


def export(
    facts: Facts, settings: Settings, folder: Path, format: Literal["csv", "parquet"] = "csv"
) -> list[Path]:
    """Writes `metrics` (every scope by week), the fact tables and `satisfaction`; returns the files.

    Satisfaction is a histogram of each published group, never a person's answers. CSV is UTF-8 with instants in
    ISO 8601 and without a cell that a spreadsheet would execute. Raises DataError where a file cannot be written.
    """
    tables = {
        "metrics": pd.DataFrame(
            [row for scope in SCOPES for row in as_rows(compute(facts, settings, scope, "week"))]
        ),
        **{table: facts.connection.execute(f"from {table} order by all").df() for table in TABLES},
        "satisfaction": _satisfaction(facts),
    }
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            path = folder / f"{name}.{format}"
            if format == "parquet":
                table.to_parquet(path, index=False)
            else:
                spreadsheet_safe(table).to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
            written.append(path)
    except OSError as error:
        raise DataError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    return written


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
