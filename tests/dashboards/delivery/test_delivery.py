"""Delivery of scorecards to a directory, Slack and webhooks on loopback: once, to whom it is meant, with what may pass
tried again."""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from werkzeug import Response

from config.settings import Recipients, Reports, Settings, load_settings
from dashboards.delivery.deliver import Delivery, deliver
from dashboards.delivery.dry_run import planned
from dashboards.delivery.scorecard_parcels import file_stem, scorecard_parcels
from dashboards.delivery.slack import BLOCKS, SECTION, escape, message
from dashboards.scorecards.rendering import FORMATS, render
from tests.conftest import Small
from tests.support.loopback import PATIENCE, SECRET, Loopback, Receiver, broken_off, closed_address, webhook
from tests.support.mail_server import email, mail_server
from tests.support.small_scorecard import HOSTILE, scorecard
from warehouse.scorecards.delivery_book import claim
from warehouse.trust.matching import report

CONTENT = scorecard("payments")
PAYMENTS = scorecard(scope="team", name="payments")
VARIABLE = "SIXKEYS_TEST_UNSET"


def settings(folder: Path, **reports: Any) -> Settings:
    return Settings(
        organization="acme",
        warehouse=folder / "w.duckdb",
        reports=Reports(directory=folder / "scorecards", **reports),
    )


def sent(
    of: Settings,
    contents: Sequence[dict[str, Any]] = (CONTENT,),
    attempts: int = 1,
    timeout: float = PATIENCE,
    **how: Any,
) -> list[Delivery]:
    """What became of the scorecards; the directory is left out, which is a test of its own."""
    parcels = [one for one in scorecard_parcels(contents, of, timeout) if one.channel != "directory"]
    return deliver(of, parcels, attempts=attempts, **how)


def slack(server: Loopback) -> SecretStr:
    return SecretStr(f"{server.url}/services/T/B/s3cret")


class TestDirectory:
    def test_each_form_is_a_file_of_the_week(self, tmp_path: Path) -> None:
        of = settings(tmp_path / "new")
        (done,) = deliver(of, scorecard_parcels([CONTENT], of))
        assert (done.channel, done.error) == ("directory", None)
        folder = tmp_path / "new" / "scorecards" / "2026-W46"
        found = {path.name: path.read_text() for path in folder.iterdir()}
        assert found == {f"organisation-acme.{format}": render(CONTENT, format) for format in FORMATS}

    @given(st.lists(st.text(min_size=1), min_size=1, unique=True))
    def test_any_names_are_files_of_their_own(self, names: list[str]) -> None:
        stems = [file_stem("team", name) for name in names]
        assert len(set(stems)) == len(names)
        assert all(re.fullmatch(r"team-[a-z0-9-]{1,70}", stem) for stem in stems)

    def test_a_directory_that_cannot_be_written_is_told_and_tried_again(self, tmp_path: Path) -> None:
        (tmp_path / "scorecards").write_text("a file")
        of = settings(tmp_path)
        parcels = scorecard_parcels([CONTENT], of)
        (done,) = deliver(of, parcels, attempts=1)
        assert done.error is not None
        assert "check reports.directory" in done.error
        (tmp_path / "scorecards").unlink()
        (done,) = deliver(of, parcels, attempts=1)
        assert done.error is None


