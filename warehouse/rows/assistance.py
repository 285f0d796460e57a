"""What an agent helped with beside the rest: how long it took, how often it failed, and how much of all it is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from config.metrics import Metric
from warehouse.metrics.facts import Facts
from warehouse.metrics.pooled import ASSISTANCE
from warehouse.rows.distribution import counted_entities
from warehouse.rows.stages import STAGES, delivered_pulls

# of the metrics that are told so; a frequency of some of the deployments says nothing beside that of the others
PARTED = ("lead_time", "change_failure_rate", "deployment_rework_rate")
# so many standard deviations on either side have 95 % of a normal distribution
NORMAL_95 = 1.959964


@dataclass(frozen=True)
class AssistanceSide:
    """One measure of one kind of work: the median of `n` durations in seconds, or the share of `n` deployments.

    `low` and `high` bound the middle's 95 % interval: for a median the order statistics nearest to n/2 ∓ 0.98·√n, for a
    share Wilson's. `p25` and `p75` are durations' quartiles, None for a share. Without rows all but `n` are None.
    """

    n: int = 0
    middle: float | None = None
    low: float | None = None
    high: float | None = None
    p25: float | None = None
    p75: float | None = None


@dataclass(frozen=True)
class ByAssistance:
    """A measure by what it is called, in the unit of `middle`, of what an agent helped with and of the rest."""

    measure: str
    unit: str
    assisted: AssistanceSide
    rest: AssistanceSide


@dataclass(frozen=True)
class AssistedWeek:
    """Of the `n` rows of the week that begins on `monday`, those that an agent helped with."""

    monday: date
    assisted: int
    n: int


def by_assistance(
    facts: Facts, metric: Metric, where: Mapping[str, str], start: date, end: date
) -> list[ByAssistance]:
    """The number of one of PARTED, and for the lead time its stages, of either kind of work."""
    agent, none = ({**where, ASSISTANCE: kind} for kind in ("agent", "none"))
    days = (start, end)
    if metric.statistic == "share":
        return [
            ByAssistance(
                metric.name,
                "fraction",
                share_side(facts, metric, agent, *days),
                share_side(facts, metric, none, *days),
            )
        ]
    measures = [
        (metric.name, "input", False),
        *((name, column, True) for name, (column, _) in STAGES.items()),
    ]
    sides = [
        [
            median_side(
                facts,
                delivered_pulls(kind) if is_stage else counted_entities(metric, kind),
                column,
                kind,
                *days,
            )
            for kind in (agent, none)
        ]
        for _, column, is_stage in measures
    ]
    return [ByAssistance(name, "seconds", *pair) for (name, _, _), pair in zip(measures, sides, strict=True)]


def assisted_weeks(
    facts: Facts, metric: Metric, where: Mapping[str, str], start: date, end: date
) -> list[AssistedWeek]:
    """The weeks from `start` to before `end` that have rows, oldest first."""
    by_week: dict[date, dict[str, int]] = {}
    for kind in ("agent", "none"):
        chosen = {**where, ASSISTANCE: kind}
        sql = (
            "select cast(date_trunc('week', e.day) as date), count(*)"
            f" from ({counted_entities(metric, chosen)}) as e group by 1"
        )
        bound = {**chosen, "start": start, "end": end}
        for monday, n in facts.connection.execute(sql, bound).fetchall():
            by_week.setdefault(monday, {})[kind] = n
    return [
        AssistedWeek(monday, counts.get("agent", 0), sum(counts.values()))
        for monday, counts in sorted(by_week.items())
    ]


def wilson(counted: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, `counted` of `n` rows (at least one)."""
    share, square = counted / n, NORMAL_95**2
    centre = share + square / (2 * n)
    reach = NORMAL_95 * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, (centre - reach) / (1 + square / n)), min(1.0, (centre + reach) / (1 + square / n))


def share_side(
    facts: Facts, metric: Metric, where: Mapping[str, Any], start: date, end: date
) -> AssistanceSide:
    """The share among the rows of `metric` in the days from `start` to before `end`, in what `where` narrows to."""
    sql = f"select count(*), cast(sum(e.input) as bigint) from ({counted_entities(metric, where)}) as e"
    n, counted = facts.connection.execute(sql, {**where, "start": start, "end": end}).fetchall()[0]
    return AssistanceSide(n, counted / n, *wilson(counted, n)) if n else AssistanceSide()


def median_side(
    facts: Facts, rows: str, column: str, where: Mapping[str, Any], start: date, end: date
) -> AssistanceSide:
    """The median of `column` in the SQL `rows`, to which these are bound."""
    sql = f"""
        with ranked as (
            select r.{column} as input, row_number() over (order by r.{column}) as place, count(*) over () as n
            from ({rows}) as r where r.{column} is not null
        ),
        bounded as (select e.*, greatest(1, round(e.n / 2 - {NORMAL_95 / 2} * sqrt(e.n))) as first from ranked as e)
        select
            count(*), median(b.input),
            max(b.input) filter (b.place = b.first), max(b.input) filter (b.place = b.n + 1 - b.first),
            quantile_cont(b.input, 0.25), quantile_cont(b.input, 0.75)
        from bounded as b"""
    return AssistanceSide(*facts.connection.execute(sql, {**where, "start": start, "end": end}).fetchall()[0])
