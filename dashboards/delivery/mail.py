"""Messages by SMTP: how one is made, and how a server takes it or does not."""

import base64
import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from typing import TYPE_CHECKING, Literal, cast

from config.reports import Email
from config.text.legible import one_line
from dashboards.delivery.posting import TIMEOUT, NotDelivered, require_for_delivery

if TYPE_CHECKING:
    from collectors.connections import Connection


def mail(
    subject: str, text: str, html: str | None, settings: Email, recipients: Sequence[str], id: str
) -> EmailMessage:
    """The message: plain text, and HTML whose pictures are attached, since mail programs drop data URIs.

    Its Message-ID is made of `id`, so that one that arrives twice can be known as the same.
    """
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    sender = one_line(settings.sender)
    message["Subject"] = one_line(subject)
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Date"] = formatdate(usegmt=True)
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # no out-of-office replies
    message.set_content(text)
    if html is not None:
        _add_html(message, html)
    return message


def _add_html(message: EmailMessage, html: str) -> None:
    pictures: dict[str, str] = {}

    def attached(found: re.Match[str]) -> str:
        return f'src="cid:{pictures.setdefault(found[1], f"picture{len(pictures)}@sixkeys")}"'

    linked = re.sub(r'src="data:image/png;base64,([A-Za-z0-9+/=]+)"', attached, html)
    message.add_alternative(linked, subtype="html")
    form = cast(EmailMessage, message.get_body(("html",)))
    for data, identifier in pictures.items():
        form.add_related(base64.b64decode(data), "image", "png", cid=f"<{identifier}>", disposition="inline")


@contextmanager
def connected(settings: Email, timeout: float = TIMEOUT) -> Iterator[smtplib.SMTP]:
    """A server that is ready to take messages, encrypted and logged in as configured; raises NotDelivered."""
    context = ssl.create_default_context()
    at = f"{settings.host}:{settings.port}"
    server: smtplib.SMTP | None = None
    require_for_delivery(settings)
    try:
        if settings.security == "tls":
            server = smtplib.SMTP_SSL(settings.host, settings.port, timeout=timeout, context=context)
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=timeout)
        if settings.security == "starttls":
            server.starttls(context=context)
        server.ehlo_or_helo_if_needed()
        if settings.username is not None:
            server.login(settings.username, settings.password.get_secret_value() if settings.password else "")
    except smtplib.SMTPAuthenticationError as error:
        _close(server)
        advice = "check reports.email.username and password"
        raise NotDelivered(
            f"{at} refused the login ({error.smtp_code}); {advice}", _status(error.smtp_code)
        ) from None
    except smtplib.SMTPNotSupportedError as error:
        _close(server)
        raise NotDelivered(
            f"{at}: {' '.join(str(error).split())}; check reports.email.security", "refused"
        ) from None
    except smtplib.SMTPResponseException as error:
        _close(server)
        raise _answered(at, error.smtp_code, error.smtp_error) from None
    except UnicodeError:  # its text would tell the password
        _close(server)
        raise NotDelivered(
            f"{at}: reports.email.username or password has a letter beyond ASCII, which the login by SMTP cannot"
            " carry; choose one of plain letters, digits and signs",
            "refused",
        ) from None
    except (OSError, smtplib.SMTPException) as error:
        _close(server)
        reason = " ".join(str(error).split()) or type(error).__name__
        text = f"{at} cannot be reached: {reason}; check reports.email"
        raise NotDelivered(text, "failed", unreachable=True) from None
    try:
        yield server
    finally:
        _close(server)


def try_connection(settings: Email, timeout: float = TIMEOUT) -> "Connection":
    """Whether the mail server can be logged in to; nothing is sent."""
    from collectors.connections import Connection  # brings every collector, which no delivery waits for

    try:
        with connected(settings, timeout):
            return Connection("mail", True, f"{settings.host}:{settings.port} takes messages")
    except NotDelivered as error:
        return Connection("mail", False, f"mail: {error}")


def _close(server: smtplib.SMTP | None) -> None:
    # what was accepted stays accepted, whatever becomes of the farewell
    if server is not None:
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()


def hand_over(
    server: smtplib.SMTP, message: EmailMessage, settings: Email, recipients: Sequence[str]
) -> dict[str, NotDelivered]:
    """Hands a message over for `recipients`; those that the server does not take, each with the reason.

    Raises NotDelivered where it takes the message for nobody; `unknown` where it broke off after having had all of it.
    """
    at = f"{settings.host}:{settings.port}"
    refused: dict[str, NotDelivered] = {}
    try:
        code, said = server.mail(parseaddr(settings.sender)[1])
        if code != 250:
            raise _answered(at, code, said, "check reports.email.sender")
        for recipient in recipients:
            code, said = server.rcpt(recipient)
            if code not in (250, 251):
                refused[recipient] = _answered(at, code, said, "check the address")
    except (OSError, smtplib.SMTPException) as error:
        raise NotDelivered(f"{at} broke off ({type(error).__name__}); it is tried again", "failed") from None
    if len(refused) == len(recipients):
        return refused
    try:
        code, said = server.data(message.as_bytes())
    except smtplib.SMTPDataError as error:
        raise _answered(at, error.smtp_code, error.smtp_error) from None
    except (OSError, smtplib.SMTPException):
        raise NotDelivered(f"{at} broke off when it had the message", "unknown") from None
    if code != 250:
        raise _answered(at, code, said)
    return refused


def _answered(at: str, code: int, said: bytes | str, advice: str = "") -> NotDelivered:
    text = " ".join((said.decode(errors="replace") if isinstance(said, bytes) else said).split())[:80]
    status = _status(code)
    advice = advice if advice and status == "refused" else "it is tried again" if status == "failed" else ""
    return NotDelivered(f"{at} answered {code} ({text})" + (f"; {advice}" if advice else ""), status)


def _status(code: int) -> Literal["failed", "refused"]:
    """5xx is meant to stay, everything else may pass; https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1."""
    return "refused" if 500 <= code < 600 else "failed"
