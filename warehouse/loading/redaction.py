"""Keeps secrets out of what is stored and shown."""

from config.settings import Settings
from config.text.legible import one_line
from config.text.references import secrets_in


def redact(settings: Settings, text: str) -> str:
    """`text` with every configured secret replaced."""
    for secret in sorted(secrets_in(settings), key=len, reverse=True):
        for written in filter(None, {secret, one_line(secret)}):  # as it is, and as an error would tell it
            text = text.replace(written, "**********")
    return text
