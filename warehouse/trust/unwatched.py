"""Services whose incidents no source tells: a failure there leaves no trace unless it is rolled back or reverted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from warehouse.metrics.facts import Facts
from warehouse.metrics.values import Scope, narrowing

# what is too low, or missing, where incidents are not read
BLIND_METRICS = ("change_failure_rate", "failed_deployment_recovery_time")


@dataclass(frozen=True)
class Unwatched:
    """Of the `services` that were deployed, how many have no source of incidents."""

    services: int
    unwatched: int

    @property
    def is_all(self) -> bool:
        """Whether nothing at all is known of incidents."""
        return self.unwatched == self.services


def unwatched(
    facts: Facts, by: Scope, start: date, end: date, where: Mapping[str, str]
) -> dict[str, Unwatched]:
    """By name of the scope (the organisation's is its own), only where at least one service is unwatched."""
    scope = "''" if by == "organisation" else f"f.{by}"
    sql = (
        "with watched as ("
        " select distinct c.service from covered_days as c"
        " where c.fact = 'incidents' and c.service is not null and c.day >= $start and c.day < $end),"
        f" deployed as (select distinct {scope} as name, f.service from deployments as f"
        f" where f.excluded_because is null and f.day >= $start and f.day < $end{narrowing(where)})"
        " select d.name, count(d.service), count(d.service) filter (where w.service is null) as blind"
        " from deployed as d left join watched as w on w.service = d.service"
        " where d.name is not null group by d.name having blind > 0"
    )
    rows = facts.connection.execute(sql, {**where, "start": start, "end": end}).fetchall()
    return {name or facts.organization: Unwatched(services, blind) for name, services, blind in rows}
