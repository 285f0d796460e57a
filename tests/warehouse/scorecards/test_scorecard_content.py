"""What a scorecard says of a week: numbers, whether they moved, three to five sentences, and what limits the trust."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from collectors.contract.records import Coverage, Deployment, Incident, Link
from config.settings import Settings
from tests.conftest import Small
from tests.support.small_organisation import HOSTILE, NOW, write
from warehouse.building.build import build
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import open_facts
from warehouse.scorecards.content import Scorecard, scopes, scorecard, scorecards
from warehouse.scorecards.sentences import sentences
from warehouse.storage.store import open_warehouse

WEEK, MONDAY = "2026-W46", date(2026, 11, 9)
AT = datetime(2026, 11, 10, 9, tzinfo=UTC)  # the Tuesday of the week


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The small organisation, where an incident is open."""
    return write(
        tmp_path_factory.mktemp("content"),
        extra=(
            Incident(
                source="pagerduty",
                id="open",
                service="search",
                title=HOSTILE,
                urgency="high",
                opened_at=NOW - timedelta(days=3),
                url="https://acme.pagerduty.com/incidents/open",
            ),
        ),
    )


@pytest.fixture
def facts(settings: Settings):
    with open_facts(settings.warehouse) as facts:
        yield facts


def said(content: Scorecard) -> list[str]:
    return [one["text"] for one in content["sentences"]]


def test_everybody_who_owns_a_service_or_was_surveyed_gets_one(facts: Facts, settings: Settings) -> None:
    assert scopes(facts, MONDAY) == [
        ("organisation", ""),
        ("system", "data"),
        ("system", "shop"),
        ("team", "discovery"),
        ("team", "payments"),
        ("team", "platform"),
    ]
    found = [(one["scope"], one["name"]) for one in scorecards(facts, settings, WEEK)]
    assert found == [("organisation", "acme"), *scopes(facts, MONDAY)[1:]]


def test_one_asked_for_alone_is_the_one_among_all(facts: Facts, settings: Settings) -> None:
    (among,) = [one for one in scorecards(facts, settings, WEEK) if one["name"] == "payments"]
    assert scorecard(facts, settings, WEEK, "team", "payments") == among


def test_the_organisation_sums_up_those_below_with_their_own_numbers(
    facts: Facts, settings: Settings
) -> None:
    below = {one["name"]: one for one in scorecard(facts, settings, WEEK)["below"]}
    assert list(below) == ["data", "shop", "discovery", "payments", "platform"]
    payments = scorecard(facts, settings, WEEK, "team", "payments")
    assert below["payments"]["attainment"] == payments["attainment"]
    assert [one["value"] for one in below["payments"]["metrics"]] == [
        one["value"] for one in payments["metrics"]
    ]


def test_failures_are_named_with_evidence_and_recovery_and_lead_to_where_they_are_told(
    facts: Facts, settings: Settings
) -> None:
    content = scorecard(facts, settings, WEEK, "team", "payments")
    (failures,) = [one for one in content["sentences"] if "deployments failed" in one["text"]]
    # checkout ships 20 a week, billing 6; every ninth and every fifth fails
    assert failures["text"].startswith("4 of 26 deployments failed: ")
    assert f"incident “{HOSTILE}”, recovered after " in failures["text"]
    assert failures["text"].endswith("; and 1 more.")


def test_an_incident_of_others_that_a_person_linked_is_told_without_its_title(tmp_path: Path) -> None:
    opened = datetime(2026, 11, 10, 22, tzinfo=UTC)
    foreign = Incident(
        source="import",
        id="foreign",
        service="search",
        title="Search leaks",
        urgency="high",
        opened_at=opened,
        resolved_at=opened + timedelta(hours=1),
    )
    link = Link(
        incident_source="import",
        incident_id="foreign",
        deployment_source="import",
        deployment_id="checkout-265",
        reason="seen in the log",
    )
    settings = write(tmp_path, extra=(foreign, link))
    with open_facts(settings.warehouse) as facts:
        everybody, payments = (
            " ".join(one.text for one in sentences(facts, settings, where, MONDAY, 0.0))
            for where in ({"system": "shop"}, {"team": "payments", "service": "checkout"})
        )
    assert "incident “Search leaks”, linked by a person" in everybody
    assert "an incident, linked by a person" in payments
    assert "Search leaks" not in payments


def test_open_incidents_are_told_with_their_age_and_a_link(facts: Facts, settings: Settings) -> None:
    (told,) = [one for one in scorecard(facts, settings, WEEK)["sentences"] if "still open" in one["text"]]
    assert told["text"] == f"1 incident is still open: “{HOSTILE}” of search for 3 days."
    assert told["parts"][1]["url"] == "https://acme.pagerduty.com/incidents/open"


def test_the_slowest_change_names_the_stage_it_spent_its_time_in(sample, sample_facts: Facts) -> None:
    (told,) = [
        text for text in said(scorecard(sample_facts, sample.settings, "2026-W44")) if "slowest" in text
    ]
    assert told == (
        "The slowest change, “Validate secrets” of acme-cli, took 11 days to production,"
        " of which 11 days waiting for its deployment."
    )


