"""The form of the warehouse: its tables and columns, made where they are missing, converted where they were others.

WarehouseError(SixkeysError)   the file cannot be opened or was made by another version
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import duckdb

from collectors.contract.records import RECORDS, Record
from config.errors import SixkeysError
from warehouse.loading.schema import columns

# raised with each change of form, so that an older Sixkeys leaves a newer warehouse alone
VERSION = 2

_BOOKKEEPING = {
    "about": {"version": "int", "people_key": "varchar"},
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
}


class WarehouseError(SixkeysError):
    """The warehouse file cannot be used: which, why, and what to do."""


def migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Brings the warehouse at `path` into the form of this version; raises WarehouseError for a newer one."""
    wanted_tables = _BOOKKEEPING | {name: columns(record) for name, record in RECORDS.items()}
    known = _known(connection, wanted_tables)
    found = connection.execute("select version from about").fetchall() if "about" in known else []
    if found and found[0][0] > VERSION:
        raise WarehouseError(
            f"{path}: was made by a newer Sixkeys; update Sixkeys, or name another warehouse"
        )
    for table, wanted in wanted_tables.items():
        if table not in known:
            declared = ", ".join(f'"{column}" {kind}' for column, kind in wanted.items())
            connection.execute(f"create table if not exists {table} ({declared})")
            continue
        for column, kind in wanted.items():
            if column not in known[table]:
                default = _default(RECORDS.get(table), column)
                connection.execute(f'alter table {table} add column "{column}" {kind}{default}')
            elif "struct(" in kind and known[table][column].lower().replace('"', "") != kind:
                # a part that is new is empty in what was there before
                connection.execute(f'alter table {table} alter "{column}" set data type {kind}')
    if known and "owners" not in known:
        _convert_former_owners(connection)
        connection.execute(_TAGS_BY_PLACE)
    if not found:
        connection.execute("insert into about (version) values (?)", [VERSION])
    elif found[0][0] < VERSION:
        connection.execute("update about set version = ?", [VERSION])


# since when things were owned as they were when that was first put down
_BEGINNING = datetime(2000, 1, 1)
_FORMER_OWNERS = """
insert into owners (component, team, system, from_at, is_seen, origin)
with former as (
    select f.*, coalesce(lag(f.until_at) over (partition by f.name order by f.until_at), $beginning) as from_at
    from former_owners as f
)
select f.name, f.owner, f.system, f.from_at, true, '' from former as f
union all
select c.name, c.owner, c.system, coalesce(max(f.until_at), $beginning), true, ''
from components as c left join former as f on f.name = c.name
where c.kind = 'Component' group by c.name, c.owner, c.system
"""


# a tag is known by where it stood as well, since it may move
_TAGS_BY_PLACE = (
    "update deployments set id = id || '@' || sha"
    " where source = 'tags' and sha is not null and id = repo || '@' || ref"
)


def _convert_former_owners(connection: duckdb.DuckDBPyConnection) -> None:
    """Puts what an older version knew of owners into the table `owners`, which has just been made."""
    made = "create table if not exists former_owners (name varchar, owner varchar, system varchar, until_at timestamp)"
    connection.execute(made)
    connection.execute(_FORMER_OWNERS, {"beginning": _BEGINNING})
    connection.execute("drop table former_owners")


def _default(record: type[Record] | None, column: str) -> str:
    """What a new column holds in the rows that were there before."""
    default = record.model_fields[column].default if record else None
    return f" default {repr(default).lower()}" if isinstance(default, str | bool) else ""


def _known(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> dict[str, dict[str, str]]:
    """The columns of those of `tables` that are there, with their types."""
    # asked for table by table, for a list of all columns takes ten times as long in a file that was just opened
    of_each = " union all ".join(
        f"select '{table}', name, type from pragma_table_info('{table}')" for table in tables
    )
    try:
        rows = connection.execute(of_each).fetchall()
    except duckdb.CatalogException:  # some are missing
        rows = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() where database_name = current_database()"
        ).fetchall()
    known: dict[str, dict[str, str]] = defaultdict(dict)
    for table, column, kind in rows:
        known[table][column] = kind
    return known
