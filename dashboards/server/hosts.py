"""The names that the dashboard answers to: a page elsewhere can make its own name lead here (DNS rebinding)."""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from config.access import is_loopback
from config.settings import Settings

_PORTS = {"http": 80, "https": 443}


def answers_to(settings: Settings, listens_at: str | None, authority: str) -> bool:
    """Whether a request for `authority` (a `Host` header) may be meant for the dashboard.

    It `listens_at` an address, None: at every one. Where people log in any may: by another name nobody is logged in.
    """
    if settings.dashboard.auth:
        return True
    host = (_asked(authority).hostname or "").removesuffix(".")
    reached = listens_at is None or not is_loopback(listens_at)
    return bool(host) and (
        is_loopback(host) or host == listens_at or (reached and _is_ip(host)) or _is_known(settings, host)
    )


def comes_from_here(settings: Settings, authority: str, origin: str) -> bool:
    """Whether a page of `origin` is the dashboard's own, where the browser asks for `authority`, or a proxy does."""
    page = _parts(origin)
    asked = _asked(authority)
    standard = _PORTS.get(page.scheme)
    if standard is None or not page.hostname:
        return False
    if (page.hostname, page.port or standard) == (asked.hostname, asked.port or standard):
        return True
    return _is_known(settings, page.hostname)


def _is_known(settings: Settings, host: str) -> bool:
    """Whether the configuration names `host`: in an address of the dashboard or by itself."""
    return any(
        name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:]))
        for name in map(str.lower, _names(settings))
    )


def _names(settings: Settings) -> Iterator[str]:
    yield from settings.dashboard.hosts
    for url in (settings.dashboard.url, settings.survey_page and settings.survey_page.url):
        if url:
            yield _parts(url).hostname or ""


def _asked(authority: str) -> SplitResult:
    """A `Host` header's name and port; nothing where it holds anything else."""
    return _parts("" if re.search(r"[@/?#\\\s]", authority) else f"//{authority}")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port
        return parts
    except ValueError:
        return urlsplit("")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
