"""Text from elsewhere as a person gets to see it: it steers no terminal, feigns no line and turns no letters around.

A character that would is written out, as `\\x1b` or `\\u202e`. Data for programs (JSON, CSV, Parquet) keeps what it is.
"""

import logging
import re
from typing import Any

# control characters but for tab and line feed, separators of lines and paragraphs, what Unicode calls Bidi_Control,
# blanks without width (joiners have a part in words and emoji), and halves of characters
_STEERING = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def legible(text: object) -> str:
    """The text with all that steers written out, but for line breaks and tabs."""
    return _STEERING.sub(_written_out, str(text))


def is_text(text: str) -> bool:
    """Whether UTF-8 has it: no half of a character, and no byte of a path that is something else."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def one_line(text: object) -> str:
    """The same on one line, with single blanks."""
    return legible(" ".join(str(text).split()))


def legible_json(text: str) -> str:
    """JSON that means the same, with what steers escaped."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class LegibleFormatter(logging.Formatter):
    """Writes a message on one line, and of a traceback each line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- logging calls it
        """The message."""
        return one_line(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 -- logging calls it
        """The traceback of the exception."""
        return legible(super().formatException(ei))


def log_legibly() -> None:
    """Makes all that is logged from now on go to stderr so, where nothing else takes it."""
    handler = logging.StreamHandler()
    handler.setFormatter(LegibleFormatter())
    logging.basicConfig(handlers=[handler])
    # a retry is told by the source that waits for it
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
