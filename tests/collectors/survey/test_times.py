"""Times of exports: languages, halves of the day, zones, and which number is the day."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.survey.times import day_order, parsed_time, unknown_zone

AT = datetime(2026, 11, 6, 14, 15, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "cell",
    [
        "2026/11/06 2:15:02 PM GMT",  # English
        "2026/11/06 4:15:02 PM GMT+2",
        "2026/11/06 3:15:02 PM CET",
        "2026/11/06 5:15:02 PM OESZ",  # German
        "2026/11/06 3:15:02 p. m. CET",  # Spanish
        "2026/11/06 3:15:02 p.\u00a0m. MEZ",
        "2026/11/06 16:15:02 UTC+2",  # French
        "2026/11/06 11:15:02 da manhã BRT",  # Portuguese
        "2026/11/06 4:15:02 μ.μ. EET",  # Greek
        "2026/11/06 下午 10:15:02 GMT+8",  # Chinese
        "2026/11/06 午後 11:15:02 JST",  # Japanese
        "2026/11/06 오후 11:15:02 KST",  # Korean
        "2026/11/06 5:15:02 ÖS TRT",  # Turkish
        "2026/11/06 3:15:02 du. CET",  # Hungarian
        "2026/11/06 7:45:02 PM GMT+5:30",
        "2026/11/06 10:45:02 AM NST",
        "2026-11-06T14:15:02Z",
        "2026-11-06 15:15:02+01:00",
    ],
)
def test_one_instant_is_read_in_each_language_and_zone(cell: str) -> None:
    assert parsed_time(cell) == AT


@pytest.mark.parametrize(
    ("cell", "order", "expected"),
    [
        ("06.11.2026 14:15:02", "day", datetime(2026, 11, 6, 14, 15, 2)),
        ("6/11/2026 14:15", "day", datetime(2026, 11, 6, 14, 15)),
        ("11/6/26 2:15:02 PM", "month", datetime(2026, 11, 6, 14, 15, 2)),
        ("6. 11. 2026 14:15:02", "day", datetime(2026, 11, 6, 14, 15, 2)),
        ("2026/11/06 12:00:00 AM", None, datetime(2026, 11, 6)),
        ("2026/11/06 12:00:00 PM", None, datetime(2026, 11, 6, 12)),
    ],
)
def test_the_day_is_where_the_file_has_it(cell: str, order: str | None, expected: datetime) -> None:
    assert parsed_time(cell, None, order) == expected  # type: ignore[arg-type]


def test_a_file_tells_by_any_of_its_times_which_number_is_the_day() -> None:
    assert day_order(["3/4/2026 10:00:00", "13/4/2026 10:00:00"]) == "day"
    assert day_order(["3/4/2026 10:00:00", "3/14/2026 10:00:00"]) == "month"
    assert day_order(["3.4.2026 10:00:00"]) == "day"
    assert day_order(["3/4/2026 10:00:00"]) is None
    assert day_order(["13/4/2026 10:00:00", "4/13/2026 10:00:00"]) is None
    assert parsed_time("3/4/2026 10:00:00") is None, "nobody can tell"


def test_a_zone_that_may_be_several_is_named_and_not_guessed() -> None:
    assert parsed_time("2026/11/06 2:15:02 PM IST") is None
    assert unknown_zone("2026/11/06 2:15:02 PM IST") == "IST"
    assert unknown_zone("2026/11/06 2:15:02 PM CET") is None
    assert unknown_zone("soon") is None


@given(st.text(max_size=60) | st.from_regex(r"\d{1,5}[/.]\d{1,3}[/.]\d{1,5} \d{1,3}:\d{2}(:\d\d)? ?.{0,8}"))
def test_no_text_stops_the_reading(cell: str) -> None:
    parsed_time(cell, None, day_order([cell]))
    unknown_zone(cell)
