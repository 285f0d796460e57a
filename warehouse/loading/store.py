"""The warehouse file: source tables, cursors, runs and quarantine. One writer, opened per batch.

WarehouseError(SixkeysError)   the file cannot be opened or was made by another version
"""

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from collectors.contract.items import Gone, Malformed, SetAside, key_of
from collectors.contract.records import RECORDS, Component, Coverage, Record
from config.errors import SixkeysError
from warehouse.loading.instants import naive
from warehouse.loading.renames import under_current_names
from warehouse.loading.schema import arrow_table, columns

VERSION = 1
WAIT_SECONDS = 60.0
# DuckDB 1.4 and newer read this; the newest storage format could not be read back by an older release
OPEN: dict[str, str | bool | int | float | list[str]] = {"storage_compatibility_version": "v1.4.0"}

_BOOKKEEPING = {
    "about": {"version": "int"},
    "cursors": {"source": "varchar", "subject": "varchar", "cursor": "varchar", "moved_at": "timestamp"},
    "runs": {
        "run_id": "varchar",
        "source": "varchar",
        "started_at": "timestamp",
        "finished_at": "timestamp",
        "status": "varchar",
        "error": "varchar",
        "items": "bigint",
        "quarantined": "bigint",
        "counts": "varchar",
        "requests": "bigint",
        "failed_requests": "bigint",
        "bytes": "bigint",
        "waited_seconds": "double",
    },
    "quarantine": {
        "source": "varchar",
        "kind": "varchar",
        "subject": "varchar",
        "reason": "varchar",
        "raw": "varchar",
        "seen_at": "timestamp",
        "key": "varchar",
    },
    "scorecards": {
        "scope": "varchar",
        "name": "varchar",
        "week": "varchar",
        "published_at": "timestamp",
        "content": "varchar",
    },
    # what was rendered of it, compressed: templates change, a published week does not
    "scorecard_forms": {
        "scope": "varchar",
        "name": "varchar",
        "week": "varchar",
        "form": "varchar",
        "text": "blob",
    },
    # what a published number was made of, and again each time that it was restated
    "scorecard_rows": {
        "scope": "varchar",
        "name": "varchar",
        "week": "varchar",
        "metric": "varchar",
        "published_at": "timestamp",
        "value": "double",
        "n": "bigint",
        "definitions": "varchar",
        "rows": "blob",
    },
    "deliveries": {
        "kind": "varchar",
        "scope": "varchar",
        "name": "varchar",
        "week": "varchar",
        "channel": "varchar",
        "target": "varchar",
        "status": "varchar",
        "attempts": "bigint",
        "error": "varchar",
        "tried_at": "timestamp",
        "delivered_at": "timestamp",
    },
    "alerts": {
        "scope": "varchar",
        "name": "varchar",
        "metric": "varchar",
        "content": "varchar",
        "found_at": "timestamp",
    },
    "former_names": {"former": "varchar", "repo": "varchar"},
    "former_owners": {"name": "varchar", "owner": "varchar", "system": "varchar", "until_at": "timestamp"},
}


class WarehouseError(SixkeysError):
    """The warehouse file cannot be used: which, why, and what to do."""


