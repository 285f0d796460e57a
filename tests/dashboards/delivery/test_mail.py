"""Scorecards by mail, to a real server on loopback: login, encryption, what is refused and what is tried again."""

import re
from pathlib import Path
from typing import Any

import pytest

from config.settings import Email, Reports, Settings
from dashboards.delivery.deliver import Delivery, deliver
from dashboards.delivery.mail import mail, try_connection
from dashboards.delivery.scorecard_parcels import scorecard_parcels
from dashboards.delivery.subjects import scorecard_subject
from tests.conftest import Small
from tests.support.command_line import run
from tests.support.loopback import closed_address
from tests.support.mail_server import TEAM, email, login, mail_server, secured
from tests.support.small_scorecard import scorecard

CONTENT = scorecard("payments")


def sent(folder: Path, to: Email, attempts: int = 1, **how: Any) -> list[Delivery]:
    """What became of the scorecard by mail; the directory is left out, which is another test's."""
    settings = Settings(
        organization="acme",
        warehouse=folder / "w.duckdb",
        reports=Reports(directory=folder / "scorecards", email=to),
    )
    parcels = [one for one in scorecard_parcels([CONTENT], settings) if one.channel == "email"]
    return deliver(settings, parcels, attempts=attempts, **how)


def test_recipients_get_text_and_html_with_attached_pictures(tmp_path: Path) -> None:
    with mail_server() as (port, box):
        (done,) = sent(tmp_path, email(port))
    assert done.error is None
    assert box.recipients == [TEAM]
    (received,) = box.messages
    assert received["Subject"] == "acme: 1 of 4 targets met, week of 9 Nov"
    assert received["From"] == "Sixkeys <sixkeys@acme.example>"
    text, html = received.get_body(("plain",)), received.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Lead Time for Changes: 3.2 h, target < 1 hour, missed, 96 changes" in text.get_content()
    identifiers = {part["Content-ID"].strip("<>") for part in received.walk() if part["Content-ID"]}
    assert identifiers
    assert "data:image" not in html.get_content()
    assert all(f'src="cid:{identifier}"' in html.get_content() for identifier in identifiers)
    pictures = [part.get_content() for part in received.walk() if part.get_content_type() == "image/png"]
    assert len(pictures) == len(identifiers)
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)


def test_a_team_and_a_system_of_one_name_have_subjects_of_their_own() -> None:
    one = {**scorecard(), "name": "payments"}
    assert {scorecard_subject({**one, "scope": scope}) for scope in ("organisation", "system", "team")} == {
        "payments: 1 of 4 targets met, week of 9 Nov",
        "payments (system): 1 of 4 targets met, week of 9 Nov",
        "payments (team): 1 of 4 targets met, week of 9 Nov",
    }


def test_a_name_cannot_write_headers() -> None:
    message = mail("acme\r\nBcc: spy@evil.example", "text", None, email(1), TEAM, "id")
    assert message["Bcc"] is None


def test_text_of_any_script_travels_as_plain_ascii() -> None:
    message = mail("Wöchentlich ✓", "größer als 5 min\n" + "x" * 2000, None, email(1), TEAM, "id")
    assert message.as_bytes().isascii()


def test_a_server_that_fails_for_a_moment_is_asked_again_for_the_same_message(tmp_path: Path) -> None:
    with mail_server("451 try again", "421 too busy") as (port, box):
        (done,) = sent(tmp_path, email(port), attempts=3)
    assert done.error is None
    assert box.recipients == [TEAM]
    with mail_server() as (port, other):
        sent(tmp_path / "another machine", email(port))
    assert other.messages[0]["Message-ID"] == box.messages[0]["Message-ID"]


def test_it_logs_in_and_a_wrong_password_is_not_tried_again(tmp_path: Path) -> None:
    with mail_server(authenticator=login, auth_require_tls=False) as (port, box):
        (wrong,) = sent(
            tmp_path, email(port, username="sixkeys", password=f"file:{_file(tmp_path, 'wrong')}")
        )
        right = email(port, username="sixkeys", password=f"file:{_file(tmp_path, 's3cret-password')}")
        assert sent(tmp_path, right) == [], "it is left to a person"
        mended, _ = sent(tmp_path, right, by_hand=True)
    assert wrong.error == (
        f"127.0.0.1:{port} refused the login (535); check reports.email.username and password;"
        ' then run "sixkeys scorecard --send"'
    )
    assert mended.error is None
    assert len(box.messages) == 1


def test_a_password_that_the_login_cannot_carry_is_told_and_left_to_a_person(tmp_path: Path) -> None:
    with mail_server(authenticator=login, auth_require_tls=False) as (port, box):
        to = email(port, username="sixkeys", password=f"file:{_file(tmp_path, 'geheim-ß')}")
        (done,) = sent(tmp_path, to)
        assert sent(tmp_path, to) == []
        assert not try_connection(to).works
    assert "reports.email.username or password has a letter" in str(done.error)
    assert "ß" not in str(done.error)
    assert box.messages == []


