"""Values as the warehouse can hold them."""

from typing import Any


def storable(value: Any) -> Any:
    """`value` with a mark in place of half a character, such as half an emoji, which no file can hold."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list | tuple):
        return [storable(part) for part in value]
    if isinstance(value, dict):
        return {storable(key): storable(part) for key, part in value.items()}
    return value
