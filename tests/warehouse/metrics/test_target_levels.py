"""Targets by level on facts: what is inherited along today's owners, and that what has no target is not missed."""

from datetime import date

import pytest

from collectors.contract.records import Component
from config.settings import MetricTarget, Settings, TargetOverride
from tests.conftest import once
from warehouse.metrics.attainment import attainments
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.target_levels import TargetLevels
from warehouse.metrics.values import compute
from warehouse.scorecards.content import scorecards

LEAD_TIME = MetricTarget(
    name="Lead Time for Changes",
    target="< 1 hour",
    overrides=[
        TargetOverride(system="data", target="< 9 days"),
        TargetOverride(team="Payments", target="< 2 days"),
        TargetOverride(service="billing", target="< 3 hours"),
    ],
)
OFTEN = MetricTarget(name="Deployment Frequency", target="> 1/day")


@pytest.fixture(scope="module")
def settings(small, shared_folder) -> Settings:
    """The small organisation, whose team discovery has a service in either system and whose team both another."""
    extra = (
        Component(name="index", owner="discovery", system="data", repo="acme/index"),
        Component(name="loose", owner="discovery", repo="acme/loose"),
    )
    made = once(shared_folder, "target-levels", lambda folder: small.copied(folder, *extra)).settings
    return made.model_copy(update={"metrics": [LEAD_TIME, OFTEN]})


def test_each_inherits_along_its_owners_and_the_nearest_wins(settings):
    with open_facts(settings.warehouse) as facts:
        levels = TargetLevels(facts.connection, settings)
        held = {
            (scope, name): levels.target("lead_time", scope, name).text
            for scope, names in {
                "organisation": [""],
                "system": ["shop", "data"],
                "team": ["payments", "platform", "discovery", "nobody"],
                "service": ["billing", "checkout", "ingest", "index", "search", "loose", "legacy-reports"],
            }.items()
            for name in names
        }
    assert held == {
        ("organisation", ""): "< 1 hour",
        ("system", "shop"): "< 1 hour",
        ("system", "data"): "< 9 days",
        ("team", "payments"): "< 2 days",
        ("team", "platform"): "< 9 days",
        # of a system each and of none: what any of them may take is not missed
        ("team", "discovery"): "< 9 days",
        ("team", "nobody"): "< 1 hour",
        ("service", "billing"): "< 3 hours",
        ("service", "checkout"): "< 2 days",
        ("service", "ingest"): "< 9 days",
        ("service", "index"): "< 9 days",
        ("service", "search"): "< 1 hour",
        ("service", "loose"): "< 1 hour",
        ("service", "legacy-reports"): "< 1 hour",
    }


def test_an_organisation_that_deploys_often_enough_gives_no_team_a_missed_target(settings):
    with open_facts(settings.warehouse) as facts:
        rate = {"metrics": ["deployment_frequency"]}
        assert {one.status for one in compute(facts, settings, **rate)} == {"met"}
        for scope in ("system", "team", "service"):
            found = compute(facts, settings, scope, "week", **rate)
            assert {one.target for one in found} == {None}
            assert {"met", "missed"}.isdisjoint(one.status for one in found)
            of = attainments(facts, settings, scope, **rate)
            assert {(one.judged, one.missed_since) for one in of.values()} == {(0, None)}
        told = scorecards(facts, settings, "2026-W46")
    for one in told:
        (metric,) = (each for each in one["metrics"] if each["metric"] == "deployment_frequency")
        is_whole = one["scope"] == "organisation"
        assert (metric["target"], metric["status"]) == (("> 1/day", "met") if is_whole else (None, "value"))
        assert metric["attainment"]["judged"] == (12 if is_whole else 0)
    assert [each["attainment"]["judged"] for each in told[0]["below"] if each["name"] == "payments"] == [1]


def test_a_target_of_a_level_is_held_against_all_of_it(settings):
    metrics = [OFTEN.model_copy(update={"team_target": "> 1/week", "service_target": "> 1/day"})]
    own = settings.model_copy(update={"metrics": metrics})
    days = {"start": date(2026, 10, 19), "end": date(2026, 11, 16)}
    with open_facts(own.warehouse) as facts:
        found = {
            (one.scope, one.name): (one.target, one.status)
            for scope in ("system", "team", "service")
            for one in compute(facts, own, scope, metrics=["deployment_frequency"], **days)
        }
    assert found["system", "shop"] == (None, "value")
    assert found["team", "platform"] == ("> 1/week", "met")
    assert found["service", "ingest"] == ("> 1/day", "missed")
    assert found["service", "checkout"] == ("> 1/day", "met")
