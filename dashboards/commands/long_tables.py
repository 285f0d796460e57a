"""Tables of many rows as plain text: what `rich` would draw without its styles, in a small part of its time.

They are read and drawn in batches, so that a table of millions of rows needs no more room than one of thousands.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment, Segments

# what nobody overlooks at a glance; `rich` takes half a millisecond for a row
MOST_DRAWN = 100
_BATCH = 1000
_BETWEEN = "   "
_Rows = Sequence[Sequence[str]]
_Sizes = Sequence[Sequence[int]]


@dataclass(frozen=True)
class ColumnHead:
    """What stands above a column, and how wide the column becomes at `most`."""

    text: str
    is_number: bool = False
    most: int | None = None


@dataclass(frozen=True)
class LongTable:
    """A table of rows of plain, legible text, which are read as they are drawn, once.

    A column is as wide as the widest of its cells so far: with a batch it may become wider, never narrower. A cell that
    has no room is folded.
    """

    headings: Sequence[ColumnHead]
    rows: Iterable[Sequence[str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """All of it."""
        yield from self.batches(options.max_width)

    def batches(self, room: int) -> Iterator[Segments]:
        """Its lines, none wider than `room`, some at a time."""
        rows, head = iter(self.rows), [[heading.text for heading in self.headings]]
        widths, is_first = [size for (size,) in _sizes(head)], True
        while batch := list(islice(rows, _BATCH)):
            sizes = _sizes(batch)
            widths = _widths(self.headings, [*map(max, sizes)], widths, room)
            lines = self._lines(batch, sizes, widths)
            if is_first:
                rule = f" {'─' * (sum(widths) + len(_BETWEEN) * (len(widths) - 1))}"
                lines = chain(("",), self._lines(head, _sizes(head), widths), (rule,), lines)
                is_first = False
            yield Segments([Segment("\n".join(lines) + "\n")])
        yield Segments([Segment("\n")])

    def _lines(self, rows: _Rows, sizes: _Sizes, widths: Sequence[int]) -> Iterator[str]:
        """A line a row, more where a cell has no room."""
        for row, cells, *of_row in zip(rows, self._padded(rows, sizes, widths), *sizes, strict=True):
            if any(size > width for size, width in zip(of_row, widths, strict=True)):
                folded = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
                lines = [*zip_longest(*folded, fillvalue="")]
                yield from map(_joined, self._padded(lines, _sizes(lines), widths))
            else:
                yield _joined(cells)

    def _padded(self, rows: _Rows, sizes: _Sizes, widths: Sequence[int]) -> Iterator[Sequence[str]]:
        columns = []
        of_columns = zip(*rows, strict=True)
        for heading, column, of_column, width in zip(self.headings, of_columns, sizes, widths, strict=True):
            pad = str.rjust if heading.is_number else str.ljust
            columns.append(
                [pad(cell, width - size + len(cell)) for cell, size in zip(column, of_column, strict=True)]
            )
        return zip(*columns, strict=True)


def _joined(cells: Sequence[str]) -> str:
    return f" {_BETWEEN.join(cells)}".rstrip()


def _sizes(rows: _Rows) -> _Sizes:
    """Of each column the widths of its cells."""
    return [[*map(_size, column)] for column in zip(*rows, strict=True)]


def _size(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def _widths(
    headings: Sequence[ColumnHead], sizes: Sequence[int], known: Sequence[int], room: int
) -> list[int]:
    """As wide as the cells, the widest narrowed until all have room."""
    wide = [
        max(width, min(size, heading.most or room))
        for width, size, heading in zip(known, sizes, headings, strict=True)
    ]
    left, most = room - 2 - len(_BETWEEN) * (len(wide) - 1), max(wide)
    while sum(min(width, most) for width in wide) > left and most > 1:
        most -= 1
    return [min(width, most) for width in wide]


def _folded(text: str, width: int) -> list[str]:
    """Its lines, broken between words where that is possible."""
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if _size(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *whole, line = chop_cells(word, width) if _size(word) > width else [word]
        lines += whole
    return [*lines, line]