class TestSlack:
    def test_the_channel_gets_the_summary_as_blocks(self, tmp_path: Path) -> None:
        with Receiver() as server:
            (done,) = sent(settings(tmp_path, slack_webhook=slack(server)))
        assert done.error is None
        assert [json.loads(body) for body in server.bodies] == [message(CONTENT)]
        texts = server.bodies[0].decode()
        for part in (
            "acme: week 2026-W46",
            "1 of 4 targets met",
            "*3.2 h* (missed, target &lt; 1 hour, n 96)",
            "payments",
        ):
            assert part in texts

    @pytest.mark.parametrize("answer", [(404, "no_service"), (302, ""), (400, "x" * 500)])
    def test_a_refusal_is_told_without_the_address_and_left_to_a_person(
        self, tmp_path: Path, answer: tuple[int, str]
    ) -> None:
        status, text = answer
        with Receiver(Response(text, status)) as server:
            of = settings(tmp_path, slack_webhook=slack(server))
            (done,) = sent(of, attempts=3)
            assert sent(of) == []
            assert len(server.requests) == 1
            (mended,) = sent(of, by_hand=True)
        assert str(status) in str(done.error)
        assert "s3cret" not in repr(done)
        assert len(str(done.error)) < 220
        assert mended.error is None

    def test_a_secret_that_is_not_there_holds_up_no_other_and_is_sent_once_it_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv(VARIABLE, raising=False)
        it = f'"${{{VARIABLE}}}"'
        (tmp_path / "sixkeys.yaml").write_text(
            f"organization: acme\nwarehouse: w.duckdb\nreports:\n  slack_webhook: {it}\n"
            f"  webhook: {{url: {it}, secret: {it}}}\n"
            f"  email: {{host: h.example, sender: a@b.example, password: {it}, recipients: [a@b.example]}}\n"
        )
        (folder, *missing) = deliver(
            load_settings(tmp_path / "sixkeys.yaml"),
            scorecard_parcels([CONTENT], load_settings(tmp_path / "sixkeys.yaml")),
            attempts=3,
        )
        assert folder.error is None
        assert [(one.channel, (one.error or "").partition(": ")[0]) for one in missing] == [
            ("slack", "reports.slack_webhook"),
            ("webhook", "reports.webhook.url"),
            ("email", "reports.email.password"),
        ]
        assert all(f"the environment variable {VARIABLE} is not set; set it" in str(one) for one in missing)
        with Receiver() as server:
            monkeypatch.setenv(VARIABLE, f"{server.url}/s3cret")
            of = load_settings(tmp_path / "sixkeys.yaml")
            done = deliver(of, [one for one in scorecard_parcels([CONTENT], of) if one.channel != "email"])
            assert [(one.channel, one.error) for one in done] == [("slack", None), ("webhook", None)]
            assert len(server.requests) == 2

    def test_an_unreachable_webhook_is_told_without_the_address(self, tmp_path: Path) -> None:
        for url in (f"{closed_address()}/services/s3cret", "services/s3cret", "https://s3cret:99999/s3cret"):
            (done,) = sent(settings(tmp_path, slack_webhook=SecretStr(url)))
            assert done.error is not None
            assert "/s3cret" not in repr(done)

    def test_no_answer_is_no_reason_to_post_it_twice(self, tmp_path: Path) -> None:
        with Receiver(silent=3) as server:
            of = settings(tmp_path, slack_webhook=slack(server))
            (done,) = sent(of, attempts=3, timeout=0.3)
            assert len(server.come(1)) == 1
            assert sent(of) == []
        assert done.error is not None
        assert "did not answer within" in done.error
        assert len(server.requests) == 1

    def test_who_does_not_answer_holds_up_one_message_of_a_round(self, tmp_path: Path) -> None:
        with Receiver(silent=1) as server:
            of = settings(tmp_path, slack_webhook=slack(server))
            contents = (CONTENT, CONTENT | {"week": "2026-W45"})
            (silent, skipped) = sent(of, contents, timeout=0.3)
            server.come(1)
            assert len(server.bodies) == 1
            (later,) = sent(of, contents)
        assert "did not answer" in str(silent.error)
        assert "not tried" in str(skipped.error)
        assert later.error is None
        assert len(server.bodies) == 2

    def test_text_from_data_names_nobody_and_links_nowhere(self) -> None:
        said = escape(HOSTILE)
        assert "<" not in said
        assert ":tada:" not in said
        assert "**" not in said

    def test_signals_evidence_restatements_and_caveats_are_told_with_their_links(self) -> None:
        texts = [block["text"] for block in message(CONTENT)["blocks"] if block["type"] == "section"]
        said = "\n".join(text["text"] for text in texts)
        assert "n 96), worse: 3.2 h against 1.6 h in the 12 weeks before" in said
        assert (
            "<https://github.com/acme/checkout/deployments/1?a=1&amp;b=(2)|checkout on Friday> (&lt;" in said
        )
        assert "javascript" not in said
        assert "2026-W45: 5 % (n 20), now 10 % (n 20): <https://github.com/acme/checkout|deployment" in said
        assert "> 2 incidents belong to no service." in said
        assert message(CONTENT)["blocks"][-1]["elements"][0]["text"].endswith("|In the dashboard>")

    def test_nothing_in_the_data_becomes_a_link_or_a_picture_by_itself(self) -> None:
        blocks = message(CONTENT)["blocks"]
        told = [block["text"] for block in blocks if "text" in block] + blocks[-1]["elements"]
        assert all(text.get("verbatim") for text in told if text["type"] == "mrkdwn")
        assert ":100:" not in escape("done :100: :-1:")
        assert ":-1:" not in escape("done :100: :-1:")

    def test_what_holds_back_comes_after_the_summary(self) -> None:
        told = [block["text"]["text"] for block in message(scorecard())["blocks"] if "text" in block]
        held, where = told[2].splitlines()[0], told[2].splitlines()[-1]
        assert (held, where[:24]) == ("*What holds you back*", "*Where the time goes:* <")

    def test_a_message_keeps_slacks_limits_and_says_what_it_leaves_out(self) -> None:
        many = scorecard(*(f"team {number}" for number in range(80)))
        parts = [{"text": "long " * 900, "url": "https://example.com/" + "x" * 2000}]
        many["sentences"] = [{"text": parts[0]["text"], "parts": parts}] * 2
        blocks = message(many)["blocks"]
        assert len(blocks) == BLOCKS
        assert all(len(block.get("text", {}).get("text", "")) <= SECTION for block in blocks)
        assert blocks[-2]["text"]["text"] == "… and 42 more in the scorecard."


