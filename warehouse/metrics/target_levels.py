"""Which target holds where: of each system, group, team and service its own, or the nearest stated above it."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from config.metrics import metrics
from config.settings import Settings
from config.targets import HeldTarget

if TYPE_CHECKING:
    import duckdb

# the scopes that one lies in, the nearest first, without the organisation
_Above = tuple[tuple[str, str], ...]


class TargetLevels:
    """The targets of the configuration as they hold for what the facts know, whoever owned it before."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection | None", settings: Settings) -> None:
        """Of the `services` and the `hierarchy` of a connection; without one nothing is known to lie in anything."""
        self._connection, self._settings = connection, settings

    def target(self, metric: str, scope: str, name: str) -> HeldTarget | None:
        """The target that holds for `metric` in a scope (`team`, `payments`), None where there is none.

        Of a team in several systems, under each of which another one holds, it is the least strict.
        """
        chains = self._chains.get((scope, name), {()})
        found = (self._settings.target(metric, scope, name, above) for above in sorted(chains))
        return _least_strict(metric, [one for one in found if one is not None])

    @cached_property
    def _chains(self) -> dict[tuple[str, str], set[_Above]]:
        if self._connection is None:
            return {}
        parent_of = dict(
            self._connection.execute("select name, parent from hierarchy where parent is not null").fetchall()
        )
        found: dict[tuple[str, str], set[_Above]] = {}
        for group in {*parent_of, *parent_of.values()}:
            found["group", group] = {_groups_above(group, parent_of)}
        sql = "select service, team, system, gone_at is not null from services"
        for service, team, system, is_gone in self._connection.execute(sql).fetchall():
            above = _groups_above(team, parent_of) if team else ()
            # a team that others lie below is a group of its own
            own = (("group", team),) if team in parent_of.values() else ()
            of_team: _Above = (*own, *above, *((("system", system),) if system else ()))
            found["service", service] = {((("team", team), *of_team) if team else of_team)}
            if team and not is_gone:
                found.setdefault(("team", team), set()).add(of_team)
        for name in parent_of:
            found.setdefault(("team", name), {_groups_above(name, parent_of)})
        return found


def _groups_above(name: str, parent_of: Mapping[str, str]) -> _Above:
    found = []
    while (parent := parent_of.get(name)) is not None:
        found.append(("group", parent))
        name = parent
    return tuple(found)


def _least_strict(metric: str, held: Iterable[HeldTarget]) -> HeldTarget | None:
    sign = 1 if metrics()[metric].better == "lower" else -1
    return max(held, key=lambda one: sign * one.limit, default=None)
