"""What verdicts are reached from: the rows of a metric summed by name and stretches of seven days."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from config.metrics import Metric
from warehouse.metrics.facts import Facts
from warehouse.metrics.pooled import names_only, narrowing, scoped

WEEK = timedelta(weeks=1)
# added to a time before its logarithm is taken: what took seconds is not far from what took a minute
_A_MINUTE = 60
# rows of these came about together: a change's repository was deployed with others of it on that day
_TOGETHER = {"changes": "f.repo"}
# by so many rows that are like all others is what is usual of a service held back
_HELD_BACK = 5


class Sums(NamedTuple):
    """So many days' rows, summed; sums of more days are these added up.

    `n` rows, of which `counted` are failures or rework and whose incidents are read of `watched`, on so many covered
    `days`. Of times: `logs` is the sum of their
    logarithms, and of the `batches` in which they came about together, each with b rows whose logarithms sum up to s,
    `bb`, `bs` and `ss` are the sums of b², b·s and s².
    """

    n: int = 0
    counted: int = 0
    watched: int = 0
    logs: float = 0.0
    batches: int = 0
    bb: float = 0.0
    bs: float = 0.0
    ss: float = 0.0
    days: int = 0


NO_ROWS = Sums()


def added(parts: Iterable[Sums]) -> Sums:
    """The sums of all days of `parts`."""
    return Sums(*map(sum, zip(NO_ROWS, *parts, strict=True)))


def weekly_sums(
    facts: Facts,
    metrics: Collection[Metric],
    by: str | None,
    where: Mapping[str, str],
    start: date,
    end: date,
) -> dict[tuple[str, str], list[Sums]]:
    """(metric, name) -> the sums of each seven days from `start` on, the last maybe fewer; without any it is not there.

    `by` None: one for all of them, by the name "". A survey's answers are no rows of this kind.
    """
    weeks = -(-(end - start) // WEEK)
    bound = {**names_only(where), "start": start, "end": end}
    name, named = _name(by)
    of_days = _COVERED.format(
        rows=scoped("covered_days", by, where), name=name, narrowed=f"{named}{narrowing(names_only(where))}"
    )
    covered = {
        fact: facts.connection.execute(of_days, {**bound, "fact": fact}).fetchall()
        for fact in {metric.covered_by for metric in metrics}
    }
    found: dict[tuple[str, str], list[Sums]] = {}
    for metric in metrics:
        for whose, week, days in covered[metric.covered_by]:
            found.setdefault((metric.id, whose), [NO_ROWS] * weeks)[week] = Sums(days=days)
        rows = facts.connection.execute(_statement(metric, by, where), {**where, "start": start, "end": end})
        for whose, week, *sums in rows.fetchall():
            of_name = found.setdefault((metric.id, whose), [NO_ROWS] * weeks)
            of_name[week] = Sums(*sums)._replace(days=of_name[week].days)
    return found


def _name(by: str | None) -> tuple[str, str]:
    """How SQL calls the name, and the condition that there is one."""
    return (f"f.{by}", f" and f.{by} is not null") if by else ("''", "")


_COVERED = """
select {name}, (f.day - $start) // 7 as week, count(distinct f.day)
from {rows}
where f.fact = $fact and f.day >= $start and f.day < $end{narrowed}
group by 1, 2
"""
# without what is usual of each service, which services deployed more makes no difference
_LEVELLED = f"""
        usual as (
            select
                name, service, count(*) as n, avg(input) as level,
                avg(avg(input)) over (partition by name) as all_level
            from entities group by name, service
        ),
        levelled as (
            select e.* replace (e.input - (u.level - u.all_level) * u.n / (u.n + {_HELD_BACK}) as input)
            from entities as e inner join usual as u on u.name = e.name and u.service is not distinct from e.service
        ),"""


def _statement(metric: Metric, by: str | None, where: Mapping[str, str]) -> str:
    """A select of `name`, `week` and the fields of Sums in order, but for `days`.

    The same rows make the value itself, in `pooled.py`.
    """
    name, named = _name(by)
    entity = ", ".join(f"f.{column}" for column in metric.entity)
    is_long = metric.unit == "seconds"
    together = _TOGETHER.get(metric.fact, "''")
    given = f"ln(f.{metric.input} + {_A_MINUTE})" if is_long else f"cast(f.{metric.input} as double)"
    given = "cast(0 as double)" if metric.input == "1" else given
    # of what several services share, any of them may have been watched
    watched = "cast(f.is_watched as int)" if metric.statistic == "share" else "0"
    rows = (
        f"from {scoped(metric.fact, by, where)} where f.{metric.excluded} is null"
        f" and f.day >= $start and f.day < $end{named}{narrowing(where)}"
    )
    return f"""
        with entities as (
            select {name} as name, f.service, f.day, {together} as together, {given} as input, {watched} as watched
            {rows} and not f.is_shared
            union all
            select {name}, min(f.service), min(f.day), min({together}), max({given}), max({watched})
            {rows} and f.is_shared group by {name}, {entity}
        ),
        {_LEVELLED if is_long else "levelled as (from entities),"}
        batched as (
            select name, (day - $start) // 7 as week, count(*) as b, sum(input) as s, sum(watched) as watched
            from levelled group by name, day, together
        )
        select
            name, week, cast(sum(b) as bigint) as n,
            {"0" if is_long else "cast(sum(s) as bigint)"} as counted,
            cast(sum(watched) as bigint) as watched,
            {"sum(s)" if is_long else "cast(0 as double)"} as logs, count(*) as batches,
            cast(sum(b * b) as double) as bb, sum(b * s) as bs, sum(s * s) as ss
        from batched group by name, week"""
