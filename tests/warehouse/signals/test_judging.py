"""Counts, shares and times each against the weeks before, worked out by hand."""

import math
from dataclasses import replace
from datetime import date

import pytest

from config.metrics import keys, metrics
from config.settings import Settings
from warehouse.signals.chances import counts_chance, shares_chance, t_chance
from warehouse.signals.judging import Evidence, Judged, judged_sums
from warehouse.signals.sums import NO_ROWS, Sums, added
from warehouse.signals.verdicts import among, largest_first, verdict
from warehouse.signals.wording import compared_numbers, extent, told_verdict

FREQUENCY, FAILURES, LEAD_TIME = (
    metrics()[id] for id in ("deployment_frequency", "change_failure_rate", "lead_time")
)
SETTINGS = Settings(organization="acme")


def deployed(n: int, failed: int = 0) -> Sums:
    return Sums(n=n, counted=failed, watched=n, days=7)


def times(*logarithms: float) -> Sums:
    """A week of changes that came one by one."""
    squares = math.fsum(each * each for each in logarithms)
    n, total = len(logarithms), math.fsum(logarithms)
    return Sums(n=n, days=7, logs=total, batches=n, bb=n, bs=total, ss=squares)


def number(
    metric: str = "lead_time", now: float = 36000.0, usual: float = 18000.0, **other: object
) -> Judged:
    one = Judged(
        metric, "team", "payments", date(2026, 11, 9), date(2026, 11, 16), now, usual, 30, 1e-9, affected=15
    )
    return replace(one, **other)  # type: ignore[arg-type]


def test_deployments_are_judged_by_poissons_distribution() -> None:
    found = judged_sums(FREQUENCY, deployed(30), [deployed(10)] * 12)
    assert found == Evidence(counts_chance(30, 120, 1 / 13), True, 20)


@pytest.mark.parametrize(("a_week", "found"), [(4, "few"), (5, None)])
def test_below_five_expected_events_there_is_no_verdict(a_week: int, found: str | None) -> None:
    told = judged_sums(FREQUENCY, deployed(40), [deployed(a_week)] * 12)
    assert told == found if found else isinstance(told, Evidence)
    # a share of failures: five have to be expected, and as many that did not fail
    for failed in (1, 9):
        assert judged_sums(FAILURES, deployed(10, 5), [deployed(10, failed)] * 12) == "few"
    told = judged_sums(LEAD_TIME, times(*[5.0] * 40), [times(*range(a_week))] * 12)
    assert told == found if found else isinstance(told, Evidence)


def test_weeks_that_vary_more_than_chance_says_widen_what_is_usual() -> None:
    calm = judged_sums(FREQUENCY, deployed(24), [deployed(12)] * 12)
    wild = judged_sums(FREQUENCY, deployed(24), [deployed(4), deployed(20)] * 6)
    assert isinstance(calm, Evidence)
    assert isinstance(wild, Evidence)
    assert calm.chance < 0.01 < wild.chance


def test_shares_are_judged_exactly_against_the_weeks_before() -> None:
    found = judged_sums(FAILURES, deployed(50, 20), [deployed(50, 5)] * 12)
    assert found == Evidence(shares_chance(20, 50, 60, 600), True, pytest.approx(15))


def test_times_are_judged_by_the_mean_of_their_logarithms() -> None:
    # around 1 before and 3 now, each a unit apart: variance 1, standard error sqrt(1/10 + 1/120), t = 6.076
    found = judged_sums(LEAD_TIME, times(*[2.0] * 5, *[4.0] * 5), [times(*[0.0] * 5, *[2.0] * 5)] * 12)
    assert isinstance(found, Evidence)
    assert found.chance == pytest.approx(t_chance(2 / math.sqrt(13 / 120), 128), rel=1e-6)
    # e² times as long: of ten changes' time all but 1/e² is more than usual
    assert (found.more, found.affected) == (True, pytest.approx(10 * (1 - math.exp(-2))))


def test_changes_that_came_together_say_less_than_as_many_that_came_one_by_one() -> None:
    before = [times(*[0.0] * 5, *[2.0] * 5)] * 12
    alone = judged_sums(LEAD_TIME, times(*[1.0] * 5, *[3.0] * 5), before)
    # five deployments of two changes each
    pairs = Sums(n=10, days=7, logs=20, batches=5, bb=20, bs=40, ss=4 * 16 + 4)
    together = judged_sums(LEAD_TIME, pairs, before)
    assert isinstance(alone, Evidence)
    assert isinstance(together, Evidence)
    assert alone.chance < together.chance
    assert judged_sums(LEAD_TIME, pairs._replace(batches=4), before) == "few"


@pytest.mark.parametrize("metric", [FREQUENCY, FAILURES, LEAD_TIME])
def test_without_six_weeks_before_there_is_too_little_history(metric) -> None:
    week = deployed(40, 10) if metric is not LEAD_TIME else times(*map(float, range(40)))
    assert judged_sums(metric, week, [*[NO_ROWS] * 7, *[week] * 5]) == "history"
    assert isinstance(judged_sums(metric, week, [*[NO_ROWS] * 6, *[week] * 6]), Evidence)


