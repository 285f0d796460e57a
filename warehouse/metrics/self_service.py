"""Self-service beside tickets: how long what was asked for took either way, and what still waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from warehouse.metrics.facts import Facts
from warehouse.metrics.pooled import narrowing


@dataclass(frozen=True)
class WayOfAsking:
    """Of a `kind` of request asked for in one `way`: how many were ready (`n`) in the days, and how long that took.

    `median` and `p90` are in seconds, None where none was ready. `waiting`, `failed` and `withdrawn` were opened in
    the days and are so today.
    """

    kind: str
    way: str
    n: int
    median: float | None
    p90: float | None
    waiting: int
    failed: int
    withdrawn: int


_WAYS = """
select
    f.kind,
    f.way,
    count(f.seconds) as n,
    median(f.seconds) as median,
    quantile_cont(f.seconds, 0.9) as p90,
    count_if(f.status = 'waiting') as waiting,
    count_if(f.status = 'failed') as failed,
    count_if(f.status = 'withdrawn') as withdrawn
from requests as f
where coalesce(f.day, cast(timezone($zone, timezone('UTC', f.opened_at)) as date)) >= $start
    and coalesce(f.day, cast(timezone($zone, timezone('UTC', f.opened_at)) as date)) < $end{narrowing}
group by f.kind, f.way
order by f.kind, f.way
"""


def ways_of_asking(facts: Facts, where: Mapping[str, str], start: date, end: date) -> list[WayOfAsking]:
    """What was ready, or opened and is not, from `start` until before `end`, by kind and way."""
    sql = _WAYS.format(narrowing=narrowing(where))
    bound = {**where, "start": start, "end": end, "zone": facts.timezone}
    return [WayOfAsking(*row) for row in facts.connection.execute(sql, bound).fetchall()]
