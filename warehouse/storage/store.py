"""The warehouse file: source tables, cursors, runs and quarantine. One writer, opened per batch."""

import glob
import json
import os
import re
import secrets
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from collectors.contract.items import Gone, Malformed, SetAside, key_of
from collectors.contract.records import Component, Record
from collectors.contract.storable import storable
from config.text.quoting import in_short
from warehouse.storage.instants import naive
from warehouse.storage.kept_columns import keeping
from warehouse.storage.lock import one_thread_at_a_time
from warehouse.storage.migration import VERSION, WarehouseError, migrate, stored_version
from warehouse.storage.on_disk import quoted_path
from warehouse.storage.renames import under_current_names
from warehouse.storage.schema import arrow_table

_T = TypeVar("_T")
WAIT_SECONDS = 60.0
_ROWS_OF_A_JOIN = 1_000_000
_LOOKED_AT: set[tuple[int, int]] = set()  # device and inode
# DuckDB 1.4 and newer read this; the newest storage format could not be read back by an older release
OPEN: dict[str, str | bool | int | float | list[str]] = {"storage_compatibility_version": "v1.4.0"}
_BACK = "bring a backup back (docs/commands.md: sixkeys backup)"
# a damaged block is an error of no kind of its own
_OF_THE_FILE = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
)


@one_thread_at_a_time
@contextmanager
def open_warehouse(
    path: Path, waiting: Callable[[str], None] = lambda _: None, wait_seconds: float = WAIT_SECONDS
) -> Iterator["Warehouse"]:
    """The warehouse at `path`, created and migrated as needed, for one short piece of work.

    Waits up to `wait_seconds` while another process writes, and says so through `waiting`. Raises WarehouseError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _create(path)
    require_database(path)
    connection = in_turn(path, lambda: _opened(path), waiting, wait_seconds)
    try:
        with told_if_damaged(path):
            stored = stored_version(connection, path)
            if stored != VERSION:
                with transaction(connection):
                    migrate(connection, path, stored)
            yield Warehouse(connection, path)
    finally:
        connection.close()


def _create(path: Path) -> None:
    """A warehouse with nothing in it, which is there as a whole or not at all, whoever else makes one."""
    for other in path.parent.glob(f"{glob.escape(path.stem)}.*"):
        if other.stem == path.stem and other.suffix != ".new" and _is_database(other):
            raise WarehouseError(
                f"{path}: {other.name} is there, and what lies beside a warehouse has its name without the ending;"
                " give this one a name of its own"
            )
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        with duckdb.connect(str(part), config=OPEN) as connection, transaction(connection):
            migrate(connection, path, 0)
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


def attach(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    waiting: Callable[[str], None] = lambda _: None,
    wait_seconds: float = WAIT_SECONDS,
) -> None:
    """Attaches the warehouse at `path` to `connection` as `stored`, to be read; waits while a process writes."""
    step = f"attach '{quoted_path(path)}' as stored (read_only)"
    in_turn(path, lambda: connection.execute(step), waiting, wait_seconds)


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing of what is written inside, which is waited for once until it is on disk."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def _opened(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection to the warehouse at `path`, whose version was looked at before anything may be written."""
    # what a writer that was killed left behind goes into the file as soon as that is opened to be written
    if path.with_name(f"{path.name}.wal").exists():
        # not where this process has it open already, and so has looked at it
        with suppress(duckdb.ConnectionException), duckdb.connect(str(path), read_only=True) as peek:
            stored_version(peek, path)
    return duckdb.connect(str(path), config=OPEN)


def require_database(path: Path) -> None:
    """Raises WarehouseError where something is at `path` that DuckDB has not written, which then stays as it is."""
    if path.is_dir():
        raise WarehouseError(f"{path}: is a folder; name a file in it as warehouse")
    if not path.exists():
        return
    found = path.stat()
    # looked at once: a process that closes a file gives up its locks on it, and with them what DuckDB holds open
    if (found.st_dev, found.st_ino) in _LOOKED_AT:
        return
    if not _is_database(path):
        what = "is no warehouse, or only the beginning of one" if found.st_size else "is empty"
        raise WarehouseError(f"{path}: {what}; {_BACK}, or name another file")
    _LOOKED_AT.add((found.st_dev, found.st_ino))


