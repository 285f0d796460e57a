"""Where scorecards and alerts go: a directory, mail, Slack, webhooks, for the organisation and what is below it."""

import re
from collections.abc import Iterator
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from config.fields import Later, LaterAddress, LaterText, Place, Secret, Section
from config.names import find_name
from config.text.quoting import quoted


def _mail_address(text: str) -> str:
    # an address ends up in the headers of a mail and in the commands to the server
    if not re.fullmatch(r"[!-;=?A-~]+@[!-;=?A-~]+", text):
        raise ValueError(f"{quoted(text)} is not a mail address; write it like team@acme.example")
    return text


MailAddress = Annotated[str, AfterValidator(_mail_address), Later]


_LONGEST_SENDER = 200


def _sender(text: str) -> str:
    # what is in parentheses within parentheses is read by going down into each
    _mail_address(parseaddr(text)[1] if len(text) <= _LONGEST_SENDER else text)
    return text


Sender = Annotated[str, AfterValidator(_sender)]


class Email(Section):
    """The mail server, and who gets the organisation's scorecard."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: LaterText | None = None
    password: Secret | None = None
    sender: Sender
    recipients: list[MailAddress] = []


class Webhook(Section):
    """An address that is sent JSON, signed with `secret` as Standard Webhooks does."""

    url: LaterAddress = Field(repr=False)
    secret: Secret


class Recipients(Section):
    """Where messages of one kind go: mail addresses, a channel of Slack, a webhook; each is optional."""

    email: list[MailAddress] = []
    slack_webhook: Secret | None = None
    webhook: Webhook | None = None


class Export(Section):
    """Files of every metric and fact table, under the same names, written anew after each build."""

    directory: Place
    format: Literal["csv", "parquet"] = "csv"
    after: Literal["build"] = "build"


class Reports(Section):
    """Where published scorecards go, the organisation's and those of what is below it, alerts, and exports."""

    directory: Place = Path("scorecards")
    export: Export | None = None
    slack_webhook: Secret | None = None
    webhook: Webhook | None = None
    email: Email | None = None
    teams: dict[str, Recipients] = {}
    groups: dict[str, Recipients] = {}
    systems: dict[str, Recipients] = {}
    alerts: Recipients | None = None

    @model_validator(mode="after")
    def _mail_has_a_server(self) -> "Reports":
        for key, recipients in self._addressed():
            if recipients.email and self.email is None:
                raise ValueError(f"{key}.email needs a mail server; add reports.email with host and sender")
        if self.email and not self.email.recipients and not any(r.email for _, r in self._addressed()):
            raise ValueError("email has nobody to write to; add recipients: [leads@acme.example]")
        return self

    def _addressed(self) -> Iterator[tuple[str, Recipients]]:
        for scope, named in self._scopes().items():
            for name, recipients in named.items():
                yield f"{scope}s.{name}", recipients
        if self.alerts:
            yield "alerts", self.alerts

    def everybody(self) -> Iterator[tuple[str, Recipients]]:
        """All who are configured to get messages, each with its key in the configuration."""
        yield "reports", self.recipients("organisation", "")
        for key, recipients in self._addressed():
            yield f"reports.{key}", recipients

    def named(self) -> list[tuple[str, str]]:
        """The teams, groups and systems that are configured to get scorecards of their own, each with its scope."""
        return [(scope, name) for scope, named in self._scopes().items() for name in named]

    def _scopes(self) -> dict[str, dict[str, Recipients]]:
        return {"team": self.teams, "group": self.groups, "system": self.systems}

    def recipients(self, scope: str, name: str) -> Recipients:
        """Who gets the scorecard of the organisation or of what is below it; nobody where none is configured."""
        if scope == "organisation":
            email = self.email.recipients if self.email else []
            return Recipients(email=email, slack_webhook=self.slack_webhook, webhook=self.webhook)
        known = self._scopes().get(scope, {})
        return known.get(find_name(name, known) or "", Recipients())


def host(address: str | SecretStr) -> str:
    """The host of an address, which is all of it that may be shown: the rest can be a secret."""
    text = address.get_secret_value() if isinstance(address, SecretStr) else address
    found = re.match(r"https?://(?:[^/@]*@)?([A-Za-z0-9.:\[\]-]+)(?:[/?#]|$)", text)
    return found[1] if found else "an address that is none"
