"""What stands before Streamlit's server: downloads are for who is let in, a login leads back to its view."""

import json
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
from config.settings import load_settings
from dashboards.frame.access import Refused, access, is_current

_COOKIE = "sixkeys_view"
_LONGEST_LOGIN_SECONDS = 600
_LONGEST_VIEW = 2000


class Gate:
    """Refuses downloads to whoever is not let in, since Streamlit asks nobody; leads a login back to its view."""

    def __init__(self, app: ASGIApp, config: Path) -> None:
        self._app = app
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 403, or passes the request on."""
        path = scope.get("path", "")
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif path.startswith(_path("media/")) and not _is_let_in(Request(scope), self._config):
            await PlainTextResponse("Log in first.", 403)(scope, receive, send)
        elif path == _path("auth/login"):
            await self._app(scope, receive, _remembering(Request(scope), send))
        elif path == _path("oauth2callback"):
            await self._app(scope, receive, _returning(Request(scope), send))
        else:
            await self._app(scope, receive, send)


def _path(below: str) -> str:
    return make_url_path(st.get_option("server.baseUrlPath") or "", below)


def _is_let_in(request: Request, config: Path) -> bool:
    try:
        auth = load_settings(config).dashboard.auth
        if auth is None:
            return True
        claims = _claims(request)
        return bool(access(auth, claims)) and is_current(auth, claims, datetime.now(UTC))
    except (SixkeysError, Refused):
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
