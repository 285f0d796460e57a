"""Published scorecards stay as they were; what comes out otherwise later is told once, with the rows that did it."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.contract.records import Component, Record, Response
from config.errors import ConfigurationError
from config.metrics import metrics
from dashboards.scorecards.rendering import FORMATS, render
from tests.warehouse.scorecards.conftest import (
    AFTER,
    LATER,
    MONDAY,
    Organisation,
    covered,
    deployment,
    incident,
)
from warehouse.metrics.published_facts import open_facts
from warehouse.scorecards.content import Scorecard
from warehouse.scorecards.kept_rows import KeptRow, differences, packed, rows_of_week, unpacked
from warehouse.storage.store import open_warehouse


def why(content: Scorecard, metric: str) -> list[str]:
    (found,) = [one for one in content["restatements"] if one["metric"] == metric]
    return [one["text"] for one in found["why"]]


def test_what_was_published_stays_the_same_byte_for_byte_whatever_comes_later(
    published: Organisation,
) -> None:
    before = {form: render(published.scorecard("2026-W45"), form) for form in FORMATS}
    published.add(
        deployment("12", MONDAY + timedelta(days=2)), incident("i-2", MONDAY + timedelta(days=2), 20)
    )
    assert {form: render(published.scorecard("2026-W45"), form) for form in FORMATS} == before
    assert {form: render(published.publish("2026-W45")[0], form) for form in FORMATS} == before


def test_the_next_one_tells_old_and_new_and_the_row_that_came(published: Organisation) -> None:
    published.add(
        deployment("12", MONDAY + timedelta(days=1, hours=5), url="https://jenkins.example/12"),
        incident("i-2", MONDAY + timedelta(days=1, hours=6), 20, title="<b>Down</b>"),
    )
    content = published.scorecard("2026-W46")
    found = {one["metric"]: one for one in content["restatements"]}
    assert {one["week"] for one in found.values()} == {"2026-W45"}
    # eleven deployments on seven days, then twelve
    assert found["deployment_frequency"]["old"] == {"value": pytest.approx(11 / 7), "n": 11}
    assert found["deployment_frequency"]["new"] == {"value": pytest.approx(12 / 7), "n": 12}
    assert found["deployment_frequency"]["why"] == [
        {
            "text": "deployment 12 (jenkins) of checkout, finished Tue 3 Nov 2026, 13:00: came later",
            "url": "https://jenkins.example/12",
        }
    ]
    # 40 minutes, then the mean of 40 and 20
    assert (found["mttr"]["old"]["value"], found["mttr"]["new"]["value"]) == (2400, 1800)
    assert why(content, "mttr") == [
        "incident i-2 (opsgenie) “<b>Down</b>” of checkout, resolved Tue 3 Nov 2026, 14:20: came later"
    ]


def test_a_difference_is_told_once_and_again_only_when_it_changes(published: Organisation) -> None:
    published.add(incident("i-2", MONDAY + timedelta(days=4), 20))
    told = published.publish("2026-W46", made=lambda _: {})[0]
    assert [one["metric"] for one in told["restatements"]] == ["mttr"]
    published.build_at(LATER)
    assert published.scorecard("2026-W47")["restatements"] == []
    published.add(incident("i-3", MONDAY + timedelta(days=4), 30))
    (again,) = published.scorecard("2026-W47")["restatements"]
    assert (again["old"]["value"], again["new"]["value"]) == (1800, 1800)
    assert (again["old"]["n"], again["new"]["n"]) == (2, 3)


def test_each_scope_tells_its_own(published: Organisation) -> None:
    published.add(incident("nobody", MONDAY + timedelta(days=1, hours=6), 20, service=None))
    assert [one["metric"] for one in published.scorecard("2026-W46")["restatements"]] == ["mttr"]
    assert published.scorecard("2026-W46", scope="team", name="payments")["restatements"] == []


# --- what may become of a row: each happens to a team of its own, with one service of the same name


def answer(person: int, score: float) -> Response:
    return Response(
        round="2026-11",
        respondent=f"p-{person}",
        team="asked",
        submitted_at=MONDAY,
        closes_at=MONDAY + timedelta(days=2),
        score=score,
    )


LATE: dict[str, list[Record]] = {
    "merged": [incident("i-merged", MONDAY + timedelta(days=3), 40, service="merged", merged_into="i-9")],
    "moved": [deployment("moved-11", MONDAY + timedelta(days=8), service="moved")],
    "blamed": [incident("i-2", MONDAY + timedelta(hours=5, minutes=10), 20, service="blamed")],
    "many": [
        deployment(f"late-{n}", MONDAY + timedelta(days=2, minutes=n), service="many") for n in range(15)
    ],
    "unread": [covered("deployments", "unread")],
    "asked": [answer(person, 5) for person in range(6, 12)],
}


@pytest.fixture(scope="module")
def restated(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """An organisation of these teams, a week after their scorecards of week 45 were published; to be read only."""
    organisation = Organisation(tmp_path_factory.mktemp("restated"))
    organisation.add(
        *(record for team in LATE for record in _week(team)), *(answer(person, 3) for person in range(6))
    )
    organisation.publish("2026-W45", made=lambda _: {})
    organisation.now = AFTER
    organisation.add(*(record for records in LATE.values() for record in records))
    return organisation


def _week(team: str) -> list[Record]:
    read_until = datetime(2026, 11, 6, tzinfo=MONDAY.tzinfo) if team == "unread" else LATER
    return [
        Component(name=team, owner=team, system="shop", repo=f"acme/{team}"),
        covered("deployments", team, read_until),
        covered("incidents", team),
        *(deployment(f"{team}-{n}", MONDAY + timedelta(hours=n), service=team) for n in range(1, 12)),
        incident(f"i-{team}", MONDAY + timedelta(days=3), 40, service=team),
    ]


@pytest.fixture
def told(restated: Organisation) -> Callable[[str], Scorecard]:
    return lambda team: restated.scorecard("2026-W46", scope="team", name=team)


def test_a_row_that_no_longer_counts_is_told_with_its_reason(told: Callable[[str], Scorecard]) -> None:
    assert why(told("merged"), "mttr")[0].endswith("left out now: merged into i-9")


def test_a_row_that_moved_to_another_week_is_told(told: Callable[[str], Scorecard]) -> None:
    assert why(told("moved"), "deployment_frequency")[0].endswith(": in another week, team or system now")


def test_a_deployment_that_is_blamed_later_is_a_failure_now(told: Callable[[str], Scorecard]) -> None:
    (rate,) = [one for one in told("blamed")["restatements"] if one["metric"] == "change_failure_rate"]
    assert (rate["old"], rate["new"]) == ({"value": 0.0, "n": 11}, {"value": pytest.approx(1 / 11), "n": 11})
    assert rate["why"][0]["text"].endswith(": known to be a failure now")


def test_many_rows_are_counted_not_listed(told: Callable[[str], Scorecard]) -> None:
    assert why(told("many"), "deployment_frequency")[-1] == "and 12 more"


def test_days_that_were_read_later_are_told_where_no_row_came(told: Callable[[str], Scorecard]) -> None:
    assert why(told("unread"), "deployment_frequency") == [
        "4 days of the week had been read, 7 days are by now"
    ]


def test_no_row_of_a_survey_is_kept_or_told(restated: Organisation, told: Callable[[str], Scorecard]) -> None:
    with open_warehouse(restated.settings.warehouse) as warehouse:
        kept = warehouse.connection.execute(
            "select rows from scorecard_rows where metric = 'developer_satisfaction' and (scope = 'organisation'"
            " or name = 'asked')"
        ).fetchall()
    assert [unpacked(rows) for (rows,) in kept] == [{}, {}]
    assert why(told("asked"), "developer_satisfaction") == [
        "answers of the survey came later; which ones is not told"
    ]


def test_a_week_that_has_not_ended_is_not_published(acme: Organisation) -> None:
    with pytest.raises(ConfigurationError, match="2026-W46 had not ended when the facts were built"):
        acme.publish("2026-W46")
    assert acme.scorecard("2026-W46")["metrics"][1]["partial"]


def test_rows_are_kept_for_the_weeks_that_are_looked_back_at_only(published: Organisation) -> None:
    published.build_at(MONDAY + timedelta(weeks=14))
    published.publish("2027-W05", made=lambda _: {})
    with open_warehouse(published.settings.warehouse) as warehouse:
        weeks = warehouse.connection.execute("select distinct week from scorecard_rows").fetchall()
    assert weeks == [("2027-W05",)]
    assert json.loads(render(published.scorecard("2026-W45"), "json"))["week"] == "2026-W45"


ROWS = st.dictionaries(
    st.tuples(st.text(max_size=5), st.text(max_size=5)),
    st.builds(KeptRow, st.none() | st.floats(0, 1e9), st.none() | st.text(max_size=5)),
    max_size=8,
)


@given(ROWS)
def test_rows_come_back_as_they_were_kept(rows: dict) -> None:
    assert unpacked(packed(rows)) == rows


@given(ROWS, ROWS)
def test_each_row_that_counts_otherwise_is_a_difference_and_no_other(before: dict, now: dict) -> None:
    counts = [
        {key: row.input for key, row in rows.items() if row.input is not None} for rows in (before, now)
    ]
    expected = {
        key
        for key in counts[0].keys() | counts[1].keys()
        if counts[0].get(key) != counts[1].get(key) and not _nearly(counts[0].get(key), counts[1].get(key))
    }
    assert {key for key, _, _ in differences(before, now)} == expected


def _nearly(a: float | None, b: float | None) -> bool:
    return a is not None and b is not None and abs(a - b) <= 1e-9 * max(a, b)


def test_the_rows_that_are_kept_are_those_that_made_the_number(acme: Organisation) -> None:
    with open_facts(acme.settings.warehouse) as facts:
        rows = rows_of_week(facts, metrics()["deployment_frequency"], {"team": "payments"}, date(2026, 11, 2))
    assert {key for key, row in rows.items() if row.input is not None} == {
        ("jenkins", str(n)) for n in range(1, 12)
    }
