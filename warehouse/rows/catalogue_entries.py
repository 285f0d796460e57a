"""A service as the catalogue describes it: for the pages of a service and a team, and for the golden paths."""

from collections.abc import Mapping
from dataclasses import dataclass

from warehouse.metrics.facts import Facts
from warehouse.metrics.values import narrowing


@dataclass(frozen=True)
class CatalogueEntry:
    """A service's entry in the catalogue; not `mapped`: it has none.

    `url` is its repository's address, `portal_url` its own page in Backstage.
    """

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
    portal_url: str | None = None


@dataclass(frozen=True)
class GroupEntry:
    """A group or a team in the catalogue: what it is called, the group above it, and what is right below it."""

    name: str
    title: str | None
    parent: str | None
    portal_url: str | None
    below: tuple[str, ...]


def described_services(facts: Facts, where: Mapping[str, str] | None = None) -> tuple[CatalogueEntry, ...]:
    """The services in order of name, of the organisation or what `where` narrows it to."""
    sql = (
        "select coalesce(f.tags, []), f.service, f.team, f.system, f.mapped, f.repo, f.url, f.lifecycle, f.type,"
        f" f.golden_path, f.portal_url from services as f where true{narrowing(where or {})}"
        " order by lower(f.service), f.service"
    )
    rows = facts.connection.execute(sql, dict(where or {})).fetchall()
    return tuple(CatalogueEntry(tuple(tags), *of) for tags, *of in rows)


def described_group(facts: Facts, name: str) -> GroupEntry | None:
    """A group or a team; None of one that neither is in the catalogue nor owns a service."""
    found = facts.connection.execute(
        "select f.title, f.parent, f.portal_url from hierarchy as f where f.name = $name", {"name": name}
    ).fetchall()
    below = facts.connection.execute(
        "select f.name from hierarchy as f where f.parent = $name order by lower(f.name), f.name",
        {"name": name},
    ).fetchall()
    return next(
        (
            GroupEntry(name, title, parent, portal_url, tuple(child for (child,) in below))
            for title, parent, portal_url in found
        ),
        None,
    )
