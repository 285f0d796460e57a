"""Parts of a JSON value from elsewhere, where a null or another type may stand in the place of any of them."""

import json
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from config.years import in_utc

Json = dict[str, Any]
# no source has a use for more; what walks a value step by step may go as deep
_DEEPEST = 100
_TOO_DEEP = f'"nested more than {_DEEPEST} deep"'
# no column holds a number of more digits
_MOST_DIGITS = 40
_STRINGS_AND_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


def read_json(told: str) -> Any:
    """The JSON value that `told` is, of any depth and with numbers of any length; raises ValueError where it is none.

    In place of what is nested too deep stands a text that says so, in place of a number that no column holds an
    infinite one, so that either costs its own item only.
    """
    try:
        value = json.loads(told)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError):  # a number of thousands of digits, or thousands of brackets
        return json.loads(_cut(told), parse_int=_number)
    has_few = told.count("[") + told.count("{") < _DEEPEST
    return value if has_few or _is_shallow(value) else json.loads(_cut(told), parse_int=_number)


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        holders = [part for part in level if isinstance(part, dict | list)]
        level = [part for held in holders for part in (held.values() if isinstance(held, dict) else held)]
        if not level:
            return True
    return False


def _cut(told: str) -> str:
    """`told` without what is nested too deep."""
    kept, begin, depth = [], 0, 0
    for found in _STRINGS_AND_BRACKETS.finditer(told):
        bracket = found[0]
        if bracket in "[{":
            depth += 1
            if depth == _DEEPEST:
                kept += [told[begin : found.start()], _TOO_DEEP]
        elif bracket in "]}":
            if depth == _DEEPEST:
                begin = found.end()
            depth -= 1
    return "".join(kept) + told[begin:]


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


def objects(value: Any, *keys: str) -> list[Json]:
    """The objects in the array at `keys` below `value`, or in `value` itself; a null is left out.

    What is no object is held by one as its `value`: it lacks what an item needs, so that it is set aside.
    """
    found = listing(value, *keys) if keys else value if isinstance(value, list) else []
    return [part if isinstance(part, dict) else {"value": part} for part in found if part is not None]


def text(value: Any, *keys: str) -> str | None:
    """The text at `keys` below `value`; None where it is empty, something else, or not there."""
    *parents, last = keys
    found = mapping(value, *parents).get(last)
    return found if isinstance(found, str) and found else None


def whole(value: Any, *keys: str) -> int | None:
    """The whole number at `keys` below `value`; None where it is something else, or not there."""
    *parents, last = keys
    found = mapping(value, *parents).get(last)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def seconds(header: str | None) -> float | None:
    """The number that a header tells, however large; None where it tells none."""
    try:
        return float(header or "")
    except ValueError:
        return None


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
