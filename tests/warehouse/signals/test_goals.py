"""Goals: the share of the way that is closed, worked out by hand, and a forecast only where there is a signal."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from collectors.contract.records import Commit, Component, Coverage, Deployment, Record, Repository
from config.settings import MetricTarget, Settings
from dashboards.figures.goal_words import goal_words
from tests.conftest import once
from warehouse.building.build import build
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import as_rows, compute
from warehouse.signals.goals import GoalProgress, goal_progress, with_goals
from warehouse.storage.store import open_warehouse

MONDAY = datetime(2026, 11, 16, 8, tzinfo=UTC)
SINCE = date(2026, 10, 5)
WEEKS, BEFORE = 18, 12
# service: hours from commit to deployment in the even and the odd weeks, before SINCE and after it
SERVICES = {"faster": ((9, 11), (3.6, 4.4)), "steady": ((9, 11), (8.6, 10.4)), "slower": ((9, 11), (18, 22))}


def records() -> Iterator[Record]:
    first = MONDAY - timedelta(weeks=WEEKS)
    for service, hours in SERVICES.items():
        repo = f"acme/{service}"
        yield Component(name=service, owner=f"team {service}", repo=repo)
        yield Repository(repo=repo, created_at=first)
        for source in ("import deployments", "import incidents"):
            yield Coverage(source=source, subject=service, from_at=first, until_at=MONDAY)
        parent: tuple[str, ...] = ()
        for week in range(-1, WEEKS):
            took = hours[week >= BEFORE][week % 2]
            for n in range(6):
                at = first + timedelta(weeks=week, hours=24 * n + 6)
                sha = f"{len(service):02x}{ord(service[1]):02x}{week + 1:016x}{n:020x}"
                authored = at - timedelta(hours=took)
                yield Commit(repo=repo, sha=sha, parents=parent, authored_at=authored, committed_at=authored)
                yield Deployment(
                    source="import", id=f"{service}-{week}-{n}", repo=repo, service=service, environment="production",
                    sha=sha, status="success", started_at=at, finished_at=at,
                )  # fmt: skip
                parent = (sha,)


@pytest.fixture(scope="module")
def settings(shared_folder) -> Settings:
    """Three teams of a service each: six weeks ago one lead time fell by 60 %, one by 5 %, and one doubled."""

    def made(folder) -> Settings:
        own = Settings(organization="acme", warehouse=folder / "w.duckdb")
        with open_warehouse(own.warehouse) as warehouse, warehouse.transaction():
            warehouse.upsert([*records()])
        build(own, MONDAY)
        return own

    return once(shared_folder, "goals", made)


def found(
    settings: Settings, target="< 1 hour", since=SINCE, by=date(2026, 12, 28), **goal
) -> dict[str, GoalProgress]:
    entry = MetricTarget.model_validate(
        {"name": "Lead Time", "target": target, "goal": {"by": by, "from": since, **goal}}
    )
    own = settings.model_copy(update={"metrics": [entry]})
    with open_facts(own.warehouse) as facts:
        return {
            name.removeprefix("team "): one for (_, name), one in goal_progress(facts, own, "team").items()
        }


def test_progress_is_the_share_of_the_distance_between_the_value_then_and_the_target(settings):
    hour = 3600.0
    of = found(settings)
    # 24 changes of 9 and 11 h in the four weeks before, of 3.6 and 4.4 h in the last four: (10 - 4) of (10 - 1) h
    faster = of["faster"]
    assert (faster.start, faster.now, faster.state) == (10 * hour, pytest.approx(4 * hour), "under way")
    assert faster.closed == pytest.approx(6 / 9)
    # 42 of the 84 days from 5 October to 28 December
    assert faster.passed == 0.5
    # 6 weeks for two thirds of the way are 9 weeks for all of it
    assert (faster.moved, faster.forecast) == ("better", date(2026, 12, 7))
    # (10 - 9.5) of 9 h is within what its weeks always do
    steady = of["steady"]
    assert steady.closed == pytest.approx(0.5 / 9)
    assert (steady.moved, steady.forecast) == (None, None)
    # ten hours farther away
    slower = of["slower"]
    assert slower.closed == pytest.approx(-10 / 9)
    assert (slower.moved, slower.forecast) == ("worse", None)
    assert goal_words(faster, "lead_time").told == "67 % of the way"
    assert goal_words(faster, "lead_time").details == (
        "10 h before 5 Oct 2026, 4 h in the last four weeks",
        "50 % of the time until 28 Dec 2026 is over",
        "at this pace on 7 Dec 2026",
    )
    assert goal_words(steady, "lead_time").details[-1] == "no forecast: there is no signal that it changed"
    assert goal_words(slower, "lead_time").told == "farther away"
    assert goal_words(slower, "lead_time").details[-1] == "no forecast: it does not come nearer"


@pytest.mark.parametrize(
    ("goal", "state", "told"),
    [
        ({"target": "< 5 hours"}, "reached", "reached"),
        ({"target": "< 11 hours"}, "met before", "was met before"),
        ({"since": date(2026, 11, 16)}, "not begun", "not begun"),
        ({"since": date(2026, 7, 6)}, "no start", "not known"),
    ],
)
def test_what_has_no_way_to_measure_says_so(settings, goal, state, told):
    one = found(settings, **goal)["faster"]
    assert (one.state, one.forecast) == (state, None)
    assert goal_words(one, "lead_time").told == told
    assert (one.closed is None) == (state != "reached")


def test_weeks_since_the_first_day_alone_count_as_now(settings):
    # of the last week alone, whose changes took 4.4 h: the three weeks before belong to the time before
    one = found(settings, since=date(2026, 11, 9), by=date(2027, 1, 1))["faster"]
    assert (one.start, one.now) == (pytest.approx(4 * 3600), pytest.approx(4.4 * 3600))


def test_all_numbers_are_judged_only_where_the_goal_s_own_could_be_a_signal(settings):
    asked: list[tuple[date, date]] = []

    def highest(first: date, end: date) -> float:
        asked.append((first, end))
        return 0.05

    entry = MetricTarget.model_validate(
        {"name": "Lead Time", "target": "< 1 hour", "goal": {"by": date(2026, 12, 28), "from": SINCE}}
    )
    own = settings.model_copy(update={"metrics": [entry]})
    with open_facts(own.warehouse) as facts:
        for team, times in (("steady", 0), ("faster", 1)):
            goal_progress(facts, own, "team", {"team": f"team {team}"}, highest=highest)
            assert len(asked) == times


def test_the_past_day_of_a_goal_is_told(settings):
    one = found(settings, by=date(2026, 11, 1))["faster"]
    assert one.passed == 1
    assert goal_words(one, "lead_time").details[-1] == "its day has passed"


def test_a_survey_is_no_progress_before_the_next_round(small):
    def asked(since: date) -> GoalProgress:
        entry = MetricTarget.model_validate(
            {"name": "DSAT", "target": "> 4.5/5", "goal": {"by": "2027-01-01", "from": since}}
        )
        own = small.settings.model_copy(update={"metrics": [entry]})
        with open_facts(own.warehouse) as facts:
            return goal_progress(facts, own, "team")["developer_satisfaction", "payments"]

    # seven people, three of whom give a point more: 24 / 7 and 31 / 7, of the way to 4.5
    one = asked(date(2026, 10, 5))
    assert one.closed == pytest.approx(1 / (4.5 - 24 / 7))
    assert one.forecast is None
    late = asked(date(2026, 11, 9))
    assert (late.state, late.closed) == ("no value", None)
    assert goal_words(late, "developer_satisfaction").details[-1].startswith("no survey round")


def test_rows_carry_the_progress_of_their_goal(settings):
    with open_facts(settings.warehouse) as facts:
        entry = MetricTarget.model_validate(
            {"name": "Lead Time", "target": "< 1 hour", "goal": {"by": "2026-12-28", "from": "2026-10-05"}}
        )
        own = settings.model_copy(update={"metrics": [entry]})
        rows = with_goals(as_rows(compute(facts, own, "team")), goal_progress(facts, own, "team"))
        assert goal_progress(facts, own, where={"assistance": "agent"}) == {}
    of = {row["name"]: row["goal"] for row in rows if row["metric"] == "lead_time"}
    assert of["team faster"]["forecast"] == date(2026, 12, 7)
    assert {row["goal"] for row in rows if row["metric"] != "lead_time"} == {None}
