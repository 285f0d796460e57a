"""How the rows behind a number are spread: durations over bins that grow, all others over the days of the week."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from config.metrics import Metric
from warehouse.metrics.facts import Facts
from warehouse.metrics.values import narrowing

# two bins for each doubling
BINS_PER_DOUBLING = 2


@dataclass(frozen=True)
class Bin:
    """The `n` rows from `lower` seconds to below `upper`, or above `lower` and to `upper`."""

    lower: float
    upper: float
    n: int


@dataclass(frozen=True)
class Weekday:
    """The `n` rows of one day of the week (1: Monday), and how many of them were failures or rework."""

    number: int
    n: int
    counted: int


def duration_bins(
    facts: Facts,
    metric: Metric,
    where: Mapping[str, str],
    start: date,
    end: date,
    edge: float = 3600.0,
    edge_below: bool = False,
) -> list[Bin]:
    """The rows that count by duration, shortest first, without gaps between the bins; `edge` is where one begins.

    With a target's limit as `edge`, no bin holds both rows that are within it and rows that are not; where a row of
    exactly the limit is on the side of the shorter ones, it is `edge_below`.
    """
    place = f"log2(greatest(e.input, 1) / $edge) * {BINS_PER_DOUBLING}"
    number = f"ceil({place}) - 1" if edge_below else f"floor({place})"
    sql = f"select cast({number} as int) as bin, count(*) from ({counted_entities(metric, where)}) as e group by bin"
    bound = {**where, "start": start, "end": end, "edge": edge}
    found = dict(facts.connection.execute(sql, bound).fetchall())
    if not found:
        return []
    return [
        Bin(
            edge * 2 ** (at / BINS_PER_DOUBLING), edge * 2 ** ((at + 1) / BINS_PER_DOUBLING), found.get(at, 0)
        )
        for at in range(min(found), max(found) + 1)
    ]


def weekday_counts(
    facts: Facts, metric: Metric, where: Mapping[str, str], start: date, end: date
) -> list[Weekday]:
    """The rows that count on each day of the week in the configured zone, Monday first; empty where there are none."""
    sql = (
        "select isodow(e.day) as weekday, count(*), cast(sum(e.input) as bigint)"
        f" from ({counted_entities(metric, where)}) as e group by weekday"
    )
    found = {
        weekday: (n, counted)
        for weekday, n, counted in facts.connection.execute(
            sql, {**where, "start": start, "end": end}
        ).fetchall()
    }
    return [Weekday(day, *found.get(day, (0, 0))) for day in range(1, 8)] if found else []


def counted_entities(metric: Metric, where: Iterable[str]) -> str:
    """SQL for what entered the statistic, as `input` and `day`: each deployment, incident or repository once.

    `start`, `end` and the keys of `where` are to be bound.
    """
    given = metric.input if metric.input.isdigit() else f"f.{metric.input}"
    of = (
        f" from {metric.fact} as f"
        f" where f.{metric.excluded} is null and f.day >= $start and f.day < $end{narrowing(where)}"
    )
    if "service" in metric.entity:
        # a row is an entity of its own
        return f"select {given} as input, f.day{of}"
    entity = ", ".join(f"f.{column}" for column in metric.entity)
    return f"select max({given}) as input, min(f.day) as day{of} group by {entity}"
