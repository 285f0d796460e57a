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
from warehouse.metrics.satisfaction import Group, histogram, rounds, still_open
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
    that it answered; none if withheld. `events` are those of the view, whenever they were.
    """

    rounds: tuple[Round, ...]
    still_open: tuple[tuple[str, datetime], ...]
    chosen: str | None
    scores: dict[float, int]
    events: tuple[KnownEvent, ...] = ()


def surveyed(warehouse: Path, settings: Settings, view: Filters) -> Surveyed:
    """The rounds as `view` lets see them: of the organisation and its teams, or of its team alone."""
    with open_facts(warehouse) as facts:
        if set(view.where) - {"team"}:
            return Surveyed((), (), None, {})
        _, end = periods.view_days(view, today(facts))
        closed = [one for one in rounds(facts) if one[0] < (end or today(facts) + timedelta(days=1))]
        own = {
            everyone.round: teams.get(view.team) if view.team else everyone for _, everyone, teams in closed
        }
        answered = [name for name, group in own.items() if group is not None]
        chosen = view.round if view.round in own else next(reversed(answered), None)
        group = own[chosen] if chosen is not None else None
        return Surveyed(
            rounds=tuple(
                Round(everyone.round, closed_on, tuple(_values(facts, settings, everyone, teams, view.team)))
                for closed_on, everyone, teams in closed
            ),
            still_open=tuple(still_open(facts)),
            chosen=chosen,
            scores=histogram(facts, group) if group else {},
            events=event_book(facts).seen_with(view.where),
        )


def _values(
    facts: Facts, settings: Settings, everyone: Group, teams: dict[str, Group], team: str | None
) -> list[Value]:
    if team is not None:
        return [_value(facts, settings, teams[team])] if team in teams else []
    return [_value(facts, settings, group) for group in (everyone, *(teams[name] for name in sorted(teams)))]


def _value(facts: Facts, settings: Settings, group: Group) -> Value:
    scope: Scope = "organisation" if group.team is None else "team"
    name = group.team or ""
    target = settings.target(METRIC, scope, name)
    status: Status = "value"
    if group.score is None:
        status = "withheld" if group.n else "none"
    elif target is not None:
        status = "met" if target.met_by(group.score) else "missed"
    return Value(
        metric=METRIC,
        scope=scope,
        name=name or facts.organization,
        period_start=group.closed_on,
        period_end=group.closed_on + timedelta(days=1),
        value=group.score,
        unit=metrics()[METRIC].unit,
        n=group.n,
        target=target.text if target else None,
        status=status,
        partial=False,
    )
