"""GitHub's rate limits: how many requests are sent, when one is sent again, and what holds all of them back.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

import time
from collections.abc import Mapping
from typing import Any

from github import GithubRetry
from urllib3 import BaseHTTPResponse, Retry
from urllib3.exceptions import MaxRetryError

from collectors.transport.certificates import distrust
from collectors.transport.cost import Meter
from collectors.transport.json_api import asked_seconds
from collectors.transport.json_values import seconds
from collectors.transport.pacing import Hold

# 900 reads a minute, and 90 s of GitHub's time, of which 60 s are for GraphQL: one query after the other is all that
# the secondary limits allow
READS_A_MINUTE = 900
REST_AT_ONCE = 3
_WAITED_FOR = "for GitHub's rate limit"
_LIMITED = (403, 429)
_UNKNOWN_WAIT_SECONDS = 60.0  # https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api


class MeteredRetry(GithubRetry):
    """Asked by urllib3 about every answer and every failure to get one, so that it can count them all.

    A limit that it meets holds back all who wait on `hold`.
    """

    def __init__(self, meter: Meter, hold: Hold, **rules: Any) -> None:
        super().__init__(**{"status_forcelist": [429, *range(500, 600)], **rules})
        self._meter = meter
        self._hold = hold

    def new(self, **rules: Any) -> "MeteredRetry":
        """These rules with some of them changed."""
        return super().new(meter=self._meter, hold=self._hold, **rules)

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Whether an answer of this status is asked for again."""
        self._meter.request(failed=status_code >= 400)
        return super().is_retry(method, status_code, has_retry_after)

    def increment(self, *args: Any, **kwargs: Any) -> Retry:  # type: ignore[override]
        """The rules for the next attempt; raises where there is none."""
        error = kwargs.get("error")
        if error:
            self._meter.request(failed=True)
        if error and distrust(error):
            raise MaxRetryError(kwargs["_pool"], str(kwargs.get("url") or ""), error)
        return super().increment(*args, **kwargs)

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """The seconds that an answer asks to wait; a 429 that asks for none: until the limit's reset, or a minute."""
        asked = asked_seconds(response.headers.get("retry-after"))
        if asked is not None or response.status != 429:
            return asked
        if response.headers.get("x-ratelimit-remaining") == "0":
            return _until_reset(response.headers)
        return _UNKNOWN_WAIT_SECONDS

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Waits as long as the answer asks for, or else as the rules say."""
        asked = self.get_retry_after(response) if response and self.respect_retry_after_header else None
        if asked or (response is not None and response.status in _LIMITED):
            self._hold.back(asked or self.get_backoff_time(), _WAITED_FOR)
            self._hold.wait()
            return
        answered = f"since GitHub answered {response.status}" if response else "since GitHub did not answer"
        self._meter.wait(self.get_backoff_time(), answered)
        super().sleep(response)


def hold_back(hold: Hold, headers: Mapping[str, str]) -> None:
    """Lets nobody who waits on `hold` send a request until the limit's reset; a minute where it is not told."""
    hold.back(_until_reset(headers), _WAITED_FOR)


def _until_reset(headers: Mapping[str, str]) -> float:
    reset = seconds(headers.get("x-ratelimit-reset"))
    return _UNKNOWN_WAIT_SECONDS if reset is None else max(0.0, reset - time.time()) + 1
