"""What a spreadsheet makes of a CSV: the encoding that it takes, and text in a cell that it would execute."""

import re
import unicodedata

# by which Excel knows UTF-8; without it names like Müller are garbled
BYTE_ORDER_MARK = "\ufeff"

# what a spreadsheet skips before it looks whether a cell is a formula: blanks, controls, marks without width
_SKIPPED = ("Z", "C")
_BEGINS = frozenset("=+-@")
# a bare carriage return ends a row for a spreadsheet, and Python puts no quotes around it
_LINE_BREAK = re.compile(r"\r\n?")
# where one begins another cell that takes semicolons or tabs for what separates: quotes within a row mean nothing then
_SPLITS = re.compile(r"([;\t\n])")
# what nearly all text is, told without looking at each of its letters
_HARMLESS = re.compile(r"[0-9A-Za-z][^;\t\n\r]*")


def defused(value: object) -> object:
    """`value`, and where it is text that a spreadsheet would take for a formula, with an apostrophe before it.

    That is text whose first letter is one of `=+-@`, in full width too, whatever blanks are before it, and text that
    begins with a tab or a line break. So is what follows a semicolon, a tab or a line break within the text, where
    spreadsheets of some countries split it. A line break is one line feed. Numbers stay as they are.
    """
    if not isinstance(value, str) or _HARMLESS.fullmatch(value):
        return value
    text = _LINE_BREAK.sub("\n", value)
    first, *others = _SPLITS.split(text)
    is_first = _is_formula(text) or text.startswith(("\t", "\n"))
    return (
        ("'" if is_first else "")
        + first
        + "".join(f"'{part}" if _is_formula(part) else part for part in others)
    )


def _is_formula(text: str) -> bool:
    first = next((c for c in text if not unicodedata.category(c).startswith(_SKIPPED)), "")
    return unicodedata.normalize("NFKC", first)[:1] in _BEGINS
