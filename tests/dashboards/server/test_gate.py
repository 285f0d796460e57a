"""The gate before the dashboard, by real HTTP and WebSocket: who is answered, and what browsers are told."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect
from pydantic import ValidationError
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send
from werkzeug import Response

from config.access import Auth, Dashboard
from config.settings import Settings
from config.survey import SurveyPage
from dashboards.server.gate import Gate
from dashboards.server.hosts import answers_to, comes_from_here
from tests.support.loopback import PATIENCE, Loopback
from tests.support.running_dashboard import Running

EVERYWHERE = (
    "",
    "metric?team=x",
    "static/js/none.js",
    "_stcore/health",
    "_stcore/host-config",
    "media/none",
    "auth/login",
)


def get(running: Running, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{running.url}/{path}", headers=headers, trust_env=False, timeout=PATIENCE)


def handshake(running: Running, host: str, origin: str | None) -> int:
    """What a page of `origin` gets that opens the dashboard's WebSocket by the name `host`: 101, or why not."""
    headers = {
        "host": host,
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "c2l4a2V5cyBhcmUgaGVyZQ==",
        **({"origin": origin} if origin else {}),
    }
    url = f"{running.url}/_stcore/stream"
    with httpx.stream("GET", url, headers=headers, trust_env=False, timeout=PATIENCE) as answer:
        return answer.status_code


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_has_the_headers(small_dashboard: Running, path: str) -> None:
    for host in (small_dashboard.url.removeprefix("http://"), "evil.example"):
        headers = get(small_dashboard, path, host=host).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
        assert "unsafe-inline" not in policy["script-src"]
        assert "unsafe-eval" not in policy["script-src"].replace("wasm-unsafe-eval", "")
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 101),
        ("localhost:{port}", 101),
        ("[::1]:{port}", 101),
        ("evil.example", 403),
        ("evil.example:{port}", 403),
        ("127.0.0.1.evil.example:{port}", 403),
        ("localhost.evil.example", 403),
        ("10.0.0.1:{port}", 403),
        ("evil.example@127.0.0.1:{port}", 403),
        ("127.0.0.1:{port}@evil.example", 403),
    ],
)
def test_a_name_that_is_made_to_lead_here_gets_nothing(
    small_dashboard: Running, host: str, status: int
) -> None:
    host = host.format(port=small_dashboard.url.rpartition(":")[2])
    assert handshake(small_dashboard, host, f"http://{host}") == status
    answer = get(small_dashboard, "metric", host=host)
    assert answer.status_code == (200 if status == 101 else 421)
    if status == 403:
        assert answer.text.startswith("This dashboard does not answer to ")
        assert "dashboard.hosts" in answer.text
    assert get(small_dashboard, "_stcore/health", host=host).text == "ok"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 101),
        ("http://{own}", 101),
        ("http://localhost:{port}", 403),
        ("http://127.0.0.1:1", 403),
        ("https://{own}", 101),
        ("http://evil.example", 403),
        ("http://{own}.evil.example", 403),
        ("http://evil.example/{own}", 403),
        ("null", 403),
        ("file://", 403),
        ("http://", 403),
    ],
)
def test_a_page_elsewhere_cannot_open_the_stream(
    small_dashboard: Running, origin: str | None, status: int
) -> None:
    own = small_dashboard.url.removeprefix("http://")
    port = own.rpartition(":")[2]
    assert handshake(small_dashboard, own, origin and origin.format(own=own, port=port)) == status


def test_no_page_elsewhere_may_send_messages_into_a_frame(small_dashboard: Running) -> None:
    assert get(small_dashboard, "_stcore/host-config").json()["allowedOrigins"] == []


def test_only_a_page_whose_origin_is_named_shows_it_in_a_frame(small_dashboard: Running) -> None:
    page = f'<!doctype html><iframe src="{small_dashboard.url}" width="1200" height="900"></iframe>'
    config = small_dashboard.settings.warehouse.parent / "sixkeys.yaml"
    before = config.read_text()
    portal = Loopback(lambda request: Response(page, content_type="text/html"))
    with portal, small_dashboard.browser.new_context() as context:
        tab = context.new_page()
        tile = tab.frame_locator("iframe").locator(".six-tile").first
        try:
            with tab.expect_console_message(
                lambda told: "frame-ancestors" in told.text, timeout=PATIENCE * 1000
            ):
                tab.goto(portal.url)
            expect(tile).to_have_count(0)
            config.write_text(before + f"dashboard: {{framed_by: [{portal.url}]}}\n")
            headers = get(small_dashboard, "").headers
            assert headers["content-security-policy"].endswith(f"frame-ancestors {portal.url}")
            assert "x-frame-options" not in headers
            tab.goto(portal.url)
            expect(tile).to_be_visible()
        finally:
            config.write_text(before)


