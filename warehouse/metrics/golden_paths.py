"""The numbers of services that follow a golden path and of those that follow none, from pooled rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from config.metrics import Metric, keys
from warehouse.metrics.facts import Facts
from warehouse.metrics.pooled import STATISTICS, narrowing


@dataclass(frozen=True)
class PathValue:
    """A metric over the services of a golden path (None: of no path), in the metric's unit; `value` None: no row.

    `p75` and `p90` are those of a metric that is a time, else None. A frequency is a service's average, since a path of
    more services would deploy more often. `is_enough`: there are as many rows as the metric needs to be judged.
    """

    path: str | None
    metric: str
    value: float | None
    n: int
    is_enough: bool
    p75: float | None = None
    p90: float | None = None


# services of no path are '' here; what is in no catalogue cannot name a path and is neither
_MEMBERS = """
with members as (
    select f.service, coalesce(f.golden_path, '') as path from services as f where f.mapped{where}
)
"""


def on_and_off_paths(
    facts: Facts, start: date, end: date, where: Mapping[str, str] | None = None
) -> list[PathValue]:
    """Each metric that services have, for each path that is followed and for the services of none, in that order.

    Nothing where no path is followed.

    `where` narrows to the services that a system or a team owns now, or to one.
    """
    asked = _Asked(facts, dict(where or {}), {"start": start, "end": end})
    paths = [path for (path,) in asked.rows("select distinct m.path from members as m", {})]
    if not any(paths):
        return []
    found = []
    for metric in keys().values():
        if metric.fact == "responses":  # people are asked by team
            continue
        rows = asked.values(metric)
        if metric.statistic == "rate":
            counts = {path: n for path, (_, n, *_) in rows.items()}
            days = asked.service_days(metric)
            rows = {
                path: (counts.get(path, 0) / n, counts.get(path, 0), None, None) for path, n in days.items()
            }
        for path in sorted(paths, key=lambda path: (not path, path.casefold())):
            value, n, p75, p90 = rows.get(path, (None, 0, None, None))
            is_enough = value is not None and n >= metric.floor
            found.append(PathValue(path or None, metric.id, value, n, is_enough, p75, p90))
    return found


@dataclass(frozen=True)
class _Asked:
    """The queries over the services that are asked about."""

    facts: Facts
    where: dict[str, str]
    days: Mapping[str, Any]

    def rows(self, sql: str, bound: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        members = _MEMBERS.replace("{where}", narrowing(self.where))
        return self.facts.connection.execute(members + sql, {**self.where, **bound}).fetchall()

    def values(self, metric: Metric) -> dict[str, tuple[float | None, int, float | None, float | None]]:
        """Path -> (statistic, rows, p75, p90); what services share is counted once, but for a rate once for each."""
        given = metric.input if metric.input.isdigit() else f"f.{metric.input}"
        rows = (
            f" from {metric.fact} as f inner join members as m on m.service = f.service"
            f" where f.{metric.excluded} is null and f.day >= $start and f.day < $end"
        )
        if metric.statistic == "rate":
            entities = f"select m.path, {given} as input{rows}"
        else:
            # only the few rows that services share are brought together: that costs much more than counting
            entity = ", ".join(f"f.{column}" for column in metric.entity)
            entities = (
                f"select m.path, {given} as input{rows} and not f.is_shared union all"
                f" select m.path, max({given}){rows} and f.is_shared group by m.path, {entity}"
            )
        spread = [
            f"quantile_cont(e.input, {share})" if metric.unit == "seconds" else "null"
            for share in (0.75, 0.9)
        ]
        sql = (
            f", entities as ({entities})"
            f" select e.path, {STATISTICS[metric.statistic]}, count(*), {', '.join(spread)}"
            " from entities as e group by e.path"
        )
        return {path: tuple(of) for path, *of in self.rows(sql, self.days)}

    def service_days(self, metric: Metric) -> dict[str, int]:
        """Path -> the covered days of its services, each service's own."""
        sql = (
            "select m.path, count(*) from (select distinct f.service, f.day from covered_days as f"
            " where f.fact = $fact and f.day >= $start and f.day < $end) as d"
            " inner join members as m on m.service = d.service group by m.path"
        )
        return dict(self.rows(sql, {"fact": metric.covered_by, **self.days}))
