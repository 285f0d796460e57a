"""GitHub through PyGithub's requester, which authenticates; `rate_limit.py` says when a request may be sent, and again.

PyGithub's own objects are left aside: a missing attribute of theirs costs one more request each.
"""

import json
import logging
import math
import re
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import requests
import stamina
from github import Auth, Github, GithubException
from github.Requester import Requester
from jwt import PyJWTError

from collectors.contract.items import SourceError
from collectors.github.rate_limit import READS_A_MINUTE, MeteredRetry, hold_back
from collectors.transport import certificates, cost
from collectors.transport.json_values import Json, mapping, objects, read_json, seconds, text
from collectors.transport.pacing import Hold
from config.settings import GitHub
from config.text.hidden import hide
from config.text.quoting import one_short_line
from config.text.references import require_resolved

TIMEOUT_SECONDS = 60
# a query that takes GitHub too long is answered by 502 each time: better to ask for less than to ask again
_RETRY = {
    "total": 8,
    "connect": 2,
    "read": 2,
    "status": 3,
    "other": 2,
    "backoff_factor": 0.5,
    "backoff_jitter": 0.5,
}
_OUT_OF_TIME = ("502 error", "504 error")
_TOO_MUCH = ("RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED")
_ADVICE = {
    401: "the token is wrong or expired: set sources.github.token",
    403: "the token may not read this: give it read access to contents, pull requests, deployments and actions",
    404: "it does not exist or the token cannot see it: mend sources.github, or widen the token",
}

# it would write each attempt to stderr, in the server's words; what there is to tell is told by the progress
_LOG = logging.getLogger("github")
_LOG.handlers.clear()
_LOG.setLevel(logging.WARNING)

# what PyGithub raises, its JSON, its redirects and its App's key included
_FAILURES = (
    GithubException,
    requests.RequestException,
    PyJWTError,
    ValueError,
    TypeError,
    RuntimeError,
    AssertionError,
)


class TooMuchError(SourceError):
    """A query that GitHub could not answer in its time; a smaller page may be answered."""


class UnknownFieldError(SourceError):
    """A query that asks for `fields` that this server does not have."""

    def __init__(self, text: str, fields: set[str]) -> None:
        super().__init__(text)
        self.fields = fields


class RefusedError(SourceError):
    """What was asked for is not given, however often: it is not there, not for this token, blocked."""


class MissingError(RefusedError):
    """What was asked for is not there, or not for this token (404)."""


class EmptyError(RefusedError):
    """What a repository has none of: commits where it is empty (409), what is turned off in it (410)."""


class _Installation(Auth.AppInstallationAuth):
    """An App where it is installed; puts each token that it is given into `given`."""

    def __init__(self, app: Auth.AppAuth, installation: int, given: set[str]) -> None:
        super().__init__(app, installation)
        self._given = given

    @property
    def token(self) -> str:
        """That of this hour."""
        token = super().token
        self._given.add(token)
        return token


def address_of_host(api: str) -> str:
    """Where people and git find the repositories whose API is at `api`: `https://github.com`, an own server's root."""
    parts = urlsplit(api)
    host = parts.netloc.removeprefix("api.") if not parts.path.strip("/") else parts.netloc
    return f"{parts.scheme}://{host}"


