"""Parts of a JSON value from elsewhere, where a null or another type may stand in the place of any of them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from config.years import in_utc

Json = dict[str, Any]


def mapping(value: Any, *keys: str) -> dict[str, Any]:
    """The object at `keys` below `value`; an empty one where something else, or nothing, is there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def listing(value: Any, *keys: str) -> list[Any]:
    """The array at `keys` below `value`; an empty one where something else, or nothing, is there."""
    *parents, last = keys
    found = mapping(value, *parents).get(last)
    return found if isinstance(found, list) else []


def text(value: Any, *keys: str) -> str | None:
    """The text at `keys` below `value`; None where it is empty, something else, or not there."""
    *parents, last = keys
    found = mapping(value, *parents).get(last)
    return found if isinstance(found, str) and found else None


def as_instant(value: Any, *keys: str) -> datetime | None:
    """The instant at `keys` below `value`, in UTC; None where it is none, has no zone, or is of no year that counts."""
    try:
        at = datetime.fromisoformat(text(value, *keys) or "")
        return in_utc(at) if at.tzinfo else None
    except ValueError:
        return None


def without_keys(value: Any, keys: Collection[str]) -> Any:
    """`value` with nothing below any of `keys`, at any depth: what is kept of an item must not name people."""
    if isinstance(value, dict):
        return {key: without_keys(part, keys) for key, part in value.items() if key not in keys}
    if isinstance(value, list):
        return [without_keys(part, keys) for part in value]
    return value