def _is_database(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"


@contextmanager
def told_if_damaged(path: Path) -> Iterator[None]:
    """Tells in a WarehouseError that the warehouse at `path` could not be read or written."""
    try:
        yield
    except duckdb.Error as error:
        if isinstance(error, _OF_THE_FILE) or type(error) is duckdb.Error:
            told = str(error).splitlines()[0][:200]
            raise WarehouseError(
                f"{path}: cannot be read or written: {told}; check the disk's space; if the file is damaged, {_BACK}"
            ) from error
        raise


def in_turn(
    path: Path,
    connect: Callable[[], _T],
    waiting: Callable[[str], None] = lambda _: None,
    wait_seconds: float = WAIT_SECONDS,
) -> _T:
    """What `connect` gives once no other process writes the warehouse at `path`; raises WarehouseError."""
    until = time.monotonic() + wait_seconds
    told = False
    while True:
        try:
            return connect()
        except duckdb.IOException as error:
            holder = re.search(r"PID (\d+)", str(error))
            if holder is None or "lock" not in str(error):
                raise WarehouseError(
                    f"{path}: cannot be opened: {str(error).splitlines()[0]}; if the file is damaged, {_BACK}"
                ) from None
            if time.monotonic() > until:
                raise WarehouseError(
                    f"{path}: process {holder[1]} has held it for {wait_seconds:.0f} s; end it or try again later"
                ) from None
            if not told:
                waiting(f"{path} is in use by process {holder[1]}; waiting up to {wait_seconds:.0f} s")
                told = True
            time.sleep(0.1)
        except duckdb.Error as error:
            raise WarehouseError(
                f"{path}: is not a warehouse, or damaged: {str(error).splitlines()[0]}; {_BACK}"
            ) from None


# the tables of a component's past: column -> that of the component
_KEPT_OF_COMPONENTS = {
    "owners": {"team": "owner", "system": "system"},
    "memberships": {name: name for name in ("golden_path", "template", "tags")},
}


def _same_key(record_class: type[Record]) -> str:
    return " and ".join(f"stored.{name} = incoming.{name}" for name in record_class.KEY)


class Warehouse:
    """An open warehouse; every write happens in one `transaction`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self.connection = connection
        self._path = path

    def copy_to(self, target: Path) -> None:
        """Writes all that is stored now into a file of its own; nobody else writes while the warehouse is open."""
        self.connection.execute("checkpoint")
        # by a process of its own: one that closes a file gives up its locks on it, this one DuckDB's
        done = subprocess.run(["cp", "--", self._path, target], capture_output=True, text=True)
        if done.returncode:
            why = done.stderr.strip() or f"cp ended with {done.returncode}; check the disk's space"
            raise WarehouseError(f"{target}: cannot be written: {why}")

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing of what is written inside."""
        return transaction(self.connection)

    def upsert(self, records: Sequence[Record]) -> None:
        """Stores records of any kinds; one with a known key replaces the earlier row.

        A repository that was renamed takes along what is stored under its former name.
        """
        by_class: dict[type[Record], list[Record]] = defaultdict(list)
        for record in under_current_names(self.connection, records):
            by_class[type(record)].append(record)
        for record_class, rows in by_class.items():
            self.connection.register("records", arrow_table(rows))
            self.put(record_class, "records")
            self.connection.unregister("records")

    def put(self, record_class: type[Record], rows: str) -> int:
        """Stores the rows of a table, which has each key of `record_class` once; of how many an earlier one went."""
        table = record_class.TABLE
        same = _same_key(record_class)
        if selected := keeping(table, same, rows):
            self.connection.execute(f"create or replace temp table kept as {selected}")
            rows = "kept"
        if record_class is Component:
            self._keep_past(same, rows)
        replaced = 0
        for part in self.same_key_in_parts(record_class, rows):
            deleted = f"delete from {table} as stored using {rows} as incoming where {part}"
            replaced += self.connection.execute(deleted).fetchall()[0][0]
        names = ", ".join(f'"{name}"' for name in record_class.model_fields)
        self.connection.execute(f"insert into {table} ({names}) select {names} from {rows}")
        return replaced

    def same_key_in_parts(self, record_class: type[Record], rows: str) -> Iterator[str]:
        """What `incoming` rows and `stored` ones of the same key have in common: a condition for each part of them."""
        ((n,),) = self.connection.execute(f"select count(*) from {rows}").fetchall()
        parts = 1 + n // _ROWS_OF_A_JOIN
        for part in range(parts):
            of_part = [_same_key(record_class)]
            for table in ("stored", "incoming") if parts > 1 else ():
                key = ", ".join(f"{table}.{name}" for name in record_class.KEY)
                of_part.append(f"hash({key}) % {parts} = {part}")
            yield " and ".join(of_part)

    def _keep_past(self, same: str, rows: str) -> None:
        """Puts down who the components of `rows` belong to from now on, and their paths, where that is new."""
        adopted = (
            "select stored.name from components as stored where stored.origin = '' and stored.kind = incoming.kind"
            " and stored.name = incoming.name and incoming.origin <> '' and not exists"
            " (select 1 from components as own where own.name = incoming.name and own.kind = incoming.kind"
            " and own.origin = incoming.origin)"
        )
        # the first file that tells of what came without one takes it over, with its past
        for table, name in (("owners", "component"), ("memberships", "component"), ("components", "name")):
            self.connection.execute(
                f"update {table} as stored set origin = incoming.origin from {rows} as incoming"
                f" where stored.origin = '' and stored.{name} = incoming.name and exists ({adopted})"
                + (" and stored.kind = incoming.kind" if table == "components" else " and stored.is_seen")
            )
        for table, kept in _KEPT_OF_COMPONENTS.items():
            differs = " or ".join(f"stored.{name} is distinct from incoming.{name}" for name in kept.values())
            self.connection.execute(
                f"insert into {table} (component, {', '.join(kept)}, from_at, is_seen, origin) select incoming.name,"
                f" {', '.join(f'incoming.{name}' for name in kept.values())}, ?, true, incoming.origin"
                f" from {rows} as incoming left join components as stored on {same} where incoming.kind = 'Component'"
                f" and (stored.name is null or {differs})",
                [naive(datetime.now(UTC))],
            )

    def forget(self, gone: Iterable[Gone]) -> None:
        """Removes what is stored under the keys of `gone`."""
        for item in gone:
            same = " and ".join(f"{name} = ?" for name in item.record.KEY)
            self.connection.execute(f"delete from {item.record.TABLE} where {same}", list(item.key))

    def quarantine(self, source: str, items: Iterable[Malformed], at: datetime) -> None:
        """Sets malformed items aside; the same item met again is kept once, as it was met last."""
        for item in items:
            row = storable([source, item.kind, item.subject, in_short(item.reason), item.raw])
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
        told = storable([source, subject])
        self.connection.execute("delete from cursors where source = ? and subject = ?", told)
        self.connection.execute(
            "insert into cursors values (?, ?, ?, ?)", [*told, json.dumps(cursor, default=str), naive(at)]
        )
