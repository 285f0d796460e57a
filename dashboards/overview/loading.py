"""What a page reads from the facts file, in one opening of it each."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.settings import Settings
from dashboards.frame import view as periods
from dashboards.frame.view import Filters
from dashboards.scorecards.content import shown
from warehouse.metrics.facts import Facts, open_facts
from warehouse.metrics.periods import full_range, today
from warehouse.metrics.values import Scope, Value, compute
from warehouse.rows.explain import all_rows
from warehouse.scorecards import archive as published
from warehouse.scorecards.archive import Entry, Restated
from warehouse.trust import runs_and_doubts
from warehouse.trust.coverage import ServiceCoverage, coverage
from warehouse.trust.coverage_weeks import Week, coverage_weeks
from warehouse.trust.runs_and_doubts import Doubts, Run, Service, SetAside, Undelivered
from warehouse.trust.unwatched import Unwatched, unwatched

ROW_SCOPES: dict[str, tuple[Scope, ...]] = {
    "both": ("team", "service"),
    "team": ("team",),
    "service": ("service",),
    "system": ("system",),
}
# how many rows of a table a page shows, where its CSV has all
SHOWN = 25

# of a source so many runs are shown, and of coverage so many weeks
MOST_RUNS = 10
MOST_WEEKS = 12


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
    runs: tuple[Run, ...]

    @property
    def today(self) -> date:
        """The local day on which the facts were built."""
        return self.as_of.astimezone(ZoneInfo(self.timezone)).date()

    @property
    def failed(self) -> tuple[Run, ...]:
        """The last runs of the sources whose last run failed."""
        return tuple(run for run in self.runs if run.status == "failed")


@dataclass(frozen=True)
class Content:
    """The values of a view: of its own scope now, before and by week, and of each scope below it.

    `blind` tells by scope and name where services have no source of incidents.
    """

    current: list[Value]
    previous: list[Value]
    history: list[Value]
    below: list[Value]
    blind: dict[tuple[Scope, str], Unwatched]
    doubts: Doubts


@dataclass(frozen=True)
class Trust:
    """What the numbers of a view rest on; `whole` is of the narrowest restriction, `services` all that match.

    `weeks` is coverage by completed week, `runs` the last ones of each source, the newest first.
    """

    whole: ServiceCoverage | None
    services: tuple[ServiceCoverage, ...]
    set_aside: tuple[SetAside, ...]
    doubts: Doubts
    weeks: tuple[Week, ...] = ()
    runs: tuple[Run, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()


@dataclass(frozen=True)
class Archive:
    """All published scorecards, the one that a view asks for by form, and what was said later of its numbers."""

    entries: tuple[Entry, ...]
    entry: Entry | None = None
    forms: dict[str, str] = field(default_factory=dict)
    restated: tuple[Restated, ...] = ()


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


def content(warehouse: Path, settings: Settings, filters: Filters) -> Content:
    """All values that the overview of `filters` shows."""
    with open_facts(warehouse) as facts:
        return content_of(facts, settings, filters)


def content_of(facts: Facts, settings: Settings, filters: Filters) -> Content:
    """The same from facts that are open."""
    start, end = periods.days(filters, today(facts))
    before = periods.days_before(filters, today(facts))
    first, last = periods.history(filters, today(facts))
    scope, where = filters.scope, filters.where
    below: tuple[Scope, ...] = ROW_SCOPES[filters.rows]
    days = full_range(facts, start, end)
    current = compute(facts, settings, scope, start=start, end=end, where=where)
    return Content(
        current=current,
        previous=compute(facts, settings, scope, start=before[0], end=before[1], where=where)
        if before
        else [],
        history=compute(facts, settings, scope, period="week", start=first, end=last, where=where),
        below=[
            value
            for by in below
            for value in (
                current if by == scope else compute(facts, settings, by, start=start, end=end, where=where)
            )
        ],
        blind={
            (by, name): found
            for by in {scope, *below}
            for name, found in unwatched(facts, by, *days, where).items()
        },
        doubts=runs_and_doubts.doubts(facts, start, end, where),
    )


def explained_rows(warehouse: Path, settings: Settings, filters: Filters) -> Iterator[dict[str, Any]]:
    """All rows of the number that `filters` ask for, as they are read."""
    with open_facts(warehouse) as facts:
        start, end = periods.days(filters, today(facts))
        yield from all_rows(facts, settings, filters.metric, filters.where, start, end)


def trust(warehouse: Path, settings: Settings, filters: Filters) -> Trust:
    """What the numbers of `filters` rest on."""
    with open_facts(warehouse) as facts:
        start, end = periods.days(filters, today(facts))
        scope, where = filters.scope, filters.where
        services = coverage(facts, settings, "service", start, end, where)
        of_scope = services if scope == "service" else coverage(facts, settings, scope, start, end, where)
        whole = (found for found in of_scope if scope == "organisation" or found.name == where[scope])
        return Trust(
            whole=next(whole, None),
            services=tuple(services),
            set_aside=runs_and_doubts.set_aside(facts) if not where else (),
            doubts=runs_and_doubts.doubts(facts, start, end, where),
            weeks=tuple(coverage_weeks(facts, *periods.history(filters, today(facts)), where)[-MOST_WEEKS:]),
            runs=runs_and_doubts.recent_runs(facts, MOST_RUNS),
            undelivered=runs_and_doubts.undelivered(facts) if not where else (),
        )


def archive(warehouse: Path, filters: Filters, teams: Collection[str] | None = None) -> Archive:
    """The archive, opened at the scorecard of `filters`; with `teams` their own alone, since it tells of rows."""
    with open_facts(warehouse) as facts:
        entries = tuple(
            entry
            for entry in published.entries(facts)
            if teams is None or (entry.scope == "team" and entry.name in teams)
        )
        entry = shown(entries, filters)
        if entry is None:
            return Archive(entries)
        of = (entry.scope, entry.name, entry.week)
        return Archive(entries, entry, published.forms(facts, *of), published.restated_since(facts, *of))
