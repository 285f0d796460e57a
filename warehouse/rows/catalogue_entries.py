"""A service as the catalogue describes it: for the pages of a service and a team, and for the golden paths."""

from collections.abc import Mapping
from dataclasses import dataclass

from warehouse.metrics.facts import Facts
from warehouse.metrics.values import narrowing


@dataclass(frozen=True)
class CatalogueEntry:
    """A service's entry in the catalogue; not `mapped`: it has none. `url` is its repository's address."""

    tags: tuple[str, ...]
    name: str
    team: str | None
    system: str | None
    mapped: bool
    repo: str | None
    url: str | None
    lifecycle: str | None
    type: str | None
    golden_path: str | None


def described_services(facts: Facts, where: Mapping[str, str] | None = None) -> tuple[CatalogueEntry, ...]:
    """The services in order of name, of the organisation or what `where` narrows it to."""
    sql = (
        "select coalesce(f.tags, []), f.service, f.team, f.system, f.mapped, f.repo, f.url, f.lifecycle, f.type,"
        f" f.golden_path from services as f where true{narrowing(where or {})}"
        " order by lower(f.service), f.service"
    )
    rows = facts.connection.execute(sql, dict(where or {})).fetchall()
    return tuple(CatalogueEntry(tuple(tags), *of) for tags, *of in rows)
