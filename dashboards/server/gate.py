"""What stands before Streamlit's server: whom it answers, what needs a login, and what browsers are told each time."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.url_util import make_url_path
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from config.errors import SixkeysError
from config.settings import Settings, load_settings
from config.text.legible import one_line
from dashboards.frame.access import Refused, access, is_current
from dashboards.server.headers import security_headers
from dashboards.server.hosts import answers_to, comes_from_here

log = logging.getLogger("sixkeys.gate")

_COOKIE = "sixkeys_view"
_LONGEST_LOGIN_SECONDS = 600
_LONGEST_VIEW = 2000
_HEALTH = "_stcore/health"
# what Streamlit's page needs before anybody can log in, and what of the rest asks nobody by itself
_OPEN = (_HEALTH, "_stcore/host-config", "_stcore/stream")
_CLOSED = ("_stcore/", "media/", "component/", "app/static/")
_MOST_TOLD = 20


class Gate:
    """Answers only who means the dashboard, and gives downloads and whatever is not the page to who is let in.

    Streamlit asks nobody. A login is led back to its view. `listens_at` is the server's address, None for every one.
    """

    def __init__(self, app: ASGIApp, config: Path, listens_at: str | None) -> None:
        self._app = app
        self._config = config
        self._listens_at = listens_at
        self._stamp = 0
        self._settings = Settings(organization="?")
        self._told: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers itself, or passes the request on."""
        if scope["type"] == "http":
            await self._page(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._stream(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        settings, is_read = self._now()
        request, path = Request(scope), scope.get("path", "")
        is_begun = False

        async def answer(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                headers.update(security_headers(settings.dashboard.framed_by))
            await send(message)

        host = request.headers.get("host", "")
        if path != _path(_HEALTH) and not answers_to(settings, self._listens_at, host):
            told = f'This dashboard does not answer to "{one_line(host)[:100]}": set dashboard.url or dashboard.hosts.'
            await PlainTextResponse(told, 421)(scope, receive, answer)
        elif _is_closed(path) and not (is_read and _is_let_in(request, settings)):
            await PlainTextResponse("Log in first.", 403)(scope, receive, answer)
        else:
            ways = {_path("auth/login"): _remembering, _path("oauth2callback"): _returning}
            send_on = ways[path](request, answer) if path in ways else answer
            try:
                await self._app(scope, receive, send_on)
            except Exception:
                if not is_begun:
                    await PlainTextResponse("This cannot be shown now.", 500)(scope, receive, answer)
                raise

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        settings, _ = self._now()
        headers = MutableHeaders(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        is_meant = answers_to(settings, self._listens_at, host)
        if is_meant and origin is not None:
            is_meant = comes_from_here(settings, host, origin)
            # as if no proxy had changed it: for another name Streamlit would ask the internet for its own address
            headers["host"] = urlsplit(origin).netloc if is_meant else host
        if is_meant:
            await self._app(scope, receive, send)
            return
        about = f"{one_line(origin or '')[:100]} for {one_line(host)[:100]}"
        if about not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(about)
            log.warning(
                "refused a page of %s; if that is this dashboard, set dashboard.url or dashboard.hosts", about
            )
        await send({"type": "websocket.close", "code": 1008})

    def _now(self) -> tuple[Settings, bool]:
        """(the settings as the file has them, or had them when it could be read last; whether it can be read now)."""
        try:
            stamp = self._config.stat().st_mtime_ns
            if stamp != self._stamp:
                self._settings = load_settings(self._config)
                self._stamp = stamp
        except (SixkeysError, OSError):
            return self._settings, False
        return self._settings, True


def _path(below: str) -> str:
    return make_url_path(st.get_option("server.baseUrlPath") or "", below)


def _is_closed(path: str) -> bool:
    return path.startswith(tuple(map(_path, _CLOSED))) and path not in map(_path, _OPEN)


def _is_let_in(request: Request, settings: Settings) -> bool:
    auth = settings.dashboard.auth
    if auth is None:
        return True
    claims = _claims(request)
    try:
        return bool(access(auth, claims)) and is_current(auth, claims, datetime.now(UTC))
    except Refused:
        return False


def _claims(request: Request) -> dict[str, Any]:
    """The claims in the cookie that Streamlit signed at the login; none where it is absent or not its own."""

    def signed(name: str) -> bytes | None:
        value = request.cookies.get(name, "").encode("latin-1", "replace")
        return decode_signed_value(get_cookie_secret(), name, value)

    found = get_cookie_with_chunks(signed, USER_COOKIE_NAME)
    return json.loads(found) if found else {}


def _remembering(request: Request, send: Send) -> Send:
    """Keeps the page that the login began on in a cookie, since Streamlit leads back to the first page only."""
    page = urlsplit(request.headers.get("referer", ""))
    view = f"{page.path}?{page.query}" if page.query else page.path
    is_ours = page.netloc == request.headers.get("host") and page.path.startswith(_path("/"))

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start" and is_ours and len(view) < _LONGEST_VIEW:
            _set_cookie(message, view, _LONGEST_LOGIN_SECONDS)
        await send(message)

    return answer


def _returning(request: Request, send: Send) -> Send:
    """Leads to the page that the login began on, if it is one of this dashboard's."""
    view = request.cookies.get(_COOKIE, "").strip('"')
    is_ours = view.startswith(_path("/")) and not view.startswith(("//", "/\\")) and view.isprintable()

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start" and is_ours and 300 <= message["status"] < 400:
            MutableHeaders(raw=message["headers"])["location"] = view
            _set_cookie(message, "", 0)
        await send(message)

    return answer


def _set_cookie(message: Message, view: str, seconds: int) -> None:
    response = Response()
    response.set_cookie(_COOKIE, view, max_age=seconds, httponly=True, samesite="lax", path=_path("/"))
    message["headers"] = [*message["headers"], *(h for h in response.raw_headers if h[0] == b"set-cookie")]
