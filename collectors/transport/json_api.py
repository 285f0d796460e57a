"""A JSON API below one address: time-outs, retries, rate limits and errors that say what to do.

What the address answers is never trusted: a redirect is not followed with a token, and no error text holds one.
"""

import ssl
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import Any

import httpx
import stamina

from collectors.contract.items import SourceError
from collectors.transport import cost
from collectors.transport.json_values import read_json
from collectors.transport.pacing import Hold

TIMEOUT_SECONDS = 60.0
_CONNECT_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 900
# how often a request is sent at most, by what it was answered with; anything else is final at once
_UNREACHABLE = 4
_ATTEMPTS = {429: 10, 500: 2, 502: 4, 503: 4, 504: 4}
_AT_ONCE_SECONDS = 0.001  # 0 would be read as "do not retry"
# before a 429 that asks for no wait is asked again: the first time, and at most
_LIMITED_SECONDS, _LIMITED_AT_MOST_SECONDS = 1.0, 60.0
_TRANSIENT = (
    httpx.TimeoutException,
    httpx.NetworkError,
    httpx.RemoteProtocolError,
    httpx.ProxyError,
    httpx.DecodingError,
)


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities that are trusted: read once, for that takes longer than many an answer."""
    return httpx.create_ssl_context()


class _Failed(cost.AttemptFailed):
    """An attempt that failed, seen by the retry only."""

    def __init__(
        self,
        told: cost.Meter,
        text: str,
        retry: bool | float = False,
        why: str = "",
        response: httpx.Response | None = None,
    ) -> None:
        super().__init__(text, why, told)
        self.retry = retry
        self.response = response


class Api:
    """A client of the API at `url` for `source` (its name in messages); `token_key` is where its token is configured.

    The token is in `headers` only. Redirects are followed only where there is none. A part of an answer that does not
    come within `timeout` seconds ends the attempt. What is asked for is told to the current meter. It can be used by
    `at_once` threads: a rate limit that one of them meets holds all of them back.
    """

    def __init__(
        self,
        source: str,
        url: str,
        token: str = "",
        headers: Mapping[str, str] | None = None,
        token_key: str = "",
        timeout: float = TIMEOUT_SECONDS,
        at_once: int = 1,
    ) -> None:
        if not (token.isascii() and token.isprintable()):
            raise SourceError(
                f"{source}: the token holds a character that HTTP does not allow; set {token_key} again"
            )
        self.source = source
        self._token = token.strip()
        self._token_key = token_key
        self._at_once = at_once
        self._meter = cost.current_meter()
        self._hold = Hold(self._meter)
        try:
            self._client = httpx.Client(
                base_url=url,
                headers=headers,
                verify=_trusted(),
                timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
                follow_redirects=not token,
                max_redirects=5,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise SourceError(f"{source}: {url} is not an address ({error}); mend it") from None

    def __enter__(self) -> "Api":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object at `path`. Raises SourceError where it cannot be had."""
        return self.content(self.send(path, params))

    def send(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        accept: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer to a GET, 2xx or one of the statuses in `accept`; waits and tries again where that is worth it.

        Raises SourceError for every other answer, and where there was none.
        """
        try:
            for attempt in stamina.retry_context(
                on=lambda error: error.retry if isinstance(error, _Failed) else False,
                attempts=max(_ATTEMPTS.values()),
                timeout=None,
                wait_initial=0.3,
                wait_max=10,
                wait_jitter=0.3,
                wait_exp_base=3,
            ):
                with attempt:
                    return self._once(path, params, headers, accept, attempt.num)
        except _Failed as failed:
            if failed.response is not None and failed.response.status_code in accept:
                return failed.response
            raise SourceError(str(failed)) from None
        raise AssertionError("unreachable: the last attempt returns or raises")

    def content(self, response: httpx.Response) -> dict[str, Any]:
        """The JSON object in `response`; raises SourceError with the address and what came in its place."""
        try:
            value = read_json(response.content.decode("utf-8-sig"))
        except ValueError:
            came = response.headers.get("content-type", "content of no type").partition(";")[0]
            raise SourceError(
                f"{self._where(response)} answered with {came} in place of JSON: {self._quote(response)}; "
                "check that the configured url is the API's address"
            ) from None
        if not isinstance(value, dict):
            raise SourceError(
                f"{self._where(response)} answered with JSON that is no object: {self._quote(response)}"
            )
        return value

    def _once(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        accept: Collection[int],
        number: int,
    ) -> httpx.Response:
        self._hold.wait()
        try:
            response = self._client.get(path, params=params, headers=headers)
        except httpx.RequestError as error:
            self._meter.request(failed=True)
            text = self._without_token(str(error)) or type(error).__name__
            address = shown_address(error.request.url)
            raise _Failed(
                self._meter,
                f"{self.source}: {address} cannot be read: {text}; check the address, the network and the service",
                isinstance(error, _TRANSIENT) and number < _UNREACHABLE,
                f"since {address} cannot be read: {text}",
            ) from None
        except (httpx.InvalidURL, ValueError) as error:
            raise _Failed(self._meter, f"{self.source}: an address is not valid ({error}); mend it") from None
        status = response.status_code
        fine = response.is_success or status in accept
        self._meter.request(response.num_bytes_downloaded, failed=not fine)
        self._heed(response)
        if number < _ATTEMPTS.get(status, 0):
            retry = self._asked_wait(response, number)
            why = f"since {shown_address(response.request.url)} answered {status}"
            raise _Failed(self._meter, self._explained(response), retry, why, response)
        if fine:
            return response
        raise _Failed(self._meter, self._explained(response), response=response)

    def _heed(self, response: httpx.Response) -> None:
        """Holds the next request back where the rate limit is used up, so that it need not be refused."""
        reset = asked_seconds(response.headers.get("ratelimit-reset"))
        remaining = response.headers.get("ratelimit-remaining", "")
        # what is left may be taken by those who are on their way
        is_used_up = remaining.isdigit() and int(remaining) < self._at_once
        if is_used_up and reset and reset <= _LONGEST_WAIT_SECONDS:
            self._hold.back(reset, self._limit())

    def _asked_wait(self, response: httpx.Response, number: int) -> bool | float:
        """Whether it is sent again, and after which wait of its own: True for one of our choice.

        A wait that the answer asks for, and any for a rate limit, holds everybody back.
        """
        asked = asked_seconds(response.headers.get("retry-after"))
        if asked is None and response.status_code == 429:
            asked = asked_seconds(response.headers.get("ratelimit-reset"))
            if asked is None:
                asked = min(_LIMITED_SECONDS * 2 ** (number - 1), _LIMITED_AT_MOST_SECONDS)
        if asked is None:
            return True
        if asked > _LONGEST_WAIT_SECONDS:
            return False
        self._hold.back(asked, self._limit())
        return _AT_ONCE_SECONDS

    def _limit(self) -> str:
        return f"for {self.source}'s rate limit"

    def _explained(self, response: httpx.Response) -> str:
        status = response.status_code
        text = f"{self._where(response)} answered {status}"
        if response.is_redirect:
            return f"{text}, a redirect, which is not followed with a token; configure the address that it leads to"
        text += f": {self._quote(response)}"
        if status in (401, 403) and self._token_key:
            return f"{text}; the token is wrong, expired or may not read this: set {self._token_key}"
        if status in (401, 403):
            return f"{text}; it is read without signing in: open it to whoever has the address"
        if status == 404:
            return f"{text}; check that the configured url is the API's address"
        if status == 429:
            return f"{text}; the rate limit is used up: run it again later or less often"
        return f"{text}; try again later" if status >= 500 else text

    def _where(self, response: httpx.Response) -> str:
        return f"{self.source}: {shown_address(response.request.url)}"

    def _quote(self, response: httpx.Response) -> str:
        shown = " ".join(self._without_token(response.text[:2000]).split())
        return (shown[:120] + "…" if len(shown) > 120 else shown) or "nothing"

    def _without_token(self, text: str) -> str:
        return text.replace(self._token, "***") if self._token else text


def shown_address(url: str | httpx.URL) -> str:
    """`url` as it may be shown and stored: a query can hold a key, and user information a password."""
    return str(httpx.URL(url).copy_with(query=None, fragment=None, userinfo=b""))


def asked_seconds(header: str | None) -> float | None:
    """A header's seconds from now, given as a number or as an HTTP date; None where it is neither."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
