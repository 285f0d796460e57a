"""Values as a message quotes them: in one short line, whatever somebody wrote."""

import re
from typing import Any

from config.text.legible import one_line

LONGEST_VALUE = 100
LONGEST_MESSAGE = 1_000
_LONG_WORD = re.compile(rf"\S{{{2 * LONGEST_VALUE + 1},}}")


def shortened(text: str, most: int) -> str:
    """`text` in at most `most` characters: how it begins, and how it ends, where a message says what to do."""
    if len(text) <= most:
        return text
    end = most // 3
    return f"{text[: most - end - 1]}…{text[-end:]}"


def one_short_line(text: object, most: int = LONGEST_VALUE) -> str:
    """`text` in one line of at most `most` characters that a terminal can show."""
    return shortened(one_line(shortened(str(text), most)), most)


def in_short(message: str) -> str:
    """A message in one line of at most 1,000 characters, whatever it quotes: no word in it is longer than 200."""
    words = _LONG_WORD.sub(lambda word: shortened(word[0], 2 * LONGEST_VALUE), message)
    return one_short_line(words, LONGEST_MESSAGE)


def quoted(value: Any) -> str:
    """`value` in quotes, in one line that a terminal can show, and never longer than about 100 characters."""
    if isinstance(value, dict | list | set | tuple):
        return "a section" if isinstance(value, dict) else "a list"
    return f'"{one_short_line(_written(value))}"'


def _written(value: Any) -> str:
    """As YAML has it, where that is not as Python has it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
