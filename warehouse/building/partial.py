"""Facts built from those before: what is touched is derived anew, and all else stays as it was.

The same steps make it, in the same order. Those of what belongs together run over the touched repositories and services
alone, in a database of their own (`part`); those of all that there is run over everything. `whole` is a copy of the
facts before, in which the one's rows are put in the place of the earlier ones, and the other's tables as a whole.
"""

from collections.abc import Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from config.settings import Settings
from warehouse.building import lineage
from warehouse.building import touched as what
from warehouse.building.steps import (
    OF_ALL,
    STEPS_IN_ORDER,
    Engine,
    Step,
    as_stored,
    create_basis,
    on_this_machine,
    published_tables,
)
from warehouse.metrics.facts import Facts
from warehouse.metrics.stored_values import STORED, store_changed
from warehouse.storage.arrow_tables import create_table

# what the next build needs beside what readers get: the copy of a step as it was
KEPT = {
    "candidates": "select c.* exclude (finish_order) from candidates as c",
    "landings": "from landings",
    "claimants": "from claimants",
    "catalogue": "from catalogue",
    "path_stretches": "from path_stretches",
    "common_addresses": "from common_addresses",
    "step_jobs": "from step_jobs",
    "step_environments": "from step_environments",
    "spellings": "from spellings",
    "row_hashes": "from row_hashes",
}
# the facts whose rows a repository has; those of others a service has
_OF_REPOSITORIES = ("landings", "pull_stages", "pull_deliveries", "repositories", "first_deployments")
# what is touched beyond this share of the deployments is more work than all of them
_MOST = 0.5
# by what a changed row is found in what was stored of stretches of days
_DATED = ("day", "system", "team", "service")
_ROUNDS = 4
# what they take back is to lie in no corner of a file that was copied
_OF_PEOPLE = ("responses", "comments")
# where what a step of all that there is reads by its name alone is looked for, in this order
_OF_ALL = "work.main,whole.main,whole.kept"
# what a step writes that is put in the place of what was there
_TABLES: dict[Step, tuple[str, ...]] = {
    step: (step,)
    for step in STEPS_IN_ORDER
    if step not in OF_ALL and (step in KEPT or step in published_tables())
} | {lineage.trace: ("landings",)}
_PUT = {table for tables in _TABLES.values() for table in tables}


def derive_touched(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime, worth_storing: int
) -> int | None:
    """Brings the facts attached as `whole` up to the warehouse attached as `stored`; how many services were derived.

    None where everything must be built: then `whole` is in no state to be used.
    """
    with on_this_machine(connection) as run:
        create_basis(connection, settings, as_of, run)
    what.create_row_hashes(connection)
    connection.execute(
        "create table changed (fact varchar, day date, system varchar, team varchar, service varchar)"
    )
    connection.execute(f"set search_path = '{_OF_ALL}'")
    if _differs(connection, "spellings", "whole.kept.spellings"):
        return None
    found = what.touched(connection)
    made: list[Step] = []
    for _ in range(_ROUNDS):
        found = what.belonging_together(connection, found)
        if _share(connection, found) > _MOST:
            return None
        with on_this_machine(connection) as run:
            more = _derive(connection, run, found, made) - found
        if not more and any(_is_taken_back(connection, table) for table in _OF_PEOPLE):
            return None
        if not more:
            _replace(connection)
            connection.execute(f"set search_path = 'whole.main,{_OF_ALL}'")
            store_changed(
                Facts(connection, settings.warehouse, as_of, settings.timezone, settings.organization),
                worth_storing,
            )
            connection.execute(f"set search_path = '{_OF_ALL}'")
            return len(_services(found))
        found |= more
    return None


def _derive(
    connection: duckdb.DuckDBPyConnection, run: Engine, found: set[str], made: list[Step]
) -> set[str]:
    """Runs the steps over what is touched; the nodes that turn out to be touched too, at which it ends early."""
    _create_part(connection, found)
    for step in STEPS_IN_ORDER:
        if step in OF_ALL:
            connection.execute(f"set search_path = '{_OF_ALL}'")
            if step not in made:
                run(step)
                made.append(step)
        elif found:
            connection.execute(f"set search_path = 'part.main,{_OF_ALL}'")
            run(step)
            for table in _TABLES.get(step, ()):
                _put(connection, table)
        more: set[str] = set()
        if step == "gaps":
            more = what.touched_by_coverage(connection)
        elif step == "blameable_deployments" and found:
            more = what.touched_by_names(connection)
        if more - found:
            return more
    return set()


