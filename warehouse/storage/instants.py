"""Instants as the warehouse stores them."""

from datetime import UTC, datetime


def naive(at: datetime) -> datetime:
    """An aware instant as the warehouse stores it: UTC without a zone."""
    return at.astimezone(UTC).replace(tzinfo=None)