def test_sums_of_more_days_are_added_up() -> None:
    assert added([times(1.0), times(2.0, 3.0)]) == times(1.0, 2.0, 3.0)._replace(days=14)
    assert added([]) == NO_ROWS


@pytest.mark.parametrize("metric", keys().values(), ids=lambda metric: metric.id)
@pytest.mark.parametrize("more", [True, False])
def test_the_direction_word_is_that_of_the_two_numbers_beside_it(metric, more: bool) -> None:
    numbers = (4.5, 2.0) if metric.unit in ("points", "per day") else (0.5, 0.1)
    high, low = (30_000.0, 3_000.0) if metric.unit == "seconds" else numbers
    one = number(metric.id, *((high, low) if more else (low, high)))
    found = verdict(one, 0.05, SETTINGS)
    assert found.direction == ("up" if more else "down")
    assert told_verdict(found).startswith("better: " if more == (metric.better == "higher") else "worse: ")


@pytest.mark.parametrize(
    ("metric", "now", "usual", "kind"),
    [
        ("lead_time", 18000 + 3599, 18000, "normal"),
        ("lead_time", 18000 + 3600, 18000, "signal"),
        ("change_failure_rate", 0.10, 0.115, "normal"),
        ("change_failure_rate", 0.10, 0.125, "signal"),
        ("deployment_frequency", 10.0, 10.1, "normal"),
        ("developer_satisfaction", 4.0, 4.1, "normal"),
    ],
)
def test_what_is_too_small_to_matter_is_no_signal(metric: str, now: float, usual: float, kind: str) -> None:
    assert verdict(number(metric, now, usual), 0.05, SETTINGS).kind == kind


def test_a_week_is_told_by_itself_where_the_four_weeks_are_surer_and_too_small() -> None:
    week = number(now=36000.0, chance=1e-4)
    run = number(now=20000.0, chance=1e-9, first=date(2026, 10, 19), week=week)
    assert verdict(run, 0.05, SETTINGS) == verdict(week, 0.05, SETTINGS)
    assert verdict(replace(run, now=30000.0), 0.05, SETTINGS).judged.first == date(2026, 10, 19)
    assert verdict(run, 1e-6, SETTINGS).kind == "normal"


def test_the_least_size_is_the_configured_one() -> None:
    own = Settings.model_validate({"organization": "acme", "signals": {"least": {"Lead Time": "6 hours"}}})
    assert verdict(number(), 0.05, SETTINGS).kind == "signal"
    assert verdict(number(), 0.05, own).kind == "normal"
    assert own.signals.least_of("change_failure_rate") == 0.02


@pytest.mark.parametrize(
    ("least", "said"),
    [
        ({"lead time": "2%"}, '"2%" is not a size of Lead Time for Changes'),
        ({"speed": "2 hours"}, '"speed" is not a metric'),
        ({"MTTR": "2 hours", "mttr": "1 hour"}, '"mttr" is told twice'),
    ],
)
def test_a_least_size_that_is_none_is_told(least: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=r"signals\.least") as told:
        Settings.model_validate({"organization": "acme", "signals": {"least": least}})
    assert said in str(told.value)


def test_one_in_twenty_signals_may_be_false_however_many_numbers_there_are() -> None:
    alone = among([number(chance=0.04)], SETTINGS)
    assert len(alone.found) == 1
    others = [number(name=f"team {n}", chance=0.5) for n in range(99)]
    assert among([number(chance=0.04), *others], SETTINGS).found == ()
    crowd = among([number(chance=0.0004), number("mttr", chance=0.0009), *others], SETTINGS)
    assert (len(crowd.found), crowd.judged, crowd.highest_chance) == (2, 101, 0.0009)


def test_the_largest_for_people_come_first() -> None:
    found = [
        verdict(number("mttr", affected=2, chance=1e-30), 0.05, SETTINGS),
        verdict(number(affected=40), 0.05, SETTINGS),
        verdict(number("deployment_frequency", 1.0, 4.0, affected=21), 0.05, SETTINGS),
    ]
    assert [one.judged.affected for one in largest_first(found)] == [40, 21, 2]


@pytest.mark.parametrize(
    ("metric", "now", "usual", "compared", "for_people"),
    [
        ("lead_time", 2.1 * 86400, 1500.0, "50.4 h against 0.4 h in the 12 weeks before",
         "about 62 days more for 30 changes"),
        ("mttr", 5400.0, 2700.0, "90 min against 45 min in the 12 weeks before",
         "about 22.5 hours more for 30 incidents"),
        ("deployment_frequency", 0.9, 3.0, "0.9 a day against 3 a day in the 12 weeks before", "15 deployments fewer"),
        ("change_failure_rate", 0.08, 0.04, "8 % against 4 % in the 12 weeks before", "15 failed deployments more"),
        ("developer_satisfaction", 3.9, 4.4, "3.9 of 5 against 4.4 of 5 in the round before", "of 30 answers"),
    ],
)  # fmt: skip
def test_a_sentence_has_one_unit_on_both_sides_and_says_how_much_it_is_for_people(
    metric: str, now: float, usual: float, compared: str, for_people: str
) -> None:
    one = number(metric, now, usual)
    assert (compared_numbers(one), extent(one)) == (compared, for_people)
