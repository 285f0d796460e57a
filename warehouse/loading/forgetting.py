"""Taking rows out of the warehouse again: by source, by id, or those of a file, with what they said of coverage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from collectors.contract.records import RECORDS, Repository
from collectors.files.record_files import record_class
from config.errors import ConfigurationError
from config.names import same_key
from config.settings import DEPLOYMENT_SOURCES, Settings
from warehouse.loading.file_coverage import DAY_COLUMNS, EVERY_SERVICE, SUBJECT_COLUMNS, beginnings
from warehouse.loading.people_key import people_of
from warehouse.loading.staged_rows import STAGED, stage
from warehouse.storage.instants import naive
from warehouse.storage.renames import rows_under_current_names
from warehouse.storage.store import Warehouse, open_warehouse

_OF_SUBJECT = "where source = ? and list_contains(?, subject)"


@dataclass(frozen=True)
class Forgotten:
    """How many rows match, by source where the kind has one, and how many stretches of coverage go with them."""

    rows: Mapping[str, int]
    stretches: int

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self.rows.values())


def forget(
    settings: Settings,
    kind: str,
    source: str | None = None,
    ids: Sequence[str] = (),
    file: Path | None = None,
    removes: bool = False,
    round: str | None = None,
) -> Forgotten:
    """What of `kind` a source told, is known by `ids`, stands in `file` or is of a survey `round`; out if it `removes`.

    An import's coverage goes as far as no row of its subject is left. Raises ConfigurationError where nothing narrows
    or the kind has no such column, DataError for a file that cannot be read.
    """
    if kind not in RECORDS:
        raise ConfigurationError(f'"{kind}" is not a kind of record; it is one of {", ".join(RECORDS)}')
    record = RECORDS[kind]
    narrowing = {"source": source, "id": ids, "round": round}
    if not any(narrowing.values()) and file is None:
        raise ConfigurationError(
            "say what is to be forgotten: --source, --id, --round, or --file with the file that was imported"
        )
    for column, said in narrowing.items():
        if said and column not in record.model_fields:
            raise ConfigurationError(f"{kind} have no {column}; --{column} says nothing of them, --file does")
    conditions, bound = ["true"], list[Any]()
    if source is not None:
        conditions.append("t.source = ?")
        bound.append(source)
    if ids:
        conditions.append("list_contains(?, cast(t.id as varchar))")
        bound.append(list(ids))
    if round is not None:
        conditions.append("t.round = ?")
        bound.append(round)
    if file is not None:
        names = ", ".join(f"t.{name}" for name in record.KEY)
        conditions.append(f"({names}) in (select {names.replace('t.', 'k.')} from {STAGED} as k)")
    where = " and ".join(conditions)
    by = "t.source" if "source" in record.model_fields else f"'{kind}'"
    # known by the keys under which they are kept: persons by their hash, repositories by their name of today
    people = people_of(settings) if file is not None else None
    with open_warehouse(settings.warehouse) as warehouse:
        if file is not None and people is not None:
            stage(warehouse.connection, record_class(kind, file), file, people)
            warehouse.connection.execute("reset memory_limit")
            if record is not Repository:
                rows_under_current_names(warehouse.connection, record, STAGED)
        with warehouse.transaction():
            found = warehouse.connection.execute(
                f"select {by}, count(*) from {kind} as t where {where} group by 1 order by 1", bound
            ).fetchall()
            stretches = (
                _uncover(warehouse, settings, kind, where, bound, removes) if kind in SUBJECT_COLUMNS else 0
            )
            if removes:
                warehouse.connection.execute(f"delete from {kind} as t where {where}", bound)
    return Forgotten(dict(found), stretches)


def _uncover(
    warehouse: Warehouse, settings: Settings, kind: str, where: str, bound: list[Any], removes: bool
) -> int:
    """How many stretches of imports no row is left of; where `removes` they go, and those of fewer rows get shorter.

    Only of what the rows to be removed speak of: what else was imported or said to be covered stays.
    """
    execute = warehouse.connection.execute
    source = f"import {kind}"
    instants = ", ".join(f"t.{name}" for name in DAY_COLUMNS[kind])
    zone = ZoneInfo(settings.timezone)
    subject_of = f"coalesce({''.join(f't.{name}, ' for name in SUBJECT_COLUMNS[kind])}'*')"
    removed = execute(f"select distinct {subject_of} from {kind} as t where {where}", bound).fetchall()
    told = execute(
        f"select {subject_of} from {kind} as t union select subject from coverage where source = ?", [source]
    ).fetchall()
    gone = 0
    for key in sorted({same_key(subject) for (subject,) in removed}):
        spellings = [subject for (subject,) in told if same_key(subject) == key]
        of_subject = [source, spellings]
        ((first, last),) = execute(
            f"select min(least({instants})), max(greatest({instants})) from {kind} as t"
            f" where not ({where}) and list_contains(?, {subject_of})",
            [*bound, spellings],
        ).fetchall()
        if first is None:
            ((n,),) = execute(f"select count(*) from coverage {_OF_SUBJECT}", of_subject).fetchall()
            gone += n
            if removes:
                execute(f"delete from coverage {_OF_SUBJECT}", of_subject)
        elif removes:
            days = [at.replace(tzinfo=UTC).astimezone(zone).date() for at in (first, last)]
            from_at, until_at = beginnings((days[0], days[1] + timedelta(days=1)), zone)
            execute(
                f"update coverage set from_at = greatest(from_at, ?), until_at = least(until_at, ?) {_OF_SUBJECT}",
                [naive(from_at), naive(until_at), *of_subject],
            )
    return gone + _uncover_every_service(warehouse, kind, where, bound, removes)


def _uncover_every_service(
    warehouse: Warehouse, kind: str, where: str, bound: list[Any], removes: bool
) -> int:
    """How many stretches that files were said to be complete for hold rows of theirs to be removed and no other."""
    execute = warehouse.connection.execute
    instants = ", ".join(f"t.{name}" for name in DAY_COLUMNS[kind])
    collected = ", ".join(f"'{source}'" for source in (*DEPLOYMENT_SOURCES, "pagerduty", "github_issues"))
    imported = f"t.source not in ({collected})" if "source" in RECORDS[kind].model_fields else "true"
    gone = 0
    of_every = [f"import {kind}", [EVERY_SERVICE]]
    for stretch in execute(f"select from_at, until_at from coverage {_OF_SUBJECT}", of_every).fetchall():
        ((removed, left),) = execute(
            f"select count_if({where}), count_if(not ({where}) and {imported}) from {kind} as t"
            f" where greatest({instants}) >= ? and least({instants}) < ?",
            [*bound, *bound, *stretch],
        ).fetchall()
        if removed and not left:
            gone += 1
            if removes:
                execute(f"delete from coverage {_OF_SUBJECT} and from_at = ?", [*of_every, stretch[0]])
    return gone