@contextmanager
def open_warehouse(
    path: Path, waiting: Callable[[str], None] = lambda _: None, wait_seconds: float = WAIT_SECONDS
) -> Iterator["Warehouse"]:
    """The warehouse at `path`, created and migrated as needed, for one short piece of work.

    Waits up to `wait_seconds` while another process writes, and says so through `waiting`. Raises WarehouseError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(path, waiting, wait_seconds)
    try:
        _migrate(connection, path)
        yield Warehouse(connection)
    finally:
        connection.close()


def _connect(path: Path, waiting: Callable[[str], None], wait_seconds: float) -> duckdb.DuckDBPyConnection:
    until = time.monotonic() + wait_seconds
    told = False
    while True:
        try:
            return duckdb.connect(str(path), config=OPEN)
        except duckdb.IOException as error:
            holder = re.search(r"PID (\d+)", str(error))
            if holder is None or "lock" not in str(error):
                raise WarehouseError(f"{path}: cannot be opened: {str(error).splitlines()[0]}") from None
            if time.monotonic() > until:
                raise WarehouseError(
                    f"{path}: process {holder[1]} has held it for {wait_seconds:.0f} s; end it or try again later"
                ) from None
            if not told:
                waiting(f"{path} is in use by process {holder[1]}; waiting up to {wait_seconds:.0f} s")
                told = True
            time.sleep(0.1)
        except duckdb.Error as error:
            raise WarehouseError(f"{path}: is not a warehouse: {str(error).splitlines()[0]}") from None


def _migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    wanted_tables = _BOOKKEEPING | {name: columns(record) for name, record in RECORDS.items()}
    known = _known(connection, wanted_tables)
    for table, wanted in wanted_tables.items():
        if table not in known:
            declared = ", ".join(f'"{column}" {kind}' for column, kind in wanted.items())
            connection.execute(f"create table if not exists {table} ({declared})")
            continue
        for column, kind in wanted.items():
            if column not in known[table]:
                connection.execute(f'alter table {table} add column "{column}" {kind}')
    found = connection.execute("select version from about").fetchall()
    if found and found[0][0] > VERSION:
        raise WarehouseError(
            f"{path}: was made by a newer Sixkeys; update Sixkeys, or name another warehouse"
        )
    if not found:
        connection.execute("insert into about values (?)", [VERSION])


def _known(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> dict[str, set[str]]:
    """The columns of those of `tables` that are there."""
    # asked for table by table, for a list of all columns takes ten times as long in a file that was just opened
    of_each = " union all ".join(
        f"select '{table}', name from pragma_table_info('{table}')" for table in tables
    )
    try:
        rows = connection.execute(of_each).fetchall()
    except duckdb.CatalogException:  # some are missing
        rows = connection.execute(
            "select table_name, column_name from duckdb_columns() where database_name = current_database()"
        ).fetchall()
    known: dict[str, set[str]] = defaultdict(set)
    for table, column in rows:
        known[table].add(column)
    return known


class Warehouse:
    """An open warehouse; every write happens in one `transaction`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is written inside."""
        self.connection.execute("begin")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")

    def upsert(self, records: Sequence[Record]) -> None:
        """Stores records of any kinds; one with a known key replaces the earlier row.

        A repository that was renamed takes along what is stored under its former name.
        """
        by_class: dict[type[Record], list[Record]] = defaultdict(list)
        for record in under_current_names(self.connection, records):
            by_class[type(record)].append(record)
        for record_class, rows in by_class.items():
            incoming = arrow_table(rows)
            table, key = record_class.TABLE, record_class.KEY
            same = " and ".join(f"stored.{k} = incoming.{k}" for k in key)
            self.connection.register("incoming", incoming)
            if record_class is Coverage:  # what was read once stays read: a stretch only grows
                self.connection.execute(
                    "create or replace temp table grown as select incoming.source, incoming.subject,"
                    " incoming.from_at, greatest(incoming.until_at, stored.until_at) as until_at"
                    f" from incoming left join coverage as stored on {same}"
                )
                self.connection.unregister("incoming")
                self.connection.register("incoming", self.connection.table("grown").to_arrow_table())
            if record_class is Component:  # what happened until now belongs to whom it belonged then
                self.connection.execute(
                    "insert into former_owners select stored.name, stored.owner, stored.system, ?"
                    f" from components as stored inner join incoming on {same} where stored.kind = 'Component'"
                    " and (stored.owner is distinct from incoming.owner"
                    " or stored.system is distinct from incoming.system)",
                    [naive(datetime.now(UTC))],
                )
            self.connection.execute(f"delete from {table} as stored using incoming where {same}")
            names = ", ".join(f'"{name}"' for name in record_class.model_fields)
            self.connection.execute(f"insert into {table} ({names}) select {names} from incoming")
            self.connection.unregister("incoming")

    def forget(self, gone: Iterable[Gone]) -> None:
        """Removes what is stored under the keys of `gone`."""
        for item in gone:
            same = " and ".join(f"{name} = ?" for name in item.record.KEY)
            self.connection.execute(f"delete from {item.record.TABLE} where {same}", list(item.key))

    def quarantine(self, source: str, items: Iterable[Malformed], at: datetime) -> None:
        """Sets malformed items aside; the same item met again is kept once, as it was met last."""
        for item in items:
            row = [source, item.kind, item.subject, item.reason, item.raw]
            self.connection.execute(
                "delete from quarantine where source = ? and kind = ?"
                " and (key = ? or (subject = ? and reason = ? and raw = ?))",
                [source, item.kind, item.key, *row[2:]],
            )
            self.connection.execute(
                "insert into quarantine (source, kind, subject, reason, raw, seen_at, key)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                [*row, naive(at), item.key],
            )

    def release(self, source: str, records: Iterable[Record]) -> None:
        """Takes out of the quarantine what `source` told well after all."""
        held = self.connection.execute(
            "select kind, key from quarantine where source = ? and key is not null", [source]
        ).fetchall()
        if held:
            for kind, key in set(held).intersection((record.TABLE, key_of(record)) for record in records):
                self.connection.execute(
                    "delete from quarantine where source = ? and kind = ? and key = ?", [source, kind, key]
                )

    def release_unseen(self, source: str, since: datetime, without_key: bool = False) -> None:
        """Takes out of the quarantine what a complete reading of `source` that began at `since` did not meet again.

        With `without_key` only items that nothing can be asked for by.
        """
        which = " and key is null" if without_key else ""
        self.connection.execute(
            f"delete from quarantine where source = ? and seen_at < ?{which}", [source, naive(since)]
        )

    def set_aside(self, source: str) -> list[SetAside]:
        """What of `source` is in the quarantine."""
        found = self.connection.execute(
            "select kind, subject, key from quarantine where source = ?", [source]
        ).fetchall()
        return [
            SetAside(kind, subject, tuple(json.loads(key)) if key else None) for kind, subject, key in found
        ]

    def cursors(self, source: str) -> dict[str, Any]:
        """Where a source's earlier runs stopped, by subject."""
        found = self.connection.execute(
            "select subject, cursor from cursors where source = ?", [source]
        ).fetchall()
        return {subject: json.loads(cursor) for subject, cursor in found}

    def move_cursor(self, source: str, subject: str, cursor: Any, at: datetime) -> None:
        """Remembers that `source` has been read up to `cursor` for `subject`."""
        self.connection.execute("delete from cursors where source = ? and subject = ?", [source, subject])
        self.connection.execute(
            "insert into cursors values (?, ?, ?, ?)",
            [source, subject, json.dumps(cursor, default=str), naive(at)],
        )