def test_a_change_is_called_one_only_where_it_is_a_signal(sample, sample_facts: Facts) -> None:
    for content in scorecards(sample_facts, sample.settings, "2026-W45"):
        signals = [one["name"] for one in content["metrics"] if one["change"]["kind"] == "signal"]
        text = " ".join(said(content))
        assert (" got better" in text or " got worse" in text) or not signals
        if not signals:
            assert " got " not in text or "Nothing moved as a whole, but " in text


def test_the_week_is_set_against_the_week_before_and_the_twelve_weeks_before(
    sample, sample_facts: Facts
) -> None:
    content = scorecard(sample_facts, sample.settings, "2026-W46")
    (frequency,) = [one for one in content["metrics"] if one["metric"] == "deployment_frequency"]
    (before,) = [
        one
        for one in scorecard(sample_facts, sample.settings, "2026-W45")["metrics"]
        if one["metric"] == "deployment_frequency"
    ]
    assert (frequency["previous"], frequency["previous_n"]) == (before["value"], before["n"])
    assert [week["week"] for week in frequency["history"]] == [f"2026-W{week}" for week in range(35, 47)]
    weeks = [*before["history"], *frequency["history"]]
    values = {week["week"]: week["value"] for week in weeks if week["week"] != "2026-W46"}
    assert len(values) == 12
    assert frequency["usual"]["centre"] == pytest.approx(sum(values.values()) / 12)


def test_where_no_repository_was_made_the_last_time_to_first_commit_is_told_with_its_week(
    sample, sample_facts: Facts
) -> None:
    first, *others = scorecard(sample_facts, sample.settings, "2026-W46")["metrics"]
    assert (first["metric"], first["value"], first["status"]) == ("time_to_first_commit", None, "none")
    known = [week for week in first["history"] if week["value"] is not None][-1]
    assert first["last_known"] == {"week": known["week"], "value": known["value"]}
    assert {one["last_known"] for one in others} == {None}


@pytest.mark.parametrize(
    "week", [pytest.param(week, marks=() if week in (22, 45) else pytest.mark.soak) for week in range(21, 47)]
)
def test_each_week_of_the_sample_says_three_to_five_things_of_everybody(
    sample, sample_facts: Facts, week: int
) -> None:
    for content in scorecards(sample_facts, sample.settings, f"2026-W{week}"):
        assert 3 <= len(said(content)) <= 5, (content["name"], said(content))


def test_a_week_without_data_says_so_and_nothing_else(facts: Facts, settings: Settings) -> None:
    content = scorecard(facts, settings, "2026-W10")
    assert said(content) == ["No source was read for this week, so nothing can be said of it."]
    assert {one["status"] for one in content["metrics"]} == {"no data"}


def test_the_overview_gets_the_same_sentences(facts: Facts, settings: Settings) -> None:
    told = sentences(facts, settings, {"team": "payments"}, MONDAY, 0.0)
    assert [one.text for one in told] == said(scorecard(facts, settings, WEEK, "team", "payments"))


def test_what_limits_the_trust_is_told(facts: Facts, settings: Settings) -> None:
    told = scorecard(facts, settings, WEEK)["caveats"]
    assert "PagerDuty has not been read yet: recovery times may be missing incidents." in told
    assert (
        "1 resolved incident belongs to no single service, team or system and counts for the organisation only."
        in told
    )
    assert any(text.startswith("The failure rates may still rise") for text in told)
    told = scorecard(facts, settings, WEEK, "team", "platform")["caveats"]
    assert "Withheld, because a person's answer could be worked out: Developer Satisfaction." in told


def test_a_service_without_a_source_of_incidents_is_named(small: Small, tmp_path: Path) -> None:
    settings = small.copied(tmp_path).settings
    with open_warehouse(settings.warehouse) as warehouse:
        warehouse.connection.execute(
            "delete from coverage where source = 'import incidents' and subject in ('checkout', '*')"
        )
        warehouse.connection.execute(
            "update coverage set until_at = ? where source = 'import incidents' and subject = 'search'",
            [datetime(2026, 11, 11, 23)],
        )
    build(settings, NOW)
    with open_facts(settings.warehouse) as facts:
        told = scorecard(facts, settings, WEEK)["caveats"]
    assert "No incidents are read for checkout: a failure there shows only as a rollback or a revert." in told
    assert "Incidents were read only in part: search on 3 of 7 days." in told


def test_a_deployment_that_is_no_failure_for_all_that_is_known_is_said_so(tmp_path: Path) -> None:
    settings = Settings(organization="acme", warehouse=tmp_path / "warehouse.duckdb")
    quiet = [
        Deployment(
            source="jenkins",
            id=str(n),
            service="quiet",
            environment="production",
            status="success",
            sha=f"{n:040}",
            started_at=AT + timedelta(hours=n),
            finished_at=AT + timedelta(hours=n),
        )
        for n in range(3)
    ]
    read = Coverage(
        source="import deployments", subject="quiet", from_at=AT - timedelta(days=9), until_at=NOW
    )
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert([*quiet, read])
    build(settings, NOW)
    with open_facts(settings.warehouse) as facts:
        assert said(scorecard(facts, settings, WEEK)) == [
            "There is too little to tell whether anything changed.",
            "None of the 3 deployments is known to have failed.",
            "3 deployments brought 0 changes to production.",
        ]
