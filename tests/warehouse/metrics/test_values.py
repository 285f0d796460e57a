"""What can be asked of the numbers, and the shape in which they are given."""

from datetime import date
from typing import Any

import pytest

from config.errors import ConfigurationError
from config.metrics import keys
from tests.conftest import Sample
from warehouse.metrics.facts import Facts
from warehouse.metrics.values import SCOPES, as_rows, compute


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({"team": "paymets"}, 'there is no team "paymets"; known: .*payments'),
        ({"repo": "acme/app"}, "write system=…, group=…, team=… or service=…"),
        ({"assistance": "some"}, "assistance=agent or …=none"),
    ],
)
def test_a_narrowing_that_names_nothing_is_refused_with_what_there_is(
    sample: Sample, sample_facts: Facts, where: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        compute(sample_facts, sample.settings, where=where)


def test_assistance_parts_what_is_made_of_changes_and_deployments_and_refuses_the_rest(
    sample: Sample, sample_facts: Facts
) -> None:
    parted = {
        each: compute(sample_facts, sample.settings, where={"team": "storefront", "assistance": each})
        for each in ("agent", "none")
    }
    whole = {v.metric: v for v in compute(sample_facts, sample.settings, where={"team": "storefront"})}
    for agent, none in zip(parted["agent"], parted["none"], strict=True):
        assert agent.n + none.n == whole[agent.metric].n
        assert agent.target is none.target is None
    assert len(parted["agent"]) == 5
    with pytest.raises(ConfigurationError, match=r"Mean Time to Recovery .* drop assistance="):
        compute(sample_facts, sample.settings, where={"assistance": "agent"}, metrics=["mttr"])


def test_the_rows_have_what_other_programs_read(sample: Sample, sample_facts: Facts) -> None:
    (row,) = as_rows(
        compute(
            sample_facts, sample.settings, start=date(2026, 11, 2), end=date(2026, 11, 9), metrics=["mttr"]
        )
    )
    assert list(row) == [
        *("metric", "scope", "name", "period_start", "period_end", "value", "unit", "n", "target", "status"),
        *("partial", "p75", "p90", "provisional", "watched", "remark"),
    ]
    assert (row["period_start"], row["period_end"]) == ("2026-11-02", "2026-11-09")


@pytest.mark.parametrize("scope", SCOPES)
def test_every_name_and_period_is_there_once_for_every_metric(
    sample: Sample, sample_facts: Facts, scope: Any
) -> None:
    values = compute(sample_facts, sample.settings, scope, "week", date(2026, 10, 1), date(2026, 11, 1))
    found = {(value.metric, value.name, value.period_start) for value in values}
    names = {value.name for value in values}
    assert len(found) == len(values) == len(keys()) * len(names) * 5
    for value in values:
        # a status that promises a number has one, and no other has
        assert (value.value is None) == (value.status in ("none", "no data", "withheld"))


def test_narrowing_to_a_service_gives_its_own_numbers(sample: Sample, sample_facts: Facts) -> None:
    of_service = compute(sample_facts, sample.settings, "service")
    narrowed = compute(sample_facts, sample.settings, "organisation", where={"service": "checkout"})
    expected = {value.metric: (value.value, value.n) for value in of_service if value.name == "checkout"}
    assert {value.metric: (value.value, value.n) for value in narrowed} == expected
