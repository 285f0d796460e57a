"""What is said of a survey round beside its number: how few answered, and whether it stands in another one's place."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.contract.records import Response
from config.settings import Settings
from warehouse.building.build import build
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.satisfaction import ClosedRound, Group, round_doubts
from warehouse.metrics.values import compute
from warehouse.scorecards.content import scorecard
from warehouse.storage.store import open_warehouse

END = date(2027, 1, 1)


def closed(
    name: str, on: date, n: int, late: int = 0, first: date | None = None, **teams: int
) -> ClosedRound:
    of_teams = {team: Group(name, on, team, 4, of_team) for team, of_team in teams.items()}
    return on, Group(name, on, None, 4, n, late, first), of_teams


Q1, Q2 = closed("Q1", date(2026, 3, 1), 40, a=10), closed("Q2", date(2026, 6, 1), 44, a=12)


@pytest.mark.parametrize(
    ("last", "team", "said"),
    [
        (closed("Q3", date(2026, 9, 1), 20), None, ["Only 20 answered round Q3, where 42 usually do"]),
        (closed("Q3", date(2026, 9, 1), 21), None, []),
        (closed("Q3", date(2026, 9, 1), 40, a=5), "a", ["Only 5 answered round Q3, where 11 usually do"]),
        (closed("Q3", date(2026, 9, 1), 40), "a", ["Nobody of a answered round Q3, where 11 usually do"]),
        (closed("Q3", date(2026, 9, 1), 40, b=1), "b", []),
        (
            closed("Q3", date(2026, 9, 1), 40, late=6),
            None,
            ["6 of the 40 answers to round Q3 came after it had closed"],
        ),
        (
            closed("Q3", date(2026, 9, 8), 40, first=date(2026, 9, 1)),
            None,
            ["Answers to round Q3 name two closes, 2026-09-01 and 2026-09-08; the later one holds"],
        ),
        (
            closed("Q2 other form", date(2026, 6, 6), 30),
            None,
            ["Round Q2 other form (30 answers) closed 5 days after round Q2 (44 answers) and stands in its place"],
        ),
    ],
)  # fmt: skip
def test_what_to_know_of_the_last_round_is_said(last: ClosedRound, team: str | None, said: list[str]) -> None:
    assert round_doubts([Q1, Q2, last], END, team) == said
    assert round_doubts([Q1, Q2, last], Q2[0] + timedelta(days=1), team) == [], (
        "of rounds that had closed by then"
    )


def test_rounds_that_always_follow_each_other_fast_replace_nothing() -> None:
    pulses = [closed(f"w{week}", date(2026, 6, 1) + timedelta(weeks=week), 40) for week in range(4)]
    assert round_doubts(pulses, END) == []
    assert round_doubts(pulses[:1], END) == []
    assert round_doubts([], END) == []


def test_it_stands_beside_the_value_and_in_the_scorecard(tmp_path: Path) -> None:
    settings = Settings(organization="acme", warehouse=tmp_path / "w.duckdb")

    def answers(name: str, on: datetime, people: int, **fields: Any) -> list[Response]:
        about = {"round": name, "team": "a", "submitted_at": on, "closes_at": on, "score": 4}
        return [Response(**about | {"respondent": f"p{n}"} | fields) for n in range(people)]

    first, second, third = (datetime(2026, month, 2, 12, tzinfo=UTC) for month in (5, 8, 11))
    with open_warehouse(settings.warehouse) as warehouse:
        warehouse.upsert(answers("Q2", first, 12) + answers("Q3", second, 5))
        warehouse.upsert(answers("Q4", third, 6, question="mood"))
    build(settings, datetime(2026, 11, 16, 9, tzinfo=UTC))
    said = "Only 5 answered round Q3, where 12 usually do"
    with open_facts(settings.warehouse) as facts:
        for by in ("organisation", "team"):
            (value,) = compute(facts, settings, by, metrics=["developer_satisfaction"])  # type: ignore[arg-type]
            assert (value.n, value.remark) == (5, said)
        told = scorecard(facts, settings, "2026-W45")["caveats"]
        assert [one for one in told if "round" in one.lower()] == [
            f"{said}.",
            "Round Q4 asked nothing that counts as satisfaction: mood.",
        ]
