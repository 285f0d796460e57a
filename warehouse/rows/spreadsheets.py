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


def defused(value: object) -> object:
    """`value`, and where it is text that a spreadsheet would take for a formula, with an apostrophe before it.

    That is text whose first letter is one of `=+-@`, in full width too, whatever blanks are before it, and text that
    begins with a tab or a line break. A line break is one line feed. Numbers stay as they are.
    """
    if not isinstance(value, str):
        return value
    text = _LINE_BREAK.sub("\n", value)
    first = next((c for c in text if not unicodedata.category(c).startswith(_SKIPPED)), "")
    is_formula = unicodedata.normalize("NFKC", first)[:1] in _BEGINS
    return f"'{text}" if is_formula or text.startswith(("\t", "\n")) else text
