"""A view's filters: in the address and back, as days, and as the grain of its numbers."""

from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.metrics import metrics
from dashboards.frame import view as filters
from dashboards.frame.view import Filters

TODAY = date(2026, 11, 18)  # a Wednesday
MONDAY = date(2026, 11, 16)


class TestFilters:
    def test_the_address_of_the_default_view_is_empty(self):
        assert filters.to_address(Filters()) == {}
        assert filters.from_address({}) == Filters()

    @given(
        st.builds(
            Filters,
            period=st.sampled_from(sorted(set(filters.PERIODS) - {"custom"})),
            system=st.none() | st.text(min_size=1),
            team=st.none() | st.text(min_size=1),
            service=st.none() | st.text(min_size=1),
            rows=st.sampled_from(sorted(filters.ROWS)),
            sort=st.sampled_from(sorted(filters.SORTS)),
            metric=st.sampled_from(sorted(metrics())),
            order=st.sampled_from(sorted(filters.ORDERS)),
            environment=st.none() | st.text(min_size=1),
            state=st.none() | st.text(min_size=1),
            search=st.none() | st.text(min_size=1),
            listed=st.sampled_from(sorted(filters.LISTED)),
            week=st.none() | st.from_regex(r"[0-9]{4}-W[0-9]{2}", fullmatch=True),
            page=st.integers(1, 999_999_999),
            row=st.none() | st.text(min_size=1),
            step=st.sampled_from(sorted(filters.SERIES_STEPS)),
        )
    )
    def test_an_address_shows_the_view_that_it_was_taken_from(self, view):
        assert filters.from_address(filters.to_address(view)) == view
        query = filters.link("metric", view).removeprefix("metric").removeprefix("?")
        assert filters.from_address(dict(parse_qsl(query))) == view

    def test_a_custom_period_is_in_the_address_as_the_command_line_takes_it(self):
        view = Filters(period="custom", start=date(2026, 9, 1), end=date(2026, 10, 1), team="payments")
        address = filters.to_address(view)
        assert address == {"period": "custom", "team": "payments", "from": "2026-09-01", "to": "2026-10-01"}
        assert filters.from_address(address) == view

    @pytest.mark.parametrize(
        "parameters",
        [
            {"period": "yesterday"},
            {"sort": "1; drop"},
            {"metric": ""},
            {"team": ""},
            {"from": "2026-09-01"},
            {"page": "0"},
            {"page": "-1"},
            {"page": "١"},
            {"page": "9" * 40},
        ],
    )
    def test_what_makes_no_sense_in_an_address_is_the_default(self, parameters):
        assert filters.from_address(parameters) == Filters()

    @pytest.mark.parametrize(
        ("parameters", "told"),
        [
            ({"period": "3y", "team": "payments", "page": "2"}, ["period 3y"]),
            ({"teem": "payments", "sort": "1; drop"}, ["teem payments", "sort 1; drop"]),
            ({"page": "0", "week": "soon"}, ["page 0", "week soon"]),
            ({"from": "2026-09-01"}, ["from 2026-09-01"]),
            ({"period": "custom", "from": "soon", "to": "2026-10-01"}, ["from soon"]),
            ({"period": "custom", "from": "2026-11-10", "to": "2026-11-01"}, ["to 2026-11-01"]),
            ({"period": "custom", "from": "2026-11-10", "to": "2026-11-11"}, []),
            ({"period": "x" * 999}, [f"period {'x' * 73}"]),
            ({"period": "", "metric": "", "team": ""}, []),
        ],
    )
    def test_what_is_not_understood_is_told(self, parameters, told):
        assert filters.not_understood(parameters) == told

    @given(st.dictionaries(st.sampled_from(["period", "team", "page", "from", "x"]), st.text(), max_size=5))
    def test_what_a_view_puts_into_an_address_is_understood(self, parameters):
        view = filters.from_address(parameters)
        assert filters.not_understood(filters.to_address(view)) == []

    def test_other_pages_are_led_to_without_what_one_list_alone_understands(self):
        listed = Filters(
            period="12w", team="payments", search="main", state="failed", environment="eu", page=3
        )
        assert filters.elsewhere(replace(listed, listed="oldest", row="import/1")) == Filters(
            "12w", team="payments"
        )

    def test_a_malformed_day_leaves_that_side_open(self):
        found = filters.from_address({"period": "custom", "from": "soon", "to": "2026-10-01"})
        assert filters.view_days(found, TODAY) == (None, date(2026, 10, 1))

    @pytest.mark.parametrize(
        ("period", "start", "end"),
        [
            ("week", date(2026, 11, 9), MONDAY),
            ("4w", date(2026, 10, 19), MONDAY),
            ("12w", date(2026, 8, 24), MONDAY),
            ("quarter", date(2026, 10, 1), date(2026, 11, 19)),
            ("12m", date(2025, 11, 17), MONDAY),
            ("all", None, None),
        ],
    )
    def test_a_preset_is_completed_weeks_and_the_quarter_runs_to_today(self, period, start, end):
        assert filters.view_days(Filters(period=period), TODAY) == (start, end)

    def test_a_custom_period_that_ends_before_it_begins_is_its_first_day(self):
        view = Filters(period="custom", start=date(2026, 9, 2), end=date(2026, 9, 1))
        assert filters.view_days(view, TODAY) == (date(2026, 9, 2), date(2026, 9, 3))

    def test_a_custom_period_that_begins_after_all_data_holds_its_first_day(self):
        view = Filters(period="custom", start=date(2030, 1, 1))
        assert filters.view_days(view, TODAY) == (date(2030, 1, 1), date(2030, 1, 2))

    def test_days_that_have_none_before_or_after_them_are_the_farthest_that_have(self):
        found = filters.from_address({"period": "custom", "from": "0001-01-01", "to": "9999-12-31"})
        assert (found.start, found.end) == (date(1970, 1, 1), date(2100, 12, 31))

    def test_a_period_is_compared_with_the_twelve_weeks_before_it(self):
        assert filters.compared(Filters(), TODAY) == "compared with 27 Jul – 18 Oct 2026"
        assert filters.compared(Filters(period="quarter"), TODAY) == "compared with 9 Jul – 30 Sep 2026"
        assert filters.compared(Filters(period="all"), TODAY) == ""

    def test_the_running_week_is_not_in_the_history(self):
        assert filters.history(Filters(), TODAY)[1] == MONDAY
        assert filters.history(Filters(period="quarter"), TODAY)[1] == MONDAY

    def test_the_history_holds_the_period_and_the_twelve_weeks_that_it_is_held_against(self):
        assert filters.history(Filters(period="week"), TODAY) == (date(2026, 8, 17), MONDAY)
        assert filters.history(Filters(), TODAY) == (date(2026, 7, 27), MONDAY)
        view = Filters(period="custom", start=date(2026, 3, 4), end=date(2026, 9, 2))
        assert filters.history(view, TODAY) == (date(2025, 12, 8), date(2026, 8, 31))

    def test_months_are_shown_for_a_year_at_least_from_the_first_day_of_one(self):
        tomorrow = date(2026, 11, 19)
        assert filters.series_days(Filters(step="month"), TODAY) == (date(2025, 11, 1), tomorrow)
        assert filters.series_days(Filters(period="quarter", step="month"), TODAY)[1] == tomorrow
        view = Filters(period="custom", step="month", start=date(2024, 1, 10), end=date(2024, 3, 1))
        assert filters.series_days(view, TODAY) == (date(2023, 3, 1), date(2024, 3, 1))

    @given(st.dates(date(2025, 1, 1), TODAY))
    def test_no_month_that_is_over_is_cut(self, end):
        view = Filters(period="custom", step="month", start=date(2024, 1, 10), end=end)
        last = filters.series_days(view, TODAY)[1]
        assert last.day == 1 or last == date(2026, 11, 19)
        assert end <= last <= end + timedelta(days=31)

    def test_names_that_the_data_does_not_know_are_dropped_and_told(self):
        view = Filters(team="payments", service="gone")
        names = {"system": {"shop"}, "team": {"payments"}, "service": {"checkout"}}
        assert filters.known(view, names) == (Filters(team="payments"), ["service gone"])

    def test_the_narrowest_restriction_is_the_grain(self):
        assert Filters().scope == "organisation"
        assert Filters(system="shop", team="payments").scope == "team"
        assert Filters(team="payments", service="checkout").scope == "service"