def _create_part(connection: duckdb.DuckDBPyConnection, found: set[str]) -> None:
    """The database `part`: the source tables, of those that are large the touched rows alone."""
    connection.execute(f"set search_path = '{_OF_ALL}'")
    connection.execute("detach database if exists part")
    connection.execute("attach ':memory:' as part")
    nodes = pa.table({"node": pa.array(sorted(found), pa.string())})
    create_table(connection, "part.main.touched", nodes)
    connection.execute("create schema part.source")
    tables = connection.execute(
        "select table_name from information_schema.tables where table_catalog = 'work' and table_schema = 'source'"
    ).fetchall()
    for (table,) in tables:
        is_narrowed = table in what.NARROWED
        where = f" where {_is_touched(what.NARROWED[table])}" if is_narrowed else ""
        kind = "table" if is_narrowed else "view"
        connection.execute(
            f"create {kind} part.source.{table} as select t.* from work.source.{table} as t{where}"
        )


def _is_touched(nodes: Sequence[str]) -> str:
    return " or ".join(f"{node} in (select k.node from part.main.touched as k)" for node in nodes)


def _put_down_changes(connection: duckdb.DuckDBPyConnection, table: str, now: str, before: str) -> None:
    """Adds to `changed` the days and the names of those rows of a fact that are other ones than before."""
    columns = {name for name, *_ in connection.execute(f"describe from {now}").fetchall()}
    told = (name if name in columns else "null" for name in _DATED)
    connection.execute(
        f"insert into changed select distinct '{table}', {', '.join(told)} from {what.differing(now, before)}"
    )


def _put(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Puts what the part has of a table in the place of what `whole` has of the same."""
    place = f"whole.{'kept' if table in KEPT else 'main'}.{table}"
    if table == "incidents":
        is_own = "(t.source, t.id) in (select (i.source, i.id) from part.source.incidents as i)"
        is_old = f"{is_own} or (t.source, t.id) not in (select (i.source, i.id) from stored.incidents as i)"
    else:
        one, column = ("repository", "repo") if table in _OF_REPOSITORIES else ("service", "service")
        is_old = is_own = (
            f"t.{column} in (select substr(k.node, {len(one) + 2}) from part.main.touched as k"
            f" where k.node like '{one} %')"
        )
    now = f"(select t.* from ({KEPT.get(table, f'from {table}')}) as t where {is_own})"
    if table not in KEPT:
        before = f"(select t.* from {place} as t where {is_old})"
        _put_down_changes(connection, table, now, before)
    connection.execute(f"delete from {place} as t where {is_old}")
    connection.execute(f"insert into {place} by name from {now}")


def _replace(connection: duckdb.DuckDBPyConnection) -> None:
    """Puts the tables that are made of all that there is in the place of those before, where they are others."""
    for table in published_tables():
        before = f"whole.main.{table}"
        if table in _PUT or table in STORED or not _differs(connection, table, before):
            continue
        _put_down_changes(connection, table, table, before)
        rows = as_stored(table, f"from {table}")
        connection.execute(f"create or replace table {before} as {rows}")
    for table, rows in KEPT.items():
        if table not in _PUT:
            connection.execute(f"create or replace table whole.kept.{table} as {rows}")


def _is_taken_back(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether there was a row that there is no more."""
    gone = f"select 1 from (from whole.main.{table} except all from {table}) limit 1"
    return bool(connection.execute(gone).fetchall())


def _differs(connection: duckdb.DuckDBPyConnection, now: str, before: str) -> bool:
    hashes = [
        connection.execute(f"select count(*), sum(hash(t)::hugeint) from {table} as t").fetchall()
        for table in (now, before)
    ]
    return hashes[0] != hashes[1]


def _share(connection: duckdb.DuckDBPyConnection, found: set[str]) -> float:
    """How much of the deployments is touched."""
    rows = "select count(*) filter (list_contains($services, c.service)), count(*) from whole.kept.candidates as c"
    ((own, of_all),) = connection.execute(rows, {"services": _services(found)}).fetchall()
    return own / of_all if of_all else 1.0


def _services(found: set[str]) -> list[str]:
    return [node.removeprefix("service ") for node in found if node.startswith("service ")]
