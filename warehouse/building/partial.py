"""Facts built from those before: what is touched is derived anew, and all else stays as it was.

The same steps make it, in the same order. Those of what belongs together run over the touched repositories and services
alone, in a database of their own (`part`); those of all that there is run over everything. `whole` is a copy of the
facts before, in which the one's rows are put in the place of the earlier ones, and the other's tables as a whole.
"""

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
    create_basis,
    on_this_machine,
    published_tables,
)
from warehouse.metrics.facts import Facts
from warehouse.metrics.stored_values import STORED, store_changed
from warehouse.storage.arrow_tables import create_table
from warehouse.storage.store import transaction

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
_ROUNDS = 4
# what they take back is to lie in no corner of a file that was copied
_OF_PEOPLE = ("responses", "comments")
# the rows of facts that are other ones than before, as far as what is stored of stretches of days goes by them
_CHANGED = """
create table changed (fact varchar, "of" varchar, day date, system varchar, team varchar, service varchar)
"""
# its columns beside `fact`, and those of a fact that they are taken from; `of`: what covered days are of
_TOLD = {"of": "fact", "day": "day", "system": "system", "team": "team", "service": "service"}
# where what a step of all that there is reads by its name alone is looked for, in this order
_OF_ALL = "work.main,whole.main,whole.kept"
# what a step writes that is put in the place of what was there
_TABLES: dict[Step, tuple[str, ...]] = {
    step: (step,)
    for step in STEPS_IN_ORDER
    if step not in OF_ALL and (step in KEPT or step in published_tables())
} | {lineage.trace: ("landings",)}
# of all that there is, but many, and each of one service: put, too
_COVERED_DAYS = "covered_days"
_PUT = {table for tables in _TABLES.values() for table in tables} | {_COVERED_DAYS}


def derive_touched(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime, worth_storing: int
) -> int | None:
    """Brings the facts attached as `whole` up to the warehouse attached as `stored`; how many services were derived.

    None where everything must be built: then `whole` is in no state to be used.
    """
    with on_this_machine(connection) as run:
        create_basis(connection, settings, as_of, run)
        what.create_row_hashes(connection)
        connection.execute(_CHANGED)
        connection.execute(f"set search_path = '{_OF_ALL}'")
        found = _derive_in_rounds(connection, run)
    if found is None or any(_is_taken_back(connection, table) for table in _OF_PEOPLE):
        return None
    _replace(connection)
    connection.execute(f"set search_path = 'whole.main,{_OF_ALL}'")
    store_changed(
        Facts(connection, settings.warehouse, as_of, settings.timezone, settings.organization),
        worth_storing,
    )
    connection.execute(f"set search_path = '{_OF_ALL}'")
    return len(_services(found))


def _derive_in_rounds(connection: duckdb.DuckDBPyConnection, run: Engine) -> set[str] | None:
    """Derives what is touched, and what turns out to be so on the way; the nodes, None where that is too much."""
    if connection.execute(what.differing("true", "spellings", "whole.kept.spellings")).fetchall():
        return None
    found = what.touched(connection)
    made: list[Step] = []
    for _ in range(_ROUNDS):
        found = what.belonging_together(connection, found)
        if _share(connection, found) > _MOST:
            return None
        more = _derive(connection, run, found, made) - found
        connection.execute(f"set search_path = '{_OF_ALL}'")
        if not more:
            return found
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
                if step == _COVERED_DAYS:
                    _cover(connection, run)
                else:
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


def _cover(connection: duckdb.DuckDBPyConnection, run: Engine) -> None:
    """Brings up the covered days of those services alone that were read at other times than before."""
    connection.execute("attach ':memory:' as covering")
    what.create_covered_otherwise(connection, "covering.main.otherwise")
    is_one = "exists (from covering.main.otherwise as o where o.service is not distinct from t.service)"
    connection.execute(
        f"create table covering.main.service_coverage as from service_coverage as t where {is_one}"
    )
    connection.execute(f"set search_path = 'covering.main,{_OF_ALL}'")
    run(_COVERED_DAYS)
    _bring_up(connection, _COVERED_DAYS, is_old=is_one)


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
        where = f" where {what.is_touched(*what.NARROWED[table])}" if is_narrowed else ""
        kind = "table" if is_narrowed else "view"
        connection.execute(
            f"create {kind} part.source.{table} as select t.* from work.source.{table} as t{where}"
        )
    # they are many, too, and were brought up before any step of the part asks for them
    connection.execute(
        "create view part.main.covered_days as select t.* from whole.main.covered_days as t"
        f" where {what.is_touched(('service', 't.service'))}"
    )


def _put(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Puts what the part has of a table in the place of what `whole` has of the same."""
    if table == "incidents":
        is_own = "(t.source, t.id) in (select (i.source, i.id) from part.source.incidents as i)"
        is_old = f"{is_own} or (t.source, t.id) not in (select (i.source, i.id) from stored.incidents as i)"
    else:
        one, column = ("repository", "repo") if table in _OF_REPOSITORIES else ("service", "service")
        is_old = is_own = what.is_touched((one, f"t.{column}"))
    _bring_up(connection, table, is_own, is_old)


def _bring_up(
    connection: duckdb.DuckDBPyConnection, table: str, is_own: str = "true", is_old: str = "true"
) -> None:
    """Puts the rows of a table that are other ones than before in the place of those, and down in `changed`."""
    place = f"whole.{'kept' if table in KEPT else 'main'}.{table}"
    now = f"(select t.* from ({KEPT.get(table, f'from {table}')}) as t where {is_own})"
    types = {name: kind for name, kind, *_ in connection.execute(f"describe {place}").fetchall()}
    hashed = what.row_hash(types)
    connection.execute(
        "create or replace temp table earlier as"
        f" select t.rowid as place, {hashed} as hash from {place} as t where {is_old}"
    )
    connection.execute(
        "create or replace temp table differing as select e.hash from ("
        f"select {hashed} as hash, 1 as n from {now} as t union all select hash, -1 from earlier) as e"
        " group by e.hash having sum(e.n) <> 0"
    )
    if not connection.execute("from differing limit 1").fetchall():
        return
    gone = f"from {place} as t where t.rowid in (select e.place from earlier as e semi join differing using (hash))"
    come = f"from {now} as t where {hashed} in (from differing)"
    if table not in KEPT:
        told = ", ".join(
            f'{column if column in types else "null"} as "{name}"' for name, column in _TOLD.items()
        )
        connection.execute(
            f"insert into changed by name select distinct '{table}' as fact, {told}"
            f" from (select t.* {gone} union all by name select t.* {come})"
        )
    with transaction(connection):
        connection.execute(f"delete {gone}")
        connection.execute(f"insert into {place} by name select t.* {come}")


def _replace(connection: duckdb.DuckDBPyConnection) -> None:
    """Brings up the tables that are made of all that there is."""
    for table in (*published_tables(), *KEPT):
        if table not in _PUT and table not in STORED:
            _bring_up(connection, table)


def _is_taken_back(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether there was a row that there is no more."""
    gone = f"select 1 from (from whole.main.{table} except all from {table}) limit 1"
    return bool(connection.execute(gone).fetchall())


def _share(connection: duckdb.DuckDBPyConnection, found: set[str]) -> float:
    """How much of the deployments is touched."""
    rows = "select count(*) filter (list_contains($services, c.service)), count(*) from whole.kept.candidates as c"
    ((own, of_all),) = connection.execute(rows, {"services": _services(found)}).fetchall()
    return own / of_all if of_all else 1.0


def _services(found: set[str]) -> list[str]:
    return [node.removeprefix("service ") for node in found if node.startswith("service ")]
