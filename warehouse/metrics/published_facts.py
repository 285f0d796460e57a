"""The published facts: what every reader opens, for one load at a time.

NoFacts(SixkeysError)   nothing was built yet, or what was built cannot be read
└── OtherFacts          what was built is of another version
"""

import glob
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

import duckdb

from config.errors import DamagedError, SixkeysError
from warehouse.metrics.definitions import definitions
from warehouse.metrics.facts import Facts
from warehouse.storage.on_disk import age

# raised with each change of a table or a column that readers get and that no model makes: those are in the definitions
FACTS_VERSION = 4
_NAMED_AFTER = re.compile(r"facts-(\d{8}T\d{6}Z)-")
_LONGEST_NAME = 255
# how DuckDB says that a file is not what was written
_DAMAGE = re.compile("Corrupt database file|Could not read enough bytes|checksum")


class NoFacts(SixkeysError):
    """There are no facts to read: where they were looked for and what to run."""


class OtherFacts(NoFacts):
    """The facts were built by another version of Sixkeys: they have other tables, or follow other definitions."""


def pointer(warehouse: Path) -> Path:
    """The file that names the published facts of a warehouse."""
    return warehouse.with_name(f"{warehouse.stem}.facts")


def facts_files(warehouse: Path, newest: Path | None = None) -> list[Path]:
    """The facts files beside a warehouse, newest first; none that a clock ahead of that of `newest` has named."""
    found = warehouse.parent.glob(f"{glob.escape(warehouse.stem)}.facts-*.duckdb")
    last = _as_of(newest) if newest else ""
    known = [path for path in found if not last or _as_of(path) <= last]
    return sorted(known, key=age)


def _as_of(path: Path) -> str:
    """The instant in the name of a facts file, such as 20261116T090000Z; nothing where there is none."""
    told = _NAMED_AFTER.search(path.name)
    return told[1] if told else ""


def named_in(pointer: Path) -> str:
    """The file that a pointer names; nothing where it is no such thing. Raises FileNotFoundError."""
    try:
        with pointer.open("rb") as file:
            name = file.read(_LONGEST_NAME + 1).decode("utf-8").strip("\0\n ")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError):
        return ""
    return name if len(name.encode()) < _LONGEST_NAME and name.isprintable() and "/" not in name else ""


def current_facts(warehouse: Path) -> Path:
    """The file that the pointer names now, itself where it names none; raises NoFacts where there is no pointer."""
    try:
        return warehouse.parent / (named_in(pointer(warehouse)) or pointer(warehouse))
    except FileNotFoundError:
        raise NoFacts(
            f"{warehouse.parent}: nothing has been built yet;"
            ' run "sixkeys collect", or "sixkeys import" and then "sixkeys build"'
        ) from None


@contextmanager
def open_facts(warehouse: Path, any_version: bool = False) -> Iterator[Facts]:
    """The facts that the pointer names; where they are unreadable the pointer is read again, then the file before.

    Raises NoFacts where nothing was built yet or no file can be read, OtherFacts for those of another version unless
    they may be of `any_version`, DamagedError where a file shows only while it is read that it cannot be.
    """
    wanted = current_facts(warehouse)
    tried: list[Path] = []
    for path in (wanted, current_facts(warehouse), *facts_files(warehouse, wanted)):
        if path in tried and path.exists():
            continue
        tried.append(path)
        try:
            connection = duckdb.connect(str(path), read_only=True)
        except duckdb.Error:
            continue
        try:
            found = connection.execute("select as_of, timezone, organization from about").fetchall()
        except duckdb.Error:
            found = []
        if not found or None in found[0]:
            connection.close()
            continue
        if not any_version and not _is_of_this_version(connection):
            connection.close()
            raise OtherFacts(f'{warehouse}: was built by another version of Sixkeys; run "sixkeys build"')
        as_of, timezone, organization = found[0]
        warning = None if path == wanted else f"{wanted.name} cannot be read; showing {path.name} instead"
        try:
            yield Facts(connection, path, as_of.replace(tzinfo=UTC), timezone, organization, warning)
        except duckdb.Error as error:
            if not _DAMAGE.search(str(error)):
                raise
            path.replace(path.with_name(f"{path.name}.damaged"))
            raise DamagedError(
                f"{path}: is damaged and was put aside; what was built before stands in"
            ) from None
        finally:
            connection.close()
        return
    raise NoFacts(f'{wanted}: cannot be read, and no earlier facts can; run "sixkeys build"')


def _is_of_this_version(connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        found = connection.execute("select facts_version, definitions from about").fetchall()
    except duckdb.BinderException:  # it does not say
        return False
    return found == [(FACTS_VERSION, definitions())]


def definitions_of(facts: Facts) -> str | None:
    """By which definitions the facts were built; None where an older version did not put that down."""
    columns = facts.connection.execute("select name from pragma_table_info('about')").fetchall()
    if ("definitions",) not in columns:
        return None
    ((found,),) = facts.connection.execute("select definitions from about").fetchall()
    return str(found)


def held_open(path: Path, most_memory: str) -> duckdb.DuckDBPyConnection | None:
    """A connection that nobody asks anything: while it is there, opening the file again takes no time.

    Whoever opens it has `most_memory` ("2GB") together. None where it cannot be read: whoever reads it will say so.
    """
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error:
        return None
    connection.execute(f"set memory_limit = '{most_memory}'")
    return connection


def limit_memory(facts: Facts, most: str) -> None:
    """Lets answers about the facts have so much memory ("512MB"); what needs more is put on disk beside them."""
    facts.connection.execute(f"set memory_limit = '{most}'")
