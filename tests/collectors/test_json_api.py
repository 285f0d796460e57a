"""The client of JSON APIs: what it tries again, how long it waits, what it never shows."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import stamina
from pydantic import SecretStr
from werkzeug import Request, Response

from collectors.contract.items import AskedToWait, SourceError
from collectors.github.api import GitHubApi
from collectors.github.rate_limit import hold_back
from collectors.transport.cost import Meter, metered
from collectors.transport.json_api import Api
from collectors.transport.pacing import Hold
from config.sources import GitHub
from tests.support.loopback import Loopback, closed_address

TOKEN = "http-secret-1"


def good(request: Request) -> Response:
    return Response('{"good": true}', content_type="application/json")


def api_at(url: str, token: str = TOKEN) -> Api:
    return Api("jenkins", url, token, {"Authorization": f"Bearer {token}"}, "sources.jenkins.token")


def get(server: Loopback) -> dict[str, Any]:
    with api_at(server.url) as api:
        return api.get("/things", {"limit": 1})


def refusal(*faults: Any, attempts: int = 20) -> tuple[str, int]:
    """What is said after `faults`, and how many requests were made."""
    testing = stamina.set_testing(True, attempts=attempts, cap=True)
    with testing, Loopback(good, faults=faults) as server, pytest.raises(SourceError) as caught:
        get(server)
    return str(caught.value).replace(server.url, ""), len(server.requests)


@pytest.mark.parametrize("headers", [{"Retry-After": "1"}, {"ratelimit-reset": "1"}])
def test_a_rate_limit_is_waited_out_as_long_as_it_asks(headers: dict[str, str]) -> None:
    with Loopback(good, faults=[Response("{}", 429, headers)]) as server:
        begun = datetime.now(UTC)
        assert get(server) == {"good": True}
        assert 1 <= (datetime.now(UTC) - begun).total_seconds() < 3
    assert len(server.requests) == 2


def test_an_http_date_tells_the_wait_as_well() -> None:
    past = Response("{}", 429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    with Loopback(good, faults=[past]) as server:
        assert get(server) == {"good": True}


def test_a_used_up_rate_limit_holds_the_next_request_back() -> None:
    last = Response("{}", headers={"ratelimit-remaining": "0", "ratelimit-reset": "1"})
    with Loopback(good, faults=[last]) as server, api_at(server.url) as api:
        begun = datetime.now(UTC)
        api.get("/things")
        api.get("/things")
        assert (datetime.now(UTC) - begun).total_seconds() >= 1


def test_a_rate_limit_that_asks_for_an_hour_ends_the_run_and_says_until_when() -> None:
    begun = datetime.now(UTC)
    with Loopback(good, faults=[Response("{}", 429, {"Retry-After": "3600"})]) as server:
        with pytest.raises(
            AskedToWait, match=r"jenkins: asks to wait until .* UTC; a run after that"
        ) as caught:
            get(server)
        assert len(server.requests) == 1
    assert abs((caught.value.until - begun).total_seconds() - 3600) < 60


@pytest.mark.parametrize("asked", ["1e300", "inf", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_is_left_in_peace_for_longer_than_a_day(asked: str) -> None:
    begun = datetime.now(UTC)
    asking = Response("{}", 503, {"Retry-After": asked})
    with Loopback(good, faults=[asking]) as server, pytest.raises(AskedToWait) as caught:
        get(server)
    assert abs((caught.value.until - begun).total_seconds() - 86_400) < 60


ODD = [
    "Mon, 01 Jan 2026 00:00:00 +99999999999999",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "9" * 5_000,
    "nan",
    "-inf",
    "\u00b2",
    "soon",
]


@pytest.mark.parametrize("told", ODD)
def test_a_wait_that_is_no_number_and_no_date_of_any_calendar_breaks_nothing(told: str) -> None:
    names = ("retry-after", "ratelimit-reset", "ratelimit-remaining", "x-ratelimit-reset")
    odd = dict.fromkeys(names, told) | {"x-ratelimit-remaining": "0"}
    with (
        metered(Meter(longest_wait_seconds=0)),
        Loopback(good, [Response("{}", 429, odd)]) as server,
        suppress(AskedToWait),
    ):
        assert get(server) == {"good": True}
    limited = Response('{"message": "API rate limit exceeded"}', 429, odd)
    with metered(Meter(longest_wait_seconds=0)), Loopback(good, [limited]) as server:
        source = GitHub(url=f"{server.url}/api/v3", token=SecretStr(TOKEN), repositories=["acme/*"])
        with GitHubApi(source) as api, suppress(AskedToWait):
            assert api.get("/user") == {"good": True}
    hold_back(Hold(Meter(), "github"), odd)


def test_many_short_waits_are_bounded_as_one_long_one_is() -> None:
    short = [Response("{}", 429, {"Retry-After": "1"})] * 9
    with Loopback(good, faults=short) as server, metered(Meter(longest_wait_seconds=1.5)) as meter:
        with pytest.raises(AskedToWait):
            get(server)
        assert len(server.requests) == 2
    assert 0.9 < meter.waited_seconds < 1.5


def test_a_used_up_limit_that_is_far_from_its_end_leaves_the_answer_and_ends_the_next_request() -> None:
    last = Response('{"n": 1}', headers={"ratelimit-remaining": "0", "ratelimit-reset": "3600"})
    with Loopback(good, faults=[last]) as server, api_at(server.url) as api:
        assert api.get("/things") == {"n": 1}
        with pytest.raises(AskedToWait):
            api.get("/things")
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_that_passes_is_not_noticed(status: int) -> None:
    with stamina.set_testing(True, attempts=2), Loopback(good, faults=[Response("oops", status)]) as server:
        assert get(server) == {"good": True}


@pytest.mark.parametrize(("status", "tries"), [(500, 2), (502, 4), (503, 4), (504, 4)])
def test_a_server_error_that_stays_ends_the_run_after_a_few_tries(status: int, tries: int) -> None:
    said, requests = refusal(*[Response(f"oops {TOKEN}", status)] * 9)
    assert said == f"jenkins: /things answered {status}: oops **********; try again later"
    assert requests == tries


def test_an_answer_that_was_cut_off_is_asked_for_again() -> None:
    def cut(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "5000")])
        return [b'{"good": ']

    with stamina.set_testing(True, attempts=2), Loopback(good, faults=[cut]) as server:
        assert get(server) == {"good": True}
    assert len(server.requests) == 2


def test_a_redirect_is_not_followed_with_a_token() -> None:
    with Loopback(good) as other:
        redirect = Response(status=302, headers={"Location": f"{other.url}/things?t={TOKEN}"})
        said, requests = refusal(redirect)
    assert said.startswith("jenkins: /things answered 302, a redirect, which is not followed with a token")
    assert TOKEN not in said
    assert (requests, other.requests) == (1, [])


def led(to: str, status: int = 302) -> Callable[[Request], Response]:
    """An API that sends on to `to` from everywhere but `/there`."""

    def answer(request: Request) -> Response:
        return (
            good(request) if request.path == "/there" else Response(status=status, headers={"Location": to})
        )

    return answer


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_without_a_token_a_redirect_is_followed_on_the_same_host_only(status: int) -> None:
    with Loopback(good) as other:
        for elsewhere in (
            f"{other.url}/there",  # another port
            f"{other.url.replace('127.0.0.1', 'localhost')}/there",
            "https://127.0.0.1/there",
            "ftp://127.0.0.1/there",
            "//10.0.0.1/latest/meta-data",
        ):
            with Loopback(led(elsewhere, status)) as server, pytest.raises(SourceError) as caught:
                Api("survey", server.url).get("/form?key=hush")
            host = urlsplit(elsewhere).hostname
            assert str(caught.value).replace(server.url, "") == (
                f"survey: /form leads to {host}, which is not followed; configure the address that is meant"
            )
        assert other.requests == []
    with Loopback(led("/there", status)) as server:
        assert Api("survey", server.url).get("/form") == {"good": True}


def test_hosts_that_are_named_are_followed_to() -> None:
    with Loopback(good) as other:
        to = f"{other.url.replace('127.0.0.1', 'localhost')}/there"
        with Loopback(led(to)) as server:
            assert Api("survey", server.url, leads_to=["local*"]).get("/form") == {"good": True}
            with pytest.raises(SourceError, match="leads to localhost"):
                Api("survey", server.url, leads_to=["*.example"]).get("/form")
    assert len(other.requests) == 1


def test_a_circle_of_redirects_ends() -> None:
    with Loopback(led("/form")) as server, pytest.raises(SourceError, match="one redirect after the other"):
        Api("survey", server.url).get("/form")
    assert len(server.requests) < 10


@pytest.mark.parametrize(
    ("status", "kind"), [(500, "text/plain"), (404, "application/json"), (200, "text/html")]
)
def test_without_a_token_what_came_is_told_by_type_and_size_alone(status: int, kind: str) -> None:
    answer = Response("the machine's own secret", status, content_type=kind)
    with (
        stamina.set_testing(True, attempts=2),
        Loopback(lambda request: answer) as server,
        pytest.raises(SourceError, match=rf"{kind}.*\(24 bytes\)") as caught,
    ):
        Api("survey", server.url).get("/form")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Response("no", 401),
            "jenkins: /things answered 401: no; the token is wrong, expired or may not read this: ",
        ),
        (
            Response("no", 403),
            "jenkins: /things answered 403: no; the token is wrong, expired or may not read this: ",
        ),
        (Response("no", 404), "jenkins: /things answered 404: no; check that the configured url"),
        (
            Response(f"<p>{TOKEN}", content_type="text/html"),
            "jenkins: /things answered with text/html in place of JSON: <p>***",
        ),
        (
            Response("", content_type="application/json"),
            "jenkins: /things answered with application/json in place of JSON: nothing",
        ),
        (Response("[1]"), "jenkins: /things answered with JSON that is no object: [1]"),
    ],
)
def test_an_answer_of_no_use_says_what_came_and_is_final(answer: Response, said: str) -> None:
    found, requests = refusal(answer)
    assert found.startswith(said)
    assert requests == 1


@pytest.mark.parametrize(
    "echo",
    [" " * 1_991 + TOKEN, TOKEN.upper(), f"{TOKEN[:6]}\n {TOKEN[6:]}", "." * 110 + TOKEN],
    ids=str.strip,
)
def test_no_part_of_a_token_is_shown_wherever_an_answer_is_cut(echo: str) -> None:
    found, _ = refusal(Response(echo, 404, content_type=f"text/{TOKEN}"))
    assert TOKEN[:8] not in "".join(found.lower().split())
    assert TOKEN[-8:] not in "".join(found.lower().split())


def test_a_status_that_the_caller_accepts_is_an_answer() -> None:
    with Loopback(good, faults=[Response("no", 404)]) as server, api_at(server.url) as api:
        assert api.send("/things", accept=(404,)).status_code == 404


@pytest.mark.parametrize("token", ["two\nlines", "schlüssel"])
def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(SourceError, match=r"set sources\.jenkins\.token again") as caught:
        api_at("http://127.0.0.1:9", token)
    assert token not in str(caught.value)


def test_a_key_in_an_address_is_never_shown() -> None:
    with Loopback(good, faults=[Response("no", 404)]) as server, pytest.raises(SourceError) as caught:
        Api("survey", server.url).send("/form?key=hush")
    assert "/form answered 404" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_refused_connection_says_which_address() -> None:
    url = closed_address()
    with (
        stamina.set_testing(True, attempts=2),
        pytest.raises(SourceError, match="Connection refused") as caught,
    ):
        api_at(url).get("/things")
    assert f"{url}/things" in str(caught.value)
