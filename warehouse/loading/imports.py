"""Records from a file into the source tables, with the days for which the file is complete."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from itertools import islice
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

from collectors.contract.people import People
from collectors.contract.records import (
    Commit,
    Coverage,
    Deployment,
    Incident,
    PullRequest,
    Record,
    Repository,
    Response,
    WorkflowRun,
)
from collectors.files import record_files
from config.settings import DeploymentSource, Settings
from warehouse.loading.configured import people_of
from warehouse.loading.store import open_warehouse

BATCH_ROWS = 50_000
_KINDS = {record.TABLE for record in (Deployment, Incident, Repository, Response, WorkflowRun)}


def import_file(settings: Settings, kind: str, path: Path, covers: tuple[date, date] | None = None) -> int:
    """Stores the records of `path`, all or none, and returns how many; they count from the next build on.

    `covers` are the first day and the first day after that the file is complete for; without it, from its first row's
    day to its last row's. It is complete for the services and repositories that it names. Raises DataError for what
    cannot be read.
    """
    people = people_of(settings)
    records = [_without_people(record, people) for record in record_files.read_records(kind, path)]
    zone = ZoneInfo(settings.timezone)
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        rows: Iterator[Record] = iter(records)
        while batch := list(islice(rows, BATCH_ROWS)):
            warehouse.upsert(batch)
        warehouse.upsert(list(_coverage(kind, records, zone, covers)))
    return len(records)


def _without_people(record: Record, people: People) -> Record:
    """`record` with what may be kept of a person, as if it had been collected."""
    changed: dict[str, str | None] = {}
    match record:
        case Commit() | PullRequest():
            changed = {"author": people.pseudonym(record.author)}
        case Deployment():
            changed = {"creator": people.pseudonym(record.creator)}
        case Response():
            changed = {"respondent": people.respondent(record.respondent)}
    return record.model_copy(update=changed) if changed else record


def _coverage(
    kind: str, records: Iterable[Record], zone: ZoneInfo, covers: tuple[date, date] | None
) -> Iterator[Coverage]:
    """A stretch for each source and subject in the file; for what belongs to none, and an empty file, one for all."""
    if kind not in _KINDS:
        return
    read: set[tuple[str, str]] = set()
    instants: list[datetime] = []
    for record in records:
        instants += _instants(record)
        read.add(_read(record))
    if covers:
        first, after = covers
    elif instants:
        days = [at.astimezone(zone).date() for at in instants]
        first, after = min(days), max(days) + timedelta(days=1)
    else:
        return
    from_at, until_at = (datetime.combine(day, clock(), zone).astimezone(UTC) for day in (first, after))
    for source, subject in sorted(read or {(f"import {kind}", "*")}):
        yield Coverage(source=source, subject=subject, from_at=from_at, until_at=until_at)


def _instants(record: Record) -> list[datetime]:
    """The instants that put a record on a day."""
    match record:
        case Deployment():
            found = [record.started_at, record.finished_at]
        case Incident():
            found = [record.opened_at, record.resolved_at]
        case Repository():
            found = [record.created_at]
        case Response():
            found = [record.submitted_at]
        case WorkflowRun():
            found = [record.created_at, record.started_at, record.finished_at]
        case _:
            found = []
    return [at for at in found if at]


def _read(record: Record) -> tuple[str, str]:
    """The source and the subject that a record is a reading of; a row of a collector's source is that source's."""
    match record:
        case Deployment():
            source = record.source if record.source in get_args(DeploymentSource) else "import deployments"
            by_source = record.application if source == "argocd" else record.repo
            return source, record.service or by_source or record.repo or record.application or "*"
        case Incident():
            return "import incidents", record.service or record.source_service or "*"
        case Repository():
            return "import repositories", record.repo
        case WorkflowRun():
            return "workflow_runs", record.repo
    return f"import {record.TABLE}", "*"
