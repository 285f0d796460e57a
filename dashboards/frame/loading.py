"""What every page reads of the facts file, in one opening of it."""

from pathlib import Path

from dashboards.frame.state import State
from warehouse.metrics.periods import full_range
from warehouse.metrics.published_facts import open_facts
from warehouse.trust import ownership, runs_and_doubts


def state(warehouse: Path) -> State:
    """The published facts' own description: their age, the services, how the sources did."""
    with open_facts(warehouse) as facts:
        services = ownership.services(facts)
        return State(
            path=str(facts.path),
            organization=facts.organization,
            timezone=facts.timezone,
            as_of=facts.as_of,
            warning=facts.warning,
            services=services,
            teams=ownership.teams(facts),
            systems=tuple(sorted({service.system for service in services if service.system})),
            runs=runs_and_doubts.last_runs(facts),
            first_day=full_range(facts, None, None)[0],
        )
