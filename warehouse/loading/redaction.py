"""Keeps secrets out of what is stored and shown."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, SecretStr

from config.settings import Settings
from config.text.legible import one_line


def redact(settings: Settings, text: str) -> str:
    """`text` with every configured secret replaced."""
    for secret in sorted(_secrets(settings), key=len, reverse=True):
        for written in filter(None, {secret, one_line(secret)}):  # as it is, and as an error would tell it
            text = text.replace(written, "**********")
    return text


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        if value.get_secret_value():
            yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _secrets(item)
