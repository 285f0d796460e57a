"""The facts that readers are shown now: their age, whose they are, how the sources did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dashboards.frame.view import Filters
from warehouse.trust.ownership import Service
from warehouse.trust.runs_and_doubts import RecordedRun


@dataclass(frozen=True)
class State:
    """The facts that readers are shown now, from `first_day` on; `path` names them and is never used twice."""

    path: str
    organization: str
    timezone: str
    as_of: datetime
    warning: str | None
    services: tuple[Service, ...]
    teams: tuple[str, ...]
    systems: tuple[str, ...]
    runs: tuple[RecordedRun, ...]
    first_day: date | None = None

    @property
    def today(self) -> date:
        """The local day on which the facts were built."""
        return self.as_of.astimezone(ZoneInfo(self.timezone)).date()


def names(state: State, filters: Filters) -> Mapping[str, list[str]]:
    """The systems, teams and services to choose from: those that the wider restrictions leave."""
    within = [s for s in state.services if filters.system in (None, s.system)]
    teams = {s.team for s in within if s.team} if filters.system else set(state.teams)
    return {
        "system": sorted(state.systems, key=str.casefold),
        "team": sorted(teams, key=str.casefold),
        "service": sorted((s.name for s in within if filters.team in (None, s.team)), key=str.casefold),
    }
