"""A CSV file as people's tools write it: with or without a byte order mark, with commas, semicolons or tabs."""

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from collectors.contract.items import SourceError

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class CsvTable:
    """The header, white space in it made plain, and the rows that are not empty, each with the line it begins at.

    Reading the rows raises SourceError where the file is not CSV.
    """

    where: str
    columns: list[str]
    rows: Iterator[tuple[int, list[str]]]


def plain(header: str) -> str:
    """`header` with single blanks: forms put line breaks and non-breaking blanks into theirs."""
    return " ".join(header.split())


def read_table(content: bytes, where: str, wanted: Collection[str]) -> CsvTable:
    """The table in `content`, told apart by the separator that gives most of the `wanted` columns."""
    if content.startswith(b"PK\x03\x04"):
        raise SourceError(f'{where} is a workbook or an archive; save it as "CSV UTF-8"')
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError(f"{where} is not UTF-8 text; save it as CSV UTF-8") from None
    tables = [CsvTable(where, *_split(text, where, delimiter)) for delimiter in _DELIMITERS]
    return max(tables, key=lambda table: len(set(table.columns) & set(wanted)))


def _split(text: str, where: str, delimiter: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = [plain(name) for name in next(reader, [])]
    except csv.Error as error:
        raise SourceError(f"{where}:{reader.line_num}: is not CSV: {error}") from None

    def rows() -> Iterator[tuple[int, list[str]]]:
        line = reader.line_num + 1
        try:
            for cells in reader:
                if any(cells):
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise SourceError(f"{where}:{reader.line_num}: is not CSV: {error}") from None

    return columns, rows()
