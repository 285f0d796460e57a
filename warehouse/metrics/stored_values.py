"""The values that pages ask for most, stored when facts are built: of weeks, and of what pages offer and compare."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from config.metrics import Metric
from config.metrics import metrics as declared
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import (
    PRESETS,
    Bucket,
    baseline,
    buckets,
    full_range,
    preset,
    today,
    week_of,
)
from warehouse.metrics.pooled import (
    CHANGED_HANDS,
    EACH_DAY,
    bound_to,
    covered_statement,
    quoted_name,
    stretches_and_calendar,
    value_statement,
)

if TYPE_CHECKING:
    import duckdb

# by which names, of which rows: a service that always had one team and one system has the same figures by all of them
_STORED: dict[tuple[str, ...], str] = dict.fromkeys(
    ((), ("system",), ("group",), ("team",), ("system", "team"), ("service",)), ""
) | dict.fromkeys(
    (("system", "service"), ("team", "service"), ("system", "team", "service")),
    f" and f.service in ({CHANGED_HANDS})",
)
# a year, and the weeks before it that show what is usual
_WEEKS = timedelta(weeks=70)
# with fewer deployments and changes than this an answer from the rows is as quick, and the build is quicker without
WORTH_STORING = 100_000
# what `store` writes
STORED = ("stored_values", "stored_stretches")


def store(facts: Facts, fewest: int = WORTH_STORING) -> None:
    """Writes `stored_values` and `stored_stretches`: weeks, the periods that pages offer, and those before.

    They stay empty where there are not even `fewest` deployments and changes.
    """
    connection = facts.connection
    connection.execute(_TABLES)
    if not _is_worth_storing(connection, fewest):
        return
    for kind in _stretches(facts):
        _store(connection, kind)


def store_changed(facts: Facts, fewest: int = WORTH_STORING) -> None:
    """Brings `stored_values` up to the rows that are told to have changed.

    Those are the rows of `changed`: a fact, a day, and the names that its rows of that day have, and had before. What
    is stored of stretches without such a day, and of other names, stays.
    """
    connection = facts.connection
    stored = connection.execute("from stored_stretches").fetchall()
    stretches = [one for kind in _stretches(facts) for one in kind]
    renamed = "select 1 from changed where fact in ('owners', 'groups', 'reading_days') limit 1"
    if (
        _is_worth_storing(connection, fewest) != bool(stored)
        or (stored and sorted(stored) != sorted((one.start, one.end) for one in stretches))
        or connection.execute(renamed).fetchall()
    ):
        store(facts, fewest)
        return
    for metric in declared().values() if stored else ():
        found = connection.execute(
            "select distinct c.day from changed as c where c.fact in ($fact, 'covered_days') and c.day is not null",
            {"fact": metric.fact},
        ).fetchall()
        days = [day for (day,) in found]
        wanted = [one for one in stretches if any(one.start <= day < one.end for day in days)]
        if wanted and metric.fact != "responses":
            for names, of in _STORED.items():
                _store_again(connection, metric, names, of, wanted)


def _store_again(
    connection: "duckdb.DuckDBPyConnection",
    metric: Metric,
    names: Sequence[str],
    of: str,
    stretches: Sequence[Bucket],
) -> None:
    """Stores a metric's values of these stretches anew, by the names that changed rows have."""
    same = (f"{'g.name' if name == 'group' else f'c.{name}'} = f.{quoted_name(name)}" for name in names)
    groups = "inner join groups as g on g.team = c.team" if "group" in names else ""
    own = (
        f" and exists (select 1 from changed as c {groups} where c.fact in ('{metric.fact}', 'covered_days')"
        f" and {' and '.join(same)})"
        if names
        else ""
    )
    bound = bound_to(stretches)
    connection.execute(
        f"delete from stored_values as f where f.metric = '{metric.id}' and f.names = '{' '.join(names)}'"
        f" and (f.first, f.until) in (select unnest($firsts), unnest($untils)){own}",
        {name: bound[name] for name in ("firsts", "untils")},
    )
    _store_values(connection, metric, names, of + own, bound)


def _store_values(
    connection: "duckdb.DuckDBPyConnection",
    metric: Metric,
    names: Sequence[str],
    of: str,
    bound: Mapping[str, Any],
    covered: str | None = None,
) -> None:
    statement = value_statement(metric, names, of, of, covered=covered)
    connection.execute(
        f"insert into stored_values by name select '{metric.id}' as metric,"
        f" '{' '.join(names)}' as names, * from ({statement})",
        bound,
    )


def _is_worth_storing(connection: "duckdb.DuckDBPyConnection", fewest: int) -> bool:
    (rows,) = connection.execute(
        "select (select count(*) from deployments) + (select count(*) from changes)"
    ).fetchall()[0]
    return bool(rows >= fewest)


_TABLES = """
create or replace table stored_stretches (first date, until date);
create or replace table stored_values (
    names varchar, metric varchar, system varchar, "group" varchar, team varchar, service varchar,
    first date, until date, value double, n bigint, p75 double, p90 double, days bigint, watched double
);
"""


def _store(connection: "duckdb.DuckDBPyConnection", stretches: Sequence[Bucket]) -> None:
    bound = bound_to(stretches)
    stored = [
        metric
        for metric in declared().values()
        if metric.fact != "responses" and (metric.statistic != "state" or _has_rows(connection, metric.fact))
    ]
    has_changed_hands = _has_rows(connection, f"({CHANGED_HANDS})")
    for names, of in _STORED.items():
        if ("group" in names and not _has_rows(connection, "groups")) or (of and not has_changed_hands):
            continue
        # metrics of the same source have the same covered days, which are counted once for all of them
        known = (
            f"with {stretches_and_calendar(EACH_DAY)} {covered_statement('covered_days', 'true', names, of)}"
        )
        connection.execute(f"create or replace temp table days_of_names as {known}", bound)
        for metric in stored:
            covered = f"select d.* from days_of_names as d where d.fact = '{metric.covered_by}'"
            _store_values(connection, metric, names, of, bound, covered)
    connection.execute("drop table days_of_names")
    connection.executemany(
        "insert into stored_stretches values (?, ?)", [[e.start, e.end] for e in stretches]
    )


def _has_rows(connection: "duckdb.DuckDBPyConnection", table: str) -> bool:
    return bool(connection.execute(f"select 1 from {table} limit 1").fetchall())


def _stretches(facts: Facts) -> list[list[Bucket]]:
    """What is stored, each once, in two portions so that less memory is needed: weeks, and what pages offer."""
    first, after = full_range(facts, None, None)
    now = today(facts)
    weeks = [
        *buckets("week", first, after),
        *buckets("week", week_of(now) - _WEEKS, week_of(now)),
    ]
    offered: list[Bucket] = []
    for name in PRESETS:
        start, end = preset(name, now)
        offered += buckets(None, start or first, end or after)
        if start:
            offered += buckets(None, *baseline(start))
    kinds: list[list[Bucket]] = []
    known: set[tuple[date, date]] = set()
    for kind in (weeks, offered):
        new = {(each.start, each.end): each for each in kind if (each.start, each.end) not in known}
        known |= new.keys()
        kinds.append(list(new.values()))
    return kinds
