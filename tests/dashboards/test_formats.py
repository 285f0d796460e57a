"""Figures, changes, dates and text as people read them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from config.metrics import keys, metrics
from config.targets import parse_target
from dashboards.figures import formats
from warehouse.metrics.units import figure_beside, figures, figures_of


@pytest.mark.parametrize(
    ("value", "shown", "unit", "said"),
    [
        (0.8, 1.4, "per day", "0.8 a day"),
        (5.6 / 7, 1.0, "per day", "0.8 a day"),
        (1.4, 6 / 7, "per day", "9.8 a week"),
        (0, 1.4, "per day", "0 a day"),
        (100.8 * 3600, 2.5 * 3600, "seconds", "100.8 h"),
        (4 * 86400, 120, "seconds", "4 d"),
        (5, 4 * 86400, "seconds", "5 s"),
        (0.081, 0.0811, "fraction", "8.1 %"),
        (3.96, 4, "points", "3.96 of 5"),
        (3, 4, "points", "3.0 of 5"),
    ],
)
def test_the_number_beside_another_has_its_unit_where_anybody_would_say_it(value, shown, unit, said):
    assert figure_beside(value, shown, unit) == said


def test_two_scores_are_told_alike():
    assert figures(4, 3.5, "points") == ("4.0 of 5", "3.5 of 5")


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0, "seconds", "0 s"),
        (45.2, "seconds", "45 s"),
        (90, "seconds", "1.5 min"),
        (1500, "seconds", "25 min"),
        (3660, "seconds", "61 min"),
        (3.2 * 3600, "seconds", "3.2 h"),
        (3 * 3600, "seconds", "3 h"),
        (2.1 * 86400, "seconds", "2.1 d"),
        (148.85 * 3600, "seconds", "6.2 d"),
        (-7200, "seconds", "-2 h"),
        (0.042, "fraction", "4.2 %"),
        (0, "fraction", "0 %"),
        (1, "fraction", "100 %"),
        (12, "per day", "12 a day"),
        (1234.4, "per day", "1,234 a day"),
        (3.4 / 7, "per day", "3.4 a week"),
        (0, "per day", "0 a week"),
        (4.3, "points", "4.3 of 5"),
        (4, "points", "4.0 of 5"),
    ],
)
def test_a_figure_has_the_unit_that_people_say(value, unit, said):
    assert formats.figure(value, unit) == said


@pytest.mark.parametrize("unit", ["seconds", "fraction", "per day", "points"])
def test_missing_is_a_dash_and_never_zero(unit):
    assert formats.figure(None, unit) == formats.exact(None, unit) == "–"


@pytest.mark.parametrize(
    ("metric", "value", "target", "said"),
    [
        ("change_failure_rate", 0.0504, "< 5%", "5.04 %"),
        ("change_failure_rate", 0.05, "< 5%", "5 %"),
        ("developer_satisfaction", 4.4999, "> 4.5/5", "4.4999 of 5"),
        ("lead_time", 3600.5, "< 1 hour", "60.01 min"),
        ("lead_time", 4000, None, "67 min"),
    ],
)
def test_a_figure_beside_its_target_never_rounds_to_the_other_side(metric, value, target, said):
    assert formats.figure_against(metric, value, metrics()[metric].unit, target) == said


@given(value=st.floats(0, 0.2), limit=st.integers(1, 10))
def test_whoever_reads_a_share_and_its_target_sees_the_same_verdict(value, limit):
    target = parse_target(f"< {limit}%", metrics()["change_failure_rate"])
    said = float(formats.figure(value, "fraction", target.limit).removesuffix(" %"))
    if abs(value * 100 - limit) > 1e-4:
        assert (said < limit) == target.met_by(value)


@pytest.mark.parametrize(
    ("value", "previous", "unit", "said"),
    [
        (4000, 5000, "seconds", "↓ 20 %"),
        (5000, 4000, "seconds", "↑ 25 %"),
        (5000, 4999, "seconds", "→ unchanged"),
        (40000, 4000, "seconds", "↑ 10.0 times"),
        (2, 0, "per day", "↑ from zero"),
        (0, 0, "per day", "→ unchanged"),
        (0.042, 0.054, "fraction", "↓ 1.2 pp"),
        (4.4, 4.1, "points", "↑ 0.3 points"),
        (None, 4, "seconds", ""),
        (4, None, "seconds", ""),
    ],
)
def test_a_change_says_how_far_and_is_silent_where_one_side_is_missing(value, previous, unit, said):
    assert formats.moved_by(value, previous, unit) == said


def test_rows_are_counted_in_their_own_words():
    assert [
        formats.counted(n, m.fact) for n, m in zip((1, 2, 1, 0, 1, 5, 1, 1204), keys().values(), strict=True)
    ] == [
        "1 repository",
        "2 deployments",
        "1 change",
        "0 deployments",
        "1 incident",
        "5 respondents",
        "1 recovery",
        "1,204 deployments",
    ]


def test_days_are_given_with_the_last_one_included():
    assert formats.days(date(2026, 10, 19), date(2026, 11, 16)) == "19 Oct – 15 Nov 2026"
    assert formats.days(date(2026, 11, 9), date(2026, 11, 16)) == "9 – 15 Nov 2026"
    assert formats.days(date(2025, 12, 29), date(2026, 1, 5)) == "29 Dec 2025 – 4 Jan 2026"
    assert formats.days(date(2026, 11, 9), date(2026, 11, 10)) == "9 Nov 2026"


@pytest.mark.parametrize(
    ("told", "local"),
    [
        ("incident Q1: opened 2026-11-20 09:10:00 UTC", "incident Q1: opened 2026-11-20 10:10"),
        ("opened 2026-07-01 22:30:00.123456 UTC", "opened 2026-07-02 00:30"),
        (
            "shipped at an unknown time between 2026-10-25 00:30:00 and 2026-10-25 01:30:00 UTC",
            "shipped at an unknown time between 2026-10-25 02:30 and 2026-10-25 02:30",
        ),
        ("merged into Q2, 2026-10-25 00:30:00", "merged into Q2, 2026-10-25 00:30:00"),
        ("rolled back by 7", "rolled back by 7"),
    ],
)
def test_a_reason_tells_its_instants_in_the_configured_zone(told, local):
    assert formats.local_times(told, "Europe/Berlin") == local


@pytest.mark.parametrize(
    ("first", "second", "unit", "said"),
    [
        (5, 1, "points", ("5.0 of 5", "1.0 of 5")),
        (4.02, 4.04, "points", ("4.02 of 5", "4.04 of 5")),
        (3 * 3600, 7200, "seconds", ("3 h", "2 h")),
    ],
)
def test_two_figures_of_a_sentence_are_as_exact_as_each_alone(first, second, unit, said):
    assert figures(first, second, unit) == said


@pytest.mark.parametrize(
    ("values", "unit", "said"),
    [
        ((12600, 181440, None), "seconds", ["3.5 h", "50.4 h", "–"]),
        ((600, 900, 4 * 86400), "seconds", ["10 min", "15 min", "4 d"]),
        ((2, 0.9, 0), "per day", ["2 a day", "0.9 a day", "0 a day"]),
        ((None, None), "seconds", ["–", "–"]),
        ((0, 0.1), "fraction", ["0 %", "10 %"]),
    ],
)
def test_figures_in_a_row_have_one_unit(values, unit, said):
    assert figures_of(values, unit) == said


def test_an_instant_is_told_in_the_configured_zone_on_both_sides_of_a_clock_change():
    assert (
        formats.instant(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Europe/Berlin")
        == "Sun 25 Oct 2026, 02:30 CEST"
    )
    assert (
        formats.instant(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Europe/Berlin")
        == "Sun 25 Oct 2026, 02:30 CET"
    )


@pytest.mark.parametrize(
    ("at", "said", "since"),
    [
        ("2026-11-18T01:30", "today 02:30", "02:30"),
        ("2026-11-18T08:12", "this morning 09:12", "09:12"),
        ("2026-11-18T12:00", "this afternoon 13:00", "13:00"),
        ("2026-11-18T18:45", "this evening 19:45", "19:45"),
        ("2026-11-17T22:59", "yesterday 23:59", "yesterday"),
        ("2026-11-17T23:01", "today 00:01", "00:01"),
        ("2026-11-17T23:00", "yesterday", "00:00"),
        ("2026-11-12T17:04", "Thursday 18:04", "Thursday"),
        ("2026-11-11T17:04", "11 Nov 2026, 18:04", "11 Nov 2026"),
    ],
)
def test_an_instant_is_said_as_people_say_it_on_the_local_clock(at, said, since):
    instant, now = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (at, "2026-11-18T21:00"))
    assert formats.spoken(instant, now, "Europe/Berlin") == said
    assert formats.spoken_since(instant, now, "Europe/Berlin") == since


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "**bold** _it_ ~~no~~ `code`",
        "[x](javascript:alert(1)) ![y](http://evil.example/p.png)",
        "# title",
        "- item",
        "+ item",
        "1. item",
        "=====",
        "a | b",
        "&lt;b&gt;",
        "see https://evil.example and www.evil.example",
        "back\\slash \\*",
    ],
)
def test_text_from_data_stays_text_in_markdown(text):
    reader = MarkdownIt("gfm-like", {"linkify": False, "html": True})
    html = reader.render(formats.plain_markdown(text))
    inline = html.removeprefix("<p>").removesuffix("</p>\n")
    assert "<" not in inline
    assert (
        inline.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&") == text
    )
