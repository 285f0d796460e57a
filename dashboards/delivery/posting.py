"""Posts JSON to an address that may itself be a secret, and says what became of it without naming it.

NotDelivered(SixkeysError)   a message did not arrive, or nobody knows whether it did
"""

from collections.abc import Mapping
from math import inf
from typing import Literal

import httpx
from pydantic import BaseModel, SecretStr

from collectors.transport.json_api import asked_seconds
from config.errors import SixkeysError
from config.reports import host
from config.text.references import UnresolvedReference, require_resolved

TIMEOUT = 30.0
_PASSING = {408, 425, 429, 500, 502, 503, 504}
# none of these left a whole request behind
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.WriteError,
    httpx.WriteTimeout,
)


class NotDelivered(SixkeysError):
    """Why a message did not arrive. `failed` may pass and is tried again, in `wait` seconds if the other side says so;
    `refused` stays until a person mends it; `unknown`: it was handed over and no answer came. Who is `unreachable` or
    silent is not asked again in the same round.
    """

    def __init__(
        self,
        text: str,
        status: Literal["failed", "refused", "unknown"],
        wait: float | None = None,
        unreachable: bool = False,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.wait = wait
        self.unreachable = unreachable


def require_for_delivery(*referring: BaseModel | SecretStr | str) -> None:
    """Raises NotDelivered where something that these refer to is not there; it is tried again by the next run."""
    try:
        require_resolved(referring)
    except UnresolvedReference as error:
        raise NotDelivered(str(error), "failed", wait=inf) from None


def post(url: str, body: bytes, headers: Mapping[str, str], key: str, timeout: float) -> None:
    """Posts `body`, JSON; raises NotDelivered. `key` is where the address is configured."""
    at = host(url)
    try:
        answer = httpx.post(
            url, content=body, headers={"content-type": "application/json", **headers}, timeout=timeout
        )
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError):
        raise NotDelivered(f"{key} is not an address; mend it", "refused") from None
    except _NOT_SENT as error:
        connecting = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError))
        reason = "its certificate is not trusted" if "CERTIFICATE" in str(error) else type(error).__name__
        text = f"{at} cannot be reached ({reason}); check {key} and the network"
        raise NotDelivered(text, "failed", unreachable=connecting) from None
    except httpx.HTTPError as error:
        is_silent = isinstance(error, httpx.TimeoutException)
        reason = f"within {timeout:.0f} s" if is_silent else "in full"
        raise NotDelivered(f"{at} did not answer {reason}", "unknown", unreachable=is_silent) from None
    if answer.is_success:
        return
    said = " ".join(answer.text.split())[:80] or "nothing"
    text = f"{at} answered {answer.status_code} ({said}); "
    if answer.status_code in _PASSING:
        wait = asked_seconds(answer.headers.get("retry-after"))
        raise NotDelivered(text + "it is tried again", "failed", wait)
    raise NotDelivered(text + f"check {key}", "refused")
