"""A configuration as a list: each setting, its value, and where that comes from; secrets stay hidden."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from config.settings import Settings, settings_document
from config.text.references import REFERENCE


@dataclass(frozen=True)
class Setting:
    """A setting: its key with dots, its value in words, and its origin (`sixkeys.yaml`, `default` …)."""

    key: str
    value: str
    origin: str


def settings_summary(path: Path, settings: Settings) -> list[Setting]:
    """Every setting of the file at `path`, which `settings` were read from, in the order of their declaration."""
    written = settings_document(path).content
    return [
        Setting(key, _words(value, raw), _origin(path, raw))
        for key, value, raw in _leaves(settings, written, "")
    ]


def _leaves(value: Any, raw: Any, key: str) -> Iterator[tuple[str, Any, Any]]:
    """(key, value, what the file has in its place) for each setting that has a value."""
    if isinstance(value, BaseModel):
        for index, (name, field) in enumerate(type(value).model_fields.items()):
            # an entry may be written as its first key's value alone
            shorthand = raw if isinstance(raw, str) and index == 0 else None
            written = field.alias or name
            below = raw.get(written) if isinstance(raw, Mapping) else shorthand
            yield from _leaves(getattr(value, name), below, f"{key}.{written}".lstrip("."))
    elif isinstance(value, dict) and any(isinstance(item, BaseModel) for item in value.values()):
        for name, item in value.items():
            below = raw.get(name) if isinstance(raw, Mapping) else None
            yield from _leaves(item, below, f"{key}.{name}")
    elif isinstance(value, list) and any(isinstance(item, BaseModel) for item in value):
        for index, item in enumerate(value):
            below = raw[index] if isinstance(raw, list) and index < len(raw) else None
            if key == "metrics":
                for name in ("target", "team_target", "group_target", "system_target", "service_target"):
                    if text := getattr(item, name):
                        yield f"{name.replace('_', ' ')} of {item.name}", text, below
            else:
                yield from _leaves(item, below, f"{key}.{index}")
    elif value not in (None, [], {}, ""):
        yield key, value, raw


def _words(value: Any, raw: Any) -> str:
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(raw, str) and (raw.startswith("file:") or re.search(REFERENCE, raw)):
        # an address may have a key in its query
        return raw
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return f"{value.total_seconds() / 3600:g}h"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_words(below, None)}" for key, below in value.items())
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _origin(path: Path, raw: Any) -> str:
    if raw is None:
        return "default"
    if isinstance(raw, str) and raw.startswith("file:"):
        return raw.removeprefix("file:")
    if isinstance(raw, str) and (names := re.findall(REFERENCE, raw)):
        return f"environment: {', '.join(names)}"
    return path.name
