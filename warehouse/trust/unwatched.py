"""Services whose incidents no source tells: a failure there leaves no trace unless it is rolled back or reverted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from warehouse.metrics.facts import Facts
from warehouse.metrics.pooled import scoped
from warehouse.metrics.values import Scope, narrowing
from warehouse.trust.coverage import imports_name_no_service

# what is too low, or missing, where incidents are not read
BLIND_METRICS = ("change_failure_rate", "failed_deployment_recovery_time")


@dataclass(frozen=True)
class Unwatched:
    """Of the `services` that were deployed, how many have no source of incidents.

    `are_nameless`: the incidents that were imported name no service, and so may be theirs.
    """

    services: int
    unwatched: int
    are_nameless: bool = False

    @property
    def is_all(self) -> bool:
        """Whether nothing at all is known of incidents."""
        return self.unwatched == self.services

    @property
    def warning(self) -> str:
        """What that means for a number of failures, in a sentence."""
        if self.are_nameless:
            return "The incidents that were imported name no service; failures may be missing."
        if self.is_all:
            return "No incidents are read here; failures may be missing."
        return f"Incidents of {self.unwatched} of {self.services} services are not read; failures may be missing."


def unwatched(
    facts: Facts, by: Scope, start: date, end: date, where: Mapping[str, str]
) -> dict[str, Unwatched]:
    """By name of the scope (the organisation's is its own), only where at least one service is unwatched."""
    scope = "''" if by == "organisation" else f"f.{by}"
    sql = (
        f"with deployed as ({_deployed(scope, where, by)})"
        " select d.name, count(d.service), count_if(d.is_unwatched) as unwatched from deployed as d"
        " where d.name is not null group by d.name having unwatched > 0"
    )
    rows = facts.connection.execute(sql, {**where, "start": start, "end": end}).fetchall()
    are_nameless = bool(rows) and imports_name_no_service(facts, start, end)
    return {name or facts.organization: Unwatched(services, n, are_nameless) for name, services, n in rows}


def unwatched_services(facts: Facts, start: date, end: date, where: Mapping[str, str]) -> list[str]:
    """The names of the unwatched ones, in order."""
    sql = (
        f"with deployed as ({_deployed('f.service', where)})"
        " select d.service from deployed as d where d.is_unwatched order by d.service"
    )
    return [row[0] for row in facts.connection.execute(sql, {**where, "start": start, "end": end}).fetchall()]


def _deployed(scope: str, where: Mapping[str, str], by: Scope = "service") -> str:
    """A select of `name` (the `scope`'s), `service` and `is_unwatched` of what was deployed from `$start` to `$end`."""
    return (
        f"select distinct {scope} as name, f.service, w.service is null as is_unwatched"
        f" from {scoped('deployments', by, where)}"
        " left join (select distinct c.service from covered_days as c"
        " where c.fact = 'incidents' and c.day >= $start and c.day < $end) as w on w.service = f.service"
        f" where f.excluded_because is null and f.day >= $start and f.day < $end{narrowing(where)}"
    )
