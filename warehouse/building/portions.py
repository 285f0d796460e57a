"""Some of the repositories at a time, so that what is held at once does not grow with all of them."""

import re
from collections.abc import Iterable, Iterator

import duckdb

# commits of which a step can hold at once what it joins by, for each GiB that DuckDB may have
COMMITS_OF_A_GIB = 1_000_000
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
# by the name that a step reads, what it stands for, and whether its rows are of repositories
_TABLES = """
select if(c.schema_name = 'main', '', 'source.') || c.table_name as name,
    arg_min(format('"{}"."{}"."{}"', c.database_name, c.schema_name, c.table_name),
        list_position($catalogs, c.database_name)),
    bool_or(c.column_name = 'repo')
from duckdb_columns() as c
where c.database_name in $catalogs and c.schema_name in ('main', 'source')
group by name
"""


def create_in_portions(
    connection: duckdb.DuckDBPyConnection, table: str, rows: str, of_a_gib: int = COMMITS_OF_A_GIB
) -> None:
    """Makes `table` of `rows`, SQL that joins by repository alone, for one portion of repositories after another."""
    for number, _ in enumerate(portions(connection, re.findall(r"[\w.]+", rows), of_a_gib)):
        connection.execute(f"{f'insert into {table}' if number else f'create table {table} as'} {rows}")


def portions(
    connection: duckdb.DuckDBPyConnection, names: Iterable[str], of_a_gib: int = COMMITS_OF_A_GIB
) -> Iterator[None]:
    """Goes from one portion of the repositories to the next, with as many commits as memory holds.

    At each, a table of `names` that has repositories is, by its name, what of it is of the portion.
    """
    last = [name for (name,) in connection.execute(_LAST, {"of_a_gib": of_a_gib}).fetchall()][:-1]
    if not last:
        yield
        return
    ((path,),) = connection.execute(_PATH).fetchall()
    catalogs = [place.partition(".")[0] for place in path.split(",")]
    tables = connection.execute(_TABLES, {"catalogs": catalogs}).fetchall()
    asked = set(names)
    narrowed = [(name, of) for name, of, has_repositories in tables if has_repositories and name in asked]
    connection.execute("attach ':memory:' as portion; create schema portion.source")
    # a schema is looked for in one database
    for name, of, _ in tables:
        if name.startswith("source."):
            connection.execute(f"create view portion.{name} as from {of}")
    connection.execute(f"set search_path = 'portion.main,{path}'")
    try:
        for after, until in zip([None, *last], [*last, None], strict=True):
            for name, of in narrowed:
                view = name if "." in name else f"main.{name}"
                connection.execute(
                    f"create or replace view portion.{view} as select t.* from {of} as t where {_within(after, until)}"
                )
            yield
    finally:
        connection.execute(f"set search_path = '{path}'")
        connection.execute("detach portion")


def _within(after: str | None, until: str | None) -> str:
    """SQL for the rows of the repositories after one and until another; what is of none is with the first."""
    bounds = [(">", after), ("<=", until)]
    quoted = [(relation, name.replace("'", "''")) for relation, name in bounds if name is not None]
    told = " and ".join(f"t.repo {relation} '{name}'" for relation, name in quoted)
    return told if after else f"({told} or t.repo is null)"
