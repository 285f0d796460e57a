"""Which target holds where: of each system, team and service its own, or the nearest that is stated above it."""

from collections.abc import Iterable
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
        """Of the `services` that a connection has; without one nothing is known to lie in anything."""
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
        sql = "select service, team, system, gone_at is not null from services"
        found: dict[tuple[str, str], set[_Above]] = {}
        for service, team, system, is_gone in self._connection.execute(sql).fetchall():
            of_team: _Above = (("system", system),) if system else ()
            found["service", service] = {((("team", team), *of_team) if team else of_team)}
            if team and not is_gone:
                found.setdefault(("team", team), set()).add(of_team)
        return found


def _least_strict(metric: str, held: Iterable[HeldTarget]) -> HeldTarget | None:
    sign = 1 if metrics()[metric].better == "lower" else -1
    return max(held, key=lambda one: sign * one.limit, default=None)
