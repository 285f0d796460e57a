"""The program's numbers on the sample organisation: those worked out by hand, and every number from its own rows."""

import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest

import sample_data
from config.metrics import metrics
from sample_data.organisation.platform_team import ON_PATHS
from tests.conftest import Sample
from warehouse.metrics.facts import Facts
from warehouse.metrics.self_service import ways_of_asking
from warehouse.metrics.values import SCOPES, Value, compute
from warehouse.rows.explain import Explanation, explain

_BY_HAND = tomllib.loads((Path(sample_data.__file__).parent / "worked_numbers.toml").read_text())
WORKED, ASSISTED, GROUPED, MOVED = (_BY_HAND[part] for part in ("worked", "assisted", "grouped", "moved"))


@pytest.mark.parametrize(
    "worked",
    [*WORKED, *GROUPED, *MOVED],
    ids=lambda worked: f"{worked['metric']} {worked['name']} {worked['from']}",
)
def test_a_number_is_the_one_worked_out_by_hand(
    sample: Sample, sample_facts: Facts, worked: dict[str, Any]
) -> None:
    values = compute(
        sample_facts,
        sample.settings,
        worked["scope"],
        None,
        worked["from"],
        worked["to"],
        {},
        [worked["metric"]],
    )
    (value,) = [value for value in values if value.name == worked["name"]]
    assert value.value == pytest.approx(worked["value"], rel=1e-12)
    assert value.n == worked["n"]


@pytest.mark.parametrize("by_hand", ASSISTED, ids=lambda each: f"{each['metric']} {each['assistance']}")
def test_what_an_agent_helped_with_and_the_rest_are_the_numbers_worked_out_by_hand(
    sample: Sample, sample_facts: Facts, by_hand: dict[str, Any]
) -> None:
    where = {"service": "checkout", "assistance": by_hand["assistance"]}
    first, after = by_hand["from"], by_hand["to"]
    (value,) = compute(
        sample_facts, sample.settings, "service", None, first, after, where, [by_hand["metric"]]
    )
    assert value.value == pytest.approx(by_hand["value"], rel=1e-12)
    assert value.n == by_hand["n"]
    explained = explain(sample_facts, sample.settings, by_hand["metric"], where, first, after)
    assert recomputed(explained) == pytest.approx(by_hand["value"], rel=1e-12)
    assert all(bool(row["assisted_by"]) == (by_hand["assistance"] == "agent") for row in explained.rows)


def test_what_an_agent_opened_and_a_person_merged_counts(sample_facts: Facts) -> None:
    found = sample_facts.connection.execute(
        "select count(*) filter (where c.excluded_because is null), count(*) filter (where c.excluded_because = 'bot')"
        " from changes as c where c.assisted_by = 'Copilot'"
    ).fetchall()
    ((counted, as_bots),) = found
    assert counted > 5
    assert as_bots == 0


def test_every_metric_is_worked_out_by_hand() -> None:
    assert {worked["metric"] for worked in WORKED} == set(metrics())


def recomputed(explained: Explanation) -> float | None:
    """The number, from nothing but the rows that explain it."""
    rows = [row for row in explained.rows if row["excluded_because"] is None]
    if explained.covered_days is not None:
        return len(rows) / explained.covered_days if explained.covered_days else None
    if not rows:
        return None
    if explained.metric == "developer_satisfaction":
        return sum(row["value"] * row["n"] for row in rows) / sum(row["n"] for row in rows)
    values = [row["value"] for row in rows]
    return median(values) if "median" in explained.statistic else mean(values)


def spans(values: Iterable[Value]) -> list[tuple[str, date, date]]:
    return list(dict.fromkeys((value.name, value.period_start, value.period_end) for value in values))


@pytest.mark.parametrize("metric", list(metrics()))
@pytest.mark.parametrize(
    ("scope", "period"),
    [
        *((scope, None) for scope in SCOPES),
        ("organisation", "month"),
        *(
            pytest.param(scope, "month", marks=pytest.mark.soak)
            for scope in SCOPES
            if scope != "organisation"
        ),
    ],
)
def test_the_rows_that_explain_a_number_give_it_again(
    sample: Sample, sample_facts: Facts, metric: str, scope: Any, period: Any
) -> None:
    values = compute(sample_facts, sample.settings, scope, period, metrics=[metric])
    assert values
    for value in values:
        where = {} if scope == "organisation" else {scope: value.name}
        explained = explain(
            sample_facts, sample.settings, metric, where, value.period_start, value.period_end
        )
        assert (explained.value, explained.n) == (value.value, value.n)
        found = recomputed(explained)
        assert found == (None if value.value is None else pytest.approx(value.value, rel=1e-9))


def test_the_second_collection_asks_only_for_what_changed(sample: Sample) -> None:
    assert sample.errors == [None] * 22
    repositories = len(sample.organisation.repositories)
    # of those on a golden path whose runs are read also the list of what is new
    assert sample.second_requests.total() <= repositories + len(ON_PATHS)
    assert sample.second_requests["git"] == 0
    assert sample.first_requests["git"] > 0


def test_a_year_of_weeks_holds_each_row_once(sample: Sample, sample_facts: Facts) -> None:
    whole = compute(sample_facts, sample.settings, metrics=["change_failure_rate", "lead_time", "mttr"])
    weeks = compute(
        sample_facts, sample.settings, period="week", metrics=["change_failure_rate", "lead_time", "mttr"]
    )
    for value in whole:
        assert sum(week.n for week in weeks if week.metric == value.metric) == value.n


def test_self_service_stands_beside_tickets(sample_facts: Facts) -> None:
    found = ways_of_asking(sample_facts, {}, date(2026, 5, 18), date(2026, 11, 16))
    assert [(one.kind, one.way, one.n, one.waiting, one.failed, one.withdrawn) for one in found] == [
        ("Database", "self-service", 3, 1, 0, 0),
        ("Database", "ticket", 2, 1, 0, 0),
        ("Namespace", "self-service", 7, 1, 1, 1),
        ("Namespace", "ticket", 2, 0, 0, 0),
    ]
    assert [one.median and one.median / 60 for one in found] == [92, 10290, 30, 11700]
