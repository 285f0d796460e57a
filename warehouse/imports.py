"""Records from a file into the source tables, with the days for which the file is complete."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from collectors import files
from collectors.records import Coverage, Deployment, Incident, Record, Repository, Response
from config.settings import Settings
from warehouse.store import open_warehouse

BATCH_ROWS = 50_000


def import_file(settings: Settings, kind: str, path: Path, covers: tuple[date, date] | None = None) -> int:
    """Stores the records of `path`, all or none, and returns how many; they count from the next build on.

    `covers` are the first day and the first day after that the file is complete for; without it, from its first row's
    day to its last row's. Raises DataError for what cannot be read.
    """
    records = list(files.read(kind, path))
    zone = ZoneInfo(settings.timezone)
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        rows: Iterator[Record] = iter(records)
        while batch := list(islice(rows, BATCH_ROWS)):
            warehouse.upsert(batch)
        warehouse.upsert(list(_coverage(kind, records, zone, covers)))
    return len(records)


def _coverage(
    kind: str, records: Iterable[Record], zone: ZoneInfo, covers: tuple[date, date] | None
) -> Iterator[Coverage]:
    """A stretch for each service or repository in the file; for what belongs to none, one for all."""
    subjects: set[str] = set()
    instants: list[datetime] = []
    for record in records:
        instants += _instants(record)
        subjects.add(_subject(record))
    if not subjects or not (covers or instants):
        return
    if not any(isinstance(record, Deployment | Incident | Repository | Response) for record in records):
        return
    if covers:
        first, after = covers
    else:
        days = [at.astimezone(zone).date() for at in instants]
        first, after = min(days), max(days) + timedelta(days=1)
    from_at, until_at = (datetime.combine(day, clock(), zone).astimezone(UTC) for day in (first, after))
    for subject in sorted(subjects):
        yield Coverage(source=f"import {kind}", subject=subject, from_at=from_at, until_at=until_at)


def _instants(record: Record) -> list[datetime]:
    """The instants that put a record on a day; none for kinds whose coverage no metric asks about."""
    match record:
        case Deployment():
            return [at for at in (record.started_at, record.finished_at) if at]
        case Incident():
            return [at for at in (record.opened_at, record.resolved_at) if at]
        case Repository():
            return [record.created_at]
        case Response():
            return [record.submitted_at]
    return []


def _subject(record: Record) -> str:
    match record:
        case Deployment():
            return record.service or record.repo or record.application or "*"
        case Incident():
            return record.service or "*"
        case Repository():
            return record.repo
    return "*"