class GitHubApi:
    """The API at the configured address, with the configured identity; a context manager that closes its connections.

    Every failure is a SourceError that names address and status and never holds the token. Up to `REST_AT_ONCE` threads
    may use it: what GitHub asks one of them to wait is waited by all.
    """

    def __init__(self, source: GitHub, timeout: int = TIMEOUT_SECONDS) -> None:
        require_resolved(source)
        self._meter = cost.current_meter()
        self.url = source.url.rstrip("/")
        self.web = address_of_host(self.url)
        self._hold = Hold(self._meter, "github", READS_A_MINUTE)
        self._auth: Auth.Auth
        if source.app:
            key = source.app.private_key.get_secret_value()
            self._secrets = {key}
            self._auth = _Installation(
                Auth.AppAuth(source.app.id, key), source.app.installation, self._secrets
            )
        else:
            token = source.token.get_secret_value() if source.token else ""
            self._secrets = {token}
            self._auth = Auth.Token(token)
        self._timeout = timeout
        self._idle: list[Github] = []  # PyGithub's connection is for one thread at a time
        self._idle.append(self._client())
        self._graphql_url = self._idle[0].requester.graphql_url

    def _client(self) -> Github:
        return Github(
            base_url=self.url,
            auth=self._auth,
            timeout=self._timeout,
            retry=MeteredRetry(self._meter, self._hold, **_RETRY),
            # a query counts as a write for PyGithub; the limits that GitHub's headers give are obeyed instead
            seconds_between_requests=0,
            seconds_between_writes=0,
        )

    def __enter__(self) -> "GitHubApi":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._idle:
            client.close()

    def token(self) -> str:
        """The token that opens the repositories by git: the configured one, or the App installation's for an hour."""
        try:
            return self._auth.token
        except _FAILURES as error:
            raise self._explained(error, "/app/installations") from None

    def graphql(self, query: str, **variables: Any) -> tuple[Json, list[Json]]:
        """What `query` answers, and the errors of those parts that came back as null.

        Raises TooMuchError where GitHub ran out of its time, UnknownFieldError where it is too old for a field,
        SourceError where nothing came at all.
        """
        where = self._graphql_url
        while True:
            try:
                headers, answer = self._whole(
                    lambda requester: _sent(
                        requester, "POST", where, {}, {"query": query, "variables": variables}
                    )
                )
            except GithubException as error:
                headers, answer = error.headers or {}, error.data
                if not objects(answer, "errors"):
                    raise self._explained(error, where) from None
            except requests.exceptions.RetryError as error:
                explained = self._explained(error, where)
                is_late = any(answered in str(explained) for answered in _OUT_OF_TIME)
                raise (TooMuchError(str(explained)) if is_late else explained) from None
            except _FAILURES as error:
                raise self._explained(error, where) from None
            self._meter.receive(_size(headers, answer))
            errors = objects(answer, "errors")
            if any(error.get("type") == "RATE_LIMITED" for error in errors):
                hold_back(self._hold, headers)
                continue
            data = mapping(answer, "data")
            if not errors and not data:
                raise SourceError(
                    f"github: {where} answered something other than GraphQL; is this GitHub's address?"
                )
            if any(_is_too_much(error) for error in errors):  # what came with it is a part of a part
                raise TooMuchError(f"github: {where} ran out of time: {self.said(errors[0])}")
            if any(data.values()) or not errors or any(error.get("type") == "NOT_FOUND" for error in errors):
                return data, errors
            refused = (
                f"github: {where} refused a query: {self.said(errors[0])};"
                " where this server is too old for it, set sources.github.graphql to false"
            )
            unknown = {field for error in errors if (field := _unknown_field(error))}
            raise UnknownFieldError(refused, unknown) if unknown else SourceError(refused)

    def get(self, path: str, /, **parameters: Any) -> Json:
        """The object at `path` below the API's address, such as `/repos/acme/checkout`; what is none is held by one."""
        return next(iter(objects([self._get(path, parameters)[1]])), {})

    def pages(
        self, path: str, /, key: str | None = None, page: int = 1, **parameters: Any
    ) -> Iterator[list[Any]]:
        """The lists at `path`, 100 items a page from page `page` on, below `key` where they are inside an object."""
        while True:
            headers, answer = self._get(path, {**parameters, "per_page": 100, "page": page})
            yield self.items(path, answer, key)
            if 'rel="next"' not in headers.get("link", ""):
                return
            page += 1

    def items(self, path: str, answer: Any, key: str | None = None) -> list[Json]:
        """The objects of the list that `path` answered, below `key`; raises SourceError where it is none.

        What is no object is held by one, to be set aside; a null tells nothing.
        """
        found = mapping(answer).get(key) if key else answer
        if not isinstance(found, list):
            raise SourceError(
                f"github: {self.url}{path} answered no list; is this the address of GitHub's API?"
            )
        return objects(found)

    def said(self, answer: Any, otherwise: str = "no message") -> str:
        """The message of an answer in one short line, without what opens GitHub."""
        return one_short_line(self.without_secrets(text(answer, "message") or otherwise))

    def without_secrets(self, told: str) -> str:
        """`told` without the token, the App's key, and the tokens that the App was given."""
        return hide(told, self._secrets)

    def _get(self, path: str, parameters: Json) -> tuple[Json, Any]:
        try:
            headers, answer = self._whole(lambda requester: _sent(requester, "GET", path, parameters))
        except (
            GithubException,
            requests.RequestException,
            ValueError,
            RuntimeError,
            AssertionError,
        ) as error:
            raise self._explained(error, path) from None
        self._meter.receive(_size(headers, answer))
        return headers, answer

    def _whole(self, send: Callable[[Requester], tuple[Json, Any]]) -> tuple[Json, Any]:
        """What `send` gets once a request may be sent.

        Sent again where the answer was cut off on its way, which urllib3 leaves to its user.
        """
        client = self._idle.pop() if self._idle else self._client()
        try:
            for attempt in stamina.retry_context(on=requests.exceptions.ChunkedEncodingError, attempts=3):
                with attempt:
                    self._hold.wait()
                    headers, answer = send(client.requester)
                    if headers.get("x-ratelimit-remaining") == "0":
                        hold_back(self._hold, headers)
                    return headers, answer
        finally:
            self._idle.append(client)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _explained(self, error: Exception, path: str) -> SourceError:
        where = path if path.startswith("http") else f"{self.url}{path}"
        if isinstance(error, GithubException):
            said = self.said(error.data)
            advice = _ADVICE.get(error.status, "try again later, or see githubstatus.com")
            is_refused = 400 <= error.status < 500 and error.status != 401
            known: dict[int, type[SourceError]] = {404: MissingError, 409: EmptyError, 410: EmptyError}
            kind = known.get(error.status, RefusedError if is_refused else SourceError)
            return kind(f"github: {where} answered {error.status}: {said}; {advice}")
        if isinstance(error, requests.exceptions.RetryError):
            return SourceError(f"github: {where} kept failing ({_innermost(error)}); try again later")
        if distrust := certificates.distrust(error):
            return SourceError(f"github: {where} cannot be reached: {distrust}; {certificates.ADVICE}")
        if isinstance(error, requests.RequestException):
            return SourceError(
                f"github: {where} cannot be reached ({_innermost(error)}); check sources.github.url and the network"
            )
        if isinstance(error, PyJWTError):
            return SourceError("github: sources.github.app.private_key is no private key; write file:KEY.pem")
        if isinstance(error, RuntimeError):
            return SourceError(f"github: {where} redirects elsewhere; check sources.github.url")
        return SourceError(f"github: {where} answered something other than JSON; check sources.github.url")


