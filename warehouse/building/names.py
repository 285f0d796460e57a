"""One name for each repository, service, team and system, whatever its sources write: models join by it alone.

The warehouse keeps what was told as it was told. Models read the schema `source`, in which each table of the warehouse
stands with those names replaced that `config.names` takes for another one's.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from collectors.contract.records import RECORDS
from config.names import bare, same_key
from warehouse.storage.arrow_tables import create_table


@dataclass(frozen=True)
class NameColumn:
    """A column that holds names of a kind, in the rows for which `condition` holds; `is_entity`: of the catalogue.

    `prefix` is what stands before each name.
    """

    kind: str
    table: str
    column: str
    condition: str = "true"
    is_entity: bool = False
    prefix: str = ""

    @property
    def name(self) -> str:
        """SQL for the name in a row of the table `t`."""
        column = f"t.{self.column}"
        return f"substr({column}, {len(self.prefix) + 1})" if self.prefix else column


# whose coverage speaks of applications, services or everything
_OF_NO_REPOSITORY = "'argocd', 'managed_objects', 'pagerduty', 'survey'"
# those that come first decide how a name is written
_COLUMNS = (
    NameColumn("repository", "repositories", "repo"),
    NameColumn("repository", "commits", "repo"),
    NameColumn("repository", "pull_requests", "repo"),
    NameColumn("repository", "workflow_runs", "repo"),
    NameColumn("repository", "deployments", "repo"),
    NameColumn("repository", "deployments", "config_repo"),
    NameColumn("repository", "components", "repo"),
    NameColumn("repository", "requests", "repo"),
    NameColumn("repository", "incidents", "source_service", "t.source = 'github_issues'"),
    NameColumn(
        "repository",
        "coverage",
        "subject",
        "t.source not in ('argocd', 'managed_objects', 'pagerduty', 'survey')",
    ),
    NameColumn("service", "components", "name", "t.kind = 'Component'", is_entity=True),
    NameColumn("service", "owners", "component"),
    NameColumn("service", "memberships", "component"),
    NameColumn("service", "deployments", "service"),
    NameColumn("service", "incidents", "service"),
    NameColumn("service", "managed_objects", "service"),
    NameColumn("service", "coverage", "subject", "t.source like 'import %'"),
    NameColumn("team", "components", "name", "t.kind = 'Group'", is_entity=True),
    NameColumn("team", "components", "owner", is_entity=True),
    NameColumn("team", "components", "parent", is_entity=True),
    NameColumn("team", "owners", "team"),
    NameColumn("team", "responses", "team"),
    NameColumn("team", "requests", "team"),
    NameColumn("team", "round_answers", "team"),
    NameColumn("system", "components", "name", "t.kind = 'System'", is_entity=True),
    NameColumn("system", "components", "system", is_entity=True),
    NameColumn("system", "owners", "system"),
    *(
        NameColumn(kind, "events", "scope", f"t.scope like '{kind} %'", prefix=f"{kind} ")
        for kind in ("service", "team", "system")
    ),
    NameColumn("team", "events", "scope", "t.scope like 'group %'", prefix="group "),
)
# before the unit was kept, an application was told by its name; what was read of it says its instance and namespace
_WITHOUT_UNIT = (
    "select 1 from stored.deployments as d where d.source = 'argocd' and d.unit is null"
    " and d.application is not null limit 1"
)
_WITH_UNITS = (
    "select d.* replace (coalesce(d.unit, u.unit) as unit) from told as d left join"
    " (select split_part(c.subject, '/', -1) as application, max(c.subject) as unit from stored.coverage as c"
    " where c.source = 'argocd' group by 1 having count(distinct c.subject) = 1) as u"
    " on d.source = 'argocd' and u.application = d.application"
)
_TABLES = "select table_name from duckdb_tables() where database_name = 'stored' order by 1"


def create_sources(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the schema `source` over the warehouse that is attached to `connection` as `stored`."""
    tables = [name for (name,) in connection.execute(_TABLES).fetchall()]
    columns = [column for column in _COLUMNS if column.table in tables]
    told = " union all ".join(
        f"(select distinct {place}, {one.name} from stored.{one.table} as t"
        f" where t.{one.column} is not null and {one.condition})"
        for place, one in enumerate(columns)
    )
    spelled: dict[int, list[str]] = defaultdict(list)
    for place, spelling in connection.execute(told).fetchall():
        spelled[place].append(spelling)
    names: dict[str, dict[str, str]] = {}
    for kind in {one.kind for one in columns}:
        of_kind = [(columns[place], spellings) for place, spellings in sorted(spelled.items())]
        names[kind] = _names([(one, spellings) for one, spellings in of_kind if one.kind == kind])
    _follow_renames(
        connection, names["service"], [s for place, s in spelled.items() if columns[place].kind == "service"]
    )
    changed: dict[str, list[NameColumn]] = defaultdict(list)
    for place, spellings in spelled.items():
        if any(spelling in names[columns[place].kind] for spelling in spellings):
            changed[columns[place].table].append(columns[place])
    rows = [(kind, *pair) for kind, of_kind in names.items() for pair in of_kind.items()]
    arrays = [pa.array([row[i] for row in rows], pa.string()) for i in range(3)]
    create_table(connection, "spellings", pa.table(arrays, names=["kind", "spelling", "name"]))
    connection.execute("create schema source")
    lacks_units = bool(connection.execute(_WITHOUT_UNIT).fetchall())
    for table in tables:
        select = (
            _replaced(table, changed[table]) if table in changed else f"select t.* from stored.{table} as t"
        )
        is_copied = table in changed
        if table == "deployments" and lacks_units:
            select, is_copied = f"with told as ({select}) {_WITH_UNITS}", True
        connection.execute(f"create {'table' if is_copied else 'view'} source.{table} as {select}")


