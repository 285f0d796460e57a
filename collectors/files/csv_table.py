"""A CSV file as people's tools write it: any byte order mark, commas, semicolons or tabs, empty columns at the end."""

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TextIO

from config.errors import DataError

Opened = Callable[[], TextIO]
_DELIMITERS = ",;\t"
_CHARACTERS_AT_ONCE = 1_000_000
# what Excel puts first, so that another Excel knows
_SEPARATOR = re.compile(r"sep=(.)", re.IGNORECASE)
# a cell can hold the paths of a large commit
csv.field_size_limit(64 * 1024 * 1024)


@dataclass(frozen=True)
class CsvTable:
    """The header, white space in it made plain, and the rows that are not empty, each with the line it begins at.

    Columns at the end without a name are left out where they are empty. Reading the rows raises DataError where the
    file is not CSV.
    """

    where: str
    columns: list[str]
    rows: Iterator[tuple[int, list[str]]]
    header_line: int = 1


def plain(header: str) -> str:
    """`header` with single blanks: forms put line breaks and non-breaking blanks into theirs."""
    return " ".join(header.split())


def text_of(content: bytes, where: str) -> Opened:
    """Opens the text of `content`: UTF-8, or UTF-16 with its byte order mark. Raises DataError."""
    with _told_if_no_text(where):
        text = content.decode(_encoding(content[:4], where))
    return lambda: StringIO(text, newline="")


def text_in(path: Path) -> Opened:
    """Opens the text of a file, of which no more than a part is held at a time; all of it is looked at first."""
    with path.open("rb") as file:
        encoding = _encoding(file.read(4), str(path))

    def opened() -> TextIO:
        return path.open(encoding=encoding, newline="")

    with _told_if_no_text(str(path)), opened() as text:
        while text.read(_CHARACTERS_AT_ONCE):
            pass
    return opened


def _encoding(beginning: bytes, where: str) -> str:
    if beginning.startswith(b"PK\x03\x04"):
        raise DataError(f'{where} is a workbook or an archive; save it as "CSV UTF-8"')
    return "utf-16" if beginning.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"


@contextmanager
def _told_if_no_text(where: str) -> Iterator[None]:
    """Tells in a DataError that what is read is not UTF-8."""
    try:
        yield
    except UnicodeDecodeError:
        raise DataError(f"{where}: is not UTF-8 text; save it as CSV UTF-8") from None


def read_table(opened: Opened, where: str, wanted: Collection[str]) -> CsvTable:
    """The table that a text holds, told apart by the separator that gives most of the `wanted` columns.

    A first line `sep=;` says which separator it is.
    """
    with opened() as text:
        told = _SEPARATOR.fullmatch(text.readline().strip().strip('"'))
    if told:
        return _split(opened, where, told[1], first_line=2)
    tables: list[CsvTable] = []
    for delimiter in _DELIMITERS:
        try:
            tables.append(_split(opened, where, delimiter))
        except DataError as error:  # by another separator the quotes may be well
            wrong = error
    if not tables:
        raise wrong
    return max(tables, key=lambda table: len(set(table.columns) & set(wanted)))


def _split(opened: Opened, where: str, delimiter: str, first_line: int = 1) -> CsvTable:
    told = _lines(opened, where, delimiter, first_line)
    _, header = next(told, (first_line, []))
    named = len(header) - len(_trailing_empty(header))
    return CsvTable(where, [plain(name) for name in header[:named]], _rows(told, where, named), first_line)


def _lines(opened: Opened, where: str, delimiter: str, first_line: int) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line of cells from `first_line` on, with the line at which it begins."""
    before = first_line - 1
    with opened() as text:
        for _ in range(before):
            text.readline()
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        line = first_line
        try:
            for cells in reader:
                yield line, cells
                line = before + reader.line_num + 1
        except csv.Error as error:
            number = before + reader.line_num
            raise DataError(f"{where}:{number}: is not CSV: {error}; mend the line's quotes") from None


def _rows(lines: Iterable[tuple[int, list[str]]], where: str, named: int) -> Iterator[tuple[int, list[str]]]:
    for line, cells in lines:
        if not any(cells):
            continue
        beyond = cells[named:]
        if any(cells[named:]):
            column = named + 1 + next(i for i, cell in enumerate(beyond) if cell)
            raise DataError(
                f"{where}:{line}: the column {column} has a value and the first line no name for it; name it, or put"
                " a cell that holds the separator in quotes"
            )
        yield line, cells[:named]


def _trailing_empty(cells: list[str]) -> list[str]:
    count = next((i for i, cell in enumerate(reversed(cells)) if cell.strip()), len(cells))
    return cells[len(cells) - count :]
