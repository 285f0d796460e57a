"""Keeps secrets out of what is stored and shown."""

from config.settings import Settings
from config.text.hidden import hide
from config.text.references import secrets_in


def redact(settings: Settings, text: str) -> str:
    """`text` with every configured secret replaced, and what is left of one where it was cut."""
    return hide(text, secrets_in(settings))
