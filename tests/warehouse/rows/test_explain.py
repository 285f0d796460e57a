"""What explains a number: the rule for each row that counts, the reasons of those that do not, links to the sources."""

import io
import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from rich.console import Console

from config.errors import ConfigurationError
from config.metrics import keys
from dashboards.commands import terminal
from dashboards.commands.long_tables import MOST_DRAWN
from dashboards.figures.formats import figure, local_times
from tests.conftest import Sample
from warehouse.metrics.facts import Facts
from warehouse.rows.explain import Order, all_explained_rows, explain, explain_as_read, rows_of
from warehouse.rows.reasons import in_common, rule
from warehouse.rows.stages import explained_stages, stage_rows


@pytest.mark.parametrize("metric", list(keys()))
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


@pytest.mark.parametrize("metric", list(keys())[:5])
def test_the_first_rows_are_the_first_of_all_in_the_order_asked_for(
    sample: Sample, sample_facts: Facts, metric: str
) -> None:
    rows = [row for row in explain(sample_facts, sample.settings, metric).rows if not row["excluded_because"]]
    newest = rows[::-1]
    wanted: dict[Order, list[Any]] = {
        "oldest": rows,
        "newest": newest,
        "highest": sorted(newest, key=lambda row: -row["value"]),
        "lowest": sorted(newest, key=lambda row: row["value"]),
    }
    for order, all_of_them in wanted.items():
        found = explain(sample_facts, sample.settings, metric, order=order, most=7)
        assert [row for row in found.rows if not row["excluded_because"]] == all_of_them[:7]


def test_the_first_of_each_reason_leave_the_counts_as_they_are(sample: Sample, sample_facts: Facts) -> None:
    whole = explain(sample_facts, sample.settings, "lead_time")
    few = explain(sample_facts, sample.settings, "lead_time", most_of_a_reason=2)
    assert few.left_out == whole.left_out
    reasons = [in_common(row["excluded_because"]) for row in few.rows if row["excluded_because"]]
    assert Counter(reasons) == {reason: min(n, 2) for reason, n in whole.left_out.items()}


@pytest.mark.parametrize("metric", list(keys()))
def test_the_rows_that_are_read_one_by_one_are_the_same(
    sample: Sample, sample_facts: Facts, metric: str
) -> None:
    where = {"team": "fulfilment"}
    whole = explain(sample_facts, sample.settings, metric, where)
    assert list(all_explained_rows(sample_facts, sample.settings, metric, where)) == whole.rows
    alone, parts = explain_as_read(sample_facts, sample.settings, metric, where)
    assert replace(alone, rows=whole.rows) == whole
    for part, own in zip(parts, rows_of(whole), strict=True):
        of_fact = [name for name in own.columns if name not in ("value", "rule", "excluded_because")]
        assert (part.n, [name for name in part.columns if name != "excluded_because"]) == (own.n, of_fact)
        assert list(part.rows) == list(own.rows)


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
    terminal.console(out).print(terminal.explanation(found, "Pacific/Kiritimati"))
    shown = out.getvalue()
    # as the pages tell them, in the organisation's own zone: here 14 hours before UTC
    assert "Times are Pacific/Kiritimati." in shown
    assert all(f"{row['at'] + timedelta(hours=14):%Y-%m-%d %H:%M}" in shown for row in found.rows)
    assert "failed by rollback: rolled back by" in shown
    assert "failed by window: incident" in shown
    assert "UTC" not in shown
    assert shown.count("no evidence of failure") == found.n - sum(row["value"] or 0 for row in found.rows)
    for reason, n in found.left_out.items():
        assert f"{n}  {reason}" in shown


@pytest.mark.parametrize("width", [400, 90])
def test_a_long_table_shows_each_row_once_with_the_values_that_the_csv_has(
    sample: Sample, sample_facts: Facts, width: int
) -> None:
    found, rows = explain_as_read(sample_facts, sample.settings, "lead_time")
    out = io.StringIO()
    Console(file=out, width=width).print(terminal.explanation(found, "UTC", rows))
    read = [*all_explained_rows(sample_facts, sample.settings, "lead_time")]
    assert len(read) > 2 * MOST_DRAWN
    lines = out.getvalue().splitlines()
    shas = re.findall(r"(?<=  )[0-9a-f]{10}(?=  )", out.getvalue())
    assert Counter(shas) == Counter(row["sha"][:10] for row in read)
    if width < 100:  # what is folded stands in several lines
        assert max(map(len, lines[4:])) <= width
        return
    told = (
        (
            f"{row['at']:%Y-%m-%d %H:%M}" if row["at"] else None,
            row["service"],
            row["sha"][:10],
            " ".join(row["subject"].split()),
            f"{row['authored_at']:%Y-%m-%d %H:%M}",
            figure(row["value"], "seconds") if row["excluded_because"] is None else None,
            local_times(row["rule"] or row["excluded_because"], "UTC"),
        )
        for row in read
        if len(row["subject"]) <= 50
    )
    shown = Counter(tuple(re.split(r"\s{2,}", line.strip())) for line in lines)
    assert Counter(tuple(filter(None, row)) for row in told) - shown == Counter()


def test_the_stages_are_told_with_all_hours_and_by_whom_they_are_held(
    sample: Sample, sample_facts: Facts
) -> None:
    found = explained_stages(sample_facts, {"team": "Payments"}, date(2026, 8, 24), date(2026, 11, 16))
    out = io.StringIO()
    terminal.console(out).print(terminal.stages_table(found))
    assert (
        "Where the time goes of payments, 24 Aug – 15 Nov 2026: 5,168.2 hours to production" in out.getvalue()
    )
    (deploy,) = [line for line in out.getvalue().splitlines() if line.strip().startswith("Deploy")]
    assert "67 %" in deploy
    assert "ledger 46 %, fraud-scoring 41 %" in deploy
    rows = stage_rows(found.stages)
    whole = [row for row in rows if row["holder"] == "all"]
    assert sum(row["seconds"] for row in whole) == pytest.approx(found.seconds)
    assert sum(row["share_of_all"] or 0 for row in whole) == pytest.approx(1)
    of_services = [row for row in rows if row["stage"] == "deploy" and row["holder"] == "service"]
    assert sum(row["share_of_stage"] for row in of_services) == pytest.approx(1)
    assert {row["service"] for row in of_services} == {"ledger", "fraud-scoring", "payments-api"}
    assert all(row["url"] for row in rows if row["holder"] == "pull request")


def test_an_incident_of_several_services_says_whose_it_may_be() -> None:
    row = {"excluded_because": None, "possible_causes": "api, web"}
    assert rule("mttr", row) == "opened until resolved; caused by one of api, web"
    assert rule("mttr", row | {"possible_causes": None}) == "opened until resolved"
