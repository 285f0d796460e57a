"""Records from a file into the source tables, with the days for which the file is complete."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collectors.contract.records import Event, Record, Response
from collectors.files.record_batches import PLACE
from collectors.files.record_files import place, record_class
from config.errors import DataError
from config.names import same_key
from config.settings import Settings
from config.text.quoting import one_short_line
from warehouse.loading.file_coverage import extended, told_stretches
from warehouse.loading.people_key import people_of
from warehouse.loading.staged_rows import STAGED, stage, told_key
from warehouse.storage.instants import naive
from warehouse.storage.renames import rows_under_current_names
from warehouse.storage.store import Warehouse, open_warehouse

_FIRST_YEAR = datetime(2000, 1, 1, tzinfo=UTC)
# what may lie ahead, and how far
_AHEAD = {"closes_at": timedelta(days=366)}
# what somebody plans may lie in any year that there is
_PLANNED = (Event,)
# the columns that say whose a record is
_WHOSE = ("service", "repo", "source_service")


@dataclass(frozen=True)
class Imported:
    """How many records of a file were new, took the place of others, or were there already.

    `repeated` rows are the same as an earlier one of the file, and are none of these; `repeat` says which is the first.
    `covered_to` is tomorrow, where the file was said to be complete for days from then on, which are not covered.
    """

    new: int
    replaced: int
    unchanged: int
    repeated: int = 0
    repeat: str = ""
    covered_to: date | None = None

    @property
    def total(self) -> int:
        """All records of the file, each once."""
        return self.new + self.replaced + self.unchanged


def import_file(
    settings: Settings,
    kind: str,
    path: Path,
    covers: tuple[date, date] | None = None,
    replace: bool = False,
) -> Imported:
    """Stores the records of `path`, all or none; they count from the next build on.

    `covers` are the first day and the first day after that the file is complete for, for every service. Without it, it
    extends what earlier files said of the same services and repositories: from the first row's day to the last's.
    With `replace` a known key may come with another service or repository. Raises DataError for what cannot be read.
    """
    people = people_of(settings)
    zone = ZoneInfo(settings.timezone)
    said = _begun(covers, zone) if covers else None
    record = record_class(kind, path)
    check = partial(_sound, record=record, path=path, zone=zone, covers=covers)
    with open_warehouse(settings.warehouse) as warehouse:
        staged = stage(warehouse.connection, record, path, people, check)
        stretches = told_stretches(warehouse.connection, record, STAGED, zone, said)
        with warehouse.transaction():
            rows_under_current_names(warehouse.connection, record, STAGED)
            if not replace:
                _require_unmoved(warehouse, record, path)
            unchanged = _unchanged(warehouse, record)
            known = warehouse.put(record, STAGED)
            source = f"import {kind}"
            ours = [stretch for stretch in stretches if stretch.source == source and not said]
            # what a collector reads has gaps of its own, which no file may close
            others = [stretch for stretch in stretches if stretch not in ours]
            warehouse.upsert([*extended(warehouse.connection, source, ours), *others])
    cut = said[1] if said != covers and said else None
    return Imported(staged.rows - known, known - unchanged, unchanged, staged.repeated, staged.repeat, cut)


def _begun(days: tuple[date, date], zone: ZoneInfo) -> tuple[date, date]:
    """Those of `days` that have begun: nothing is complete for a day to come."""
    first, after = days
    tomorrow = datetime.now(zone).date() + timedelta(days=1)
    return min(first, tomorrow), min(after, tomorrow)


def _unchanged(warehouse: Warehouse, record: type[Record]) -> int:
    """How many of the staged rows are stored already with all that they hold."""
    key, names = ", ".join(record.KEY), ", ".join(f'"{name}"' for name in record.model_fields)
    # a hash stands for the rest of a row, which would not go into the memory
    of_row = f"select {key}, hash({names}) as content from"
    return sum(
        warehouse.connection.execute(
            f"select count(*) from ({of_row} {STAGED}) as incoming inner join ({of_row} {record.TABLE}) as stored"
            f" on {part} and incoming.content = stored.content"
        ).fetchall()[0][0]
        for part in warehouse.same_key_in_parts(record, STAGED)
    )


def _require_unmoved(warehouse: Warehouse, record: type[Record], path: Path) -> None:
    """Raises DataError for the first staged row that would make a known one another's."""
    names = [name for name in _WHOSE if name in record.model_fields and name not in record.KEY]
    both = f"{STAGED} as incoming inner join {record.TABLE} as stored on"
    places: dict[int, str] = {}
    for part in warehouse.same_key_in_parts(record, STAGED) if names else ():
        for name in names:
            found = warehouse.connection.execute(
                f"select stored.{name}, incoming.{name}, min({PLACE}) from {both} {part}"
                f" where stored.{name} <> coalesce(incoming.{name}, '') group by all"
            ).fetchall()
            places |= {number: part for before, after, number in found if _is_other(before, after)}
    if not places:
        return
    told = [f"incoming.{name}" for name in record.KEY]
    told += [f"{table}.{name}" for name in names for table in ("stored", "incoming")]
    (row,) = warehouse.connection.execute(
        f"select {', '.join(told)} from {both} {places[min(places)]} where {PLACE} = {min(places)}"
    ).fetchall()
    parts, rest = row[: len(record.KEY)], row[len(record.KEY) :]
    changes = ", ".join(
        f"{name} {one_short_line(str(before))} into {one_short_line(str(after))}"
        for name, before, after in zip(names, rest[::2], rest[1::2], strict=True)
        if before is not None and _is_other(before, after)
    )
    raise DataError(
        f"{place(path, min(places))}: the row known by {told_key(record, parts)} would change its {changes};"
        " give it a key of its own, or say --replace where that is meant"
    )


