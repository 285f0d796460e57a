"""What a page reads from the facts file, in one opening of it each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from config.settings import Settings
from dashboards import filters as periods
from dashboards.filters import Filters
from warehouse.facts import Facts, open_facts
from warehouse.periods import today
from warehouse.values import Scope, Value, compute

ROW_SCOPES: dict[str, tuple[Scope, ...]] = {
    "both": ("team", "service"),
    "team": ("team",),
    "service": ("service",),
    "system": ("system",),
}


@dataclass(frozen=True)
class Service:
    """A service and who owns it; not `mapped`: in no catalogue."""

    name: str
    team: str | None
    system: str | None
    mapped: bool


@dataclass(frozen=True)
class FailedRun:
    """A source whose last run failed; `started_at` is aware and UTC."""

    source: str
    started_at: datetime
    error: str


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
    failed: tuple[FailedRun, ...]

    @property
    def today(self) -> date:
        """The local day on which the facts were built."""
        return self.as_of.astimezone(ZoneInfo(self.timezone)).date()


@dataclass(frozen=True)
class Content:
    """The values of a view: of its own scope now, before and by week, and of each scope below it."""

    current: list[Value]
    previous: list[Value]
    history: list[Value]
    below: list[Value]
    without_service: int


def path(warehouse: Path) -> str:
    """The facts file that is published now."""
    with open_facts(warehouse) as facts:
        return str(facts.path)


def state(warehouse: Path) -> State:
    """The published facts' own description: their age, the services, the sources that failed."""
    with open_facts(warehouse) as facts:
        return State(
            path=str(facts.path),
            organization=facts.organization,
            timezone=facts.timezone,
            as_of=facts.as_of,
            warning=facts.warning,
            services=tuple(Service(*row) for row in _rows(facts, _SERVICES)),
            teams=tuple(team for (team,) in _rows(facts, _TEAMS)),
            failed=tuple(
                FailedRun(source, started_at.replace(tzinfo=UTC), error or "no reason was recorded")
                for source, started_at, error in _rows(facts, _FAILED)
            ),
        )


def content(warehouse: Path, settings: Settings, filters: Filters) -> Content:
    """All values that the overview of `filters` shows."""
    with open_facts(warehouse) as facts:
        start, end = periods.days(filters, today(facts))
        before = periods.days_before(filters, today(facts))
        first, last = periods.history(filters, today(facts))
        scope, where = filters.scope, filters.where
        below: tuple[Scope, ...] = ROW_SCOPES[filters.rows]
        return Content(
            current=compute(facts, settings, scope, start=start, end=end, where=where),
            previous=compute(facts, settings, scope, start=before[0], end=before[1], where=where)
            if before
            else [],
            history=compute(facts, settings, scope, period="week", start=first, end=last, where=where),
            below=[
                value
                for by in below
                for value in compute(facts, settings, by, start=start, end=end, where=where)
            ],
            without_service=_without_service(facts, start, end) if not where else 0,
        )


_SERVICES = "select service, team, system, mapped from services order by service"
# a team that answered the survey need not own a service
_TEAMS = """
select distinct team from services where team is not null
union
select distinct team from responses where team is not null
order by team
"""
_FAILED = """
select source, started_at, error
from runs
qualify row_number() over (partition by source order by started_at desc, run_id desc) = 1 and status = 'failed'
order by source
"""
_WITHOUT_SERVICE = """
select count(*) from incidents
where service is null and excluded_because is null and day >= coalesce(?, day) and day < coalesce(?, day + 1)
"""


def _without_service(facts: Facts, start: date | None, end: date | None) -> int:
    return int(_rows(facts, _WITHOUT_SERVICE, [start, end])[0][0])


def _rows(facts: Facts, query: str, parameters: Sequence[object] = ()) -> list[tuple]:
    return facts.connection.execute(query, list(parameters)).fetchall()
