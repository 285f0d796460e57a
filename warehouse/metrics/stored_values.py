"""The values that pages ask for most, stored when facts are built: of weeks, and of what pages offer and compare."""

from collections import defaultdict
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

    Those are the rows of `changed`: a fact (of covered days also which they are `of`), a day, and the names that its
    rows of that day have, and had before. What is stored of stretches without such a day, of other names, and of
    metrics that are made of other facts, stays.
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
    if not stored:
        return
    days = defaultdict(set)
    told = 'select distinct c.fact, c."of", c.day from changed as c where c.day is not null'
    for fact, of, day in connection.execute(told).fetchall():
        days[fact, of if fact == "covered_days" else None].add(day)
    changed: dict[Metric, set[date]] = {
        metric: days[metric.fact, None] | days["covered_days", metric.covered_by] for metric in _metrics()
    }
    metrics = [metric for metric, of_metric in changed.items() if of_metric]
    moved = set().union(*changed.values())
    wanted = [one for one in stretches if any(one.start <= day < one.end for day in moved)]
    if not wanted:
        return
    bound = bound_to(wanted)
    for names, of in _worth_storing(connection):
        same = (f"{'g.name' if name == 'group' else f'c.{name}'} = f.{quoted_name(name)}" for name in names)
        groups = "inner join groups as g on g.team = c.team" if "group" in names else ""
        own = f" and exists (select 1 from changed as c {groups} where {' and '.join(same)})" if names else ""
        connection.execute(
            "delete from stored_values as f where f.names = $names and f.metric in (select unnest($metrics))"
            f" and (f.first, f.until) in (select unnest($firsts), unnest($untils)){own}",
            {name: bound[name] for name in ("firsts", "untils")}
            | {"names": " ".join(names), "metrics": [metric.id for metric in metrics]},
        )
        _store_values(connection, metrics, names, of + own, bound)


def _store_values(
    connection: "duckdb.DuckDBPyConnection",
    metrics: Sequence[Metric],
    names: Sequence[str],
    of: str,
    bound: Mapping[str, Any],
) -> None:
    """Stores the values of metrics by names, of the rows that `of` narrows to."""
    # metrics of the same source have the same covered days, which are counted once for all of them
    known = f"with {stretches_and_calendar(EACH_DAY)} {covered_statement('covered_days', 'true', names, of)}"
    connection.execute(f"create or replace temp table days_of_names as {known}", bound)
    for metric in metrics:
        covered = f"select d.* from days_of_names as d where d.fact = '{metric.covered_by}'"
        statement = value_statement(metric, names, of, of, covered=covered)
        connection.execute(
            f"insert into stored_values by name select '{metric.id}' as metric,"
            f" '{' '.join(names)}' as names, * from ({statement})",
            bound,
        )
    connection.execute("drop table days_of_names")


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
    metrics = [
        metric for metric in _metrics() if metric.statistic != "state" or _has_rows(connection, metric.fact)
    ]
    bound = bound_to(stretches)
    for names, of in _worth_storing(connection):
        _store_values(connection, metrics, names, of, bound)
    connection.executemany(
        "insert into stored_stretches values (?, ?)", [[e.start, e.end] for e in stretches]
    )


def _metrics() -> list[Metric]:
    """Those that are stored: satisfaction goes by rounds."""
    return [metric for metric in declared().values() if metric.fact != "responses"]


def _worth_storing(connection: "duckdb.DuckDBPyConnection") -> list[tuple[tuple[str, ...], str]]:
    """By which names values are stored, and of which rows."""
    has_changed_hands = _has_rows(connection, f"({CHANGED_HANDS})")
    has_groups = _has_rows(connection, "groups")
    return [
        (names, of)
        for names, of in _STORED.items()
        if ("group" not in names or has_groups) and (not of or has_changed_hands)
    ]


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
