"""Delivery of the scorecard to a directory, a Slack webhook and a mail server, each real and on loopback."""

import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from werkzeug import Request, Response

from config.settings import Email, Reports
from dashboards.delivery import deliver, file_stem, mail
from dashboards.rendering import FORMATS, render
from dashboards.slack import BLOCKS, SECTION, escape, message
from tests.loopback import Loopback, closed_address
from tests.small_scorecard import HOSTILE, scorecard

CONTENT = scorecard("payments")
TEAM = ["lead@acme.example", "team@acme.example"]


class Mailbox:
    """What a mail server received: envelopes' recipients and messages."""

    def __init__(self) -> None:
        self.recipients: list[list[str]] = []
        self.messages: list[EmailMessage] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.recipients.append(envelope.rcpt_tos)
        self.messages.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        return "250 OK"


@contextmanager
def mail_server(**options: Any) -> Iterator[tuple[int, Mailbox]]:
    box = Mailbox()
    port = int(closed_address().rpartition(":")[2])
    controller = Controller(box, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port, box
    finally:
        controller.stop()


def settings(port: int, **other: Any) -> Email:
    known = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "Sixkeys <sixkeys@acme.example>",
    }
    return Email(**(known | {"recipients": TEAM} | other))


def login(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"sixkeys", b"right"), handled=False)


class TestDirectory:
    def test_each_form_is_a_file_of_the_week(self, tmp_path):
        (done,) = deliver(CONTENT, Reports(directory=tmp_path / "new" / "scorecards"))
        assert (done.channel, done.error) == ("directory", None)
        folder = tmp_path / "new" / "scorecards" / "2026-W46"
        found = {path.name: path.read_text() for path in folder.iterdir()}
        assert found == {f"organisation-acme.{format}": render(CONTENT, format) for format in FORMATS}

    @given(st.lists(st.text(min_size=1), min_size=1, unique=True))
    def test_any_names_are_files_of_their_own(self, names):
        stems = [file_stem("team", name) for name in names]
        assert len(set(stems)) == len(names)
        assert all(re.fullmatch(r"team-[a-z0-9-]{1,70}", stem) for stem in stems)

    def test_a_directory_that_cannot_be_written_is_told(self, tmp_path):
        (tmp_path / "taken").write_text("a file")
        (done,) = deliver(CONTENT, Reports(directory=tmp_path / "taken"))
        assert done.error is not None
        assert "taken" in done.error


class TestSlack:
    def test_the_webhook_gets_the_summary_as_blocks(self, tmp_path):
        received: list[Any] = []

        def webhook(request: Request) -> Response:
            received.append(request.get_json())
            return Response("ok")

        with Loopback(webhook) as server:
            done = deliver(
                CONTENT,
                Reports(directory=tmp_path, slack_webhook=SecretStr(f"{server.url}/services/T/B/s3cret")),
            )
        assert [d.error for d in done] == [None, None]
        assert received == [message(CONTENT)]
        texts = json.dumps(received, ensure_ascii=False)
        for part in (
            "acme: week 2026-W46",
            "1 of 4 targets met",
            "*3.2 h* (missed, target &lt; 1 hour, n 96)",
            "payments",
        ):
            assert part in texts

    @pytest.mark.parametrize("answer", [(404, "no_service"), (302, ""), (500, "x" * 500)])
    def test_a_refusal_is_told_without_the_address(self, tmp_path, answer):
        status, text = answer
        with Loopback(lambda request: Response(text, status)) as server:
            _, done = deliver(
                CONTENT, Reports(directory=tmp_path, slack_webhook=SecretStr(f"{server.url}/services/s3cret"))
            )
        assert done.error is not None
        assert str(status) in done.error
        assert "s3cret" not in repr(done)
        assert len(done.error) < 160

    def test_an_unreachable_webhook_is_told_without_the_address(self, tmp_path):
        for url in (
            f"{closed_address()}/services/s3cret",
            "services/s3cret",
            "https://s3cret.invalid:99999/",
        ):
            _, done = deliver(CONTENT, Reports(directory=tmp_path, slack_webhook=SecretStr(url)))
            assert done.error is not None
            assert "s3cret" not in repr(done)

    def test_text_from_data_names_nobody_and_links_nowhere(self):
        said = escape(HOSTILE)
        assert "<" not in said
        assert ":tada:" not in said
        assert "**" not in said

    def test_a_message_keeps_slacks_limits_and_says_what_it_leaves_out(self):
        many = scorecard(*(f"team {number}" for number in range(80)))
        many["sentences"] = [{"text": "long " * 900}]
        blocks = message(many)["blocks"]
        assert len(blocks) == BLOCKS
        assert all(len(block.get("text", {}).get("text", "")) <= SECTION for block in blocks)
        assert blocks[-2]["text"]["text"] == "… and 37 more in the scorecard."


