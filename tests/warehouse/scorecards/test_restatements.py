"""Published scorecards stay as they were; what comes out otherwise later is told once, with the rows that did it."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.contract.records import (
    Component,
    Coverage,
    Deployment,
    Incident,
    Record,
    Repository,
    Response,
)
from config.errors import ConfigurationError
from config.metrics import metrics
from config.settings import Reports, Settings
from dashboards.scorecards.published_forms import made
from dashboards.scorecards.rendering import FORMATS, render
from warehouse.building.build import build
from warehouse.loading.store import open_warehouse
from warehouse.metrics.published_facts import open_facts
from warehouse.scorecards.content import Scorecard, scorecard, scorecards
from warehouse.scorecards.kept_rows import KeptRow, differences, packed, rows_of_week, unpacked
from warehouse.scorecards.published import publish

MONDAY = datetime(2026, 11, 2, 8, tzinfo=UTC)
NEXT, AFTER, LATER = (MONDAY + timedelta(weeks=weeks) for weeks in (1, 2, 3))


def deployment(id: str, at: datetime, **other: object) -> Deployment:
    known = {"source": "jenkins", "environment": "production", "status": "success", "sha": f"{id:0>40}"}
    return Deployment(
        **{**known, "id": id, "service": "checkout", "started_at": at, "finished_at": at, **other},  # type: ignore[arg-type]
    )


def incident(id: str, opened: datetime, minutes: int | None, **other: object) -> Incident:
    resolved = None if minutes is None else opened + timedelta(minutes=minutes)
    known = {"source": "opsgenie", "service": "checkout", "urgency": "high", "opened_at": opened}
    return Incident(**{**known, "id": id, "resolved_at": resolved, **other})  # type: ignore[arg-type]


class Organisation:
    """One service of the team payments, with eleven deployments in week 45 and one incident of 40 minutes."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(
            organization="acme",
            warehouse=folder / "warehouse.duckdb",
            reports=Reports(directory=folder / "scorecards"),
        )
        self.now = NEXT
        self.add(
            Component(name="checkout", owner="payments", system="shop", repo="acme/checkout"),
            Repository(repo="acme/checkout", created_at=MONDAY - timedelta(weeks=8)),
            *(
                Coverage(
                    source=f"import {kind}",
                    subject="checkout",
                    from_at=MONDAY - timedelta(weeks=8),
                    until_at=LATER,
                )
                for kind in ("deployments", "incidents")
            ),
            *(deployment(str(n), MONDAY + timedelta(hours=n)) for n in range(1, 12)),
            incident("i-1", MONDAY + timedelta(days=3), 40, url="https://opsgenie.example/i-1"),
        )

    def add(self, *records: Record) -> None:
        with open_warehouse(self.settings.warehouse) as warehouse, warehouse.transaction():
            warehouse.upsert(records)
        build(self.settings, self.now)

    def scorecard(self, week: str, **of: str) -> Scorecard:
        with open_facts(self.settings.warehouse) as facts:
            return scorecard(facts, self.settings, week, **of)  # type: ignore[arg-type]

    def publish(self, week: str) -> list[Scorecard]:
        with open_facts(self.settings.warehouse) as facts:
            found = scorecards(facts, self.settings, week)
            return [publish(facts, self.settings, content, made) for content in found]

    def build_at(self, now: datetime) -> None:
        self.now = now
        self.add()


@pytest.fixture
def acme(tmp_path: Path) -> Organisation:
    return Organisation(tmp_path)


def why(content: Scorecard, metric: str) -> list[str]:
    (found,) = [one for one in content["restatements"] if one["metric"] == metric]
    return [one["text"] for one in found["why"]]


def test_what_was_published_stays_the_same_byte_for_byte_whatever_comes_later(acme: Organisation) -> None:
    acme.publish("2026-W45")
    before = {form: render(acme.scorecard("2026-W45"), form) for form in FORMATS}
    acme.now = AFTER
    acme.add(deployment("12", MONDAY + timedelta(days=2)), incident("i-2", MONDAY + timedelta(days=2), 20))
    assert {form: render(acme.scorecard("2026-W45"), form) for form in FORMATS} == before
    assert {form: render(acme.publish("2026-W45")[0], form) for form in FORMATS} == before


def test_the_next_one_tells_old_and_new_and_the_row_that_came(acme: Organisation) -> None:
    acme.publish("2026-W45")
    acme.now = AFTER
    acme.add(
        deployment("12", MONDAY + timedelta(days=1, hours=5), url="https://jenkins.example/12"),
        incident("i-2", MONDAY + timedelta(days=1, hours=6), 20, title="<b>Down</b>"),
    )
    content = acme.scorecard("2026-W46")
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


