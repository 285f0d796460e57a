"""Which teams lie below which group of the catalogue: the tables `groups`, `hierarchy` and `group_problems`.

It is the hierarchy of today, whoever owned what before. A group says itself what is above it; where it says nothing,
who names it as a child does. What contradicts itself is told, and counts for as little as it can.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import duckdb
import pyarrow as pa

from config.names import same_key
from warehouse.metrics.units import listed
from warehouse.storage.arrow_tables import create_table

# deeper ones are told: no organisation has them, and each level makes a row of every team below it
_MOST_LEVELS = 20
_GROUPS = (
    "select c.name, c.title, c.type, c.parent, coalesce(c.children, []), c.portal_url from source.components as c"
    " where c.kind = 'Group' and c.gone_at is null order by c.name, c.portal_url is null, c.origin"
)
_OWNING = "select distinct o.team from owners as o where o.team is not null and o.until_at is null"
_SPELLED = "select s.spelling, s.name from spellings as s where s.kind = 'team'"
_MEND = "mend spec.parent and spec.children in the catalogue"


class _Group(NamedTuple):
    """A group of the catalogue: by what it is known, and the parents and children that its files name."""

    title: str | None
    type: str | None
    portal_url: str | None
    parents: list[str]
    children: list[str]


_NO_GROUP = _Group(None, None, None, [], [])


class _Problem(NamedTuple):
    """What is not clear of a group's place, and what to write."""

    name: str
    what: str
    advice: str = _MEND


def create_groups(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates the three tables, beside `owners` and what the schema `source` has."""
    found: dict[str, _Group] = {}
    for name, title, type, parent, children, portal_url in connection.execute(_GROUPS).fetchall():
        known = found.setdefault(name, _Group(title, type, portal_url, [], []))
        known.parents.extend([parent] if parent else [])
        known.children.extend(children)
    owning = {team for (team,) in connection.execute(_OWNING).fetchall()}
    spelled = dict(connection.execute(_SPELLED).fetchall())
    names = {same_key(spelling): name for spelling, name in spelled.items()}
    names |= {same_key(name): name for name in owning | found.keys()}
    problems: list[_Problem] = []
    parent_of = _parents(found, names, owning | found.keys(), problems)
    held = [(above, name) for name in sorted(owning | found.keys()) for above in _above(name, parent_of)]
    holding = {above for above, _ in held}
    problems += [_too_deep(name) for name in sorted(found) if len(_chain(name, parent_of)) > _MOST_LEVELS]
    tables: dict[str, tuple[Sequence[str], Sequence[Sequence[str | None]]]] = {
        "groups": (("name", "team"), [*held, *((name, name) for name in sorted(holding))]),
        "hierarchy": (
            ("name", "title", "type", "parent", "portal_url"),
            [
                (name, one.title, one.type, parent_of.get(name), one.portal_url)
                for name, one in sorted((dict.fromkeys(owning, _NO_GROUP) | found).items())
            ],
        ),
        "group_problems": (_Problem._fields, problems),
    }
    for table, (columns, rows) in tables.items():
        arrays = [pa.array([row[i] for row in rows], pa.string()) for i in range(len(columns))]
        create_table(connection, table, pa.table(arrays, names=list(columns)))


def _parents(
    found: dict[str, _Group], names: dict[str, str], known: Iterable[str], problems: list[_Problem]
) -> dict[str, str]:
    """Of each team and group the one that is right above it, where there is one; what is not clear is told."""
    every = set(known)
    claimed: dict[str, list[str]] = defaultdict(list)
    for name, one in found.items():
        for child in dict.fromkeys(one.children):
            if (meant := names.get(same_key(child), child)) in every:
                claimed[meant].append(name)
            else:
                problems.append(_Problem(name, f"{name} has the child {child}, which is in no catalogue"))
    parent_of: dict[str, str] = {}
    for name in sorted(every):
        own = [names.get(same_key(one), one) for one in (found[name].parents if name in found else ())]
        told = list(dict.fromkeys([*own, *sorted(claimed[name])]))
        problems += [
            _Problem(name, f"{name} has the parent {one}, which is in no catalogue; it counts as having none")
            for one in told
            if one not in found
        ]
        told = [one for one in told if one in found]
        if len(told) > 1:
            others = listed(told[1:])
            problems.append(_Problem(name, f"{name} is below {told[0]} and below {others}; {told[0]} counts"))
        if told:
            parent_of[name] = told[0]
    for circle in list(_circles(parent_of)):
        for name in circle:
            del parent_of[name]
        whose = "is above itself" if len(circle) == 1 else "are above each other in a circle"
        problems.append(
            _Problem(circle[0], f"{listed(circle[:5])} {whose}; they count as having nothing above them")
        )
    return parent_of


def _circles(parent_of: dict[str, str]) -> Iterator[list[str]]:
    """The names of each circle, in order."""
    done: set[str] = set()
    for start in sorted(parent_of):
        way: dict[str, None] = {}
        name: str | None = start
        while name is not None and name not in done and name not in way:
            way[name] = None
            name = parent_of.get(name)
        if name in way:
            yield sorted(list(way)[list(way).index(name) :])
        done.update(way)


def _chain(name: str, parent_of: dict[str, str]) -> list[str]:
    """What is above a name, the nearest first, without circles; one more than counts."""
    found: list[str] = []
    while (above := parent_of.get(name)) is not None and len(found) <= _MOST_LEVELS:
        found.append(above)
        name = above
    return found


def _above(name: str, parent_of: dict[str, str]) -> list[str]:
    return _chain(name, parent_of)[:_MOST_LEVELS]


def _too_deep(name: str) -> _Problem:
    return _Problem(
        name, f"{name} is more than {_MOST_LEVELS} levels below the top; what is above those does not hold it"
    )
