"""The facts that readers are shown now: their age, whose they are, how the sources did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from dashboards.frame.view import Filters
from warehouse.metrics.facts import open_facts
from warehouse.trust import runs_and_doubts
from warehouse.trust.runs_and_doubts import RecordedRun, Service


@dataclass(frozen=True)
class State:
    """The facts that readers are shown now; `path` names them and is never used twice."""

    path: str
    organization: str
    timezone: str
    as_of: datetime
    warning: str | None
    services: tuple[Service, ...]
    teams: tuple[str, ...]
    systems: tuple[str, ...]
    runs: tuple[RecordedRun, ...]

    @property
    def today(self) -> date:
        """The local day on which the facts were built."""
        return self.as_of.astimezone(ZoneInfo(self.timezone)).date()

    @property
    def failed(self) -> tuple[RecordedRun, ...]:
        """The last runs of the sources whose last run failed."""
        return tuple(run for run in self.runs if run.status == "failed")


def state(warehouse: Path) -> State:
    """The published facts' own description: their age, the services, how the sources did."""
    with open_facts(warehouse) as facts:
        services = runs_and_doubts.services(facts)
        return State(
            path=str(facts.path),
            organization=facts.organization,
            timezone=facts.timezone,
            as_of=facts.as_of,
            warning=facts.warning,
            services=services,
            teams=runs_and_doubts.teams(facts),
            systems=tuple(sorted({service.system for service in services if service.system})),
            runs=runs_and_doubts.last_runs(facts),
        )


def names(state: State, filters: Filters) -> Mapping[str, list[str]]:
    """The systems, teams and services to choose from: those that the wider restrictions leave."""
    within = [s for s in state.services if filters.system in (None, s.system)]
    teams = {s.team for s in within if s.team} if filters.system else set(state.teams)
    return {
        "system": sorted(state.systems, key=str.casefold),
        "team": sorted(teams, key=str.casefold),
        "service": sorted((s.name for s in within if filters.team in (None, s.team)), key=str.casefold),
    }