LOOPBACK, NETWORK, EVERY = "127.0.0.1", "10.1.2.3", None
NAMED = {"hosts": ["sixkeys", "*.acme.example"], "url": "https://metrics.example/sixkeys", "public": True}


@pytest.mark.parametrize(
    ("listens_at", "dashboard", "host", "is_answered"),
    [
        # a name is needed to make a browser mistake the host, an address in numbers is none
        (NETWORK, {"public": True}, "10.1.2.3:8501", True),
        (EVERY, {"public": True}, "192.168.0.7", True),
        (EVERY, {"public": True}, "[fd00::7]:8501", True),
        (LOOPBACK, {}, "192.168.0.7", False),
        (EVERY, {"public": True}, "localhost:8501", True),
        (EVERY, {"public": True}, "sixkeys:8501", False),
        (EVERY, {"public": True}, "evil.example", False),
        (EVERY, {"public": True}, "", False),
        ("sixkeys.internal", {"public": True}, "SIXKEYS.internal.:8501", True),
        # behind a proxy, which asks here by the name that people use or by one of its own
        (LOOPBACK, NAMED, "metrics.example", True),
        (LOOPBACK, NAMED, "metrics.example:443", True),
        (EVERY, NAMED, "sixkeys:8501", True),
        (EVERY, NAMED, "x.acme.example", True),
        (EVERY, NAMED, "acme.example", False),
        (EVERY, NAMED, "evilacme.example", False),
        (EVERY, {"hosts": ["*"], "public": True}, "whatever.example", True),
    ],
)
def test_the_names_that_are_answered(
    listens_at: str | None, dashboard: dict[str, Any], host: str, is_answered: bool
) -> None:
    settings = Settings(organization="acme", dashboard=Dashboard(**dashboard))
    assert answers_to(settings, listens_at, host) is is_answered


def test_where_people_log_in_every_name_is_answered_and_a_page_elsewhere_is_not() -> None:
    auth = Auth.model_construct(domains=["acme.example"])
    settings = Settings(organization="acme", dashboard=Dashboard(auth=auth, url="https://sixkeys.example"))
    assert answers_to(settings, None, "evil.example")
    assert not comes_from_here(settings, "sixkeys.example", "https://evil.example")
    assert comes_from_here(settings, "upstream:8501", "https://sixkeys.example")
    assert comes_from_here(settings, "other.example:443", "https://other.example")
    assert not comes_from_here(settings, "other.example:8501", "https://other.example")


def test_the_survey_s_own_address_is_answered() -> None:
    page = SurveyPage.model_construct(url="https://survey.acme.example")
    settings = Settings.model_construct(dashboard=Dashboard(), survey_page=page)
    assert answers_to(settings, LOOPBACK, "survey.acme.example")


@pytest.mark.parametrize("name", ["http://sixkeys", "a b", "sixkeys:8501", "", "*.", "a/b", "*evil"])
def test_what_is_no_name_of_a_host_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="is no name of a host"):
        Dashboard(hosts=[name])


@pytest.mark.parametrize(
    "origin", ["portal.example", "https://a.example/x", "*", "https://a; script-src *", "'self'"]
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError, match="is no origin"):
        Dashboard(framed_by=[origin])


def answered(gate: Gate, **scope: Any) -> list[Message]:
    """What the gate sends for a request; what the server behind it raises is left to it."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    asked = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    with suppress(ZeroDivisionError, StopIteration):  # it ends, since nothing here is waited for
        gate(asked | scope, receive, send).send(None)  # type: ignore[attr-defined]
    return sent


def test_a_failing_server_s_answer_has_the_headers_too(tmp_path: Path) -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    start, *_ = answered(Gate(failing, tmp_path / "none.yaml", "127.0.0.1"))
    assert start["status"] == 500
    assert b"content-security-policy" in dict(start["headers"])


def test_a_broken_configuration_opens_nothing(tmp_path: Path) -> None:
    config = tmp_path / "sixkeys.yaml"

    async def fine(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("fine")(scope, receive, send)

    config.write_text("organization: acme\ndashboard: {hosts: [sixkeys.example]}\n")
    gate = Gate(fine, config, "127.0.0.1")
    known = {"headers": [(b"host", b"sixkeys.example")]}
    assert answered(gate, path="/media/x", **known)[0]["status"] == 200
    config.write_text("organization: [")
    assert answered(gate, path="/", **known)[0]["status"] == 200
    assert answered(gate, path="/media/x", **known)[0]["status"] == 403
    assert answered(gate, headers=[(b"host", b"evil.example")])[0]["status"] == 421
