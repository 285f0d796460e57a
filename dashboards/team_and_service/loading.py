"""What the page of a service or a team reads from the facts, in the order in which it is drawn."""

from dataclasses import dataclass, replace
from pathlib import Path

from config.settings import Settings
from dashboards.deployments_and_incidents import deployment_rows, incident_rows
from dashboards.deployments_and_incidents.content import ListPage
from dashboards.deployments_and_incidents.loading import page_of
from dashboards.frame import view as periods
from dashboards.frame.view import Filters, elsewhere
from dashboards.overview import loading
from dashboards.overview.loading import Numbers
from warehouse.metrics.events import KnownEvent, event_book
from warehouse.metrics.periods import full_range, today
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.satisfaction import Group, answers_of, respondents_of, rounds
from warehouse.rows.catalogue_entries import CatalogueEntry, GroupEntry, described_group, described_services
from warehouse.rows.timeline import Timeline, timeline
from warehouse.trust.coverage import ServiceCoverage, coverage

# of the lists of failed deployments and of open incidents; their own pages have all
FIRST_ROWS = 10


@dataclass(frozen=True)
class Profile:
    """A service, a team or a group: its numbers, its entries in the catalogue, and its own where it is no service."""

    content: Numbers
    entries: tuple[CatalogueEntry, ...]
    described: GroupEntry | None = None


@dataclass(frozen=True)
class Basis:
    """What covers it, None for a team without services, and the survey's rounds of a team or group, newest first."""

    coverage: ServiceCoverage | None
    rounds: tuple[Group, ...]


def failed_ones(view: Filters) -> Filters:
    """The list of the view's failed deployments."""
    return replace(elsewhere(view), state="failed")


def open_ones(view: Filters) -> Filters:
    """The list of the view's open incidents, whenever they were opened, the longest open first."""
    return replace(elsewhere(view), period="all", start=None, end=None, state="open", listed="oldest")


def profile(warehouse: Path, settings: Settings, view: Filters) -> Profile:
    """What comes first on the page of the service or team of `view`."""
    with open_facts(warehouse) as facts:
        rows = "both" if view.scope == "group" else "service"
        content = loading.numbers_of(facts, settings, replace(view, rows=rows))
        described = None if view.scope == "service" else described_group(facts, view.where[view.scope])
        return Profile(content, described_services(facts, view.where), described)


def unresolved(warehouse: Path, settings: Settings, view: Filters, timezone: str) -> ListPage:
    """The first of its open incidents."""
    with open_facts(warehouse) as facts:
        return page_of(facts, incident_rows.INCIDENT_LIST, open_ones(view), timezone, FIRST_ROWS)


def failed(warehouse: Path, settings: Settings, view: Filters, timezone: str) -> ListPage:
    """The first of its failed deployments."""
    with open_facts(warehouse) as facts:
        return page_of(facts, deployment_rows.DEPLOYMENT_LIST, failed_ones(view), timezone, FIRST_ROWS)


def happened(warehouse: Path, settings: Settings, view: Filters) -> tuple[Timeline, tuple[KnownEvent, ...]]:
    """What is on the timeline of that page, and its events, whenever they were."""
    with open_facts(warehouse) as facts:
        days = full_range(facts, *periods.view_days(view, today(facts)))
        return timeline(facts, view.where, *days), event_book(facts).seen_with(view.where)


def basis(warehouse: Path, settings: Settings, view: Filters) -> Basis:
    """What the numbers of that page rest on."""
    with open_facts(warehouse) as facts:
        covered = coverage(facts, settings, view.scope, *periods.view_days(view, today(facts)), view.where)
        own = [] if view.scope == "service" else rounds(facts)
        people = respondents_of(facts, view.where)
        answered = [of for _, everyone, teams in own if (of := answers_of(people, everyone, teams))]
        return Basis(next(iter(covered), None), tuple(reversed(answered)))