class TestWebhook:
    @pytest.mark.parametrize(
        ("secret", "key"), [(SECRET, b"a key of the receiver"), ("as it is", b"as it is")]
    )
    def test_the_document_is_signed_over_id_time_and_body(
        self, tmp_path: Path, secret: str, key: bytes
    ) -> None:
        with Receiver() as server:
            (done,) = sent(settings(tmp_path, webhook=webhook(server, secret)))
        assert done.error is None
        (body,), (headers,) = server.bodies, server.headers
        id, at = headers["Webhook-Id"], headers["Webhook-Timestamp"]
        expected = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
        assert headers["Webhook-Signature"] == f"v1,{base64.b64encode(expected).decode()}"
        assert abs(int(at) - time.time()) < 60
        assert json.loads(body) == {"type": "scorecard", "id": id, "data": CONTENT}

    @pytest.mark.parametrize(
        "fault", [Response("", 500), Response("", 429, {"Retry-After": "0"}), broken_off]
    )
    def test_what_passes_is_tried_again_under_the_same_id(self, tmp_path: Path, fault: Any) -> None:
        with Receiver(fault) as server:
            (done,) = sent(settings(tmp_path, webhook=webhook(server)), attempts=2)
        with Receiver() as other:
            sent(settings(tmp_path / "another machine", webhook=webhook(other)))
        assert done.error is None
        assert [len(server.requests), len(server.bodies)] == [2, 1]
        assert server.headers[0]["Webhook-Id"] == other.headers[0]["Webhook-Id"]

    def test_a_slow_receiver_gets_it_again_under_the_same_id(self, tmp_path: Path) -> None:
        with Receiver(silent=2) as server:
            (done,) = sent(settings(tmp_path, webhook=webhook(server)), attempts=2, timeout=0.3)
            server.come(2)
        assert "did not answer" in str(done.error)
        assert len({headers["Webhook-Id"] for headers in server.headers}) == 1
        assert len(server.bodies) == 2

    def test_a_limit_is_waited_out_for_as_long_as_it_asks(self, tmp_path: Path) -> None:
        with Receiver(Response("", 429, {"Retry-After": "2"})) as server:
            before = time.monotonic()
            (done,) = sent(settings(tmp_path, webhook=webhook(server)), attempts=2)
        assert done.error is None
        assert time.monotonic() - before >= 2

    def test_a_limit_of_an_hour_is_left_to_the_next_run(self, tmp_path: Path) -> None:
        with Receiver(Response("", 429, {"Retry-After": "3600"})) as server:
            of = settings(tmp_path, webhook=webhook(server))
            (done,) = sent(of, attempts=4)
            assert len(server.requests) == 1
            (later,) = sent(of)
        assert "answered 429" in str(done.error)
        assert later.error is None


