"""The form of the warehouse: its tables and columns, and the steps that bring an older one into it.

WarehouseError(SixkeysError)   the file cannot be opened, is damaged, or was made by another version or program
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from collectors.contract.records import RECORDS, Record
from config.errors import SixkeysError
from warehouse.storage.schema import columns

# raised with each change of a table, a column, its type or a key; STEPS says what becomes of what was there before,
# except that new tables, new columns and new parts of lists are made for every warehouse that lacks them
VERSION = 5

_BOOKKEEPING = {
    "about": {"version": "integer", "people_key": "varchar", "first_built_at": "timestamp"},
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
    # what was taken into closed survey rounds, for ever; no question: the mean of all that were asked, as it once was
    "round_answers": {
        "round": "varchar",
        "question": "varchar",
        "respondent": "varchar",
        "team": "varchar",
        "submitted_at": "timestamp",
        "closes_at": "timestamp",
        "score": "double",
        "batch": "bigint",
        "is_pooled": "boolean",
    },
}

_Columns = dict[str, dict[str, str]]


class WarehouseError(SixkeysError):
    """The warehouse file cannot be used: which, why, and what to do."""


class Step(NamedTuple):
    """What becomes of a warehouse of `version` on its way to the next one; `run` is told what tables it had."""

    version: int
    what: str
    run: Callable[[duckdb.DuckDBPyConnection, _Columns], None]


def warehouse_tables() -> _Columns:
    """Each table of the warehouse with its columns and their types, as this version has them."""
    return _BOOKKEEPING | {name: columns(record) for name, record in RECORDS.items()}


def stored_version(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """The version of the warehouse at `path`, 0 of one that is new; changes nothing.

    Raises WarehouseError for a newer one, and for a database of another program.
    """
    try:
        found = connection.execute("select version from about").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        if connection.execute("select 1 from duckdb_tables() limit 1").fetchall():
            raise WarehouseError(
                f"{path}: is a database, and no warehouse of Sixkeys; name another file as warehouse"
            ) from None
        return 0
    version = found[0][0] if found else 0
    if not isinstance(version, int):
        raise WarehouseError(
            f"{path}: does not say of which version it is; name another file, or bring a backup back"
        )
    if version > VERSION:
        raise WarehouseError(
            f"{path}: was made by a newer Sixkeys; update Sixkeys, or name another warehouse"
        )
    return version


def migrate(connection: duckdb.DuckDBPyConnection, path: Path, stored: int) -> None:
    """Brings the warehouse at `path` from version `stored` into the form of this one; the caller commits it as a whole.

    Raises WarehouseError where that cannot be done.
    """
    known = _known(connection)
    doing = "new columns"
    try:
        _extend(connection, known)
        for step in STEPS if known else ():
            if step.version >= stored:
                doing = step.what
                step.run(connection, known)
        if known.get("about") and stored:
            connection.execute("update about set version = ?", [VERSION])
        else:
            connection.execute("insert into about (version) values (?)", [VERSION])
    except duckdb.Error as error:
        raise _not_migrated(path, stored, f"{doing}: {str(error).splitlines()[0]}") from error
    if others := _others(_known(connection)):
        raise _not_migrated(path, stored, "; ".join(others))


def _not_migrated(path: Path, stored: int, why: str) -> WarehouseError:
    return WarehouseError(
        f"{path}: cannot be brought from version {stored} of its form to {VERSION} ({why[:200]}); it was left as it is:"
        " go on with the Sixkeys that made it, and report this"
    )


def _extend(connection: duckdb.DuckDBPyConnection, known: _Columns) -> None:
    """Makes the tables, the columns and the parts of lists that are not among the `known` ones."""
    for table, wanted in warehouse_tables().items():
        if table not in known:
            declared = ", ".join(f'"{column}" {kind}' for column, kind in wanted.items())
            connection.execute(f"create table {table} ({declared})")
            continue
        for column, kind in wanted.items():
            if column not in known[table]:
                default = _default(RECORDS.get(table), column)
                connection.execute(f'alter table {table} add column "{column}" {kind}{default}')
            elif "struct(" in kind and "struct(" in known[table][column] and known[table][column] != kind:
                # a part that is new is empty in what was there before
                connection.execute(f'alter table {table} alter "{column}" set data type {kind}')


def _others(known: _Columns) -> list[str]:
    """The columns whose type is not the one that this version reads and writes, in words."""
    return [
        f"{table}.{column} is {known[table][column]} and has to be {kind}"
        for table, wanted in warehouse_tables().items()
        for column, kind in wanted.items()
        if known[table][column] != kind
    ]


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


def _convert_former_owners(connection: duckdb.DuckDBPyConnection, known: _Columns) -> None:
    """Puts what was known of owners into a table of its own, where there was none yet."""
    if "owners" in known:
        return
    if "former_owners" not in known:
        connection.execute(
            "create table former_owners (name varchar, owner varchar, system varchar, until_at timestamp)"
        )
    connection.execute(_FORMER_OWNERS, {"beginning": _BEGINNING})
    connection.execute("drop table former_owners")


def _know_tags_by_place(connection: duckdb.DuckDBPyConnection, known: _Columns) -> None:
    if "owners" not in known:  # which came at the same time
        connection.execute(
            "update deployments set id = id || '@' || sha"
            " where source = 'tags' and sha is not null and id = repo || '@' || ref"
        )


def _forget_organisations_name(connection: duckdb.DuckDBPyConnection, _: _Columns) -> None:
    """Keeps what was told of the organisation under no name; of two scorecards of a week the first stands."""
    named = "select week from scorecards where scope = 'organisation' and name <> ''"
    for table in ("scorecards", "scorecard_forms"):
        connection.execute(
            f"delete from {table} where scope = 'organisation' and name = '' and week in ({named})"
        )
    for table in ("scorecards", "scorecard_forms", "scorecard_rows", "deliveries", "alerts"):
        connection.execute(f"update {table} set name = '' where scope = 'organisation' and name <> ''")


# each person's answers as they were counted in one
_COUNTED_IN_ONE = """
with counted as (
    select t.round, t.respondent, t.team, t.closes_at, t.batch, t.is_pooled, t.score as mean,
        r.question, r.submitted_at, 1 + 4 * (r.score - r.scale_min) / nullif(r.scale_max - r.scale_min, 0) as score
    from round_answers as t
    left join responses as r on r.round = t.round and r.respondent = t.respondent
    qualify r.submitted_at <= t.closes_at
        or bool_and(r.submitted_at > t.closes_at) over (partition by t.round, t.respondent)
        or r.submitted_at is null
),