def test_refused_recipients_are_told_and_the_others_served_once(tmp_path: Path) -> None:
    with mail_server() as (port, box):
        to = email(port, recipients=["nobody@acme.example", "lead@acme.example", "later@acme.example"])
        told = {one.detail.split()[0]: one.error for one in sent(tmp_path, to, attempts=2)}
        assert [one.detail.split()[0] for one in sent(tmp_path, to)] == ["later@acme.example"]
    assert box.recipients == [["lead@acme.example"]]
    assert told["lead@acme.example"] is None
    assert "answered 550 (no such mailbox)" in str(told["nobody@acme.example"])
    assert "answered 450 (come back later); it is tried again" in str(told["later@acme.example"])


def test_sending_by_hand_prints_a_line_for_each_recipient(small: Small, tmp_path: Path) -> None:
    acme = small.copied(tmp_path)
    with mail_server() as (port, box):
        acme.config.write_text(
            f"{acme.config.read_text()}reports:\n  email: {{host: 127.0.0.1, port: {port}, security: none,"
            " sender: six@acme.example, recipients: [lead@acme.example, team@acme.example]}\n"
        )
        send = ("scorecard", "--week", "2026-W46", "--where", "team=payments", "--send")
        assert run(tmp_path, *send).stdout.count("\n") == 1
        done = run(tmp_path, *send[:3], "--send")
        shown = run(tmp_path, *send, "--format", "md")
    assert (done.returncode, done.stderr) == (0, "")
    by = f"by 127.0.0.1:{port}"
    lines = [line for line in done.stdout.splitlines() if line.startswith("organisation, ")]
    assert [line.partition(": ")[2] for line in lines] == [
        f"delivered to {tmp_path}/scorecards/2026-W46/organisation-acme",
        f"delivered to lead@acme.example {by}",
        f"delivered to team@acme.example {by}",
    ]
    assert "<" not in done.stdout
    assert shown.stdout.startswith("# payments: week 2026-W46")
    (message,) = box.messages
    assert re.fullmatch(r"acme: \d of \d targets met, week of 9 Nov", message["Subject"])


def test_a_server_that_breaks_off_with_the_message_in_its_hands_is_not_given_it_twice(tmp_path: Path) -> None:
    with mail_server(lambda server: server.transport.abort()) as (port, box):
        (done,) = sent(tmp_path, email(port), attempts=3)
        assert sent(tmp_path, email(port)) == []
        assert len(box.messages) == 1
        asked, _ = sent(tmp_path, email(port), by_hand=True)
        sent(tmp_path, email(port), by_hand=True, again=True)
    assert done.error == asked.error
    assert done.error == (
        f"127.0.0.1:{port} broke off when it had the message;"
        ' where it did not arrive, run "sixkeys scorecard --send --again"'
    )
    assert len(box.messages) == 2
    assert len({message["Message-ID"] for message in box.messages}) == 2


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_nothing_is_sent_to_a_server_whose_certificate_is_not_trusted(tmp_path: Path, security: str) -> None:
    with mail_server(**secured(tmp_path, security)) as (port, box):
        (done,) = sent(tmp_path, email(port, security=security))
    assert box.messages == []
    assert done.error is not None
    assert "certificate" in done.error.lower()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_it_is_sent_encrypted_to_a_trusted_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    options = secured(tmp_path, security)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with mail_server(authenticator=login, auth_require_tls=security == "starttls", **options) as (port, box):
        password = f"file:{_file(tmp_path, 's3cret-password')}"
        (done,) = sent(tmp_path, email(port, security=security, username="sixkeys", password=password))
    assert done.error is None
    assert len(box.messages) == 1


def test_starttls_is_not_given_up_where_the_server_has_none(tmp_path: Path) -> None:
    with mail_server() as (port, box):
        (done,) = sent(tmp_path, email(port, security="starttls"))
    assert box.messages == []
    assert done.error is not None
    assert "STARTTLS" in done.error


def test_a_server_that_is_not_there_is_tried_again_at_the_next_time(tmp_path: Path) -> None:
    gone = int(closed_address().rpartition(":")[2])
    (done,) = sent(tmp_path, email(gone))
    assert done.error is not None
    assert "cannot be reached" in done.error
    with mail_server() as (port, box):
        (done,) = sent(tmp_path, email(port))
    assert done.error is None
    assert len(box.messages) == 1


def test_check_says_whether_the_server_can_be_logged_in_to_and_sends_nothing(tmp_path: Path) -> None:
    with mail_server(authenticator=login, auth_require_tls=False) as (port, box):
        works, fails = (
            try_connection(email(port, username="sixkeys", password=f"file:{_file(tmp_path, password)}"))
            for password in ("s3cret-password", "wrong")
        )
    assert (works.works, fails.works) == (True, False)
    assert "refused the login" in fails.detail
    assert box.messages == []


def _file(folder: Path, content: str) -> Path:
    path = folder / f"{content}.txt"
    path.write_text(content)
    return path
