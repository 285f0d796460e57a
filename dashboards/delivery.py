"""A published scorecard to where people read it: files, Slack, e-mail."""

import base64
import hashlib
import os
import re
import smtplib
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any, cast

import httpx

from config.settings import Email, Reports
from dashboards.rendering import FORMATS, render, title
from dashboards.slack import message

TIMEOUT = 30.0


@dataclass(frozen=True)
class Delivery:
    """What became of one channel; `error` is None where it arrived."""

    channel: str
    detail: str
    error: str | None = None


def deliver(scorecard: Mapping[str, Any], reports: Reports) -> list[Delivery]:
    """Sends to every configured channel in turn; a failing one is reported and does not hold up the others."""
    channels: list[tuple[str, str, Callable[[], object]]] = [
        ("directory", str(reports.directory), lambda: write_files(scorecard, reports.directory))
    ]
    if (webhook := reports.slack_webhook) is not None:
        channels.append(
            ("slack", "incoming webhook", lambda: post_slack(scorecard, webhook.get_secret_value()))
        )
    if (email := reports.email) is not None:
        detail = f"{', '.join(email.recipients)} by {email.host}:{email.port}"
        channels.append(("email", detail, lambda: send_mail(scorecard, email)))
    return [_attempt(*channel) for channel in channels]


def _attempt(channel: str, detail: str, send: Callable[[], object]) -> Delivery:
    try:
        send()
    except (OSError, smtplib.SMTPException, httpx.HTTPError, httpx.InvalidURL) as error:
        return Delivery(channel, detail, _told(error))
    return Delivery(channel, detail)


def _told(error: Exception) -> str:
    """The failure in one line without the address: a webhook's address is a secret, and httpx's messages have it."""
    if isinstance(error, httpx.HTTPStatusError):
        answer = " ".join(error.response.text.split())[:80]
        return f"the webhook answered {error.response.status_code} ({answer}); check slack_webhook"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {TIMEOUT:.0f} s"
    if isinstance(error, (httpx.HTTPError, httpx.InvalidURL)):
        return f"the webhook cannot be reached ({type(error).__name__}); check slack_webhook"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the mail server refused the login ({error.smtp_code}); check username and password"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"the mail server refused {', '.join(error.recipients)}; check recipients"
    return " ".join(str(error).split()) or type(error).__name__


def write_files(scorecard: Mapping[str, Any], directory: Path) -> list[Path]:
    """`<week>/<scope>-<name>` in each form below `directory`, each complete or not there at all."""
    folder = directory / scorecard["week"]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for format in FORMATS:
        path = folder / f"{file_stem(scorecard['scope'], scorecard['name'])}.{format}"
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        temporary.write_text(render(scorecard, format), encoding="utf-8")
        temporary.replace(path)
        written.append(path)
    return written


def file_stem(scope: str, name: str) -> str:
    """A file's name without its ending, safe on any system and different for different names."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    if plain != name:
        plain = f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")
    return f"{scope}-{plain}"


def post_slack(scorecard: Mapping[str, Any], webhook: str) -> None:
    """Posts the summary; https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""
    httpx.post(webhook, json=message(scorecard), timeout=TIMEOUT).raise_for_status()


def send_mail(scorecard: Mapping[str, Any], settings: Email) -> None:
    """Sends one message to all recipients; raises where the server refuses some of them."""
    with _connection(settings) as server:
        if settings.username is not None:
            password = settings.password.get_secret_value() if settings.password else ""
            server.login(settings.username, password)
        refused = server.send_message(mail(scorecard, settings))
    if refused:
        raise smtplib.SMTPRecipientsRefused(refused)


def _connection(settings: Email) -> AbstractContextManager[smtplib.SMTP]:
    context = ssl.create_default_context()
    if settings.security == "tls":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT, context=context)
    server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT)
    if settings.security == "starttls":
        try:
            server.starttls(context=context)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
    return server


def mail(scorecard: Mapping[str, Any], settings: Email) -> EmailMessage:
    """The message: plain text, and HTML whose pictures are attached, since mail programs drop data URIs."""
    message = EmailMessage()
    subject = f"{title(scorecard)}: delivery scorecard, week {scorecard['week']}"
    message["Subject"] = " ".join(subject.split())
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.recipients)
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain=settings.sender.rpartition("@")[2].strip("> ") or "localhost")
    message.set_content(render(scorecard, "txt"))
    pictures: dict[str, str] = {}

    def attached(found: re.Match[str]) -> str:
        return f'src="cid:{pictures.setdefault(found[1], f"picture{len(pictures)}@sixkeys")}"'

    html = re.sub(r'src="data:image/png;base64,([A-Za-z0-9+/=]+)"', attached, render(scorecard, "html"))
    message.add_alternative(html, subtype="html")
    form = cast(EmailMessage, message.get_body(("html",)))
    for data, identifier in pictures.items():
        form.add_related(base64.b64decode(data), "image", "png", cid=f"<{identifier}>", disposition="inline")
    return message
