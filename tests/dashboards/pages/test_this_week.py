"""What changed in the last week, as the overview tells it: its largest signals, and all of them as a list."""

import re
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from html import unescape

import pytest

from dashboards.frame import view as filters
from dashboards.frame.markup import part
from dashboards.frame.view import Filters
from dashboards.overview.this_week import ThisWeek, seen, this_week, told_week
from warehouse.scorecards.sentences import Sentence, SentencePart
from warehouse.signals.judging import Judged
from warehouse.signals.verdicts import Verdict

MONDAY = date(2026, 11, 16)
own_part = partial(part, of="overview")


def test_a_sentence_leads_to_its_metric_in_that_week_within_the_view():
    told = Sentence((SentencePart("Lead Time", None, "mttr", "team", "payments"), SentencePart(" of it")))
    rate = SentencePart("Change Failure Rate", None, "change_failure_rate", "organisation", "acme")
    whole = Sentence((rate,))
    view = Filters(period="week", system="shop")
    html = own_part("week", ThisWeek(view, date(2026, 11, 9), (), (told,), (whole,), ()))
    addresses = [unescape(href) for href in re.findall('href="(.*?)"', html)]
    assert addresses == [
        "metric?system=shop&team=payments&period=week&metric=mttr",
        "metric?system=shop&period=week&metric=change_failure_rate",
    ]


@pytest.mark.parametrize(
    ("view", "monday", "period"),
    [
        (Filters(period="12w", team="payments"), date(2026, 11, 9), "week"),
        (Filters(period="week"), date(2026, 11, 9), "week"),
        (
            Filters(period="custom", start=date(2026, 11, 2), end=date(2026, 11, 9)),
            date(2026, 11, 2),
            "custom",
        ),
        (
            Filters(period="custom", start=date(2026, 11, 3), end=date(2026, 11, 10)),
            date(2026, 11, 9),
            "week",
        ),
        (
            Filters(period="custom", start=date(2026, 11, 2), end=date(2026, 11, 16)),
            date(2026, 11, 9),
            "week",
        ),
        (Filters(period="custom", start=MONDAY, end=date(2026, 11, 23)), date(2026, 11, 9), "week"),
    ],
)
def test_a_view_of_a_week_that_has_ended_tells_of_that_week_and_any_other_of_the_last(view, monday, period):
    told, whose = told_week(view, MONDAY + timedelta(days=2))
    assert (told, whose.period, whose.team) == (monday, period, view.team)
    assert period == "week" or (whose.start, whose.end) == (view.start, view.end)


def signal(scope="team", name="payments", metric="lead_time", now=9000.0, usual=3600.0, **other) -> Verdict:
    days = date(2026, 11, 9), MONDAY
    return Verdict("signal", Judged(metric, scope, name, *days, now, usual, 20, 1e-9, **other))


def test_every_signal_of_the_week_is_in_the_list_and_leads_to_its_metric_in_that_week():
    found = [
        signal("organisation", "acme", "deployment_frequency", 2.0, 4.0, affected=14),
        *(signal("service", f"service-{n}", affected=9 - n) for n in range(4)),
        signal(name="<b>", now=3600.0, usual=9000.0, affected=1, week=signal().judged),
    ]
    week = this_week(Filters(period="week"), date(2026, 11, 9), found, ())
    assert (len(week.worse), len(week.better), len(week.lines)) == (3, 1, 6)
    html = own_part("week", week)
    assert "All 6 signals of the week, the largest first" in html
    addresses = [unescape(href) for href in re.findall('href="(.*?)"', html)]
    assert addresses[4] == "metric?period=week&metric=deployment_frequency"
    assert addresses[5:] == [
        *(f"metric?service=service-{n}&period=week" for n in range(4)), "metric?team=%3Cb%3E",
    ]  # fmt: skip
    assert html.count("2.5 h against 1 h in the 12 weeks before") == 7
    assert "<b>" not in html
    assert "All" not in own_part("week", this_week(Filters(), date(2026, 11, 9), (), ()))


def test_a_view_shows_the_signals_of_what_is_below_it_and_may_be_seen():
    found = [
        signal("organisation", "acme"),
        signal(),
        signal("service", "checkout"),
        signal("service", "ingest"),
    ]
    shown = {"organisation": ["acme"], "team": ["payments"], "service": ["checkout"]}
    assert [one.judged.name for one in seen(found, shown, Filters())] == ["acme", "payments", "checkout"]
    assert [one.judged.name for one in seen(found, shown, Filters(team="payments"))] == ["checkout"]
    assert [one.judged.name for one in seen(found, {"team": ["payments"]}, Filters())] == ["payments"]


def test_a_signal_of_a_week_before_the_last_leads_to_the_days_that_were_judged():
    monday, whose = told_week(Filters(period="custom", start=date(2026, 11, 9), end=MONDAY), MONDAY)
    judged = replace(signal().judged, first=date(2026, 10, 19), week=signal().judged)
    (line,) = this_week(whose, monday, [Verdict("signal", judged)], ()).lines
    assert "period=custom&from=2026-10-19&to=2026-11-16" in line.address


def test_what_changed_is_of_the_last_week_of_the_view():
    view = Filters(period="12w", team="payments")
    monday, whose = told_week(view, MONDAY)
    found = this_week(whose, monday, (), ())
    assert found.view.where == view.where
    assert filters.view_days(found.view, MONDAY) == (MONDAY - timedelta(weeks=1), MONDAY)
