"""Tables of many rows: nothing of them is lost, they look as short ones do, and they need no room."""

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from dashboards.commands.long_tables import ColumnHead, LongTable

# plain letters, one that is two columns wide, one without width, and one of an emoji of several
WORDS = st.text("abc\N{BULLET}\N{KATAKANA LETTER A}\N{COMBINING ACUTE ACCENT}\N{WOMAN}", max_size=12)
TEXTS = st.lists(WORDS, max_size=3).map(lambda words: " ".join(filter(None, words)))


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[ColumnHead], list[list[str]]]:
    """Headings, and rows of as many texts."""
    n = draw(st.integers(1, 5))
    headings = [
        ColumnHead(draw(st.text("hij", min_size=1, max_size=6)), draw(st.booleans())) for _ in range(n)
    ]
    rows = draw(st.lists(st.lists(TEXTS, min_size=n, max_size=n), min_size=1, max_size=8))
    return headings, rows


def lines(table: object, width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def by_rich(headings: Sequence[ColumnHead], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading.text, justify="right" if heading.is_number else "left")
    for row in rows:
        table.add_row(*row)
    return table


@settings(max_examples=40, deadline=None)
@given(tables())
def test_it_looks_as_rich_draws_it(drawn: tuple[list[ColumnHead], list[list[str]]]) -> None:
    headings, rows = drawn
    assert lines(LongTable(headings, rows), 400) == lines(by_rich(headings, rows), 400)


@settings(max_examples=40, deadline=None)
@given(tables(), st.integers(30, 60), st.none() | st.integers(2, 9))
@example(([ColumnHead("h")], [["\N{KATAKANA LETTER A} \N{COMBINING ACUTE ACCENT}"]]), 30, 2)
def test_what_has_no_room_is_folded_and_nothing_is_lost(
    drawn: tuple[list[ColumnHead], list[list[str]]], room: int, most: int | None
) -> None:
    headings, rows = drawn
    narrow = [ColumnHead(heading.text, heading.is_number, most) for heading in headings]
    found = lines(LongTable(narrow, rows), room)
    assert max(map(cell_len, found)) <= room
    told = [heading.text for heading in headings] + [cell for row in rows for cell in row]
    assert Counter(re.sub("[ ─]", "", "".join(found))) == Counter("".join(told).replace(" ", ""))


def test_rows_are_read_as_they_are_drawn() -> None:
    read = 0

    def rows() -> Iterator[list[str]]:
        nonlocal read
        for read in range(1, 10_001):
            yield [str(read), f"row {read}"]

    drawn = LongTable([ColumnHead("n", is_number=True), ColumnHead("what")], rows()).batches(80)
    told = []
    for batch in drawn:
        told += "".join(segment.text for segment in batch.segments).splitlines()
        assert read <= len(told) + 1000
    assert [line.split() for line in told[3:-1]] == [[str(n), "row", str(n)] for n in range(1, 10_001)]


def test_a_column_that_becomes_wider_stays_in_line_from_then_on() -> None:
    rows = [*([["a", "x"]] * 1500), ["a" * 9, "x"], *([["a", "x"]] * 1500)]
    starts = [
        line.index("x")
        for line in lines(LongTable([ColumnHead("h"), ColumnHead("i")], rows), 80)
        if "x" in line
    ]
    assert starts == sorted(starts)
    assert set(starts) == {5, 13}