class TestWhoGetsWhat:
    def test_the_organisations_and_a_teams_scorecards_go_their_own_ways(self, tmp_path: Path) -> None:
        with Receiver() as ours, Receiver() as theirs, mail_server() as (port, box):
            of = settings(
                tmp_path,
                slack_webhook=slack(ours),
                email=email(port, recipients=["leads@acme.example"]),
                teams={
                    "payments": Recipients(
                        email=["payments@acme.example"], slack_webhook=slack(theirs), webhook=webhook(theirs)
                    )
                },
                systems={"shop": Recipients(email=["shop@acme.example"])},
            )
            nobodys = scorecard(scope="team", name="discovery")
            shop = scorecard(scope="system", name="shop")
            done = deliver(of, scorecard_parcels([CONTENT, PAYMENTS, nobodys, shop], of))
        assert [one.error for one in done] == [None] * 10
        assert [json.loads(body) for body in ours.bodies] == [message(CONTENT)]
        assert json.loads(theirs.bodies[0]) == message(PAYMENTS)
        assert json.loads(theirs.bodies[1])["data"] == PAYMENTS
        assert box.recipients == [["leads@acme.example"], ["payments@acme.example"], ["shop@acme.example"]]
        assert "payments" in box.messages[1]["Subject"]
        assert len(list((tmp_path / "scorecards" / "2026-W46").glob("*.html"))) == 4

    def test_a_name_that_no_team_has_is_told_by_check(self, small: Small) -> None:
        recipients = Recipients(slack_webhook=SecretStr("http://slack.example/x"))
        reports = Reports(
            teams={"payments": recipients, "paymets": recipients},
            systems={"shop": recipients, "x": recipients},
        )
        parts = {
            part.title: part.rows for part in report(small.settings.model_copy(update={"reports": reports}))
        }
        assert parts["Recipients of scorecards that nobody has"] == [("team", "paymets"), ("system", "x")]


