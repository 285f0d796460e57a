"""A message of one line to each configured channel of Slack and each webhook, sent only where a person asks for it."""

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from pydantic import SecretStr

from config.reports import Webhook
from config.settings import Settings
from dashboards.delivery import webhooks
from dashboards.delivery.parcels import target_at
from dashboards.delivery.posting import TIMEOUT, NotDelivered, post, require_for_delivery
from dashboards.delivery.slack import trial_message

if TYPE_CHECKING:
    from collectors.connections import Connection


def send_trial_messages(settings: Settings, timeout: float = TIMEOUT) -> Iterator["Connection"]:
    """What became of each, by the key where it is configured; an address that several keys name gets one message."""
    said = f"{settings.organization}: a trial message of Sixkeys. Scorecards and alerts will arrive here."
    seen = set()
    for key, to in settings.reports.everybody():
        if to.slack_webhook and (at := target_at(to.slack_webhook, f"{key}.slack_webhook")) not in seen:
            seen.add(at)
            yield _tried(
                f"{key}.slack_webhook",
                partial(_to_slack, to.slack_webhook, trial_message(said), f"{key}.slack_webhook", timeout),
            )
        if to.webhook and (at := target_at(to.webhook.url, f"{key}.webhook")) not in seen:
            seen.add(at)
            id = str(uuid.uuid4())
            body = webhooks.payload("trial", id, {"organization": settings.organization, "text": said})
            yield _tried(
                f"{key}.webhook", partial(_to_webhook, to.webhook, id, body, f"{key}.webhook", timeout)
            )


def _to_slack(address: SecretStr, body: bytes, key: str, timeout: float) -> None:
    require_for_delivery(address)
    post(address.get_secret_value(), body, {}, key, timeout)


def _to_webhook(webhook: Webhook, id: str, body: bytes, key: str, timeout: float) -> None:
    require_for_delivery(webhook)
    webhooks.send(webhook, id, body, key, timeout)


def _tried(key: str, send: Callable[[], None]) -> "Connection":
    from collectors.connections import Connection  # brings every collector, which no delivery waits for

    try:
        send()
    except NotDelivered as error:
        return Connection(key, False, f"{key}: {error}")
    return Connection(key, True, "took a trial message")