class TestMail:
    def test_recipients_get_text_and_html_with_attached_pictures(self, tmp_path):
        with mail_server() as (port, box):
            done = deliver(CONTENT, Reports(directory=tmp_path, email=settings(port)))
        assert [d.error for d in done] == [None, None]
        assert box.recipients == [TEAM]
        (received,) = box.messages
        assert received["Subject"] == "acme: delivery scorecard, week 2026-W46"
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

    def test_a_name_cannot_write_headers(self):
        content = scorecard() | {"organization": "acme\r\nBcc: spy@evil.example"}
        assert mail(content, settings(1))["Bcc"] is None

    def test_it_logs_in(self, tmp_path):
        with mail_server(authenticator=login, auth_require_tls=False) as (port, box):
            wrong, right = (
                deliver(
                    CONTENT,
                    Reports(directory=tmp_path, email=settings(port, username="sixkeys", password=password)),
                )
                for password in (f"file:{_file(tmp_path, 'wrong')}", f"file:{_file(tmp_path, 'right')}")
            )
        assert wrong[1].error == "the mail server refused the login (535); check username and password"
        assert right[1].error is None
        assert len(box.messages) == 1

    def test_refused_recipients_are_named_and_the_others_served(self, tmp_path):
        with mail_server() as (port, box):
            email = settings(port, recipients=["nobody@acme.example", "lead@acme.example"])
            _, done = deliver(CONTENT, Reports(directory=tmp_path, email=email))
        assert box.recipients == [["lead@acme.example"]]
        assert done.error == "the mail server refused nobody@acme.example; check recipients"

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_nothing_is_sent_to_a_server_whose_certificate_is_not_trusted(self, tmp_path, security):
        with mail_server(**_secured(tmp_path, security)) as (port, box):
            _, done = deliver(CONTENT, Reports(directory=tmp_path, email=settings(port, security=security)))
        assert box.messages == []
        assert done.error is not None
        assert "certificate" in done.error.lower()

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_it_is_sent_encrypted_to_a_trusted_server(self, tmp_path, security):
        options = _secured(tmp_path, security)
        script = (
            "import json, sys; from config.settings import Email, Reports; from dashboards.delivery import deliver;"
            "given = json.load(sys.stdin);"
            "print([d.error for d in deliver(given['content'], Reports(**given['reports']))])"
        )
        with mail_server(**options) as (port, box):
            reports = Reports(directory=tmp_path, email=settings(port, security=security))
            given = {"content": CONTENT, "reports": json.loads(reports.model_dump_json())}
            done = subprocess.run(
                [sys.executable, "-c", script],
                input=json.dumps(given),
                env={**os.environ, "SSL_CERT_FILE": str(tmp_path / "certificate.pem")},
                cwd=Path(__file__).parents[1],
                capture_output=True,
                text=True,
                check=True,
            )
        assert done.stdout == "[None, None]\n"
        assert len(box.messages) == 1

    def test_starttls_is_not_given_up_where_the_server_has_none(self, tmp_path):
        with mail_server() as (port, box):
            _, done = deliver(CONTENT, Reports(directory=tmp_path, email=settings(port, security="starttls")))
        assert box.messages == []
        assert done.error is not None
        assert "STARTTLS" in done.error


def test_a_failing_channel_does_not_hold_up_the_others(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with mail_server() as (port, box):
        reports = Reports(
            directory=tmp_path / "taken",
            slack_webhook=SecretStr(closed_address()),
            email=settings(port),
        )
        done = deliver(CONTENT, reports)
    assert [(d.channel, d.error is None) for d in done] == [
        ("directory", False),
        ("slack", False),
        ("email", True),
    ]
    assert len(box.messages) == 1


def _file(folder: Path, content: str) -> Path:
    path = folder / f"{content}.txt"
    path.write_text(content)
    return path


def _secured(folder: Path, security: str) -> dict[str, Any]:
    """Options of a mail server with a certificate of its own for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return {"ssl_context": context} if security == "tls" else {"tls_context": context}
