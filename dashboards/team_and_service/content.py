"""A service or a team as people read it: who it belongs to, what covers it; no Streamlit, no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from config.settings import GoldenPath
from dashboards.figures import formats
from dashboards.figures.fact_cells import Cell, Heading, followable
from dashboards.figures.formats import moment
from dashboards.frame.state import State
from dashboards.frame.view import Filters, link
from warehouse.metrics.satisfaction import Group
from warehouse.rows.catalogue_entries import CatalogueEntry
from warehouse.trust.coverage import ServiceCoverage
from warehouse.trust.readings import covering_name

Cells = tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Detail:
    """One thing that is known of a service or a team, and where it leads; `outside`: to another place than ours."""

    label: str
    text: str
    address: str = ""
    outside: bool = False


@dataclass(frozen=True)
class Choice:
    """A service or a team to choose, and what is good to know of it."""

    name: str
    note: str
    address: str


def of_service(entry: CatalogueEntry, paths: Sequence[GoldenPath], view: Filters) -> list[Detail]:
    """What the catalogue says of a service; what it does not say is told as missing where people look for it."""
    repository = Detail("Repository", entry.repo, followable(entry.url), outside=True) if entry.repo else None
    path = next((path for path in paths if path.name == entry.golden_path), None)
    found = [
        Detail("Owner", entry.team, _page("team", entry.team, view))
        if entry.team
        else Detail("Owner", "nobody"),
        Detail("System", entry.system, _overview(view, system=entry.system)) if entry.system else None,
        Detail("Lifecycle", entry.lifecycle) if entry.lifecycle else None,
        Detail("Type", entry.type) if entry.type else None,
        Detail("Tags", ", ".join(entry.tags)) if entry.tags else None,
        Detail("Golden path", entry.golden_path, followable(path.url if path else None), outside=True)
        if entry.golden_path
        else Detail("Golden path", "none"),
        repository,
        None if entry.mapped else Detail("Catalogue", "in no catalogue"),
    ]
    return [detail for detail in found if detail]


def of_team(entries: Sequence[CatalogueEntry], view: Filters) -> list[Detail]:
    """What the catalogue says of a team's services together."""
    systems = sorted({entry.system for entry in entries if entry.system}, key=str.casefold)
    on = sum(bool(entry.golden_path) for entry in entries)
    found = [Detail("Services", f"{len(entries):,}")]
    found += [Detail("System", system, _overview(view, system=system)) for system in systems]
    if entries:
        found.append(
            Detail("On a golden path", f"{on} of {len(entries)}", link("targets", replace(view, by="team")))
        )
    return found


def _page(scope: str, name: str, view: Filters) -> str:
    narrowed: dict[str, Any] = {"system": None, "team": None, "service": None, scope: name}
    return link(scope, replace(view, **narrowed))


def _overview(view: Filters, **narrowed: Any) -> str:
    return link(".", replace(view, **({"system": None, "team": None, "service": None} | narrowed)))


def choices(scope: str, state: State, view: Filters) -> list[Choice]:
    """The teams or the services that there are, each with its page."""
    if scope == "team":
        owned = [service.team for service in state.services]
        return [
            Choice(team, formats.plural(owned.count(team), "service"), _page("team", team, view))
            for team in sorted(state.teams, key=str.casefold)
        ]
    return [
        Choice(service.name, service.team or "owned by no team", _page("service", service.name, view))
        for service in sorted(state.services, key=lambda service: service.name.casefold())
    ]


COVERAGE = (Heading("Source"), Heading("Read since"), Heading("Read until"))
ROUNDS = (
    Heading("Round"),
    Heading("Closed"),
    Heading("Score", wide=True),
    Heading("Respondents", number=True),
)


def coverage_lines(of: ServiceCoverage, timezone: str) -> Cells:
    """Since when until when each source covers the scope, below `COVERAGE`."""
    return tuple(
        (
            Cell(covering_name(fresh.source)),
            Cell(moment(fresh.read_since, timezone)),
            Cell(moment(fresh.read_until, timezone)),
        )
        for fresh in of.freshness
    )


def round_rows(found: Iterable[Group]) -> Cells:
    """The survey's rounds below `ROUNDS`; what is withheld is said to be."""
    return tuple(
        (
            Cell(one.round),
            Cell(formats.day(one.closed_on)),
            Cell("withheld", "fewer than five, or so that nobody's answer follows")
            if one.is_withheld
            else Cell(formats.figure(one.score, "points"), title=formats.exact(one.score, "points")),
            Cell(f"{one.n:,}"),
        )
        for one in found
    )
