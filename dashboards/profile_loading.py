"""What the page of a service or a team reads from the facts file."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from config.settings import Settings
from dashboards import deployment_rows, incident_rows, listed, loading
from dashboards import filters as periods
from dashboards.filters import Filters, elsewhere
from dashboards.listing import Page
from dashboards.loading import Content
from warehouse.coverage import ServiceCoverage, coverage
from warehouse.entries import Entry, entries
from warehouse.facts import open_facts
from warehouse.periods import full_range, today
from warehouse.satisfaction import Group, rounds
from warehouse.timeline import Timeline, timeline


@dataclass(frozen=True)
class Profile:
    """A service or a team: its numbers, its entries in the catalogue, what happened, and what covers it.

    `failed` are the first of its failed deployments, `unresolved` of its open incidents. `coverage` is None for a team
    without services; `rounds` are the team's, the newest first.
    """

    content: Content
    entries: tuple[Entry, ...]
    timeline: Timeline
    failed: Page
    unresolved: Page
    coverage: ServiceCoverage | None
    rounds: tuple[Group, ...]
    as_of: datetime


def failed_ones(view: Filters) -> Filters:
    """The list of the view's failed deployments."""
    return replace(elsewhere(view), state="failed")


def open_ones(view: Filters) -> Filters:
    """The list of the view's open incidents, whenever they were opened, the longest open first."""
    return replace(elsewhere(view), period="all", start=None, end=None, state="open", listed="oldest")


def profile(warehouse: Path, settings: Settings, view: Filters, timezone: str) -> Profile:
    """All that the page of the service or team of `view` shows."""
    content = loading.content(warehouse, settings, replace(view, rows="service"))
    failed = listed.page(warehouse, deployment_rows.KIND, failed_ones(view), timezone)
    unresolved = listed.page(warehouse, incident_rows.KIND, open_ones(view), timezone)
    with open_facts(warehouse) as facts:
        start, end = full_range(facts, *periods.days(view, today(facts)))
        covered = coverage(facts, settings, view.scope, start, end, view.where)
        of_team = [teams[view.team] for _, _, teams in rounds(facts) if view.team and view.team in teams]
        return Profile(
            content=content,
            entries=entries(facts, view.where),
            timeline=timeline(facts, view.where, start, end),
            failed=failed,
            unresolved=unresolved,
            coverage=next(iter(covered), None),
            rounds=tuple(reversed(of_team)),
            as_of=facts.as_of,
        )
