"""Instants as the warehouse stores them."""

from datetime import UTC, datetime
from typing import Any


def naive(at: datetime) -> datetime:
    """An aware instant as the warehouse stores it: UTC without a zone."""
    return at.astimezone(UTC).replace(tzinfo=None)


def aware(value: Any) -> Any:
    """A stored value as records have it: an instant with its zone, UTC, and anything else as it is."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
