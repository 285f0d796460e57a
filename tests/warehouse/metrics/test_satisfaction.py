"""No output, nor any difference of outputs, tells what fewer than five people or a withheld team answered."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.contract.records import Component, Response
from config.settings import Settings
from dashboards.frame.view import Filters
from dashboards.satisfaction.loading import surveyed
from tests.support.places import LONG
from warehouse.building.build import build
from warehouse.loading.survey_batches import FLOOR, WaitingAnswer, next_batches
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.satisfaction import rounds
from warehouse.metrics.values import SCOPES, compute
from warehouse.rows.explain import explain
from warehouse.rows.export import export
from warehouse.scorecards.content import scorecards
from warehouse.storage.store import open_warehouse

CLOSES = datetime(2026, 11, 6, 18, tzinfo=UTC)
SUBMITTED = CLOSES - timedelta(days=1)
BUILDS = [CLOSES + timedelta(days=day) for day in (1, 2, 3)]
START, END = date(2026, 11, 2), date(2026, 11, 16)
TEAMS = (None, "a", "b", "c")
# each score is a bit of its own, so that any sum of answers tells whose they are
BITS = 24
DSAT = ["developer_satisfaction"]
NONE: frozenset[int] = frozenset()
# a sum of answers, and what is taken from it: what somebody changed is a secret too
Secret = tuple[frozenset[int], frozenset[int]]


@dataclass(frozen=True)
class Sent:
    """An answer as it arrives before the build of that number; a later one of the same person replaces it."""

    person: int
    team: str | None
    arrives: int
    is_late: bool
    question: str = "satisfaction"

    def response(self, bit: int) -> Response:
        return Response(
            round="2026-Q4",
            respondent=f"p{self.person}",
            question=self.question,
            team=self.team,
            submitted_at=CLOSES + timedelta(hours=1 + self.arrives) if self.is_late else SUBMITTED,
            closes_at=CLOSES,
            score=2**bit,
            scale_min=0,
            scale_max=2**BITS,
        )


def sent(
    groups: list[tuple[str | None, int, bool, int]], again: list[tuple[int, str | None, int]]
) -> list[Sent]:
    people = [(team, arrives, is_late) for team, arrives, is_late, size in groups for _ in range(size)]
    first = [Sent(person, *about) for person, about in enumerate(people[: BITS - len(again)])]
    return first + [Sent(person, team, at, True) for person, team, at in again if person < len(first)]


sizes = st.integers(1, 6)
answers = st.builds(
    sent,
    st.lists(
        st.tuples(st.sampled_from(TEAMS), st.sampled_from((0, 0, 1, 2)), st.booleans(), sizes),
        min_size=2,
        max_size=6,
    ),
    st.lists(st.tuples(st.integers(0, 15), st.sampled_from(TEAMS), st.sampled_from((1, 2))), max_size=3),
)


def whose(mean: float, n: int) -> frozenset[int]:
    """The answers that a mean of `n` scores is made of, by their bits."""
    total = round((mean - 1) * n * 2**BITS / 4)
    return frozenset(bit for bit in range(BITS) if total >> bit & 1)


def told(facts: Facts, of: Settings, folder: Path) -> Iterator[frozenset[int]]:
    """The sets of answers whose mean or histogram any output shows."""
    wheres: list[dict[str, str]] = [{}, *({"team": team} for team in ("a", "b", "c"))]
    wheres += [{"service": "app"}, {"system": "shop"}, {"team": "a", "service": "app"}]
    for where in wheres:
        for by, period in product(SCOPES, (None, "week")):
            for value in compute(facts, of, by, period, START, END, where, DSAT):  # type: ignore[arg-type]
                assert value.status != "withheld" or value.value is None
                yield from of_mean(value.value, value.n)
        explained = explain(facts, of, DSAT[0], where, START, END)
        yield from of_mean(explained.value, explained.n)
        yield from of_histogram(row for row in explained.rows if row["value"] is not None)
        page = surveyed(of.warehouse, of, Filters(period="all", **where))
        for value in (value for one in page.rounds for value in one.values):
            assert value.status != "withheld" or value.value is None
            yield from of_mean(value.value, value.n)
        yield from of_histogram([{"score": score, "n": n} for score, n in page.scores.items()])
        for driver in page.drivers:
            yield from of_mean(driver.score, driver.n)
    paths = {path.stem: path for path in export(facts, of, folder)}
    for row in read(paths["metrics"]):
        if row["metric"] == DSAT[0] and row["value"]:
            yield from of_mean(float(row["value"]), int(row["n"]))
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in read(paths["satisfaction"]):
        if row["score"]:
            groups.setdefault((row["scope"], row["name"]), []).append(row)
    for rows in groups.values():
        yield from of_histogram(rows)
    for content in json.loads(json.dumps(scorecards(facts, of, "2026-W46"))):
        for metric in content["metrics"]:
            if metric["metric"] == DSAT[0]:
                yield from of_mean(metric["value"], metric["n"])
                yield from of_mean(metric["previous"], metric["previous_n"])
                for week in metric["history"]:
                    yield from of_mean(week["value"], week["n"])
        for below in content["below"]:
            for metric in below["metrics"]:
                if metric["metric"] == DSAT[0]:
                    yield from of_mean(metric["value"], metric["n"])


def of_mean(mean: float | None, n: int) -> list[frozenset[int]]:
    return [] if mean is None else [whose(mean, n)]


def of_histogram(rows: Iterable[dict[str, Any]]) -> list[frozenset[int]]:
    counts = [(float(row["score"]), int(row["n"])) for row in rows]
    n = sum(n for _, n in counts)
    return [whose(sum(score * n for score, n in counts) / n, n)] if n else []


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def follows(known: Iterable[frozenset[int]], secrets: list[Secret]) -> list[Secret]:
    """The secrets that can be worked out from the known sums by adding and subtracting multiples."""
    # one follows if whatever leaves the known ones as they are leaves it too
    _, sizes, vectors = np.linalg.svd(rows((some, frozenset()) for some in known))
    free = vectors[int((sizes > 1e-9).sum()) :]
    changed = np.abs(rows(secrets) @ free.T).max(axis=1, initial=0.0)
    return [secret for secret, change in zip(secrets, changed, strict=True) if change < 1e-9]


def rows(secrets: Iterable[Secret]) -> np.ndarray:
    found = [[(bit in plus) - (bit in minus) for bit in range(BITS)] for plus, minus in secrets]
    return np.array(found, dtype=float).reshape(-1, BITS)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return (tmp_path_factory.mktemp("round") for _ in iter(int, 1))


@pytest.mark.parametrize(
    "arriving",
    [
        pytest.param(
            sent([("a", 0, False, 6), ("b", 0, False, 5)], [(0, "b", 1)]),
            id="somebody changes team",
            marks=pytest.mark.soak,
        ),
        pytest.param(
            sent([("a", 0, False, 6), ("b", 0, False, 5), ("c", 0, False, 4), ("c", 1, True, 5)], []),
            id="a withheld team answers late",
        ),
        pytest.param(
            sent([("a", 0, False, 6), (None, 0, False, 2), ("b", 0, False, 5), ("a", 1, False, 1)], []),
            id="one comes late",
            marks=pytest.mark.soak,
        ),
    ],
)
def test_nothing_withheld_can_be_recovered_by_differencing(tmp_path: Path, arriving: list[Sent]) -> None:
    assert recovered(tmp_path, arriving) == []


@pytest.mark.soak
def test_nor_can_what_was_answered_to_a_driver(tmp_path: Path) -> None:
    groups = [
        ("a", 0, False, 6),
        ("b", 0, False, 5),
        ("c", 0, False, 4),
        ("b", 1, True, 5),
        ("a", 1, True, 3),
    ]
    arriving = sent(groups, [(0, "b", 1)])  # type: ignore[arg-type]
    assert recovered(tmp_path, [replace(one, question="docs") for one in arriving]) == []


@pytest.mark.soak
@given(answers)
@settings(max_examples=25 if LONG else 2)
def test_nothing_withheld_can_be_recovered_whatever_arrives(
    folders: Iterator[Path], arriving: list[Sent]
) -> None:
    assert recovered(next(folders), arriving) == []


def recovered(folder: Path, arriving: list[Sent]) -> list[Secret]:
    """The secrets that follow from all that is shown after three builds."""
    of = Settings(organization="acme", warehouse=folder / "w.duckdb")
    known: set[frozenset[int]] = set()
    withheld: set[frozenset[int]] = set()
    for number, now in enumerate(BUILDS):
        with open_warehouse(of.warehouse) as warehouse, warehouse.transaction():
            warehouse.upsert([Component(name="app", owner="a", system="shop")])
            came = [(bit, one) for bit, one in enumerate(arriving) if one.arrives == number]
            warehouse.upsert([one.response(bit) for bit, one in came])
            if number == 0:  # every team is known, whoever answered
                warehouse.upsert([Component(name=f"of-{team}", owner=team) for team in TEAMS if team])
        build(of, now)
        with open_facts(of.warehouse) as facts:
            known |= set(told(facts, of, folder / f"export{number}"))
            for team, group in (item for _, _, teams in rounds(facts) for item in teams.items()):
                if group.is_withheld:
                    rows = facts.connection.execute(
                        "select score from responses where team = ? and excluded_because is null", [team]
                    ).fetchall()
                    withheld.add(frozenset().union(*(whose(score, 1) for (score,) in rows)))
            hidden = facts.connection.execute("select team from drivers where score is null").fetchall()
        with open_warehouse(of.warehouse) as warehouse:
            for (team,) in hidden:
                rows = warehouse.connection.execute(
                    "select score from round_answers where team = ? and question = 'docs'", [team]
                ).fetchall()
                withheld.add(frozenset().union(*(whose(score, 1) for (score,) in rows)))
    few = [frozenset(some) for size in range(1, FLOOR) for some in combinations(range(len(arriving)), size)]
    changed = [
        (frozenset({new}), frozenset({old}))
        for old, new in combinations(range(len(arriving)), 2)
        if arriving[old].person == arriving[new].person
    ]
    return follows(known, [*((some, NONE) for some in (*few, *withheld)), *changed])


def test_a_difference_is_found_where_there_is_one() -> None:
    known = [frozenset({0, 1, 2, 3, 4, 5}), frozenset({0, 1, 2, 3, 4}), frozenset({0, 1, 2, 3, 6})]
    secrets: list[Secret] = [(frozenset({5}), NONE), (frozenset({4}), NONE), (frozenset({6}), frozenset({4}))]
    assert follows(known, secrets) == [secrets[0], secrets[2]]


@given(st.lists(st.tuples(st.sampled_from(TEAMS), st.integers(0, 2), st.booleans(), sizes), max_size=9))
def test_a_batch_holds_five_people_and_a_published_team_has_its_own(
    groups: list[tuple[str | None, int, bool, int]],
) -> None:
    taken: dict[str | None, bool] = {}
    held: list[WaitingAnswer] = []
    for number in range(3):
        held += [
            WaitingAnswer(f"{group} {n}", team, is_late)
            for group, (team, arrives, is_late, size) in enumerate(groups)
            for n in range(size)
            if arrives == number
        ]
        batches = next_batches(taken, held)
        entered = {answer for batch in batches for answer in batch.answers}
        assert sum(len(batch.answers) for batch in batches) == len(entered)
        for batch in batches:
            teams = {answer.team for answer in batch.answers}
            assert len(batch.answers) >= FLOOR
            assert batch.is_pooled or (len(teams) == 1 and None not in teams)
            for team in teams:
                # a team that was published is never withheld later, nor the other way round
                assert taken.setdefault(team, batch.is_pooled) == batch.is_pooled
        held = [answer for answer in held if answer not in entered]


def test_a_round_closes_as_soon_as_five_people_answered() -> None:
    people = [WaitingAnswer(f"p{n}", "a", is_late=n > 3) for n in range(5)]
    assert next_batches({}, people[:4]) == []
    assert [len(batch.answers) for batch in next_batches({}, people)] == [5]
