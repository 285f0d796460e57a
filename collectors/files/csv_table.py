"""A CSV file as people's tools write it: any byte order mark, commas, semicolons or tabs, empty columns at the end."""

import csv
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from io import StringIO

from config.errors import DataError

_DELIMITERS = ",;\t"
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


def decoded(content: bytes, where: str) -> str:
    """The text of `content`: UTF-8, or UTF-16 with its byte order mark. Raises DataError."""
    if content.startswith(b"PK\x03\x04"):
        raise DataError(f'{where} is a workbook or an archive; save it as "CSV UTF-8"')
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise DataError(f"{where}: is not UTF-8 text; save it as CSV UTF-8") from None


def read_table(content: bytes, where: str, wanted: Collection[str]) -> CsvTable:
    """The table in `content`, told apart by the separator that gives most of the `wanted` columns.

    A first line `sep=;` says which separator it is.
    """
    text = decoded(content, where)
    first, _, rest = text.partition("\n")
    if told := _SEPARATOR.fullmatch(first.strip().strip('"')):
        return _split(rest, where, told[1], first_line=2)
    tables: list[CsvTable] = []
    for delimiter in _DELIMITERS:
        try:
            tables.append(_split(text, where, delimiter))
        except DataError as error:  # by another separator the quotes may be well
            wrong = error
    if not tables:
        raise wrong
    return max(tables, key=lambda table: len(set(table.columns) & set(wanted)))


def _split(text: str, where: str, delimiter: str, first_line: int = 1) -> CsvTable:
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = first_line - 1

    def lines() -> Iterator[tuple[int, list[str]]]:
        line = first_line
        try:
            for cells in reader:
                yield line, cells
                line = before + reader.line_num + 1
        except csv.Error as error:
            number = before + reader.line_num
            raise DataError(f"{where}:{number}: is not CSV: {error}; mend the line's quotes") from None

    told = lines()
    _, header = next(told, (first_line, []))
    named = len(header) - len(_trailing_empty(header))
    return CsvTable(where, [plain(name) for name in header[:named]], _rows(told, where, named), first_line)


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
