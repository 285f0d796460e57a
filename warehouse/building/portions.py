"""A model over some of the repositories at a time, so that what is held at once does not grow with all of them."""

import re

import duckdb

# commits of which a model can hold at once what it joins by, for each GiB that DuckDB may have
_COMMITS_OF_A_GIB = 1_000_000
# of repositories in order of their names, in portions of about so many commits, the last name of each portion
_LAST = """
with held as (
    select $of_a_gib * parse_formatted_bytes(current_setting('memory_limit')) / power(2, 30) as commits
),
counted as (
    select c.repo, floor((sum(count(*)) over (order by c.repo) - count(*)) / any_value(h.commits)) as portion
    from source.commits as c
    cross join held as h
    where c.repo is not null
    group by c.repo
)
select max(c.repo) from counted as c group by c.portion order by c.portion
"""
_PATH = "select coalesce(nullif(current_setting('search_path'), ''), current_database() || '.main')"
# by the name that a model reads, what it stands for
_OF_REPOSITORIES = """
select if(c.schema_name = 'main', '', c.schema_name || '.') || c.table_name as name,
    arg_min(format('"{}"."{}"."{}"', c.database_name, c.schema_name, c.table_name),
        list_position($catalogs, c.database_name))
from duckdb_columns() as c
where c.column_name = 'repo' and c.database_name in $catalogs and c.schema_name in ('main', 'source')
group by name
"""


def create_in_portions(
    connection: duckdb.DuckDBPyConnection, table: str, rows: str, of_a_gib: int = _COMMITS_OF_A_GIB
) -> None:
    """Makes `table` of `rows`, SQL that joins by repository alone, for one portion of the repositories after another.

    What it reads by a name is, while it runs, what of that is of the portion.
    """
    *last, _ = [name for (name,) in connection.execute(_LAST, {"of_a_gib": of_a_gib}).fetchall()] or [None]
    if not last:
        connection.execute(f"create table {table} as {rows}")
        return
    ((path,),) = connection.execute(_PATH).fetchall()
    catalogs = [place.partition(".")[0] for place in path.split(",")]
    tables = connection.execute(_OF_REPOSITORIES, {"catalogs": catalogs}).fetchall()
    read = [(name, of) for name, of in tables if re.search(rf"(?<![\w.]){re.escape(name)}\b", rows)]
    connection.execute("attach ':memory:' as portion; create schema portion.source")
    connection.execute(f"set search_path = 'portion.main,{path}'")
    try:
        for place, bounds in enumerate(zip([None, *last], [*last, None], strict=True)):
            for name, of in read:
                view = name if "." in name else f"main.{name}"
                connection.execute(
                    f"create or replace view portion.{view} as select t.* from {of} as t where {_within(*bounds)}"
                )
            connection.execute(f"{f'insert into {table}' if place else f'create table {table} as'} {rows}")
    finally:
        connection.execute(f"set search_path = '{path}'")
        connection.execute("detach portion")


def _within(after: str | None, until: str | None) -> str:
    """SQL for the rows of repositories between two names."""
    bounds = [(">", after), ("<=", until)]
    quoted = [(relation, name.replace("'", "''")) for relation, name in bounds if name is not None]
    return " and ".join(f"t.repo {relation} '{name}'" for relation, name in quoted)
