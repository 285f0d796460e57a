"""What the satisfaction page reads from the facts file: only groups that are published, and what follows from them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from config.metrics import metrics
from config.settings import Settings
from dashboards.frame import view as periods
from dashboards.frame.view import Filters
from warehouse.metrics.events import KnownEvent, event_book
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import today
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.satisfaction import (
    ClosedRound,
    Driver,
    Group,
    Respondents,
    SurveyComment,
    answers_of,
    comments,
    drivers,
    histogram,
    respondents_of,
    round_doubts,
    rounds,
    still_open,
    without_satisfaction,
)
from warehouse.metrics.target_levels import TargetLevels
from warehouse.metrics.values import Scope, Status, Value

METRIC = "developer_satisfaction"


@dataclass(frozen=True)
class Round:
    """A closed round: its values by name, the view's own group first where it is published or withheld."""

    name: str
    closed_on: date
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Surveyed:
    """The rounds that had closed by the view's end, oldest first, and those open now.

    `scores` are how many people of the view's own group gave which score in the `chosen` round, by default the last
    that it answered; none if withheld. `comments` are that round's that may be shown, beside `withheld_comments`.
    `drivers` are the other questions of all these rounds, `doubts` what to know of the last round, and `not_asked` the
    rounds, with their questions, that asked nothing which counts as satisfaction.
    `events` are those of the view, whenever they were.
    """

    rounds: tuple[Round, ...]
    still_open: tuple[tuple[str, datetime], ...]
    chosen: str | None
    scores: dict[float, int]
    drivers: tuple[Driver, ...] = ()
    comments: tuple[SurveyComment, ...] = ()
    withheld_comments: int = 0
    doubts: tuple[str, ...] = ()
    not_asked: tuple[tuple[str, tuple[str, ...]], ...] = ()
    events: tuple[KnownEvent, ...] = ()


def surveyed(warehouse: Path, settings: Settings, view: Filters) -> Surveyed:
    """The rounds as `view` lets see them: of the organisation or a group with its teams, or of its team alone."""
    with open_facts(warehouse) as facts:
        levels = TargetLevels(facts.connection, settings)
        if set(view.where) - {"group", "team"}:
            return Surveyed((), (), None, {})
        people = respondents_of(facts, view.where)
        _, end = periods.view_days(view, today(facts))
        before = end or today(facts) + timedelta(days=1)
        closed = [one for one in rounds(facts) if one[0] < before]
        own = {everyone.round: answers_of(people, everyone, teams) for _, everyone, teams in closed}
        answered = [name for name, group in own.items() if group is not None]
        chosen = view.round if view.round in own else next(reversed(answered), None)
        group = own[chosen] if chosen is not None else None
        said, withheld = comments(facts, chosen, people)
        return Surveyed(
            rounds=tuple(
                Round(
                    everyone.round,
                    closed_on,
                    tuple(_values(facts, levels, closed[: place + 1], people, view)),
                )
                for place, (closed_on, everyone, _) in enumerate(closed)
            ),
            still_open=tuple(still_open(facts)),
            chosen=chosen,
            scores=histogram(facts, group) if group else {},
            drivers=tuple(drivers(facts, before, people)),
            comments=tuple(said),
            withheld_comments=withheld,
            doubts=tuple(round_doubts(closed, before, people)),
            not_asked=tuple(
                (name, tuple(questions))
                for name, day, questions in without_satisfaction(facts)
                if day < before
            ),
            events=event_book(facts).seen_with(view.where),
        )


def _values(
    facts: Facts, levels: TargetLevels, closed: list[ClosedRound], people: Respondents, view: Filters
) -> list[Value]:
    """Those of the last of the rounds: of all who are meant, and of each of their teams."""
    closed_on, everyone, teams = closed[-1]
    whole = answers_of(people, everyone, teams)
    if whole is None:
        return []
    answered: list[tuple[Scope, str, Group, Respondents]] = [(view.scope, _name(facts, view), whole, people)]
    if not isinstance(people, str):
        held = [name for name in sorted(teams) if people is None or name in people]
        answered += [("team", name, teams[name], name) for name in held]
    after = closed_on + timedelta(days=1)
    return [
        _value(levels, scope, name, group, ". ".join(round_doubts(closed, after, of)))
        for scope, name, group, of in answered
    ]


def _name(facts: Facts, view: Filters) -> str:
    return view.where.get(view.scope, facts.organization)


def _value(levels: TargetLevels, scope: Scope, name: str, group: Group, remark: str) -> Value:
    target = levels.target(METRIC, scope, name)
    status: Status = "value"
    if group.score is None:
        status = "withheld" if group.n else "none"
    elif target is not None:
        status = "met" if target.met_by(group.score) else "missed"
    return Value(
        metric=METRIC,
        scope=scope,
        name=name,
        period_start=group.closed_on,
        period_end=group.closed_on + timedelta(days=1),
        value=group.score,
        unit=metrics()[METRIC].unit,
        n=group.n,
        target=target.text if target else None,
        status=status,
        partial=False,
        remark=remark,
    )
