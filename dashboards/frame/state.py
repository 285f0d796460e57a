"""The facts that readers are shown now: their age, whose they are, how the sources did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dashboards.frame.view import Filters
from warehouse.trust.ownership import Service
from warehouse.trust.runs_and_doubts import RecordedRun


@dataclass(frozen=True)
class State:
    """The facts that readers are shown now, from `first_day` on; `path` names them and is never used twice.

    `groups` has the teams that each group of the catalogue holds.
    """

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
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The local day on which the facts were built."""
        return self.as_of.astimezone(ZoneInfo(self.timezone)).date()


def names(state: State, filters: Filters) -> Mapping[str, list[str]]:
    """The systems, groups, teams and services to choose from: those that the wider restrictions leave."""
    held = state.groups.get(filters.group, frozenset()) if filters.group else None
    within = [
        s for s in state.services if filters.system in (None, s.system) and (held is None or s.team in held)
    ]
    teams = (
        {s.team for s in within if s.team} if filters.system else set(state.teams) & (held or {*state.teams})
    )
    return {
        "system": sorted(state.systems, key=str.casefold),
        "group": sorted(state.groups, key=str.casefold),
        "team": sorted(teams, key=str.casefold),
        "service": sorted((s.name for s in within if filters.team in (None, s.team)), key=str.casefold),
    }
