"""Parts of a JSON value from elsewhere, where a null or another type may stand in the place of any of them."""

from typing import Any


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
