"""Taking rows out of the warehouse again: by source, by id, or those of a file, with what they said of coverage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors.contract.records import RECORDS
from collectors.files import record_files
from config.errors import ConfigurationError
from config.settings import Settings
from warehouse.loading.imports import EVERY_SERVICE
from warehouse.loading.schema import arrow_table
from warehouse.loading.store import Warehouse, open_warehouse

# what an import's coverage is known by: a row's service, else its repository
_SUBJECTS = {
    "deployments": "coalesce(t.service, t.repo, t.unit, t.application, '*')",
    "incidents": "coalesce(t.service, t.source_service, '*')",
    "repositories": "t.repo",
}
_INSTANTS = {
    "deployments": ("started_at", "finished_at"),
    "incidents": ("opened_at", "resolved_at"),
    "repositories": ("created_at",),
}


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
) -> Forgotten:
    """What of `kind` a source told, or is known by `ids`, or stands in `file`; taken out where `removes`.

    An import's coverage goes as far as no row of its subject is left. Raises ConfigurationError where nothing narrows
    or the kind has no such column, DataError for a file that cannot be read.
    """
    if kind not in RECORDS:
        raise ConfigurationError(f'"{kind}" is not a kind of record; it is one of {", ".join(RECORDS)}')
    record = RECORDS[kind]
    if source is None and not ids and file is None:
        raise ConfigurationError(
            "say what is to be forgotten: --source, --id, or --file with the file that was imported"
        )
    for option, column in (("--source", "source"), ("--id", "id")):
        if (source if column == "source" else ids) and column not in record.model_fields:
            raise ConfigurationError(f"{kind} have no {column}; {option} says nothing of them, --file does")
    conditions, bound = ["true"], list[Any]()
    if source is not None:
        conditions.append("t.source = ?")
        bound.append(source)
    if ids:
        conditions.append("list_contains(?, cast(t.id as varchar))")
        bound.append(list(ids))
    if file is not None:
        names = ", ".join(f"t.{name}" for name in record.KEY)
        conditions.append(f"({names}) in (select {names.replace('t.', 'k.')} from keys as k)")
    where = " and ".join(conditions)
    by = "t.source" if "source" in record.model_fields else f"'{kind}'"
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        if file is not None:
            records = list(record_files.read_records(kind, file))
            warehouse.connection.register("keys", arrow_table(records))
        found = warehouse.connection.execute(
            f"select {by}, count(*) from {kind} as t where {where} group by 1 order by 1", bound
        ).fetchall()
        if removes:
            warehouse.connection.execute(f"delete from {kind} as t where {where}", bound)
        stretches = _uncovered(warehouse, kind, where, bound, removes)
    return Forgotten(dict(found), stretches)


def _uncovered(warehouse: Warehouse, kind: str, where: str, bound: list[Any], removes: bool) -> int:
    """The stretches of imports of which no row is left (or will be): how many; shortens those of which some are."""
    if kind not in _SUBJECTS:
        return 0
    left = "select * from {kind} as t" if removes else f"select * from {kind} as t where not ({where})"
    instants = [f"t.{name}" for name in _INSTANTS[kind]]
    rest = (
        f"select {_SUBJECTS[kind]} as subject, min(least({', '.join(instants)})) as first_at,"
        f" max(greatest({', '.join(instants)})) as last_at from ({left.format(kind=kind)}) as t group by 1"
    )
    given = [] if removes else bound
    gone = (
        f"source = 'import {kind}' and subject <> '{EVERY_SERVICE}'"
        f" and subject not in (select r.subject from ({rest}) as r)"
    )
    (count,) = warehouse.connection.execute(f"select count(*) from coverage where {gone}", given).fetchall()[
        0
    ]
    if removes:
        warehouse.connection.execute(f"delete from coverage where {gone}", given)
        warehouse.connection.execute(
            f"update coverage set from_at = greatest(from_at, date_trunc('day', r.first_at)),"
            f" until_at = least(until_at, date_trunc('day', r.last_at) + interval 1 day) from ({rest}) as r"
            f" where source = 'import {kind}' and coverage.subject = r.subject and r.first_at is not null"
        )
    return int(count)
