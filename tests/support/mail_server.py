"""A real mail server on loopback that keeps what it receives and refuses what it is told to."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.settings import Email
from tests.support.loopback import PATIENCE

TEAM = ["lead@acme.example", "team@acme.example"]


class Mailbox:
    """What came: envelopes' recipients and messages. `answers` are given to the first messages instead of 250, or
    called with the server once it has the message."""

    def __init__(self, answers: list[str | Callable[[Any], object]]) -> None:
        self.answers = answers
        self.recipients: list[list[str]] = []
        self.messages: list[EmailMessage] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("nobody"):
            return "550 no such mailbox"
        if address.startswith("later"):
            return "450 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if isinstance(answer, str) and not answer.startswith("250"):
            return answer
        self.recipients.append(envelope.rcpt_tos)
        self.messages.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        if callable(answer):
            answer(server)
        return answer if isinstance(answer, str) else "250 OK"


class _AtAnyPort(Controller):
    """A server at a port that the system gives it, and that nobody can take before it listens."""

    def __init__(self, box: Mailbox, **options: Any) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        port = self.listening.getsockname()[1]
        super().__init__(box, hostname="127.0.0.1", port=port, ready_timeout=PATIENCE, **options)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self.listening, ssl=self.ssl_context)


@contextmanager
def mail_server(*answers: str | Callable[[Any], object], **options: Any) -> Iterator[tuple[int, Mailbox]]:
    """(port, mailbox) of a server that runs while the context lasts."""
    box = Mailbox(list(answers))
    controller = _AtAnyPort(box, **options)
    controller.start()
    try:
        yield controller.port, box
    finally:
        controller.stop()


def email(port: int, **other: Any) -> Email:
    """The settings of a server at `port` without encryption, for two recipients."""
    known = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "Sixkeys <sixkeys@acme.example>",
    }
    return Email(**(known | {"recipients": TEAM} | other))


def login(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
    """An authenticator that knows one user, `sixkeys` with the password `s3cret-password`."""
    return AuthResult(success=(data.login, data.password) == (b"sixkeys", b"s3cret-password"), handled=False)


def secured(folder: Path, security: str) -> dict[str, Any]:
    """Options of a mail server with a certificate of its own for 127.0.0.1, `certificate.pem` in `folder`."""
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
