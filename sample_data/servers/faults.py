"""Faults that real services show, between a server and any WSGI application that answers well.

`faulty = Faulty(app)`, then `faulty.next(reset)` for the next request, or `faulty.next(stall, times=None)` for all.
"""

import contextlib
import io
import json
import os
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from werkzeug import Request, Response
from werkzeug.test import run_wsgi_app

Environ = dict[str, Any]
App = Callable[[Environ, Any], Iterable[bytes]]
Fault = Callable[["Faulty", Environ, Any], Iterable[bytes]]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_UNKNOWN = "NEVER_HEARD_OF"


@dataclass
class _Armed:
    fault: Fault
    path: str
    left: int | None


class Faulty:
    """A WSGI application that answers as `app` does, but where it was told to fail; `asked` lists all that was asked.

    Used as a context manager it lets go of whom it keeps waiting.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.asked: list[str] = []
        self.over = threading.Event()
        self.last: dict[str, Any] = {}
        self.repeats = 0
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()

    def next(self, fault: Fault, path: str = "", times: int | None = 1) -> None:
        """Answers the next `times` requests (None: all) whose path contains `path` with `fault`."""
        self._armed.append(_Armed(fault, path, times))

    @contextlib.contextmanager
    def all(self, fault: Fault, path: str = "") -> Iterator[None]:
        """Answers every such request with `fault` while the context lasts."""
        armed = _Armed(fault, path, None)
        self._armed.append(armed)
        yield
        self._armed.remove(armed)

    def __enter__(self) -> "Faulty":
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """The answer to a request, good or bad."""
        with self._lock:
            path = Request(environ).full_path.removesuffix("?")
            self.asked.append(path)
            fault = self._due(path)
        if fault is None:
            return self.app(environ, start_response)
        # an unread body would be taken for the next request of a kept connection
        body = Request(environ).get_data()
        return fault(self, {**environ, "wsgi.input": io.BytesIO(body)}, start_response)

    def _due(self, path: str) -> Fault | None:
        for armed in self._armed:
            if armed.path in path and armed.left != 0:
                if armed.left is not None:
                    armed.left -= 1
                return armed.fault
        return None


def status(code: int, body: Any = "", **headers: str) -> Fault:
    """An answer of this status; `body` a text or what is sent as JSON. `Retry_After` stands for `Retry-After`."""
    text = body if isinstance(body, str) else json.dumps(body)
    told = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(_: Faulty, environ: Environ, start_response: Any) -> Iterable[bytes]:
        kind = "text/html" if text.startswith("<") else "application/json"
        return Response(text, code, told, content_type=kind)(environ, start_response)

    return answer


def secondary_limit(seconds: int) -> Fault:
    """GitHub's refusal of too many requests at once, which asks to wait `seconds`.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    body = {
        "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
        "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    }
    remaining = {"x_ratelimit_limit": "5000", "x_ratelimit_remaining": "4931", "x_ratelimit_used": "69"}
    return status(403, body, Retry_After=str(seconds), **remaining)


html = status(200, "<!doctype html><title>Sign in</title><p>Please sign in to go on.")


def reset(_: Faulty, environ: Environ, start_response: Any) -> Iterable[bytes]:
    """A connection that is reset before anything was answered."""
    connection = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # the server still holds the connection: it is left with one whose other end is gone
    here, there = socket.socketpair()
    with here, there:
        os.dup2(here.fileno(), connection.fileno())
    raise ConnectionResetError


def stall(faulty: Faulty, environ: Environ, start_response: Any) -> Iterable[bytes]:
    """An answer that does not come before `faulty` is left."""
    faulty.over.wait()
    raise ConnectionResetError


def truncated(faulty: Faulty, environ: Environ, start_response: Any) -> Iterable[bytes]:
    """The true answer, of which the second half is lost on the way."""
    body, state, headers = run_wsgi_app(faulty.app, environ)
    whole = b"".join(body)
    start_response(
        state, [*((k, v) for k, v in headers if k != "Content-Length"), ("Content-Length", str(len(whole)))]
    )

    def half() -> Iterable[bytes]:
        yield whole[: len(whole) // 2]
        with contextlib.suppress(OSError):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError

    return half()


def changed(change: Callable[[Faulty, Any], Any]) -> Fault:
    """The true answer with its JSON changed."""

    def answer(faulty: Faulty, environ: Environ, start_response: Any) -> Iterable[bytes]:
        body, state, headers = run_wsgi_app(faulty.app, environ)
        whole = b"".join(body)
        with contextlib.suppress(ValueError):
            whole = json.dumps(change(faulty, json.loads(whole))).encode()
        kept = {name: value for name, value in headers.items() if name.lower() != "content-length"}
        return Response(whole, state, kept)(environ, start_response)

    return answer


def null(key: str) -> Fault:
    """Nothing where an object `key` was, everywhere."""
    return changed(
        lambda _, value: _everywhere(value, lambda k, v: None if k == key and isinstance(v, dict) else v)
    )


def null_items(key: str) -> Fault:
    """A null at the head of every list `key`, or of an answer that is a list."""

    def change(_: Faulty, value: Any) -> Any:
        found = _everywhere(value, lambda k, v: [None, *v] if k == key and isinstance(v, list) else v)
        return [None, *found] if isinstance(found, list) else found

    return changed(change)


def unknown(key: str) -> Fault:
    """A word that nobody has heard of where a text `key` was, everywhere."""
    return changed(
        lambda _, value: _everywhere(value, lambda k, v: _UNKNOWN if k == key and isinstance(v, str) else v)
    )


def _offset(key: str, value: Any) -> Any:
    if not (isinstance(value, str) and _INSTANT.fullmatch(value)):
        return value
    at = datetime.fromisoformat(value).replace(tzinfo=UTC)
    return at.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()


offset = changed(lambda _, value: _everywhere(value, _offset))
"""Instants with a time zone's offset in place of Z."""

milliseconds = changed(
    lambda _, value: _everywhere(
        value, lambda k, v: f"{v[:-1]}.000Z" if isinstance(v, str) and _INSTANT.fullmatch(v) else v
    )
)
"""Instants with milliseconds."""


def repeated(key: str) -> Fault:
    """Each page of `key` begins with the last item of the page before, as where something new shifted all by one."""

    def change(faulty: Faulty, value: Any) -> Any:
        def again(name: str, found: Any) -> Any:
            items = found.get("nodes") if isinstance(found, dict) and "pageInfo" in found else found
            if name != key or not isinstance(items, list) or not items:
                return found
            before, faulty.last[key] = faulty.last.get(key), items[-1]
            faulty.repeats += before is not None
            shifted = items if before is None else [before, *items]
            return {**found, "nodes": shifted} if isinstance(found, dict) else shifted

        return again(key, value) if isinstance(value, list) else _everywhere(value, again)

    return changed(change)


def _everywhere(value: Any, change: Callable[[str, Any], Any]) -> Any:
    """`value` with what `change` makes of each key and value at any depth, from the innermost outwards."""
    if isinstance(value, dict):
        return {key: change(key, _everywhere(part, change)) for key, part in value.items()}
    if isinstance(value, list):
        return [_everywhere(part, change) for part in value]
    return value