def _names(told: Sequence[tuple[NameColumn, Sequence[str]]]) -> dict[str, str]:
    """Spelling -> name, for those that are written otherwise than the name they mean."""
    is_repository = any(one.kind == "repository" for one, _ in told)
    name_of: dict[str, str] = {}
    entities: dict[str, set[str]] = defaultdict(set)  # without their namespace -> with it
    for one, spellings in told:
        for spelling in sorted(spellings):
            key = spelling.casefold() if is_repository else same_key(spelling)
            name_of.setdefault(key, spelling if is_repository else bare(spelling))
            if one.is_entity:
                entities[key.rpartition("/")[2]].add(key)
    for short, keys in entities.items():
        (key, *others) = keys
        if "/" in key and not others:  # no other namespace has one of that name
            name_of[key] = name_of[key].rpartition("/")[2]
            if short in name_of:
                name_of[short] = name_of[key]
    return {
        spelling: name
        for _, spellings in told
        for spelling in spellings
        if (name := name_of[spelling.casefold() if is_repository else same_key(spelling)]) != spelling
    }


def _follow_renames(
    connection: duckdb.DuckDBPyConnection, names: dict[str, str], spelled: Sequence[Sequence[str]]
) -> None:
    """Puts what was told of a component under its former name under the one that it has now."""
    renamed = connection.execute(
        "select c.name, unnest(c.formerly) from stored.components as c"
        " where c.kind = 'Component' and c.gone_at is null"
    ).fetchall()
    if not renamed:
        return
    alive = connection.execute(
        "select c.name from stored.components as c where c.kind = 'Component' and c.gone_at is null"
    ).fetchall()
    taken = {same_key(name) for (name,) in alive}
    now = {
        same_key(before): names.get(name, name) for name, before in renamed if same_key(before) not in taken
    }
    for spellings in spelled:
        names |= {spelling: now[same_key(spelling)] for spelling in spellings if same_key(spelling) in now}


def _replaced(table: str, columns: Sequence[NameColumn]) -> str:
    """A select of `table` with one name for each; of two rows that get one key by it, the first by their old names."""
    joins = ""
    by_column: dict[str, list[str]] = defaultdict(list)
    for number, one in enumerate(columns):
        joins += (
            f" left join spellings as n{number} on n{number}.kind = '{one.kind}'"
            f" and n{number}.spelling = {one.name} and {one.condition}"
        )
        name = f"'{one.prefix}' || n{number}.name" if one.prefix else f"n{number}.name"
        by_column[one.column].append(name)
    expressions = {column: f"coalesce({', '.join(found)}, t.{column})" for column, found in by_column.items()}
    replaced = ", ".join(f"{expression} as {column}" for column, expression in expressions.items())
    key = RECORDS[table].KEY if table in RECORDS else ()
    # of these several rows may speak of one thing
    if not set(key) & set(by_column) or table in (
        "coverage",
        "responses",
        "components",
        "owners",
        "memberships",
    ):
        return f"select t.* replace ({replaced}) from stored.{table} as t{joins}"
    partition = ", ".join(expressions.get(part, f"t.{part}") for part in key)
    was = ", ".join(f"t.{column} <> {expression}, t.{column}" for column, expression in expressions.items())
    return (
        f"select t.* replace ({replaced}) from stored.{table} as t{joins}"
        f" qualify row_number() over (partition by {partition} order by {was}) = 1"
    )