changed as (
    select c.round from counted as c group by c.round, c.respondent
    having coalesce(abs(avg(c.score) - max(c.mean)) > 1e-9, true)
),

few as (
    select c.round from counted as c group by c.round, c.question, c.batch having count(*) < 5
),

named as (
    select c.round from counted as c group by c.round having bool_or(c.question = 'satisfaction')
)

select c.round, c.question, c.respondent, c.team, c.submitted_at, c.closes_at, c.score, c.batch, c.is_pooled
from counted as c
where c.round in (from named) and c.round not in (from changed) and c.round not in (from few)
"""


def _tell_questions_apart(connection: duckdb.DuckDBPyConnection, _: _Columns) -> None:
    """Takes the questions of closed rounds apart, one of which is called satisfaction.

    Others, and those of which answers changed since, stay the mean that was published.
    """
    connection.execute(f"create temp table told_apart as {_COUNTED_IN_ONE}")
    connection.execute("delete from round_answers where round in (select t.round from told_apart as t)")
    connection.execute("update round_answers set question = ''")
    connection.execute("insert into round_answers by name from told_apart")
    connection.execute("drop table told_apart")


# the fingerprint of a key that was not put down
SOME_KEY = "some"
_PEOPLE = (
    ("responses", "respondent"),
    ("commits", "author"),
    ("pull_requests", "author"),
    ("deployments", "creator"),
)


def _say_that_there_was_a_key(connection: duckdb.DuckDBPyConnection, _: _Columns) -> None:
    """Of a warehouse with people in it and no fingerprint of their key: no other may be made for it."""
    people = " union all ".join(
        f"select 1 from {table} where {column} is not null" for table, column in _PEOPLE
    )
    connection.execute(
        f"update about set people_key = '{SOME_KEY}' where people_key is null and exists ({people})"
    )


# a week that was published or sent is one that ended after it, whatever the clock
_EARLIEST_TRACE = """
select min(t.at)
from (
    select min(started_at) as at from runs
    union all
    select min(try_strptime(week || '-1', '%G-W%V-%u')) from scorecards
    union all
    select min(try_strptime(week || '-1', '%G-W%V-%u')) from deliveries
) as t
"""


def _know_the_first_build(connection: duckdb.DuckDBPyConnection, _: _Columns) -> None:
    """What was read, published or sent before was looked at: it goes on as before."""
    connection.execute(f"update about set first_built_at = ({_EARLIEST_TRACE})")


def _know_memberships(connection: duckdb.DuckDBPyConnection, known: _Columns) -> None:
    """Puts down which path each component names: it was always so, as far as anybody knows."""
    if "components" in known and "memberships" not in known:
        connection.execute(
            "insert into memberships (component, golden_path, template, tags, from_at, is_seen, origin)"
            " select c.name, c.golden_path, c.template, c.tags, ?, true, c.origin from components as c"
            " where c.kind = 'Component'",
            [_BEGINNING],
        )


STEPS = (
    Step(1, "owners as a record of their own", _convert_former_owners),
    Step(1, "tags known by where they stood as well", _know_tags_by_place),
    Step(2, "the organisation kept under no name", _forget_organisations_name),
    Step(3, "survey questions told apart", _tell_questions_apart),
    Step(3, "people kept under a key that was not put down", _say_that_there_was_a_key),
    Step(3, "when it was first built", _know_the_first_build),
    Step(4, "golden paths with their past", _know_memberships),
)


def _default(record: type[Record] | None, column: str) -> str:
    """What a new column holds in the rows that were there before."""
    default = record.model_fields[column].default if record else None
    return f" default {repr(default).lower()}" if isinstance(default, str | bool) else ""


def _known(connection: duckdb.DuckDBPyConnection) -> _Columns:
    """The tables that are there with their columns and their types, written as this version writes them."""
    known: _Columns = defaultdict(dict)
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where database_name = current_database()"
    ).fetchall():
        known[table][column] = kind.lower().replace('"', "")
    return known
