"""What reading a source costs and may cost, told by who sends its requests and kept by who started the reading.

The meter is found through the context, so that sources read at the same time keep apart; without one nothing is kept.
A client takes it when it is made and may then use it from threads of its own.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from collectors.transport.pace import Pace

LONGEST_WAIT_SECONDS = 900.0
_LONG_SECONDS = 60.0


@dataclass
class Meter:
    """Requests sent, those of them that failed, bytes that came, and seconds spent waiting before the next request.

    `on_wait` is told each wait of about a second or more in words; `on_part` how much of a known whole is done, of
    what, and how many seconds the rest may take, where that can be told. Both may be told by several threads.
    `longest_wait_seconds` is how long it may wait in all because answers ask for it.
    """

    on_wait: Callable[[str], None] = lambda text: None
    on_part: Callable[[int, int, str, float | None], None] = lambda done, total, of, seconds_left: None
    requests: int = 0
    failed_requests: int = 0
    bytes: int = 0
    waited_seconds: float = 0.0
    longest_wait_seconds: float = LONGEST_WAIT_SECONDS
    _asked_seconds: float = 0.0
    _pace: Pace = field(default_factory=Pace, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def request(self, size: int = 0, failed: bool = False) -> None:
        """A request was answered with `size` bytes, or was refused or not answered (`failed`)."""
        with self._lock:
            self.requests += 1
            self.failed_requests += failed
            self.bytes += size

    def receive(self, size: int) -> None:
        """`size` bytes came in answer to a request that was told already."""
        with self._lock:
            self.bytes += size

    def wait(self, seconds: float, why: str) -> None:
        """`seconds` will be waited; `why` goes on from "waiting 35 s", as "for GitHub's rate limit" does.

        Of a longer wait it is told until when.
        """
        with self._lock:
            self.waited_seconds += seconds
            self._pace.wait(seconds)
        if round(seconds):
            until = datetime.now(UTC) + timedelta(seconds=seconds)
            told = f", until {until:%H:%M} UTC" if seconds > _LONG_SECONDS else ""
            self.on_wait(f"waiting {seconds:,.0f} s {why}{told}")

    def may_wait(self, seconds: float) -> bool:
        """Whether it may wait so much longer because an answer asks for it, which is then taken as waited."""
        with self._lock:
            if self._asked_seconds + seconds > self.longest_wait_seconds:
                return False
            self._asked_seconds += seconds
            return True

    def part(self, done: int, total: int, of: str, share: float | None = None) -> None:
        """`done` of `total` were read of what is called `of`, such as "repositories".

        `share` is how much of the work that is, from 0 to 1, where some of them are more work than others.
        """
        with self._lock:
            left = self._pace.left(done, total) if share is None else self._pace.left(share, 1.0)
        self.on_part(done, total, of, left)


_CURRENT: ContextVar[Meter | None] = ContextVar("meter", default=None)


def current_meter() -> Meter:
    """The meter of the reading that this belongs to; one that nobody looks at where there is none."""
    return _CURRENT.get() or Meter()


@contextmanager
def metered(meter: Meter) -> Iterator[Meter]:
    """Makes `meter` the current one."""
    token = _CURRENT.set(meter)
    try:
        yield meter
    finally:
        _CURRENT.reset(token)


class AttemptFailed(Exception):
    """An attempt that stamina may repeat; the wait before the next one is told to `meter` with `why`."""

    def __init__(self, text: str, why: str, meter: Meter) -> None:
        super().__init__(text)
        self.why = why
        self.meter = meter


def _tell(details: RetryDetails) -> None:
    if isinstance(details.caused_by, AttemptFailed):
        details.caused_by.meter.wait(details.wait_for, details.caused_by.why)


# stamina would log its own words, which mean nothing to the person who reads them
set_on_retry_hooks([_tell])
