"""The columns of a record, read from its class: what a cell must be, in words, with an example that works."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from collectors.contract.records import Record
from config.years import FIRST_YEAR, LAST_YEAR, in_utc

Clean = Callable[[Any], Any]
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
# what a text looks like, by its column
_TEXTS = {
    "repo": "acme/shop",
    "sha": "3f786850e387550fdab836ed7e6dc881de23001b",
    "url": "https://github.com/acme/shop",
    "environment": "production",
    "source": "jenkins",
    "round": "2026-Q4",
    "scope": "team payments",
    "title": "Christmas freeze",
}


class Unfit(ValueError):
    """A value that is not what its column holds; `path` leads to it inside the cell."""

    def __init__(self, value: Any, what: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(f"{_shown(value)} is not {what}")
        self.value, self.what, self.path = value, what, path

    def below(self, key: str) -> "Unfit":
        """The same, seen from the list or struct that holds it at `key`."""
        return Unfit(self.value, self.what, (key, *self.path))


@dataclass(frozen=True)
class Shape:
    """What a value must be, an example of it, and `clean`, which readies one for the record or raises Unfit."""

    what: str
    example: Any
    clean: Clean | None = None

    @property
    def is_nested(self) -> bool:
        """Whether a CSV cell holds it as JSON."""
        return isinstance(self.example, list | dict)

    @property
    def shown_example(self) -> str:
        """The example as it is written in a file."""
        return (
            json.dumps(self.example)
            if self.is_nested or isinstance(self.example, bool)
            else str(self.example)
        )


@dataclass(frozen=True)
class RecordColumn:
    """A column with its shape; `required` where no default stands for a missing value."""

    name: str
    required: bool
    shape: Shape


@cache
def columns_of(record: type[Record]) -> dict[str, RecordColumn]:
    """The columns of `record` by name, in its order."""
    schema = record.model_json_schema()
    required = schema.get("required", [])
    return {
        name: RecordColumn(name, name in required, _shape(part, schema.get("$defs", {}), name))
        for name, part in schema["properties"].items()
    }


def _shape(schema: dict[str, Any], parts: dict[str, Any], name: str) -> Shape:
    if "$ref" in schema:
        return _shape(parts[schema["$ref"].rpartition("/")[2]], parts, name)
    if "anyOf" in schema:
        return _shape(next(option for option in schema["anyOf"] if option.get("type") != "null"), parts, name)
    if "enum" in schema:
        return Shape(f"one of {', '.join(schema['enum'])}", schema["enum"][0])
    if schema.get("format") == "date-time":
        return Shape("an instant with a zone", "2026-11-16T09:30:00Z", _instant)
    if schema["type"] == "array":
        item = _shape(schema["items"], parts, name)
        return Shape("a list", [item.example], lambda value: _list(value, item.clean))
    if schema["type"] == "object" and "properties" in schema:
        return _struct(schema, parts)
    if schema["type"] == "object":
        return Shape("a mapping of texts", {"app": "web"}, _mapping)
    return {
        "string": Shape("a text", _TEXTS.get(name, "web")),
        "integer": Shape("a whole number", 42),
        "number": Shape("a number", 4.5, _number),
        "boolean": Shape("true or false", True),
    }[schema["type"]]


def _struct(schema: dict[str, Any], parts: dict[str, Any]) -> Shape:
    shapes = {name: _shape(part, parts, name) for name, part in schema["properties"].items()}
    example = {name: shapes[name].example for name in schema.get("required", [])}

    def clean(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Unfit(value, "a struct")
        cleaned = {}
        for name, part in value.items():
            if part is not None:
                each = shapes[name].clean if name in shapes else None
                cleaned[name] = _below(name, each, part)
        return cleaned

    return Shape("a struct", example, clean)


def _below(key: str, clean: Clean | None, value: Any) -> Any:
    try:
        return clean(value) if clean else value
    except Unfit as unfit:
        raise unfit.below(key) from None


def _list(value: Any, clean: Clean | None) -> list[Any]:
    if not isinstance(value, list):
        raise Unfit(value, "a list")
    return [_below(str(index), clean, item) for index, item in enumerate(value)] if clean else value


def _mapping(value: Any) -> dict[str, Any]:
    try:
        # Parquet's maps come as pairs
        return {key: text for key, text in dict(value).items() if text is not None}
    except (TypeError, ValueError):
        raise Unfit(value, "a mapping of texts") from None


def _number(value: Any) -> Any:
    if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
        value = value.replace(",", ".")
    try:
        finite = math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        finite = False
    if not finite:
        raise Unfit(value, "a number")
    return value


def _instant(value: Any) -> datetime:
    """The instant in UTC. A plain number, which would pass for seconds since 1970, is none."""
    try:
        if isinstance(value, datetime):
            # a plain one: pandas brings its own class
            at = datetime.combine(value.date(), value.timetz())
        elif isinstance(value, str):
            at = datetime.fromisoformat(value)
        else:
            raise Unfit(value, "an instant with a zone")
        if at.tzinfo is None:
            raise Unfit(value, "an instant with a zone")
    except (ValueError, OverflowError):
        raise Unfit(value, "an instant with a zone") from None
    try:
        return in_utc(at)
    except ValueError:
        raise Unfit(value, f"an instant of the years {FIRST_YEAR} to {LAST_YEAR}") from None


def _shown(value: Any) -> str:
    shown = f'"{value}"' if isinstance(value, str | datetime) else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
