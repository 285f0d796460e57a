"""JSON to a configured webhook, signed as Standard Webhooks does (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from config.reports import Webhook
from dashboards.delivery.posting import TIMEOUT, NotDelivered, post

_PREFIX = "whsec_"


def payload(kind: str, id: str, content: Mapping[str, Any]) -> bytes:
    """What is posted: `type` (`scorecard` or `alert`), `id` (the same however often it is sent) and the `data`."""
    return json.dumps({"type": kind, "id": id, "data": content}, ensure_ascii=False).encode()


def send(webhook: Webhook, id: str, payload: bytes, key: str, timeout: float = TIMEOUT) -> None:
    """Posts a signed payload; raises NotDelivered. `key` is where the webhook is configured."""
    at = int(time.time())
    headers = {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": signature(webhook.secret.get_secret_value(), id, at, payload),
    }
    try:
        post(webhook.url, payload, headers, key, timeout)
    except NotDelivered as failure:
        if failure.status == "unknown":  # the receiver knows the id if it has it already
            raise NotDelivered(f"{failure}; it is tried again", "failed") from None
        raise


def signature(secret: str, id: str, at: int, payload: bytes) -> str:
    """`v1,` and the base64 of the HMAC-SHA256 over id, second and payload, joined by dots."""
    signed = f"{id}.{at}.".encode() + payload
    return "v1," + base64.b64encode(hmac.new(_bytes(secret), signed, hashlib.sha256).digest()).decode()


def _bytes(secret: str) -> bytes:
    """A secret of the form that the libraries of Standard Webhooks take is base64; any other is taken as it is."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
