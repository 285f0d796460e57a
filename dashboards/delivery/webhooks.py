"""JSON to a configured webhook, signed as Standard Webhooks does (https://www.standardwebhooks.com)."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import standardwebhooks

from config.reports import Webhook
from dashboards.delivery.posting import TIMEOUT, NotDelivered, post

_PREFIX = "whsec_"


def payload(kind: str, id: str, content: Mapping[str, Any]) -> bytes:
    """What is posted: `type` (`scorecard` or `alert`), `id` (the same however often it is sent) and the `data`."""
    return json.dumps({"type": kind, "id": id, "data": content}, ensure_ascii=False).encode()


def send(webhook: Webhook, id: str, payload: bytes, key: str, timeout: float = TIMEOUT) -> None:
    """Posts a signed payload; raises NotDelivered. `key` is where the webhook is configured."""
    at = datetime.now(UTC)
    headers = {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature(webhook.secret.get_secret_value(), id, at, payload),
    }
    try:
        post(webhook.url, payload, headers, key, timeout)
    except NotDelivered as failure:
        if failure.status == "unknown":  # the receiver knows the id if it has it already
            raise NotDelivered(f"{failure}; it is tried again", "failed") from None
        raise


def signature(secret: str, id: str, at: datetime, payload: bytes) -> str:
    """`v1,` and the base64 of the HMAC-SHA256 over id, second and payload, joined by dots."""
    return standardwebhooks.Webhook(_bytes(secret)).sign(id, at, payload.decode())


def _bytes(secret: str) -> bytes:
    """A secret of the form that the libraries of Standard Webhooks take is base64; any other is taken as it is."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
