"""What explains a number: the rule for each row that counts, the reasons of those that do not, links to the sources."""

import io
from datetime import date

import pytest

from config.errors import ConfigurationError
from config.metrics import metrics
from dashboards import terminal
from tests.conftest import Sample
from warehouse.explain import explain
from warehouse.facts import Facts


@pytest.mark.parametrize("metric", list(metrics()))
def test_each_row_has_the_rule_that_made_it_count_or_the_reason_why_not(
    sample: Sample, sample_facts: Facts, metric: str
) -> None:
    found = explain(sample_facts, sample.settings, metric)
    assert found.rows
    for row in found.rows:
        assert bool(row["rule"]) != bool(row["excluded_because"])
        assert row["value"] is None or row["excluded_because"] is None
    assert sum(found.left_out.values()) == sum(row["excluded_because"] is not None for row in found.rows)


def test_reasons_are_grouped_and_the_most_frequent_comes_first(sample: Sample, sample_facts: Facts) -> None:
    reasons = explain(sample_facts, sample.settings, "lead_time").left_out
    assert list(reasons.values()) == sorted(reasons.values(), reverse=True)
    assert {"merge commit", "bot", "shipped at an unknown time …"} <= set(reasons)


def test_rows_lead_to_where_they_come_from(sample: Sample, sample_facts: Facts) -> None:
    def addresses(metric: str) -> set[str]:
        found = explain(sample_facts, sample.settings, metric)
        return {row["url"].split("//")[1].split("/", 1)[1].split("/")[0] for row in found.rows if row["url"]}

    assert "acme" in addresses("lead_time")
    assert {"acme", "argocd"} <= addresses("deployment_frequency")
    assert addresses("mttr") == {"incidents"}


def test_what_has_no_instant_is_listed_by_its_start(sample: Sample, sample_facts: Facts) -> None:
    found = explain(sample_facts, sample.settings, "mttr", {}, date(2026, 11, 9), date(2026, 11, 16))
    assert [row["at"] for row in found.rows if row["excluded_because"] == "not resolved"] == [None]


def test_a_shared_deployment_is_one_row_that_names_its_services(sample: Sample, sample_facts: Facts) -> None:
    found = explain(sample_facts, sample.settings, "deployment_frequency", {"team": "fulfilment"})
    keys = [(row["source"], row["id"]) for row in found.rows]
    assert len(keys) == len(set(keys))
    assert "delivery, inventory" in {row["service"] for row in found.rows}


def test_a_name_that_is_unknown_is_refused_with_those_that_are_known(
    sample: Sample, sample_facts: Facts
) -> None:
    with pytest.raises(ConfigurationError, match='there is no team "nobody"; known: fulfilment, payments'):
        explain(sample_facts, sample.settings, "mttr", {"team": "nobody"})


def test_a_view_that_holds_nothing_says_so(sample: Sample, sample_facts: Facts) -> None:
    with pytest.raises(ConfigurationError, match="nothing is team=payments, service=checkout at once"):
        explain(sample_facts, sample.settings, "mttr", {"team": "payments", "service": "checkout"})


def test_the_command_line_shows_each_rows_rule_and_the_reasons_with_their_counts(
    sample: Sample, sample_facts: Facts
) -> None:
    found = explain(sample_facts, sample.settings, "change_failure_rate", {"service": "checkout"})
    out = io.StringIO()
    terminal.console(out).print(terminal.explanation(found))
    shown = out.getvalue()
    assert "failed by rollback: rolled back by" in shown
    assert shown.count("no evidence of failure") == found.n - sum(row["value"] or 0 for row in found.rows)
    for reason, n in found.left_out.items():
        assert f"{n}  {reason}" in shown
