"""Targets over time: weeks met of the last twelve, and since when a target is missed."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import MetricTarget, Settings, TargetOverride
from tests.support import small_organisation
from tests.support.small_scorecard import scorecard
from warehouse.building.build import build
from warehouse.metrics.attainment import against_published_targets, attainment, attainments
from warehouse.metrics.periods import iso_week
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import Value
from warehouse.storage.instants import naive
from warehouse.storage.store import open_warehouse

FIRST = date(2026, 5, 4)
# a week in one letter: met, missed, met and provisional, missed and provisional, and those that cannot be judged
WEEKS = {
    "+": {"status": "met"},
    "-": {"status": "missed"},
    "p": {"status": "met", "provisional": True},
    "m": {"status": "missed", "provisional": True},
    "i": {"status": "insufficient"},
    "o": {"status": "none", "value": None},
    "x": {"status": "no data", "value": None},
    "w": {"status": "withheld", "value": None},
    "v": {"status": "value", "target": None},
}


def weeks(text: str) -> list[Value]:
    """One value a letter, a week each, from `FIRST` on."""
    return [
        replace(
            Value(
                metric="change_failure_rate",
                scope="team",
                name="payments",
                period_start=FIRST + timedelta(weeks=at),
                period_end=FIRST + timedelta(weeks=at + 1),
                value=0.1,
                unit="fraction",
                n=20,
                target="< 5%",
                status="met",
                partial=False,
            ),
            **WEEKS[letter],
        )
        for at, letter in enumerate(text)
    ]


def monday(at: int) -> date:
    return FIRST + timedelta(weeks=at)


@pytest.mark.parametrize(
    ("text", "met", "judged", "missed_since", "met_since"),
    [
        ("", 0, 0, None, None),
        ("ixowv", 0, 0, None, None),
        ("++--", 2, 4, monday(2), None),
        ("--++", 2, 4, None, monday(2)),
        # what cannot be judged neither ends a run nor begins one
        ("+i-o-xw", 1, 3, monday(2), None),
        # a rate that meets its target may still miss it, one that misses it cannot meet it any more
        ("--p", 0, 2, monday(0), None),
        ("++m", 2, 3, monday(2), None),
        # only twelve weeks are counted; a run is followed beyond them
        ("+" + "-" * 13, 0, 12, monday(1), None),
        ("-" + "+" * 12, 12, 12, None, monday(1)),
        # what was the case before twelve silent weeks is not told as if it were now
        ("-" + "i" * 12, 0, 0, None, None),
    ],
)
def test_weeks_are_counted_and_the_current_run_is_dated(text, met, judged, missed_since, met_since):
    found = attainment(weeks(text))
    assert (found.met, found.judged) == (met, judged)
    assert (found.missed_since, found.met_since) == (missed_since, met_since)


def test_a_run_that_fills_what_was_read_may_be_older():
    assert attainment(weeks("--")).or_before
    assert not attainment(weeks("x--")).or_before


@given(st.text(list(WEEKS), max_size=30), st.randoms(use_true_random=False))
def test_attainment_follows_from_the_weeks_that_can_be_judged(text, random):
    shuffled = weeks(text)
    random.shuffle(shuffled)
    found = attainment(shuffled)
    assert "".join(_letter(week) for week in found.weeks) == text[-12:]
    assert found.met == text[-12:].count("+")
    assert found.missed == text[-12:].count("-") + text[-12:].count("m")
    judged = [(at, letter == "+") for at, letter in enumerate(text) if letter in "+-m"]
    run = []
    for at, is_met in reversed(judged):
        if is_met != judged[-1][1]:
            break
        run.append(monday(at))
    since = run[-1] if run and set(text[-12:]) & set("+-m") else None
    is_met = bool(judged) and judged[-1][1]
    assert (found.met_since, found.missed_since) == ((since, None) if is_met else (None, since))


def _letter(week: Value) -> str:
    return next(
        letter
        for letter, of in WEEKS.items()
        if (week.status, week.provisional) == (of["status"], of.get("provisional", False))
    )


def test_the_running_week_and_a_clipped_one_are_ignored():
    running = replace(weeks("++-")[2], partial=True)
    clipped = replace(weeks("-")[0], period_start=FIRST + timedelta(days=2))
    found = attainment([clipped, *weeks("x++")[1:], running])
    assert (found.met, found.judged, found.met_since) == (2, 2, monday(1))


class TestOfFacts:
    @pytest.fixture
    def settings(self, small, tmp_path) -> Settings:
        made = small.copied(tmp_path).settings
        target = MetricTarget(
            name="Lead Time for Changes",
            target="< 1 hour",
            overrides=[TargetOverride(team="platform", target="< 30 days")],
        )
        return made.model_copy(update={"metrics": [target]})

    def test_the_last_twelve_completed_weeks_are_held_against_the_scope_s_own_target(self, settings):
        with open_facts(settings.warehouse) as facts:
            found = attainments(facts, settings, "team")
        platform = found["lead_time", "platform"]
        # three deployments a week are below the floor of five changes
        assert (platform.met, platform.judged) == (0, 0)
        assert {week.status for week in platform.weeks} == {"insufficient"}
        discovery = found["lead_time", "discovery"]
        assert (discovery.met, discovery.judged) == (0, 12)
        assert discovery.weeks[-1].period_end == date(2026, 11, 16)
        # fourteen weeks are known, of which the first began in its middle
        assert discovery.missed_since == date(2026, 8, 10)
        assert not discovery.or_before

    def test_a_published_week_is_held_against_the_target_of_that_day(self, settings):
        monday = date(2026, 11, 2)
        published = scorecard(scope="team", name="discovery") | {"week": iso_week(monday)}
        targets = {"lead_time": "< 30 days", "mttr": None}
        for told in published["metrics"]:
            told["target"] = targets.get(told["metric"])
        row = ["team", "discovery", iso_week(monday), naive(datetime.now(UTC)), json.dumps(published)]
        with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
            warehouse.connection.execute("insert into scorecards values (?, ?, ?, ?, ?)", row)
        build(settings, small_organisation.NOW)
        with open_facts(settings.warehouse) as facts:
            found = attainments(facts, settings, "team")
        discovery = found["lead_time", "discovery"]
        assert (discovery.met, discovery.judged) == (1, 12)
        assert discovery.missed_since == date(2026, 11, 9)
        assert [week.target for week in discovery.weeks[-3:]] == ["< 1 hour", "< 30 days", "< 1 hour"]

    def test_a_frequency_that_was_published_as_everybody_s_was_the_organisation_s_alone(self, settings):
        rows = []
        for scope, name, target in (
            ("organisation", "", "> 10/day"),
            ("team", "discovery", "> 10/day"),
            ("team", "platform", "> 2/day"),
        ):
            published = scorecard(scope=scope, name=name) | {"week": "2026-W45"}
            for told in published["metrics"]:
                told["target"] = target if told["metric"] == "deployment_frequency" else None
            rows.append([scope, name, "2026-W45", naive(datetime.now(UTC)), json.dumps(published)])
        with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
            warehouse.connection.executemany("insert into scorecards values (?, ?, ?, ?, ?)", rows)
        build(settings, small_organisation.NOW)

        def targets(**levels: str) -> dict[str, set[str | None]]:
            entry = MetricTarget(name="Deployment Frequency", target="> 10/day", **levels)
            own = settings.model_copy(update={"metrics": [entry]})
            with open_facts(own.warehouse) as facts:
                found = attainments(facts, own, "team", metrics=["deployment_frequency"])
            return {name: {week.target for week in of.weeks} for (_, name), of in found.items()}

        assert targets() == {"discovery": {None}, "payments": {None}, "platform": {None}}
        own = targets(team_target="> 1/week")
        assert own["discovery"] == {"> 1/week"}
        # a target of its own at that time still holds for that week
        assert own["platform"] == {"> 1/week", "> 2/day"}

    def test_nothing_is_held_against_nothing(self, settings):
        with open_facts(settings.warehouse) as facts:
            assert against_published_targets(facts, []) == []
