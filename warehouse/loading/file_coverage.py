"""For which days a file that is imported speaks of what, put down as stretches of coverage."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from zoneinfo import ZoneInfo

import duckdb

from collectors.contract.records import (
    Coverage,
    Deployment,
    Incident,
    Record,
    Repository,
    Request,
    Response,
    WorkflowRun,
)
from config.names import same_key
from config.settings import DEPLOYMENT_SOURCES

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


def told_stretches(
    connection: duckdb.DuckDBPyConnection,
    record: type[Record],
    rows: str,
    zone: ZoneInfo,
    covers: tuple[date, date] | None,
) -> list[Coverage]:
    """For which days the table `rows` speaks of what: those that it `covers`, or from its first row's to its last's."""
    if record.TABLE not in DAY_COLUMNS:
        return []
    source, subject = _reading(record)
    read = set(connection.execute(f"select distinct {source}, {subject} from {rows}").fetchall())
    # runs of a file come with all of their jobs
    read |= {("workflow_jobs", subject) for source, subject in read if source == WorkflowRun.TABLE}
    instants = ", ".join(DAY_COLUMNS[record.TABLE])
    ((earliest, latest),) = connection.execute(
        f"select min(least({instants})), max(greatest({instants})) from {rows}"
    ).fetchall()
    if covers and covers[0] < covers[1]:
        first, after = covers
        read |= {(f"import {record.TABLE}", EVERY_SERVICE)}
    elif earliest and not covers:
        days = [at.replace(tzinfo=UTC).astimezone(zone).date() for at in (earliest, latest)]
        first, after = days[0], days[1] + timedelta(days=1)
    else:
        return []
    from_at, until_at = beginnings((first, after), zone)
    return [
        Coverage(source=source, subject=subject, from_at=from_at, until_at=until_at)
        for source, subject in sorted(read)
    ]


def beginnings(days: Iterable[date], zone: ZoneInfo) -> list[datetime]:
    """When each of `days` begins in `zone`."""
    return [datetime.combine(day, clock(), zone).astimezone(UTC) for day in days]


def _subject_of(columns: Iterable[str]) -> str:
    """The first of `columns` that is told, in SQL."""
    told = [f"nullif({name}, '')" for name in columns]
    return f"coalesce({', '.join(told)}{', ' if told else ''}'*')"


def _reading(record: type[Record]) -> tuple[str, str]:
    """The source and the subject that a row is a reading of, in SQL; a row of a collector's source is that source's."""
    imported, subject = f"'import {record.TABLE}'", _subject_of(SUBJECT_COLUMNS[record.TABLE])
    if record is WorkflowRun:
        return f"'{WorkflowRun.TABLE}'", subject
    if record is not Deployment:
        return imported, subject
    collected = ", ".join(f"'{source}'" for source in DEPLOYMENT_SOURCES)
    return (
        f"case when source in ({collected}) then source else {imported} end",
        f"case source when 'argocd' then {_subject_of(_ARGOCD_SUBJECTS)} else {subject} end",
    )


def extended(
    connection: duckdb.DuckDBPyConnection, source: str, stretches: Iterable[Coverage]
) -> list[Coverage]:
    """`stretches` of a source with all that is covered of their subjects, letter case aside, which is taken out."""
    by_key = {same_key(stretch.subject): stretch for stretch in stretches}
    told = "select subject, min(from_at), max(until_at) from coverage where source = ? group by subject"
    taken_out = []
    for subject, *ends in connection.execute(told, [source]).fetchall():
        key = same_key(subject)
        if key in by_key:
            taken_out.append(subject)
            before, after = (at.replace(tzinfo=UTC) for at in ends)
            from_at, until_at = min(by_key[key].from_at, before), max(by_key[key].until_at, after)
            by_key[key] = by_key[key].model_copy(update={"from_at": from_at, "until_at": until_at})
    if taken_out:
        of_both = "source = ? and list_contains(?, subject)"
        connection.execute(f"delete from coverage where {of_both}", [source, taken_out])
    return list(by_key.values())