def _is_other(before: str, after: str | None) -> bool:
    return same_key(before) != same_key(after or "")


def _sound(
    batch: pa.RecordBatch,
    record: type[Record],
    path: Path,
    zone: ZoneInfo,
    covers: tuple[date, date] | None,
) -> Iterator[pa.RecordBatch]:
    """The rows of a batch; raises DataError after those before the first of which a time or a score is none."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    strange = np.zeros(batch.num_rows, bool)
    if record not in _PLANNED:
        for name, values, rows in _instant_columns(batch):
            last = tomorrow + _AHEAD.get(name, timedelta())
            strange[rows[_outside(values, naive(_FIRST_YEAR), naive(last))]] = True
    if record is Response:
        ends = [batch.column(name) for name in ("scale_min", "scale_max")]
        strange |= _outside(batch.column("score"), pc.min_element_wise(*ends), pc.max_element_wise(*ends))
    found = np.flatnonzero(strange)
    for at, row in zip(found.tolist(), batch.take(pa.array(found)).to_pylist(), strict=True):
        try:
            if record not in _PLANNED:
                _check_instants(place(path, row[PLACE]), row, zone, tomorrow, covers)
            if record is Response:
                _check_score(place(path, row[PLACE]), row)
        except DataError:
            yield batch.slice(0, at)
            raise
    yield batch


def _outside(values: pa.Array, first: Any, last: Any) -> np.ndarray:
    """Which of `values` are there and lie before `first` or after `last`."""
    return np.array(pc.fill_null(pc.or_(pc.less(values, first), pc.greater(values, last)), False))


def _instant_columns(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Array, np.ndarray]]:
    """Every column of instants, those inside of lists too, with the row of each of its values."""
    rows = np.arange(batch.num_rows)
    for field, values in zip(batch.schema, batch.columns, strict=True):
        if pa.types.is_timestamp(field.type):
            yield field.name, values, rows
        elif pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type):
            of_lists = np.repeat(rows, pc.fill_null(pc.list_value_length(values), 0))
            for part, inner in zip(field.type.value_type, values.flatten().flatten(), strict=True):
                if pa.types.is_timestamp(part.type):
                    yield f"{field.name}.{part.name}", inner, of_lists


def _check_instants(
    where: str, row: dict[str, Any], zone: ZoneInfo, tomorrow: datetime, covers: tuple[date, date] | None
) -> None:
    """Refuses what exporters write for a missing time: one would make decades of covered days, or of lead time."""
    for name, told in _all_instants(row):
        at = told.replace(tzinfo=UTC)
        is_covered = covers is not None and covers[0] <= at.astimezone(zone).date() < covers[1]
        if not (_FIRST_YEAR <= at <= tomorrow + _AHEAD.get(name, timedelta()) or is_covered):
            wrong = "before 2000" if at < _FIRST_YEAR else "in the future"
            raise DataError(
                f"{where}: {name}: {at.isoformat().replace('+00:00', 'Z')} is {wrong}; leave the cell empty where the"
                " time is not known, or say --covers FROM TO with days that hold it"
            )


def _all_instants(row: dict[str, Any]) -> Iterator[tuple[str, datetime]]:
    """Every instant of a row by its column, those inside a list too."""
    for name, value in row.items():
        if isinstance(value, datetime):
            yield name, value
        elif isinstance(value, list):
            parts = (part for part in value if isinstance(part, dict))
            yield from (
                (f"{name}.{inner}", at)
                for part in parts
                for inner, at in part.items()
                if isinstance(at, datetime)
            )


def _check_score(where: str, row: dict[str, Any]) -> None:
    """Refuses a score that its scale does not have: it would make a satisfaction above the best or below the worst."""
    least, most = sorted((row["scale_min"], row["scale_max"]))
    if not least <= row["score"] <= most:
        raise DataError(
            f"{where}: score: {row['score']:g} is not between {least:g} and {most:g}; mend it, or give the scale in"
            " scale_min and scale_max"
        )