class TestOnce:
    def test_a_second_run_sends_what_the_first_could_not_and_nothing_else(self, tmp_path: Path) -> None:
        with Receiver(Response("", 503)) as server, mail_server() as (port, box):
            of = settings(tmp_path, slack_webhook=slack(server), email=email(port))
            first = {one.channel: one.error for one in sent(of)}
            second = sent(of)
            assert sent(of) == []
            told = sent(of, by_hand=True)
        assert first["email"] is None, "a failing channel does not hold up the others"
        assert "answered 503" in str(first["slack"])
        assert [(one.channel, one.error) for one in second] == [("slack", None)]
        assert [one.before for one in told] == [True, True, True], "one for each recipient"
        assert len(server.bodies) == len(box.messages) == 1

    def test_another_week_is_another_message(self, tmp_path: Path) -> None:
        with Receiver() as server:
            of = settings(tmp_path, webhook=webhook(server))
            sent(of)
            sent(of, [CONTENT | {"week": "2026-W47"}])
        assert len({headers["Webhook-Id"] for headers in server.headers}) == 2

    def test_a_new_recipient_gets_it_and_the_others_not_again(self, tmp_path: Path) -> None:
        with mail_server() as (port, box):
            sent(settings(tmp_path, email=email(port, recipients=["lead@acme.example"])))
            both = ["lead@acme.example", "new@acme.example"]
            sent(settings(tmp_path, email=email(port, recipients=both)))
        assert box.recipients == [["lead@acme.example"], ["new@acme.example"]]

    def test_what_is_sent_again_does_not_reach_anybody_twice(self, tmp_path: Path) -> None:
        with mail_server() as (port, box):
            of = settings(tmp_path, email=email(port, recipients=["lead@acme.example", "later@acme.example"]))
            sent(of)
            sent(of, attempts=3, by_hand=True, again=True)
        assert box.recipients == [["lead@acme.example"]] * 2

    def test_what_is_sent_again_keeps_its_new_id_for_each_attempt(self, tmp_path: Path) -> None:
        with Receiver() as server:
            of = settings(tmp_path, webhook=webhook(server))
            sent(of)
            server.silent = 2
            sent(of, attempts=2, timeout=0.3, by_hand=True, again=True)
            server.come(3)
        first, *again = [headers["Webhook-Id"] for headers in server.headers]
        assert len(again) == 2
        assert len({*again}) == 1
        assert first not in again


class TestDryRun:
    def test_it_shows_each_message_as_it_would_go_and_sends_nothing(self, tmp_path: Path) -> None:
        with Receiver() as server, mail_server() as (port, box):
            of = settings(tmp_path, slack_webhook=slack(server), webhook=webhook(server), email=email(port))
            parcels = scorecard_parcels([CONTENT], of)
            plan = planned(of, parcels)
            assert (server.requests, box.messages) == ([], [])
            assert not (tmp_path / "scorecards").exists()
            deliver(of, parcels)
            after = planned(of, parcels)
        told = {one["channel"]: one for one in plan}
        host = server.url.removeprefix("http://")
        assert {channel: one["to"] for channel, one in told.items()} == {
            "directory": str(tmp_path / "scorecards" / "2026-W46" / "organisation-acme"),
            "slack": host,
            "webhook": host,
            "email": f"lead@acme.example, team@acme.example by 127.0.0.1:{port}",
        }
        assert {one["subject"] for one in plan} == {"acme: 1 of 4 targets met, week of 9 Nov"}
        assert told["slack"]["contents"]["message"] == server.bodies[0].decode()
        assert told["webhook"]["contents"]["message"] == server.bodies[1].decode()
        assert told["webhook"]["bytes"] == len(server.bodies[1])
        assert f"Message-ID: {box.messages[0]['Message-ID']}" in told["email"]["contents"]["message"]
        for path, text in told["directory"]["contents"].items():
            assert Path(path).read_text() == text
        assert "s3cret" not in json.dumps(plan)
        assert "t0ken" not in json.dumps(plan)
        assert [one["channel"] for one in after] == ["directory"], "what was delivered does not go again"

    def test_after_a_kill_it_shows_what_would_be_sent_and_no_more(self, tmp_path: Path) -> None:
        with Receiver() as server, mail_server() as (port, _):
            of = settings(tmp_path, slack_webhook=slack(server), webhook=webhook(server), email=email(port))
            parcels = scorecard_parcels([CONTENT], of)
            for parcel in parcels:  # as one that is killed while it hands them over
                claim(of.warehouse, parcel.message, parcel.channel, parcel.targets, (), datetime.now(UTC))
            plan = [one["channel"] for one in planned(of, parcels)]
            deliver(of, parcels, by_hand=True)
        assert plan == ["directory", "webhook"]
        assert len(server.bodies) == 1
