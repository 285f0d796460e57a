"""What pooled rows come to, by name and stretch of days; those that pages ask for most are stored when facts are built.

The same statement makes what is stored and what is computed when asked, so both are always the same number.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import duckdb

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

# what `where` may have beside names: whether an agent helped; a column of these facts only, and not of what was covered
ASSISTANCE = "assistance"
ASSISTED_FACTS = ("changes", "deployments", "recoveries")
# a list of services
SERVICES = "services"
NAMES = ("system", "group", "team", "service")
# the services that ever had another team or system
_CHANGED_HANDS = "select o.service from owners as o group by o.service having count(*) > 1"
# by which names, of which rows: a service that always had one team and one system has the same figures by all of them
_STORED: dict[tuple[str, ...], str] = dict.fromkeys(
    ((), ("system",), ("group",), ("team",), ("system", "team"), ("service",)), ""
) | dict.fromkeys(
    (("system", "service"), ("team", "service"), ("system", "team", "service")),
    f" and f.service in ({_CHANGED_HANDS})",
)
# a year, and the weeks before it that show what is usual
_WEEKS = timedelta(weeks=70)
# with fewer deployments and changes than this an answer from the rows is as quick, and the build is quicker without
WORTH_STORING = 100_000
# what `store` writes
STORED = ("stored_values", "stored_stretches")
# how a metric's rows become its value; a rate is a count until it is divided by the covered days
STATISTICS = {
    "median": "quantile_cont(e.input, 0.5)",
    "mean": "avg(e.input)",
    "share": "avg(cast(e.input as double))",
    "state": "avg(cast(e.input as double))",
    "rate": "cast(count(*) as double)",
}


class Pooled(NamedTuple):
    """`value`, `p75` and `p90` of `n` rows in the metric's unit, None without rows; `days`: how many were covered.

    `watched` is the share of a rate's deployments whose incidents would have been known, None for other metrics.
    """

    value: float | None = None
    n: int = 0
    p75: float | None = None
    p90: float | None = None
    days: int = 0
    watched: float | None = None


NOTHING = Pooled()
# the columns of a statement and of `stored_values` that make one
_COLUMNS = ", ".join(Pooled._fields)


def pooled(
    facts: Facts,
    metrics: Collection[Metric],
    by: str | None,
    where: Mapping[str, str],
    wanted: Sequence[Bucket],
) -> dict[tuple[str, str, date], Pooled]:
    """(metric, name, first day) -> what its rows come to; what has neither rows nor covered days is not there.

    `by` None: one for all of them, by the name "". What is stored of a stretch where that is, else of the rows.
    """
    kept = [] if ASSISTANCE in where else _kept(facts, wanted)
    stored = _stored(facts, metrics, by, where, kept) if kept else {}
    others = [one for one in wanted if one not in kept] if stored else wanted
    return stored | (_computed(facts, metrics, by, where, others) if others else {})


def narrowing(where: Iterable[str]) -> str:
    """SQL after a condition on the fact `f`: one more for each key of `where`, bound as `$team` and so on."""
    return "".join(f" and {_CONDITIONS.get(key, f'f.{key} = ${key}')}" for key in sorted(where))


_CONDITIONS = {
    "group": "f.team in (select g.team from groups as g where g.name = $group)",
    ASSISTANCE: f"(f.assisted_by is not null) = (${ASSISTANCE} = 'agent')",
    SERVICES: f"list_contains(${SERVICES}, f.service)",
}


def scoped(fact: str, by: str | None, where: Iterable[str] = ()) -> str:
    """SQL for the rows `f` of a fact, which have the name of `by`: of a group those of each team that it holds.

    Of the group that `where` narrows to there are those of itself alone, not once more those of what is above it.
    """
    if by != "group":
        return f"{fact} as f"
    own = " and g.name = $group" if "group" in where else ""
    return f'(select t.*, g.name as "group" from {fact} as t inner join groups as g on g.team = t.team{own}) as f'


def names_only(where: Mapping[str, str]) -> dict[str, str]:
    """The names of `where`: what there is to narrow what is neither a change nor a deployment, such as covered days."""
    return {key: name for key, name in where.items() if key != ASSISTANCE}


def _computed(
    facts: Facts,
    metrics: Collection[Metric],
    by: str | None,
    where: Mapping[str, str],
    wanted: Sequence[Bucket],
) -> dict[tuple[str, str, date], Pooled]:
    names = (by,) if by else ()
    found: dict[tuple[str, str, date], Pooled] = {}
    for metric in metrics:
        sql = (
            f"select {_quoted(by) if by else repr('')}, first, {_COLUMNS}"
            f" from ({_statement(metric, names, narrowing(where), narrowing(names_only(where)), where)})"
        )
        rows = facts.connection.execute(sql, {**_bound(wanted), **where}).fetchall()
        found |= {(metric.id, name, first): Pooled(*rest) for name, first, *rest in rows}
    return found


def _kept(facts: Facts, wanted: Sequence[Bucket]) -> list[Bucket]:
    """Those stretches that are stored."""
    sql = "select first, until from stored_stretches where (first, until) in (select unnest($firsts), unnest($untils))"
    found = {*facts.connection.execute(sql, _stretches_of(wanted)).fetchall()}
    return [one for one in wanted if (one.start, one.end) in found]


def _stored(
    facts: Facts,
    metrics: Collection[Metric],
    by: str | None,
    where: Mapping[str, str],
    wanted: Sequence[Bucket],
) -> dict[tuple[str, str, date], Pooled]:
    """What is stored of stretches that are; empty where it is not by those names."""
    names = [name for name in NAMES if name == by or name in where]
    of = "".join(f" and f.{key} = ${key}" for key in where)
    if by == "team" and set(where) == {"group"}:
        names, of = ["team"], narrowing(where)
    if "group" in names and len(names) > 1:
        return {}
    name, chosen = f"f.{by}" if by else "''", f"f.names = $names{of}"
    if "service" in names and len(names) > 1:
        owned = f"f.service in (select f.service from owners as f where true{narrowing(where)})"
        chosen = f"({chosen} or f.names = 'service' and f.service not in ({_CHANGED_HANDS}) and {owned})"
        name = (
            f"coalesce({name}, (select max(o.{by}) from owners as o where o.service = f.service))"
            if by
            else name
        )
    sql = (
        f"select f.metric, {name}, f.first, {_COLUMNS}"
        f" from stored_values as f where {chosen} and f.first >= $start and f.until <= $end"
        " and (f.first, f.until) in (select unnest($firsts), unnest($untils))"
        " and f.metric in (select unnest($metrics))"
    )
    bound = {
        **_bound(wanted),
        **where,
        "names": " ".join(names),
        "metrics": [metric.id for metric in metrics],
    }
    rows = facts.connection.execute(sql, bound).fetchall()
    return {(metric, name, first): Pooled(*rest) for metric, name, first, *rest in rows}


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
    same = (f"{'g.name' if name == 'group' else f'c.{name}'} = f.{_quoted(name)}" for name in names)
    groups = "inner join groups as g on g.team = c.team" if "group" in names else ""
    own = (
        f" and exists (select 1 from changed as c {groups} where c.fact in ('{metric.fact}', 'covered_days')"
        f" and {' and '.join(same)})"
        if names
        else ""
    )
    bound = _bound(stretches)
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
    statement = _statement(metric, names, of, of, covered=covered)
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
    bound = _bound(stretches)
    stored = [
        metric
        for metric in declared().values()
        if metric.fact != "responses" and (metric.statistic != "state" or _has_rows(connection, metric.fact))
    ]
    has_changed_hands = _has_rows(connection, f"({_CHANGED_HANDS})")
    for names, of in _STORED.items():
        if ("group" in names and not _has_rows(connection, "groups")) or (of and not has_changed_hands):
            continue
        # metrics of the same source have the same covered days, which are counted once for all of them
        known = f"with {_stretches_and_calendar(_EACH_DAY)} {_covered('covered_days', 'true', names, of)}"
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


def _stretches_of(wanted: Sequence[Bucket]) -> dict[str, list[date]]:
    return {"firsts": [each.start for each in wanted], "untils": [each.end for each in wanted]}


def _bound(wanted: Sequence[Bucket]) -> dict[str, Any]:
    stretches = _stretches_of(wanted)
    return {**stretches, "start": min(stretches["firsts"]), "end": max(stretches["untils"])}


# the days of whose rows a stretch is made
_EACH_DAY = (
    "select s.first, s.until, cast(unnest(generate_series(s.first, s.until - 1, interval 1 day)) as date) as day"
    " from stretches as s"
)
_LAST_READING_DAY = (
    "select s.first, s.until, max(r.day) as day from stretches as s"
    " inner join reading_days as r on r.day >= s.first and r.day < s.until group by s.first, s.until"
)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _stretches_and_calendar(days: str) -> str:
    return f"stretches as (select unnest($firsts) as first, unnest($untils) as until), calendar as ({days})"


def _covered(
    fact: str, condition: str, names: Sequence[str], of_days: str, where: Collection[str] = ()
) -> str:
    """A select of how many `days` of each stretch have a row of `fact`, by name; covered days also by `fact`."""
    of_fact = ("fact",) if fact == "covered_days" else ()
    keys = "".join(f", f.{name}" for name in (*of_fact, *names))
    rows = scoped(fact, "group" if "group" in names else None, where)
    return f"""
        select c.first, c.until{keys}, count(*) as days
        from (select distinct f.day{keys} from {rows} where {condition} and {_within(names)}{of_days}) as f
        inner join calendar as c on c.day = f.day
        group by c.first, c.until{keys}"""


def _within(names: Sequence[str]) -> str:
    return f"f.day >= $start and f.day < $end{''.join(f' and f.{name} is not null' for name in names)}"


def _statement(
    metric: Metric,
    names: Sequence[str],
    of_rows: str,
    of_days: str,
    where: Collection[str] = (),
    covered: str | None = None,
) -> str:
    """A select of `first`, `until`, the names, `value`, `n`, `p75`, `p90`, `days` and `watched`.

    `of_rows` and `of_days` narrow the rows and the covered days; `covered` selects these where they are known already.

    Each deployment, incident or repository counts once for a name: rows that services share are brought together first.
    """
    named = "".join(f", f.{name}" for name in names)
    keys = ", ".join(("first", "until", *map(_quoted, names)))
    by = "group" if "group" in names else None
    entity = "".join(f", f.{column}" for column in metric.entity)
    source = "1" if metric.input == "1" else f"f.{metric.input}"
    rows = (
        f"{scoped(metric.fact, by, where)} inner join calendar as c on c.day = f.day"
        f" where f.{metric.excluded} is null and {_within(names)}{of_rows}"
    )
    is_long, is_state = metric.unit == "seconds", metric.statistic == "state"
    # a state is known where there are rows of it, whether or not they count
    if is_state:
        covered = _covered(metric.fact, "true", names, of_days, where)
    elif covered is None:
        covered = _covered("covered_days", f"f.fact = '{metric.covered_by}'", names, of_days, where)
    # of what several services share, any of them may have been watched
    watched = "f.is_watched" if metric.needs_incidents else "cast(null as boolean)"
    value = "parts[1]" if metric.statistic == "median" else STATISTICS[metric.statistic]
    return f"""
        with {_stretches_and_calendar(_LAST_READING_DAY if is_state else _EACH_DAY)},
        entities as (
            select c.first, c.until{named}, {source} as input, {watched} as watched
            from {rows} and not f.is_shared
            union all
            select c.first, c.until{named}, max({source}), bool_or({watched})
            from {rows} and f.is_shared
            group by c.first, c.until{named}{entity}
        ),
        counted as (
            select {keys},
                {"quantile_cont(e.input, [0.5, 0.75, 0.9])" if is_long else "[null, null, null]"} as parts,
                {value} as value, count(*) as n, parts[2] as p75, parts[3] as p90,
                avg(cast(e.watched as double)) as watched
            from entities as e group by {keys}
        ),
        covered as ({covered})
        select {keys}, value, coalesce(n, 0) as n, p75, p90, coalesce(days, 0) as days, watched
        from counted full join covered using ({keys})"""