def _sent(
    requester: Requester, verb: str, path: str, parameters: Json, given: Json | None = None
) -> tuple[Json, Any]:
    """Headers and answer of one request; PyGithub's own reading stops at a single number that is too long."""
    status, headers, body = requester.requestJson(verb, path, parameters, input=given)
    try:
        answer = read_json(body) if body else None
    except ValueError:
        if status < 400 and body[0] in "{[":
            raise
        answer = {"data": body}
    if status >= 400:
        raise GithubException(status, answer, headers)
    return headers, answer


def _is_too_much(error: Json) -> bool:
    said = (text(error, "message") or "").lower()
    # "Something went wrong while executing your query" is what GitHub says where one of its own parts took too long
    return error.get("type") in _TOO_MUCH or "timeout" in said or "something went wrong" in said


def _unknown_field(error: Json) -> str | None:
    found = re.match(r"Field '(\w+)' doesn't exist on type '\w+'", text(error, "message") or "")
    return found[1] if found else None


def _size(headers: Json, answer: Any) -> int:
    """How many bytes came; where they were sent compressed in pieces of no told length, those of the JSON."""
    told = seconds(headers.get("content-length"))
    return int(told) if told is not None and 0 <= told < math.inf else len(json.dumps(answer))


def _innermost(error: BaseException) -> str:
    """The reason below the layers of requests and urllib3, without addresses of objects."""
    reason: Any = error
    while True:
        inner = getattr(reason, "reason", None) or next(
            (arg for arg in getattr(reason, "args", ()) if isinstance(arg, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            break
        reason = inner
    said = str(reason).rpartition(">: ")[2] or type(reason).__name__
    return re.sub(r"^HTTPS?Connection\([^)]*\): ", "", said)
