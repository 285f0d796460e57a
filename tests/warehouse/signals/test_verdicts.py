"""Verdicts on real facts: what is compared is what is shown."""

from datetime import date, timedelta

import pytest

from config.metrics import metrics
from config.settings import Settings
from tests.conftest import Small
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import baseline
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.satisfaction import rounds
from warehouse.metrics.values import SCOPES, compute
from warehouse.signals.verdicts import (
    FALSE_DISCOVERY_RATE,
    all_judged,
    below_scope,
    could_be_signal,
    judged_numbers,
    signals,
    verdict,
)

MONDAY = date(2026, 11, 9)
DAYS = MONDAY, MONDAY + timedelta(weeks=1)
FOUR_WEEKS = date(2026, 10, 19), date(2026, 11, 16)


def numbers_of(facts: Facts, settings: Settings, by, start: date, end: date) -> dict:
    found = compute(facts, settings, by, start=start, end=end)
    return {(one.metric, one.name): one for one in found}


@pytest.mark.parametrize("days", [FOUR_WEEKS, DAYS, (date(2026, 10, 1), date(2026, 11, 1))])
@pytest.mark.parametrize("by", SCOPES)
def test_the_numbers_compared_are_the_ones_that_are_shown(sample, sample_facts: Facts, by, days) -> None:
    judged = judged_numbers(sample_facts, by, *days)
    assert {metric for metric, _ in judged} >= {"deployment_frequency", "lead_time", "change_failure_rate"}
    now = numbers_of(sample_facts, sample.settings, by, *days)
    before = numbers_of(sample_facts, sample.settings, by, *baseline(days[0]))
    for key, told in judged.items():
        one = told.week or told
        if metrics()[one.metric].fact != "responses" and key in now:
            assert (one.first, one.end) == days
            assert one.now == (None if now[key].value is None else pytest.approx(now[key].value)), key
            assert one.usual == (None if before[key].value is None else pytest.approx(before[key].value)), key
            assert one.n == now[key].n


def test_a_narrowed_number_is_judged_by_its_own_rows(sample, sample_facts: Facts) -> None:
    everything = judged_numbers(sample_facts, "service", *FOUR_WEEKS)
    for team in ("payments", "platform"):
        narrowed = judged_numbers(sample_facts, "service", *FOUR_WEEKS, {"team": team}, ["lead_time"])
        assert narrowed
        for key, one in narrowed.items():
            assert (one.now, one.chance) == (everything[key].now, pytest.approx(everything[key].chance)), key


def test_a_survey_round_is_judged_against_the_one_before_in_the_days_in_which_it_closed(
    sample, sample_facts: Facts
) -> None:
    *_, (_, before, _), (closed_on, last, _) = rounds(sample_facts)
    week = closed_on, closed_on + timedelta(days=7)
    one = judged_numbers(sample_facts, "organisation", *week)["developer_satisfaction", "acme"]
    assert (one.now, one.usual, one.n) == (last.score, before.score, last.n)
    assert one.chance is not None
    later = closed_on + timedelta(days=1), closed_on + timedelta(days=8)
    one = judged_numbers(sample_facts, "organisation", *later)["developer_satisfaction", "acme"]
    assert (one.chance, one.unjudged) == (None, "round")


@pytest.mark.parametrize(
    "days",
    [
        (date(2026, 11, 9), date(2026, 11, 12)),  # three weekdays are no week
        (date(2026, 11, 9), date(2026, 11, 23)),  # still running
    ],
)
def test_days_that_are_no_whole_weeks_or_have_not_ended_are_not_judged(sample_facts: Facts, days) -> None:
    found = judged_numbers(sample_facts, "organisation", *days, metrics=["lead_time", "deployment_frequency"])
    assert {one.unjudged for one in found.values()} == {"days"}


@pytest.mark.parametrize("days", [FOUR_WEEKS, DAYS])
def test_what_could_be_no_signal_is_none_whatever_else_is_judged(sample, sample_facts: Facts, days) -> None:
    numbers = all_judged(sample_facts, *days)
    could = [one for one in numbers if could_be_signal(one, sample.settings)]
    assert 0 < len(could) < len(numbers) / 2
    for one in numbers:
        told = {verdict(one, highest, sample.settings).kind for highest in (0.0, 0.01, FALSE_DISCOVERY_RATE)}
        assert ("signal" in told) == (one in could)
    found = signals(sample_facts, sample.settings, *days)
    assert found.highest_chance <= FALSE_DISCOVERY_RATE
    assert {one.judged for one in found.found} <= {told for one in could for told in (one, one.week)}


def test_the_signals_below_a_scope_are_those_of_what_it_owns(small: Small) -> None:
    with open_facts(small.settings.warehouse) as facts:
        found = signals(facts, small.settings, *DAYS)
        assert found.judged == sum(one.chance is not None for one in all_judged(facts, *DAYS))
        for scope, name in (("team", "payments"), ("system", "shop"), ("organisation", "acme")):
            names = {(one.judged.scope, one.judged.name) for one in below_scope(facts, found, scope, name)}
            assert ("organisation", "acme") not in names
