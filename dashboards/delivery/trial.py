"""A message of one line to each configured channel of Slack and each webhook, sent only where a person asks for it."""

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from config.settings import Settings
from dashboards.delivery import webhooks
from dashboards.delivery.posting import TIMEOUT, NotDelivered, post
from dashboards.delivery.slack import trial_message

if TYPE_CHECKING:
    from collectors.connections import Connection


def send_trial_messages(settings: Settings, timeout: float = TIMEOUT) -> Iterator["Connection"]:
    """What became of each, by the key where it is configured; an address that several keys name gets one message."""
    said = f"{settings.organization}: a trial message of Sixkeys. Scorecards and alerts will arrive here."
    seen = set()
    for key, to in settings.reports.everybody():
        if to.slack_webhook and (url := to.slack_webhook.get_secret_value()) not in seen:
            seen.add(url)
            body = trial_message(said)
            yield _tried(
                f"{key}.slack_webhook", partial(post, url, body, {}, f"{key}.slack_webhook", timeout)
            )
        if to.webhook and to.webhook.url not in seen:
            seen.add(to.webhook.url)
            id = str(uuid.uuid4())
            body = webhooks.payload("trial", id, {"organization": settings.organization, "text": said})
            yield _tried(
                f"{key}.webhook", partial(webhooks.send, to.webhook, id, body, f"{key}.webhook", timeout)
            )


def _tried(key: str, send: Callable[[], None]) -> "Connection":
    from collectors.connections import Connection  # brings every collector, which no delivery waits for

    try:
        send()
    except NotDelivered as error:
        return Connection(key, False, f"{key}: {error}")
    return Connection(key, True, "took a trial message")
