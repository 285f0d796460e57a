"""What a closed round of a survey does with the answers that come later: each story has a week of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.contract.records import Comment, Response
from config.settings import Settings
from config.survey import SurveyMeaning
from warehouse.building.build import build
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.satisfaction import Group, comments, drivers, rounds
from warehouse.metrics.values import compute
from warehouse.storage.store import open_warehouse

CLOSES = datetime(2026, 11, 6, 18, tzinfo=UTC)
SUBMITTED = CLOSES - timedelta(days=1)
START = date(2026, 11, 2)


def answer(person: str, score: float, at: datetime = SUBMITTED, team: str = "a", **other: Any) -> Response:
    fields: dict[str, Any] = {"round": "1", "question": "satisfaction", "closes_at": CLOSES, "team": team}
    return Response(**fields | {"respondent": person, "score": score, "submitted_at": at} | other)


LATE = CLOSES + timedelta(hours=2)
NEXT_DAY = CLOSES + timedelta(days=1)
FIVE = [answer(f"a{n}", 4) for n in range(5)]
# what arrives before the first build, the second and the third
STORIES: dict[str, tuple[list[Response], ...]] = {
    "sent again": (FIVE, [answer("a0", 1, LATE)]),
    "changed": (FIVE, [answer("a0", 1), answer("a1", 4, team="b")]),
    "closes later": (FIVE, [answer("a9", 1, closes_at=CLOSES + timedelta(days=300))]),
    "arrives later": (FIVE, [answer("a9", 1)], [answer(f"b{n}", 1) for n in range(4)]),
    "second question": ([*FIVE, answer("a0", 1, LATE, question="tools")],),
    "another team": (FIVE, [answer(f"b{n}", 2, team="b") for n in range(5)]),
    "four, and five more": (
        [*FIVE, *(answer(f"b{n}", 2, team="b") for n in range(4))],
        [answer(f"b{n}", 3, LATE, team="b") for n in range(4, 9)],
    ),
    "four, and the fifth": (FIVE[:4], FIVE[4:]),
    "two teams": (
        [*FIVE, answer("a0", 4, question="tools", team="b"), *(answer(f"c{n}", 5, team="c") for n in range(5))],
    ),
    "renamed": (
        [*FIVE, *(answer(f"a{n}", 5, NEXT_DAY, "z", round="2", closes_at=NEXT_DAY) for n in range(5))],
    ),
    "same people": (
        [*FIVE, *(answer(f"a{n}", 2, CLOSES, round="2", closes_at=NEXT_DAY) for n in range(4))],
    ),
}  # fmt: skip
LAST_CLOSES = CLOSES + timedelta(weeks=len(STORIES))


def in_its_week(story: str, response: Response) -> Response:
    weeks = timedelta(weeks=list(STORIES).index(story))
    moved = {name: getattr(response, name) + weeks for name in ("submitted_at", "closes_at")}
    return response.model_copy(update={**moved, "round": f"{story} {response.round}"})


@dataclass(frozen=True)
class Told:
    """After each build: (score, answers) by team, "" for all of them, and week; and the facts after the last."""

    scores: list[dict[tuple[str, date], tuple[float | None, int]]]
    facts: Facts

    def of(self, story: str, team: str = "") -> list[tuple[float | None, int]]:
        week = START + timedelta(weeks=list(STORIES).index(story))
        return [scores[team, week] for scores in self.scores]

    def rounds(self, story: str) -> list[tuple[Group, dict[str, Group]]]:
        return [(everyone, teams) for _, everyone, teams in rounds(self.facts) if story in everyone.round]


@pytest.fixture(scope="module")
def told_later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    of = Settings(organization="acme", warehouse=tmp_path_factory.mktemp("later") / "w.duckdb")
    found = []
    for build_number in range(3):
        with open_warehouse(of.warehouse) as warehouse, warehouse.transaction():
            for story, arriving in STORIES.items():
                warehouse.upsert(
                    [
                        in_its_week(story, one)
                        for came in arriving[build_number : build_number + 1]
                        for one in came
                    ]
                )
        build(of, LAST_CLOSES + timedelta(days=build_number))
        with open_facts(of.warehouse) as facts:
            asked = ("week", START, START + timedelta(weeks=len(STORIES)), {}, ["developer_satisfaction"])
            everyone, teams = (compute(facts, of, by, *asked) for by in ("organisation", "team"))  # type: ignore[arg-type]
            found.append(
                {("", one.period_start): (one.value, one.n) for one in everyone}
                | {(one.name, one.period_start): (one.value, one.n) for one in teams}
            )
    with open_facts(of.warehouse) as facts:
        yield Told(found, facts)


def test_an_answer_sent_again_after_the_close_changes_nothing(told_later: Told) -> None:
    assert told_later.of("sent again") == [(4, 5)] * 3


def test_a_changed_answer_of_a_published_round_changes_nothing(told_later: Told) -> None:
    assert told_later.of("changed") == [(4, 5)] * 3


def test_a_published_round_is_not_reopened_by_a_later_close(told_later: Told) -> None:
    assert told_later.of("closes later") == [(4, 5)] * 3


def test_an_answer_that_was_sent_in_time_and_arrives_after_the_close_waits_for_four_more(
    told_later: Told,
) -> None:
    assert told_later.of("arrives later") == [(4, 5), (4, 5), (2.5, 10)]


def test_what_waits_is_listed_with_the_reason(told_later: Told) -> None:
    rows = told_later.facts.connection.execute(
        "select respondent, excluded_because from responses"
        " where excluded_because is not null and round = 'closes later 1'"
    ).fetchall()
    assert rows == [("a9", "late: counted once five of its team, or of those withheld, came late")]


def test_a_second_question_answered_late_leaves_the_first(told_later: Told) -> None:
    assert told_later.of("second question") == [(4, 5)] * 3


def test_a_team_whose_answers_come_later_in_one_piece_is_published(told_later: Told) -> None:
    assert told_later.of("another team")[0] == (4, 5)
    assert told_later.of("another team", "b")[1:] == [(2, 5)] * 2
    assert told_later.of("another team")[2] == (3, 10)


def test_a_withheld_team_stays_withheld_when_more_of_it_come(told_later: Told) -> None:
    # its earlier four would follow from its new mean and the organisation's before and after
    assert told_later.of("four, and five more", "b") == [(None, 4), (None, 9), (None, 9)]
    assert told_later.of("four, and five more", "a") == [(None, 5)] * 3


def test_fewer_than_five_people_are_withheld_from_the_organisation_too(told_later: Told) -> None:
    assert told_later.of("four, and the fifth") == [(None, 4), (4, 5), (4, 5)]


def test_a_person_who_names_two_teams_counts_in_one(told_later: Told) -> None:
    assert told_later.of("two teams")[0][1] == 10
    ((everyone, teams),) = told_later.rounds("two teams")
    assert everyone.n == sum(group.n for group in teams.values())


def test_a_renamed_team_has_no_data_until_it_answers_under_its_name(told_later: Told) -> None:
    assert told_later.of("renamed", "a")[0] == (None, 0)
    assert told_later.of("renamed", "z")[0] == (5, 5)


def test_rounds_of_the_same_people_stay_apart(told_later: Told) -> None:
    found = [(everyone.round, everyone.score, everyone.n) for everyone, _ in told_later.rounds("same people")]
    assert found == [("same people 1", 4, 5), ("same people 2", None, 4)]


def test_teams_that_were_one_when_the_round_closed_are_withheld_once_they_are_told_apart(
    tmp_path: Path,
) -> None:
    of = Settings(organization="acme", warehouse=tmp_path / "w.duckdb")
    three = [answer(f"b{n}", 1, team="b") for n in range(3)]
    six = [answer(f"c{n}", 3, team="c") for n in range(6)]
    said = [*FIVE, *three, *six]
    with open_warehouse(of.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert([*said, *(one.model_copy(update={"question": "tools"}) for one in said)])
        warehouse.upsert([Comment(round="1", respondent="b0", question="why", text="because")])

    def shown(teams: dict[str, str]) -> tuple[dict[str, float | None], dict[str, float | None], list[Any]]:
        build(of.model_copy(update={"survey": SurveyMeaning(teams=teams)}), NEXT_DAY)
        with open_facts(of.warehouse) as facts:
            ((_, _, groups),) = rounds(facts)
            asked = drivers(facts, NEXT_DAY.date())
            written, _ = comments(facts, "1")
        return (
            {name: group.score for name, group in groups.items()},
            {one.team: one.score for one in asked if one.team},
            [(one.team, one.text) for one in written],
        )

    as_one = {"a": 2.875, "c": 3.0}
    assert shown({"b": "a"}) == (as_one, as_one, [("a", "because")])
    # b's three would follow from a's eight, told before, and a's five
    apart = {"a": None, "b": None, "c": 3.0}
    assert shown({}) == (apart, apart, [])
