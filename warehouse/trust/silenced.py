"""Sources that tell of a service's deployments and are not heard, since another one speaks for it in those days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import full_range
from warehouse.metrics.pooled import narrowing


@dataclass(frozen=True)
class SilencedSource:
    """`rows` of `source` left out of a service's deployments as told by another, from `first_day` to `last_day`."""

    service: str
    told_by: str
    source: str
    rows: int
    first_day: date
    last_day: date


def silenced_sources(
    facts: Facts,
    start: date | None = None,
    end: date | None = None,
    where: Mapping[str, str] | None = None,
) -> tuple[SilencedSource, ...]:
    """Those of a range and of what `where` narrows it to, the most rows first; sources as the configuration names."""
    first, after = full_range(facts, start, end)
    sql = (
        "select f.service, f.told_by, f.source, count(*), min(f.listed_day), max(f.listed_day) from deployments as f"
        " where f.kind = 'duplicate' and f.listed_day >= $start and f.listed_day < $end"
        f"{narrowing(where or {})} group by all order by 4 desc, 1, 2, 3"
    )
    bound = {"start": first, "end": after, **(where or {})}
    return tuple(SilencedSource(*row) for row in facts.connection.execute(sql, bound).fetchall())
