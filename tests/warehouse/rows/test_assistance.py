"""What an agent helped with beside the rest: each side from its own rows, intervals as worked out by hand."""

from datetime import date
from statistics import median

import pytest

from config.metrics import metrics
from tests.conftest import Sample
from warehouse.metrics.facts import Facts
from warehouse.rows.assistance import PARTED, assisted_weeks, by_assistance, wilson
from warehouse.rows.explain import explain
from warehouse.rows.stages import STAGES, stages

FIRST, AFTER = date(2026, 8, 24), date(2026, 11, 16)


def inputs(facts: Facts, sample: Sample, metric: str, where: dict[str, str]) -> list[float]:
    rows = explain(facts, sample.settings, metric, where, FIRST, AFTER).rows
    return sorted(row["value"] for row in rows if row["excluded_because"] is None)


@pytest.mark.parametrize("where", [{}, {"team": "storefront"}, {"service": "checkout"}])
def test_a_median_has_the_rows_in_the_places_of_its_interval(
    sample: Sample, sample_facts: Facts, where: dict[str, str]
) -> None:
    lead_time = by_assistance(sample_facts, metrics()["lead_time"], where, FIRST, AFTER)[0]
    for kind, side in (("agent", lead_time.assisted), ("none", lead_time.rest)):
        taken = inputs(sample_facts, sample, "lead_time", where | {"assistance": kind})
        place = max(1, round(len(taken) / 2 - 0.98 * len(taken) ** 0.5))
        assert side.n == len(taken) >= 5
        assert side.middle == pytest.approx(median(taken))
        assert (side.low, side.high) == (taken[place - 1], taken[-place])
        assert side.low <= side.p25 <= side.middle <= side.p75 <= side.high or side.n > 10


def test_the_interval_of_few_rows_is_all_of_them_and_of_many_a_part(
    sample: Sample, sample_facts: Facts
) -> None:
    # five rows of the week that sample_data/README.md works out: 38, 46, 48, 78 and 128 minutes
    week = (date(2026, 11, 9), AFTER)
    found = by_assistance(sample_facts, metrics()["lead_time"], {"service": "checkout"}, *week)[0].assisted
    assert (found.n, found.low, found.middle, found.high) == (5, 38 * 60, 48 * 60, 128 * 60)


def test_stages_are_told_of_either_kind_and_add_up_to_those_of_all(sample_facts: Facts) -> None:
    found = by_assistance(sample_facts, metrics()["lead_time"], {}, FIRST, AFTER)[1:]
    assert [each.measure for each in found] == list(STAGES)
    assert [each.assisted.n + each.rest.n for each in found] == [
        s.n for s in stages(sample_facts, {}, FIRST, AFTER)
    ]


@pytest.mark.parametrize("metric", ["change_failure_rate", "deployment_rework_rate"])
def test_a_share_is_of_its_own_deployments(sample: Sample, sample_facts: Facts, metric: str) -> None:
    (found,) = by_assistance(sample_facts, metrics()[metric], {}, FIRST, AFTER)
    for kind, side in (("agent", found.assisted), ("none", found.rest)):
        taken = inputs(sample_facts, sample, metric, {"assistance": kind})
        assert (side.n, side.middle) == (len(taken), pytest.approx(sum(taken) / len(taken)))
        assert (side.low, side.high) == wilson(int(sum(taken)), len(taken))


@pytest.mark.parametrize(
    ("counted", "n", "interval"),
    [(0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (1, 10, (0.0179, 0.4042)), (50, 100, (0.4038, 0.5962))],
)
def test_wilsons_interval_is_the_published_one(counted: int, n: int, interval: tuple[float, float]) -> None:
    assert wilson(counted, n) == pytest.approx(interval, abs=5e-5)


@pytest.mark.parametrize("metric", PARTED)
def test_each_weeks_rows_are_all_of_them(sample: Sample, sample_facts: Facts, metric: str) -> None:
    weeks = assisted_weeks(sample_facts, metrics()[metric], {}, FIRST, AFTER)
    assert sum(week.n for week in weeks) == len(inputs(sample_facts, sample, metric, {}))
    assert sum(week.assisted for week in weeks) == len(
        inputs(sample_facts, sample, metric, {"assistance": "agent"})
    )
    assert [week.monday for week in weeks] == sorted({week.monday for week in weeks})
    assert all(week.monday.weekday() == 0 for week in weeks)


def test_nothing_has_no_middle(sample_facts: Facts) -> None:
    never = (date(2020, 1, 1), date(2020, 2, 1))
    for metric in PARTED:
        for found in by_assistance(sample_facts, metrics()[metric], {}, *never):
            assert (found.assisted.n, found.assisted.middle, found.rest.middle) == (0, None, None)
        assert assisted_weeks(sample_facts, metrics()[metric], {}, *never) == []