def test_a_difference_is_told_once_and_again_only_when_it_changes(acme: Organisation) -> None:
    acme.publish("2026-W45")
    acme.now = AFTER
    acme.add(incident("i-2", MONDAY + timedelta(days=4), 20))
    assert [one["metric"] for one in acme.publish("2026-W46")[0]["restatements"]] == ["mttr"]
    acme.build_at(LATER)
    assert acme.scorecard("2026-W47")["restatements"] == []
    acme.add(incident("i-3", MONDAY + timedelta(days=4), 30))
    (again,) = acme.scorecard("2026-W47")["restatements"]
    assert (again["old"]["value"], again["new"]["value"]) == (1800, 1800)
    assert (again["old"]["n"], again["new"]["n"]) == (2, 3)


def test_a_row_that_no_longer_counts_is_told_with_its_reason(acme: Organisation) -> None:
    acme.publish("2026-W45")
    acme.now = AFTER
    acme.add(incident("i-1", MONDAY + timedelta(days=3), 40, merged_into="i-9"))
    assert why(acme.scorecard("2026-W46"), "mttr")[0].endswith("left out now: merged into i-9")


def test_a_row_that_moved_to_another_week_is_told(acme: Organisation) -> None:
    acme.publish("2026-W45")
    acme.now = AFTER
    acme.add(deployment("11", MONDAY + timedelta(days=8)))
    assert why(acme.scorecard("2026-W46"), "deployment_frequency")[0].endswith(
        ": in another week, team or system now"
    )


def test_a_deployment_that_is_blamed_later_is_a_failure_now(acme: Organisation) -> None:
    acme.publish("2026-W45")
    acme.now = AFTER
    acme.add(incident("i-2", MONDAY + timedelta(hours=5, minutes=10), 20))
    content = acme.scorecard("2026-W46")
    (rate,) = [one for one in content["restatements"] if one["metric"] == "change_failure_rate"]
    assert (rate["old"], rate["new"]) == ({"value": 0.0, "n": 11}, {"value": pytest.approx(1 / 11), "n": 11})
    assert rate["why"][0]["text"].endswith(": known to be a failure now")


def test_many_rows_are_counted_not_listed(acme: Organisation) -> None:
    acme.publish("2026-W45")
    acme.now = AFTER
    acme.add(*(deployment(f"late-{n}", MONDAY + timedelta(days=2, minutes=n)) for n in range(15)))
    assert why(acme.scorecard("2026-W46"), "deployment_frequency")[-1] == "and 12 more"


def test_days_that_were_read_later_are_told_where_no_row_came(acme: Organisation) -> None:
    with open_warehouse(acme.settings.warehouse) as warehouse:
        warehouse.connection.execute("update coverage set until_at = ?", [datetime(2026, 11, 6)])
    acme.build_at(NEXT)
    acme.publish("2026-W45")
    acme.now = AFTER
    acme.add(
        Coverage(
            source="import deployments",
            subject="checkout",
            from_at=MONDAY - timedelta(weeks=8),
            until_at=LATER,
        )
    )
    assert why(acme.scorecard("2026-W46"), "deployment_frequency") == [
        "4 days of the week had been read, 7 days are by now"
    ]


def test_each_scope_tells_its_own(acme: Organisation) -> None:
    acme.publish("2026-W45")
    acme.now = AFTER
    acme.add(incident("nobody", MONDAY + timedelta(days=1, hours=6), 20, service=None))
    assert [one["metric"] for one in acme.scorecard("2026-W46")["restatements"]] == ["mttr"]
    assert acme.scorecard("2026-W46", scope="team", name="payments")["restatements"] == []


def test_no_row_of_a_survey_is_kept_or_told(acme: Organisation) -> None:
    acme.add(*(answer(person, 3) for person in range(6)))
    acme.publish("2026-W45")
    with open_warehouse(acme.settings.warehouse) as warehouse:
        (kept,) = warehouse.connection.execute(
            "select rows from scorecard_rows where metric = 'developer_satisfaction' and scope = 'organisation'"
        ).fetchall()
    assert unpacked(kept[0]) == {}
    acme.now = AFTER
    acme.add(*(answer(person, 5) for person in range(6, 12)))
    assert why(acme.scorecard("2026-W46"), "developer_satisfaction") == [
        "answers of the survey came later; which ones is not told"
    ]


def answer(person: int, score: float) -> Response:
    return Response(
        round="2026-11",
        respondent=f"p-{person}",
        question="overall",
        team="payments",
        submitted_at=MONDAY,
        closes_at=MONDAY + timedelta(days=2),
        score=score,
    )


def test_a_week_that_has_not_ended_is_not_published(acme: Organisation) -> None:
    with pytest.raises(ConfigurationError, match="2026-W46 had not ended when the facts were built"):
        acme.publish("2026-W46")
    assert acme.scorecard("2026-W46")["metrics"][1]["partial"]


def test_rows_are_kept_for_the_weeks_that_are_looked_back_at_only(acme: Organisation) -> None:
    acme.publish("2026-W45")
    acme.build_at(MONDAY + timedelta(weeks=14))
    acme.publish("2027-W05")
    with open_warehouse(acme.settings.warehouse) as warehouse:
        weeks = warehouse.connection.execute("select distinct week from scorecard_rows").fetchall()
    assert weeks == [("2027-W05",)]
    assert json.loads(render(acme.scorecard("2026-W45"), "json"))["week"] == "2026-W45"


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
