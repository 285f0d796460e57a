"""No cell of a CSV is one that a spreadsheet would execute, whatever a source sends; what is harmless stays."""

import csv
import io
import re
from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.figures.tables import as_csv
from warehouse.rows.export import spreadsheet_safe
from warehouse.rows.spreadsheets import defused

# what a spreadsheet may skip at a cell's beginning, written down once more, wider than what any of them skips
SKIPPED = "[\\s\x00-\x20\x7f-\xa0\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]*"
FORMULA = re.compile(f"{SKIPPED}[=+\\-@＝＋－＠﹦﹢﹣﹫]")
SPLIT = re.compile("[\t\r\n]")
BLANKS = st.text(
    st.sampled_from([*"\t\r\n\x0b\x0c \x00\x1b\x7f\x85\xa0\u200b\u2028\u202e\u3000\ufeff"]), max_size=4
)
CELLS = st.one_of(
    st.builds(
        lambda *parts: "".join(parts), BLANKS, st.sampled_from([*"=+-@＝＋－＠﹦"]), st.text(max_size=8)
    ),
    st.text(max_size=12),
    st.builds(
        lambda *parts: "".join(parts), st.text(max_size=3), st.sampled_from(";\t\n"), BLANKS, st.just("=1")
    ),
    st.builds(lambda blanks, text: blanks + text, BLANKS, st.text(max_size=8)),
)
NUMBERS = st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9), st.none())


def is_dangerous(cell: str) -> bool:
    return bool(SPLIT.match(cell)) or any(FORMULA.match(part) for part in re.split("[;\t\n]", cell))


@settings(max_examples=150)
@given(st.lists(st.tuples(CELLS, NUMBERS), min_size=1, max_size=8))
def test_no_cell_is_executed_and_numbers_stay_numbers(rows: list[tuple[str, float | None]]) -> None:
    texts, numbers = [text for text, _ in rows], [number for _, number in rows]
    safe = spreadsheet_safe(pd.DataFrame({"n": pd.Series(numbers, dtype="float64"), "text": texts}))
    exported = io.StringIO()
    safe.to_csv(exported, index=False)
    for told in (as_csv([{"n": n, "text": text} for text, n in rows])[1:], exported.getvalue()):
        read = list(csv.DictReader(io.StringIO(told, newline="")))
        assert len(read) == len(rows)
        assert [row["text"] for row in read if is_dangerous(row["text"])] == []
        assert [row["text"].replace("'", "") for row in read] == [
            re.sub("\r\n?", "\n", text).replace("'", "") for text in texts
        ]
        assert [float(row["n"] or "nan") for row in read] == pytest.approx(
            [float("nan") if n is None else n for n in numbers], nan_ok=True
        )


@settings(max_examples=150)
@given(
    st.text(st.characters(categories=["L", "Nd"]), min_size=1),
    st.text(st.characters(exclude_characters="\r\n\t;"), max_size=5),
)
def test_text_that_begins_with_a_letter_or_a_digit_stays(first: str, rest: str) -> None:
    assert defused(first + rest) == first + rest


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@x", "\n=1", "\t", "\r\n=1", "＝1", "－1", "\ufeff=1", " \x1b @"]
)
def test_each_way_to_begin_a_formula_is_defused(cell: str) -> None:
    told = str(defused(cell))
    assert told.startswith("'")
    assert told.replace("'", "") == cell.replace("\r\n", "\n")
    assert not is_dangerous(str(defused(f"a;{cell}")))


@pytest.mark.parametrize("value", [-3, -2.5, None, True, datetime(2026, 11, 9), "", "a=b", "#1", "'=1", "—"])
def test_what_is_no_formula_stays(value: object) -> None:
    assert defused(value) is value


def test_what_follows_a_separator_stays_unless_it_is_a_formula() -> None:
    assert defused("a; b;=1;\tc\n- d") == "a; b;'=1;\tc\n'- d"


def test_a_heading_is_a_cell_too() -> None:
    assert as_csv([{"=HYPERLINK(1)": 1}]) == "\ufeff'=HYPERLINK(1)\n1\n"
