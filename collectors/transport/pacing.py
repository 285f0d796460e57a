"""When the next request to a source may be sent: what one answer asks to wait holds back all who ask the source."""

import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta

from collectors.contract.items import AskedToWait
from collectors.transport.cost import Meter

_MINUTE = 60.0
# nobody is left in peace for longer, whatever an answer says
FARTHEST_SECONDS = 86_400.0


class Hold:
    """Shared by all who send requests to one `source`; `a_minute` is how many may be sent within any minute.

    What is waited is told to `meter`, and a stretch of time that several wait at once is told once. The meter says how
    long may be waited.
    """

    def __init__(self, meter: Meter, source: str, a_minute: int | None = None) -> None:
        self._meter = meter
        self._source = source
        self._lock = threading.Lock()
        self._until = 0.0
        self._why = ""
        self._told = 0.0  # what is waited until then is told already
        self._sent: deque[float] = deque(maxlen=a_minute or 0)

    def back(self, seconds: float, why: str) -> None:
        """Lets no request leave for `seconds` from now; `why` goes on from "waiting 35 s"."""
        with self._lock:
            until = time.monotonic() + min(seconds, FARTHEST_SECONDS)
            if until > self._until:
                self._until, self._why = until, why

    def wait(self) -> None:
        """Returns when a request may be sent, which is then taken as sent; raises AskedToWait where that is too far."""
        while True:
            with self._lock:
                now = time.monotonic()
                until, why = self._until, self._why
                asked = until - max(now, self._told)
                if self._sent.maxlen == len(self._sent) > 0 and self._sent[0] + _MINUTE > until:
                    until, why = self._sent[0] + _MINUTE, "so as not to ask too often"
                if until <= now:
                    self._sent.append(now)
                    return
                if asked > 0 and not self._meter.may_wait(asked):
                    at = datetime.now(UTC) + timedelta(seconds=self._until - now)
                    raise AskedToWait(self._source, at)
                untold = until - max(now, self._told)
                self._told = max(until, self._told)
            if untold > 0:
                self._meter.wait(untold, why)
            time.sleep(until - now)
