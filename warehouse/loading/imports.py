"""Records from a file into the source tables, with the days for which the file is complete."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from collectors.contract.people import People
from collectors.contract.records import (
    Comment,
    Commit,
    Coverage,
    Deployment,
    Event,
    Incident,
    PullRequest,
    Record,
    Repository,
    Request,
    Response,
    WorkflowRun,
)
from collectors.files import record_files
from config.errors import DataError
from config.settings import DEPLOYMENT_SOURCES, Settings
from config.text.quoting import one_short_line
from warehouse.loading.people_key import people_of
from warehouse.storage.store import Known, Warehouse, open_warehouse

BATCH_ROWS = 50_000
# the columns that put a record on a day, of the kinds whose files cover days
DAY_COLUMNS = {
    Deployment.TABLE: ("started_at", "finished_at"),
    Incident.TABLE: ("opened_at", "resolved_at"),
    Repository.TABLE: ("created_at",),
    Request.TABLE: ("opened_at", "ready_at"),
    Response.TABLE: ("submitted_at",),
    WorkflowRun.TABLE: ("created_at", "started_at", "finished_at"),
}
# the columns of which the first that is told names what a record is a reading of; where none is, that is `*`
SUBJECT_COLUMNS = {
    Deployment.TABLE: ("service", "repo", "application"),
    Incident.TABLE: ("service", "source_service"),
    Repository.TABLE: ("repo",),
    Request.TABLE: (),
    Response.TABLE: (),
    WorkflowRun.TABLE: ("repo",),
}
_ARGOCD_SUBJECTS = ("service", "unit", "application", "repo")
# a file that is said to be complete for its days speaks of every service, those that it does not name too
EVERY_SERVICE = "every service"
_FIRST_YEAR = datetime(2000, 1, 1, tzinfo=UTC)
# what may lie ahead, and how far
_AHEAD = {"closes_at": timedelta(days=366)}
# what somebody plans may lie in any year that there is
_PLANNED = (Event,)


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
    named: dict[tuple[Any, ...], tuple[str, Record]] = {}
    repeated, repeat = 0, ""
    for where, row in record_files.read_rows(kind, path):
        record = pseudonymous(row, people)
        _check_instants(where, record, zone, covers)
        _check_score(where, record)
        key = tuple(getattr(record, name) for name in record.KEY)
        first, other = named.setdefault(key, (where, record))
        if other != record:
            raise DataError(_same_key(first, where, record))
        if first != where:
            repeated += 1
            repeat = repeat or f"{where} is {_row(first)}"
    records = [record for _, record in named.values()]
    places = {key: where for key, (where, _) in named.items()}
    known = Counter[bool]()
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        rows: Iterator[Record] = iter(records)
        while batch := list(islice(rows, BATCH_ROWS)):
            for found in warehouse.known(batch):
                if found.moved and not replace:
                    raise DataError(_moved(places[found.key], batch[0], found))
                known[found.is_same] += 1
            warehouse.upsert(batch)
        _cover(warehouse, kind, records, zone, said)
    new = len(records) - known.total()
    cut = said[1] if said != covers and said else None
    return Imported(new, known[False], known[True], repeated, repeat, cut)


def _begun(days: tuple[date, date], zone: ZoneInfo) -> tuple[date, date]:
    """Those of `days` that have begun: nothing is complete for a day to come."""
    first, after = days
    tomorrow = datetime.now(zone).date() + timedelta(days=1)
    return min(first, tomorrow), min(after, tomorrow)


def _row(where: str) -> str:
    """The line or row alone of a place in a file."""
    return where.rpartition(":")[2].strip()


def _same_key(first: str, second: str, record: Record) -> str:
    key = ", ".join(f"{name} {one_short_line(str(getattr(record, name)))}" for name in record.KEY)
    return (
        f"{first} and {_row(second)} have the same key ({key}) and are not the same;"
        f" give each a key of its own, such as the job's name before a build's number"
    )


def _moved(where: str, record: Record, found: Known) -> str:
    key = ", ".join(
        f"{name} {one_short_line(str(part))}" for name, part in zip(record.KEY, found.key, strict=True)
    )
    changes = ", ".join(
        f"{name} {one_short_line(str(before))} into {one_short_line(str(after))}"
        for name, before, after in found.moved
    )
    return (
        f"{where}: the row known by {key} would change its {changes}; give it a key of its own,"
        " or say --replace where that is meant"
    )


def _check_instants(where: str, record: Record, zone: ZoneInfo, covers: tuple[date, date] | None) -> None:
    """Refuses what exporters write for a missing time: one would make decades of covered days, or of lead time."""
    if isinstance(record, _PLANNED):
        return
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for name, at in _all_instants(record):
        is_covered = covers is not None and covers[0] <= at.astimezone(zone).date() < covers[1]
        if not (_FIRST_YEAR <= at <= tomorrow + _AHEAD.get(name, timedelta()) or is_covered):
            wrong = "before 2000" if at < _FIRST_YEAR else "in the future"
            raise DataError(
                f"{where}: {name}: {at.isoformat().replace('+00:00', 'Z')} is {wrong}; leave the cell empty where the"
                " time is not known, or say --covers FROM TO with days that hold it"
            )


def _all_instants(record: Record) -> Iterator[tuple[str, datetime]]:
    """Every instant of a record by its column, those inside a list too."""
    for name, value in record:
        if isinstance(value, datetime):
            yield name, value
        elif isinstance(value, tuple):
            parts = (part for part in value if isinstance(part, BaseModel))
            yield from (
                (f"{name}.{inner}", at) for part in parts for inner, at in part if isinstance(at, datetime)
            )


def _check_score(where: str, record: Record) -> None:
    """Refuses a score that its scale does not have: it would make a satisfaction above the best or below the worst."""
    if not isinstance(record, Response):
        return
    least, most = sorted((record.scale_min, record.scale_max))
    if not least <= record.score <= most:
        raise DataError(
            f"{where}: score: {record.score:g} is not between {least:g} and {most:g}; mend it, or give the scale in"
            " scale_min and scale_max"
        )


def pseudonymous(record: Record, people: People) -> Record:
    """`record` with what may be kept of a person, as if it had been collected."""
    changed: dict[str, str | None] = {}
    match record:
        case Commit() | PullRequest():
            changed = {"author": people.pseudonym(record.author)}
        case Deployment():
            changed = {"creator": people.pseudonym(record.creator)}
        case Response() | Comment():
            changed = {"respondent": people.respondent(record.respondent)}
    return record.model_copy(update=changed) if changed else record


def _cover(
    warehouse: Warehouse,
    kind: str,
    records: Iterable[Record],
    zone: ZoneInfo,
    covers: tuple[date, date] | None,
) -> None:
    """Puts down for which days the file speaks of which source and subject."""
    if kind not in DAY_COLUMNS:
        return
    read = {_read(record) for record in records}
    # runs of a file come with all of their jobs
    read |= {("workflow_jobs", subject) for source, subject in read if source == WorkflowRun.TABLE}
    instants = [at for record in records for at in _instants(record).values()]
    if covers and covers[0] < covers[1]:
        first, after = covers
        read |= {(f"import {kind}", EVERY_SERVICE)}
    elif instants and not covers:
        days = [at.astimezone(zone).date() for at in instants]
        first, after = min(days), max(days) + timedelta(days=1)
    else:
        return
    from_at, until_at = beginnings((first, after), zone)
    for source, subject in sorted(read):
        stretch = Coverage(source=source, subject=subject, from_at=from_at, until_at=until_at)
        # what a collector reads has gaps of its own, which no file may close
        extends = not covers and source.startswith("import ")
        warehouse.upsert([warehouse.extended(stretch) if extends else stretch])


def beginnings(days: Iterable[date], zone: ZoneInfo) -> list[datetime]:
    """When each of `days` begins in `zone`."""
    return [datetime.combine(day, clock(), zone).astimezone(UTC) for day in days]


def _instants(record: Record) -> dict[str, datetime]:
    """The instants that put a record on a day, by their column."""
    return {column: at for column in DAY_COLUMNS.get(record.TABLE, ()) if (at := getattr(record, column))}


def _read(record: Record) -> tuple[str, str]:
    """The source and the subject that a record is a reading of; a row of a collector's source is that source's."""
    columns = SUBJECT_COLUMNS.get(record.TABLE, ())
    source = f"import {record.TABLE}"
    if isinstance(record, WorkflowRun):
        source = WorkflowRun.TABLE
    elif isinstance(record, Deployment) and record.source in DEPLOYMENT_SOURCES:
        source = record.source
        columns = _ARGOCD_SUBJECTS if source == "argocd" else columns
    return source, next(filter(None, (getattr(record, name) for name in columns)), "*")
