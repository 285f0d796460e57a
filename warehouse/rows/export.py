"""Every metric and fact table as files for a spreadsheet or another program."""

import csv
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from config.errors import DataError, SixkeysError
from config.settings import Settings
from warehouse.loading.fault_log import unforeseen
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import limit_memory, open_facts
from warehouse.metrics.satisfaction import histogram, rounds
from warehouse.metrics.values import SCOPES, measured, value_columns
from warehouse.rows.columns import TABLES, DescribedColumn, described_columns
from warehouse.rows.spreadsheets import defused
from warehouse.storage.lock import waited_for
from warehouse.storage.on_disk import age, quoted_path

if TYPE_CHECKING:
    import pandas as pd

_LEFT_BEHIND_FOR = timedelta(hours=1)
# what the database has for sorting a table; what needs more is put on disk
_MOST_MEMORY = "512MB"
# of 2,048 rows each, that are made text at once
_VECTORS = 10
# what tells the rows of a large table apart: its first columns, by which they are in the order of all of its columns
_KEYS = {"changes": "repo, sha, service", "deployments": "source, id, service"}
_TEXT, _NUMBER, _COUNT = pa.string(), pa.float64(), pa.int64()
_METRICS = pa.schema(
    {
        **dict.fromkeys(("metric", "scope", "name", "period_start", "period_end"), _TEXT),
        "value": _NUMBER,
        "unit": _TEXT,
        "n": _COUNT,
        **dict.fromkeys(("target", "status"), _TEXT),
        "partial": pa.bool_(),
        **dict.fromkeys(("p75", "p90"), _NUMBER),
        "provisional": pa.bool_(),
        "watched": _NUMBER,
        "remark": _TEXT,
    }
)
_HISTOGRAMS = pa.schema(
    {
        "round": _TEXT,
        "closed_on": pa.date32(),
        **dict.fromkeys(("scope", "name", "status"), _TEXT),
        "score": _COUNT,
        "n": _COUNT,
    }
)


def export(
    facts: Facts, settings: Settings, folder: Path, format: Literal["csv", "parquet"] = "csv"
) -> list[Path]:
    """Writes `metrics` (every scope by week), the fact tables, `satisfaction` and what their columns mean; the files.

    Satisfaction is a histogram of each published group, never a person's answers. CSV is UTF-8 with instants in
    ISO 8601 and without a cell that a spreadsheet would execute. Each file takes the place of the one before only once
    all are written. Raises DataError where that cannot be.
    """
    limit_memory(facts, _MOST_MEMORY)
    token = f"{uuid.uuid4().hex[:8]}.tmp"
    parts: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep_export(folder)
        writers = {folder / name: write for name, write in _writers(facts, settings, format)}
        parts = {path: path.with_name(f".{path.name}.{token}") for path in writers}
        # the metrics last: what they take of this process, the database has no use for any more
        for path, part in reversed(parts.items()):
            writers[path](part)
            with part.open("rb") as file:
                os.fsync(file.fileno())
        for path, part in parts.items():
            os.replace(part, path)
    except OSError as error:
        raise DataError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    except duckdb.IOException as error:
        raise DataError(f"{folder}: cannot be written: {_reason(error)}") from None
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


def _writers(facts: Facts, settings: Settings, format: str) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Each file by its name, and what writes it."""
    write = _as_parquet if format == "parquet" else _as_csv
    yield f"metrics.{format}", lambda path: write(_metrics(facts, settings), path)
    for table in TABLES:
        copy = _copy_as_parquet if format == "parquet" else _copy_as_csv
        yield f"{table}.{format}", partial(copy, facts, table)
    yield f"satisfaction.{format}", lambda path: write(_satisfaction(facts), path)
    yield "columns.csv", _write_columns


def _copy_as_parquet(facts: Facts, table: str, path: Path) -> None:
    """A fact table with its days as instants, which every reader of Parquet has."""
    described = facts.connection.execute(f"describe {table}").fetchall()
    instants = [f"cast({name} as timestamp) as {name}" for name, type, *_ in described if type == "DATE"]
    replaced = f"replace ({', '.join(instants)})" if instants else ""
    where = quoted_path(path)
    facts.connection.execute(
        f"copy (select * {replaced} from {table} order by {_KEYS.get(table, 'all')})"
        f" to '{where}' (format parquet, use_tmp_file false)"
    )


def _copy_as_csv(facts: Facts, table: str, path: Path) -> None:
    result = facts.connection.execute(f"from {table} order by {_KEYS.get(table, 'all')}")
    _write_csv(_parts(result), path)


def _parts(result: duckdb.DuckDBPyConnection) -> "Iterator[pd.DataFrame]":
    """The rows some thousand at a time; the last part has none, so that there is always one."""
    while not (part := result.fetch_df_chunk(_VECTORS)).empty:
        yield part
    yield part


def _as_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path)


def _as_csv(table: pa.Table, path: Path) -> None:
    _write_csv([table.to_pandas()], path)


def _write_csv(parts: "Iterable[pd.DataFrame]", path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        for number, part in enumerate(parts):
            safe = spreadsheet_safe(part)
            safe.to_csv(file, index=False, header=number == 0, date_format="%Y-%m-%dT%H:%M:%SZ")


def _write_columns(path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator=os.linesep)
        writer.writerows([DescribedColumn._fields, *([*map(defused, row)] for row in described_columns())])


def _metrics(facts: Facts, settings: Settings) -> pa.Table:
    """Every scope by week."""
    metrics = measured(facts, settings)
    parts = []
    for scope in SCOPES:
        told: dict[str, Any] = {**value_columns(facts, settings, scope, "week", metrics=metrics)}
        for name in ("period_start", "period_end"):
            told[name] = pa.array(told[name], pa.date32()).cast(_TEXT)
        parts.append(pa.table([told[name] for name in _METRICS.names], schema=_METRICS))
    return pa.concat_tables(parts)


def _reason(error: duckdb.Error) -> str:
    """What the system said, such as "No space left on device"."""
    return re.split(r":\s+", " ".join(str(error).split()))[-1]


def _sweep_export(folder: Path) -> None:
    """Removes what an export left that was ended before it was done."""
    for path in folder.glob(".*.????????.tmp"):
        if age(path) > _LEFT_BEHIND_FOR:
            path.unlink(missing_ok=True)


def spreadsheet_safe(table: "pd.DataFrame") -> "pd.DataFrame":
    """`table` with an apostrophe before each text that a spreadsheet would take for a formula; days stay days."""
    import pandas as pd

    safe = table.copy()
    for column in safe.columns:
        if column == "day" and pd.api.types.is_datetime64_any_dtype(safe[column]):
            safe[column] = safe[column].dt.date
        elif not pd.api.types.is_numeric_dtype(safe[column]) and not pd.api.types.is_datetime64_any_dtype(
            safe[column]
        ):
            safe[column] = safe[column].map(defused)
    return safe


def _satisfaction(facts: Facts) -> pa.Table:
    rows = []
    for closed_on, everyone, teams in rounds(facts):
        for scope, group in [("organisation", everyone), *(("team", team) for team in teams.values())]:
            name = group.team or facts.organization
            about = {"round": group.round, "closed_on": closed_on, "scope": scope, "name": name}
            if group.is_withheld:
                rows.append({**about, "status": "withheld", "score": None, "n": group.n})
            for score, n in histogram(facts, group).items():
                rows.append({**about, "status": "value", "score": score, "n": n})
    return pa.Table.from_pylist(rows, schema=_HISTOGRAMS)
