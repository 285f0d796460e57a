"""Who owns what: the services, teams and owners that the facts know."""

from dataclasses import dataclass
from datetime import datetime

from warehouse.metrics.facts import Facts
from warehouse.storage.instants import naive


@dataclass(frozen=True)
class Service:
    """A service and who owns it; not `mapped`: in no catalogue."""

    name: str
    team: str | None
    system: str | None
    mapped: bool


@dataclass(frozen=True)
class UnclearGroup:
    """A group or team whose place in the hierarchy is not clear: what is told of it, and what to write."""

    name: str
    what: str
    advice: str


def unclear_groups(facts: Facts) -> tuple[UnclearGroup, ...]:
    """Those whose parents contradict each other or are nowhere, in order of name."""
    sql = "select p.name, p.what, p.advice from group_problems as p order by p.name, p.what"
    return tuple(UnclearGroup(*row) for row in facts.connection.execute(sql).fetchall())


def services(facts: Facts) -> tuple[Service, ...]:
    """The services in order of name."""
    sql = "select service, team, system, mapped from services order by service"
    return tuple(Service(*row) for row in facts.connection.execute(sql).fetchall())


def owners(facts: Facts, first: datetime, after: datetime) -> set[tuple[str | None, str | None]]:
    """The (team, system) that owned a service at any time between two instants."""
    sql = (
        "select distinct team, system from owners"
        " where (from_at is null or from_at < $after) and (until_at is null or until_at > $first)"
    )
    return set(facts.connection.execute(sql, {"first": naive(first), "after": naive(after)}).fetchall())


def teams(facts: Facts) -> tuple[str, ...]:
    """The teams in order of name; one that answered the survey need not own a service."""
    sql = (
        "select distinct team from services where team is not null"
        " union select distinct team from responses where team is not null order by team"
    )
    return tuple(team for (team,) in facts.connection.execute(sql).fetchall())
