"""What pooled rows come to, by name and stretch of days: as it was stored when facts were built, else of the rows.

The same statement makes what is stored and what is computed when asked, so both are always the same number.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from config.metrics import Metric
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import Bucket

# what `where` may have beside names: whether an agent helped; a column of these facts only, and not of what was covered
ASSISTANCE = "assistance"
ASSISTED_FACTS = ("changes", "deployments", "recoveries")
# a list of services
SERVICES = "services"
NAMES = ("system", "group", "team", "service")
# the services that ever had another team or system
CHANGED_HANDS = "select o.service from owners as o group by o.service having count(*) > 1"
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
# (metric, name) -> first day of a stretch -> what its rows come to
PooledStretches = Mapping[tuple[str, str], Mapping[date, Pooled]]
# the columns of a statement and of `stored_values` that make one
_COLUMNS = ", ".join(Pooled._fields)


def pooled(
    facts: Facts,
    metrics: Collection[Metric],
    by: str | None,
    where: Mapping[str, str],
    wanted: Sequence[Bucket],
) -> PooledStretches:
    """What the rows of each stretch come to; what has neither rows nor covered days is not there.

    `by` None: one for all of them, by the name "". What is stored of a stretch where that is, else of the rows.
    """
    kept = [] if ASSISTANCE in where else _kept(facts, wanted)
    rows = _stored(facts, metrics, by, where, kept) if kept else []
    others = [one for one in wanted if one not in kept] if rows else wanted
    rows += _computed(facts, metrics, by, where, others) if others else []
    found: defaultdict[tuple[str, str], dict[date, Pooled]] = defaultdict(dict)
    for row in rows:
        found[row[:2]][row[2]] = Pooled(*row[3:])
    return found


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
) -> list[Any]:
    names = (by,) if by else ()
    found: list[Any] = []
    for metric in metrics:
        sql = (
            f"select '{metric.id}', {quoted_name(by) if by else repr('')}, first, {_COLUMNS}"
            f" from ({value_statement(metric, names, narrowing(where), narrowing(names_only(where)), where)})"
        )
        found += facts.connection.execute(sql, {**bound_to(wanted), **where}).fetchall()
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
) -> list[Any]:
    """What is stored of stretches that are; empty where it is not by those names."""
    names = [name for name in NAMES if name == by or name in where]
    of = "".join(f" and f.{key} = ${key}" for key in where)
    if by == "team" and set(where) == {"group"}:
        names, of = ["team"], narrowing(where)
    if "group" in names and len(names) > 1:
        return []
    name, chosen = f"f.{by}" if by else "''", f"f.names = $names{of}"
    if "service" in names and len(names) > 1:
        owned = f"f.service in (select f.service from owners as f where true{narrowing(where)})"
        chosen = f"({chosen} or f.names = 'service' and f.service not in ({CHANGED_HANDS}) and {owned})"
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
        **bound_to(wanted),
        **where,
        "names": " ".join(names),
        "metrics": [metric.id for metric in metrics],
    }
    return facts.connection.execute(sql, bound).fetchall()


def _stretches_of(wanted: Sequence[Bucket]) -> dict[str, list[date]]:
    return {"firsts": [each.start for each in wanted], "untils": [each.end for each in wanted]}


def bound_to(wanted: Sequence[Bucket]) -> dict[str, Any]:
    """What a statement is bound to: its stretches, and where the first begins and the last ends."""
    stretches = _stretches_of(wanted)
    return {**stretches, "start": min(stretches["firsts"]), "end": max(stretches["untils"])}


# the days of whose rows a stretch is made
EACH_DAY = (
    "select s.first, s.until, cast(unnest(generate_series(s.first, s.until - 1, interval 1 day)) as date) as day"
    " from stretches as s"
)
_LAST_READING_DAY = (
    "select s.first, s.until, max(r.day) as day from stretches as s"
    " inner join reading_days as r on r.day >= s.first and r.day < s.until group by s.first, s.until"
)


def quoted_name(name: str) -> str:
    """A column's name that may be a word of SQL."""
    return f'"{name}"'


def stretches_and_calendar(days: str) -> str:
    """SQL for the bound `stretches`, and the `calendar` of the days that count in each."""
    return f"stretches as (select unnest($firsts) as first, unnest($untils) as until), calendar as ({days})"


def covered_statement(
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


def value_statement(
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
    keys = ", ".join(("first", "until", *map(quoted_name, names)))
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
        covered = covered_statement(metric.fact, "true", names, of_days, where)
    elif covered is None:
        covered = covered_statement("covered_days", f"f.fact = '{metric.covered_by}'", names, of_days, where)
    # of what several services share, any of them may have been watched
    watched = "f.is_watched" if metric.needs_incidents else "cast(null as boolean)"
    value = "parts[1]" if metric.statistic == "median" else STATISTICS[metric.statistic]
    return f"""
        with {stretches_and_calendar(_LAST_READING_DAY if is_state else EACH_DAY)},
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
