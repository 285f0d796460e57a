"""A message made ready for each channel that is configured for it, before anything is sent."""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from config.reports import Email, Recipients, Webhook, host
from config.text.references import UnresolvedReference, require_resolved
from dashboards.delivery import webhooks
from dashboards.delivery.mail import connected, hand_over, mail
from dashboards.delivery.posting import TIMEOUT, NotDelivered, post, require_for_delivery
from warehouse.scorecards.delivery_book import Channel, Message

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "sixkeys")
# takes the message for these targets; those that it was not delivered to, each with the reason
Send = Callable[[Sequence[str]], Mapping[str, NotDelivered]]


@dataclass(frozen=True)
class Letter:
    """What is told, in the form of each channel; the forms are made when they are needed."""

    message: Message
    organization: str
    subject: str
    text: Callable[[], str]
    html: Callable[[], str] | None
    slack: Callable[[], Mapping[str, Any]]
    data: Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Parcel:
    """A message for one channel and the `targets` there; nothing in it but `ready` and `contents` holds a secret.

    The other side knows it by its `id`. `contents` is what would be sent to targets under an id,
    by name. `ready` gives what sends it, once whatever can fail without anything having been sent has gone well. Both
    raise NotDelivered.
    """

    message: Message
    channel: Channel
    id: str
    targets: tuple[str, ...]
    by: str
    subject: str
    contents: Callable[[str, Sequence[str]], Mapping[str, str]]
    ready: Callable[[str], AbstractContextManager[Send]]

    def shown(self, targets: Sequence[str]) -> str:
        """Where it goes, or went, in words."""
        if self.channel == "email":
            return f"{', '.join(targets)} by {self.by}"
        return self.by


def parcels(
    letter: Letter, to: Recipients, email: Email | None, key: str, timeout: float = TIMEOUT
) -> list[Parcel]:
    """The parcels of a letter for `to`, which is configured at `key`; `email` is the mail server."""
    found = []
    if to.slack_webhook is not None:
        found.append(_slack(letter, to.slack_webhook, f"{key}.slack_webhook", timeout))
    if to.webhook is not None:
        found.append(_webhook(letter, to.webhook, f"{key}.webhook", timeout))
    if to.email and email is not None:
        found.append(_mail(letter, email, tuple(dict.fromkeys(to.email)), timeout))
    return found


def delivery_id(letter: Letter, channel: Channel) -> str:
    """The same for the same message and channel, wherever and however often it is sent."""
    message = letter.message
    parts = [letter.organization, message.kind, message.scope, message.name, message.week, channel]
    return str(uuid.uuid5(_NAMESPACE, json.dumps(parts)))


def _slack(letter: Letter, address: SecretStr, key: str, timeout: float) -> Parcel:
    def payload() -> str:
        return json.dumps(letter.slack(), ensure_ascii=False)

    def ready(id: str) -> AbstractContextManager[Send]:
        require_for_delivery(address)
        url, body = address.get_secret_value(), payload().encode()

        def to(_: Sequence[str]) -> Mapping[str, NotDelivered]:
            post(url, body, {}, key, timeout)
            return {}

        return nullcontext(to)

    target, by = target_at(address, key)

    return Parcel(
        letter.message,
        "slack",
        delivery_id(letter, "slack"),
        (target,),
        by,
        letter.subject,
        lambda id, _: {"message": payload()},
        ready,
    )


def _webhook(letter: Letter, webhook: Webhook, key: str, timeout: float) -> Parcel:
    def payload(id: str) -> bytes:
        return webhooks.payload(letter.message.kind.partition(" ")[0], id, letter.data())

    def ready(id: str) -> AbstractContextManager[Send]:
        require_for_delivery(webhook)
        body = payload(id)

        def to(_: Sequence[str]) -> Mapping[str, NotDelivered]:
            webhooks.send(webhook, id, body, key, timeout)
            return {}

        return nullcontext(to)

    target, by = target_at(webhook.url, key)

    return Parcel(
        letter.message,
        "webhook",
        delivery_id(letter, "webhook"),
        (target,),
        by,
        letter.subject,
        lambda id, _: {"message": payload(id).decode()},
        ready,
    )


def _mail(letter: Letter, email: Email, recipients: tuple[str, ...], timeout: float) -> Parcel:
    def message(id: str, to: Sequence[str]) -> Any:
        html = letter.html() if letter.html else None
        return mail(letter.subject, letter.text(), html, email, to, id)

    @contextmanager
    def ready(id: str) -> Iterator[Send]:
        require_for_delivery(email, *recipients)
        # who has it already is named in it still: it is the same message
        made = message(id, recipients)
        with connected(email, timeout) as server:
            yield lambda to: hand_over(server, made, email, to)

    return Parcel(
        letter.message,
        "email",
        delivery_id(letter, "email"),
        recipients,
        f"{email.host}:{email.port}",
        letter.subject,
        lambda id, to: {"message": message(id, recipients).as_string()},
        ready,
    )


def target_at(address: SecretStr | str, key: str) -> tuple[str, str]:
    """What tells one address from another without telling the address, and its host; the key where it is not known."""
    try:
        require_resolved(address)
    except UnresolvedReference:
        return key, key
    url = address.get_secret_value() if isinstance(address, SecretStr) else address
    return f"{host(url)} {hashlib.sha256(url.encode()).hexdigest()[:12]}", host(url)
