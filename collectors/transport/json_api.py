"""A JSON API below one address: time-outs, retries, rate limits and errors that say what to do.

What the address answers is never trusted: a redirect is not followed with a token, nor elsewhere without one; no error
text holds a token, nor what an address without one answered.
"""

import ssl
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from fnmatch import fnmatch
from functools import cache
from types import TracebackType
from typing import Any

import httpx
import stamina

from collectors.contract.items import SourceError
from collectors.transport import certificates, cost
from collectors.transport.json_values import read_json, seconds
from collectors.transport.pacing import Hold
from config.text.hidden import hide

TIMEOUT_SECONDS = 60.0
_CONNECT_SECONDS = 10.0
_MOST_REDIRECTS = 5
# how often a request is sent at most, by what it was answered with; anything else is final at once
_UNREACHABLE = 4
_ATTEMPTS = {429: 10, 500: 2, 502: 4, 503: 4, 504: 4}
_MOST_LOOKED_AT = 2_000
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

    The token is in `headers` only. Redirects are followed only where there is none, and then to the same host or those
    of the globs `leads_to`; where one leads elsewhere, `leads_to_advice` says what to do. A part of an answer that does
    not come within `timeout` seconds ends the attempt. What is asked for is told to the current meter. It can be used
    by `at_once` threads: a rate limit that one of them meets holds all of them back, or ends the reading where it asks
    for more than the meter allows.
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
        leads_to: Collection[str] = (),
        leads_to_advice: str = "configure the address that is meant",
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
        self._hold = Hold(self._meter, source)
        self._leads_to, self._leads_to_advice = leads_to, leads_to_advice
        try:
            self._client = httpx.Client(
                base_url=url,
                headers=headers,
                verify=_trusted(),
                timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
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
            raise SourceError(
                f"{self._where(response)} answered with {self._without_token(content_type(response))} in place of JSON"
                f"{self._told(response)}; check that the configured url is the API's address"
            ) from None
        if not isinstance(value, dict):
            raise SourceError(
                f"{self._where(response)} answered with JSON that is no object{self._told(response)}"
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
            response = self._followed(self._client.get(path, params=params, headers=headers))
        except httpx.RequestError as error:
            self._meter.request(failed=True)
            distrust = certificates.distrust(error)
            text = distrust or self._without_token(str(error)) or type(error).__name__
            advice = certificates.ADVICE if distrust else "check the address, the network and the service"
            address = shown_address(error.request.url)
            raise _Failed(
                self._meter,
                f"{self.source}: {address} cannot be read: {text}; {advice}",
                isinstance(error, _TRANSIENT) and not distrust and number < _UNREACHABLE,
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

    def _followed(self, response: httpx.Response) -> httpx.Response:
        """What `response` leads to, if it is a redirect that may be followed."""
        for _ in range(_MOST_REDIRECTS):
            following = response.next_request
            if self._token or following is None:
                break
            is_followed = _is_alike(response.request.url, following.url, self._leads_to)
            self._meter.request(response.num_bytes_downloaded, failed=not is_followed)
            if not is_followed:
                where, host = self._where(response), following.url.host or "no host"
                raise _Failed(
                    self._meter, f"{where} leads to {host}, which is not followed; {self._leads_to_advice}"
                )
            response = self._client.send(following)
        return response

    def _heed(self, response: httpx.Response) -> None:
        """Holds the next request back where the rate limit is used up, so that it need not be refused."""
        reset = asked_seconds(response.headers.get("ratelimit-reset"))
        remaining = seconds(response.headers.get("ratelimit-remaining"))
        # what is left may be taken by those who are on their way
        if remaining is not None and remaining < self._at_once and reset:
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
        self._hold.back(asked, self._limit())
        return _AT_ONCE_SECONDS

    def _limit(self) -> str:
        return f"for {self.source}'s rate limit"

    def _explained(self, response: httpx.Response) -> str:
        status = response.status_code
        text = f"{self._where(response)} answered {status}"
        if response.is_redirect and self._token:
            return f"{text}, a redirect, which is not followed with a token; configure the address that it leads to"
        if response.is_redirect:
            return f"{text}, one redirect after the other; configure the address that they lead to"
        text += f"{'' if self._token else f' with {content_type(response)}'}{self._told(response)}"
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

    def _told(self, response: httpx.Response) -> str:
        """How an answer begins; of an address without a token only its size: it is no API's, and may hold anything."""
        if not self._token:
            return f" ({len(response.content):,} bytes)"
        shown = " ".join(self._without_token(response.text[:_MOST_LOOKED_AT]).split())
        return f": {(shown[:120] + '…' if len(shown) > 120 else shown) or 'nothing'}"

    def _without_token(self, text: str) -> str:
        return hide(text, [self._token])


def content_type(response: httpx.Response) -> str:
    """The media type that an answer claims, or "content of no type"."""
    return (response.headers.get("content-type") or "content of no type").partition(";")[0][:60]


def _is_alike(url: httpx.URL, to: httpx.URL, others: Collection[str]) -> bool:
    """Whether a redirect stays with the host and port, or with one of the `others` (globs), and does not end TLS."""
    if to.scheme not in (url.scheme, "https"):
        return False
    if any(fnmatch(to.host, host.lower()) for host in others):
        return True
    from_standard = url.port is None and to.port is None  # 80 and 443 are not told
    return url.host == to.host and (from_standard or url.port == to.port)


def shown_address(url: str | httpx.URL) -> str:
    """`url` as it may be shown and stored: a query can hold a key, and user information a password."""
    return str(httpx.URL(url).copy_with(query=None, fragment=None, userinfo=b""))


def asked_seconds(header: str | None) -> float | None:
    """A header's seconds from now, given as a number or as an HTTP date; None where it is neither."""
    told = seconds(header)
    if told is not None:
        return max(0.0, told)
    try:
        at = parsedate_to_datetime(header or "")
        return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):  # a zone or a year that no calendar has
        return None
