"""How long what is left of a reading may take, by the pace so far."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

_ENOUGH_SECONDS = 2.0
# a wait of minutes is for a limit by the hour, which is met again after as much work; what passes is not expected again
_LIMIT_SECONDS = 120.0
_Wait = tuple[float, float]


def seconds_left(elapsed: float, done: float, total: float, waits: Sequence[_Wait] = ()) -> float | None:
    """The seconds that the rest of `total` takes where `done` of it took `elapsed`; None where that cannot be told yet.

    `waits` are (what was done by then, seconds) of the pauses among the elapsed seconds.
    """
    at_work = elapsed - sum(seconds for _, seconds in waits)
    if not 0 < done < total or at_work < _ENOUGH_SECONDS:
        return None
    left = at_work * (total - done) / done
    limits = [(at, seconds) for at, seconds in waits if seconds >= _LIMIT_SECONDS and at > 0]
    if limits:
        last, seconds = limits[-1]
        of_a_limit = last / len(limits)
        left += max(0, -int(-(total - last) // of_a_limit) - 1) * seconds
    return left


@dataclass
class Pace:
    """What was done of a whole since it was first told, and the waits meanwhile."""

    _began: tuple[float, float] | None = None
    _done: float = 0.0
    _waits: list[_Wait] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        """Nothing will be done for so long."""
        self._waits.append((self._done, seconds))

    def left(self, done: float, total: float) -> float | None:
        """The seconds that the rest takes, now that so much is done; what was done at first took no time."""
        now = time.monotonic()
        if self._began is None:
            self._began, self._waits = (now, done), []
        at, first = self._began
        self._done = done - first
        return seconds_left(now - at, self._done, total - first, self._waits)
