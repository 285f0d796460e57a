"""What a page says first: how many targets are met, counted in one way; and what has none, in the table below it."""

from datetime import date
from functools import partial
from html import unescape

from config.metrics import keys, metrics
from config.settings import MetricTarget, TargetOverride
from dashboards.delivery import slack
from dashboards.frame.markup import part
from dashboards.frame.view import SORTS, Filters
from dashboards.overview import heat_map
from dashboards.overview.loading import numbers
from dashboards.scorecards.rendering import render
from tests.support.running_dashboard import opened, shown
from warehouse.metrics.attainment import standing
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import Value, compute
from warehouse.scorecards.content import scorecard

MONDAY = date(2026, 11, 16)
SORTED = {by: f".?sort={by}" for by in SORTS}
own_part = partial(part, of="overview")


def value(metric="lead_time", known=5400.0, n=20, status="missed", target="< 1 hour") -> Value:
    unit, days = metrics()[metric].unit, (date(2026, 10, 19), MONDAY)
    return Value(metric, "organisation", "acme", *days, known, unit, n, target, status, partial=False)


def test_one_headline_counts_in_one_way_wherever_it_stands(small):
    team = "payments"
    with open_facts(small.settings.warehouse) as facts:
        week = scorecard(facts, small.settings, "2026-W46", "team", team)
    told = standing(week["metrics"]).text
    judged = [one["status"] for one in week["metrics"] if one["target"]]
    assert told.startswith(f"{judged.count('met')} of {judged.count('met') + judged.count('missed')} target")
    assert " not judged: " in told
    # a team has no frequency of the organisation's
    assert len(judged) == 5
    assert "Deployment Frequency" not in told
    for page in ("overview", "targets", "team"):
        assert told in shown(opened(small.folder, page, team=team, period="week")), page
    for form in ("html", "md", "txt"):
        assert told in unescape(render(week, form)).replace("\\", ""), form
    assert told in slack.message(week)["blocks"][1]["text"]["text"].replace("\u200b", "")


def test_the_headline_counts_targets_only():
    found = [
        value(status="met"),
        value("mttr"),
        value("change_failure_rate", n=3, status="insufficient"),
        value("deployment_rework_rate", target=None, status="value"),
    ]
    assert (
        standing(map(vars, found)).text
        == "1 of 2 targets met; 1 not judged: Change Failure Rate (too few rows)"
    )


def test_what_is_not_judged_is_told_by_reason():
    found = [
        value("time_to_first_commit", known=None, n=0, status="none"),
        value("lead_time", known=None, n=0, status="no data"),
        value("mttr", known=None, n=0, status="no data"),
    ]
    assert standing(map(vars, found)).text == (
        "None of 3 targets can be judged: Time to First Commit (nothing happened),"
        " Lead Time for Changes and Mean Time to Recovery (no data)"
    )
    assert standing([]).text == "No target is set"
    assert standing([vars(value(status="met"))]).text == "1 of 1 target met"


def test_people_are_asked_by_team_so_only_teams_have_that_target(small):
    settings = small.settings
    with open_facts(settings.warehouse) as facts:
        for scope, aimed in (("service", False), ("system", False), ("team", True)):
            found = compute(facts, settings, scope, metrics=["developer_satisfaction"])
            assert {bool(each.target) for each in found} == {aimed}


def test_a_frequency_of_the_organisation_is_nobody_else_s(small):
    often = MetricTarget(name="Deployment Frequency", target="> 1/day")
    slow = MetricTarget(
        name="Lead Time", target="< 1 hour", overrides=[TargetOverride(team="discovery", target="< 5 days")]
    )
    settings = small.settings.model_copy(update={"metrics": [often, slow]})
    found = numbers(settings.warehouse, settings, Filters(rows="team"))
    assert {v.status for v in found.current if v.metric == "deployment_frequency"} == {"met"}
    rows = heat_map.heat_map_rows(found.below, [], Filters(rows="team"))
    of_rates = [
        cell for row in rows for cell in row.cells if cell and cell.metric.id == "deployment_frequency"
    ]
    assert {(cell.value.status, cell.status.word) for cell in of_rates} == {("value", "no target")}
    usual = heat_map.usual_targets(rows)
    assert (usual["deployment_frequency"], usual["lead_time"]) == (None, "< 1 hour")
    html = own_part("table", rows, list(keys().values()), usual, "Teams", SORTED)
    assert "&gt; 1/day" not in html
    assert html.count("<small>target &lt; 5 days</small>") == 1
    # where most have one, those that have none say so
    usual = {**usual, "deployment_frequency": "> 1/week"}
    html = own_part("table", rows, list(keys().values()), usual, "Teams", SORTED)
    assert html.count("<small>no target</small>") == 3 + 6, "of the teams, and in the heads of the others"
