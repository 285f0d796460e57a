"""The targets over time and the golden paths as the platform team reads them; no Streamlit, no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any

from config.metrics import find, metrics
from config.names import find_name
from config.settings import Settings
from dashboards.figures import formats
from dashboards.figures.goal_words import GoalWords, goal_words
from dashboards.frame.state import State, names
from dashboards.frame.value_cells import ValueCell, exists, last_known_words, value_cell
from dashboards.frame.view import Filters, link, scope_page
from warehouse.metrics.attainment import Attainment, met_or_missed, standing
from warehouse.metrics.events import NO_EVENTS, EventBook, KnownEvent, in_days
from warehouse.metrics.values import Scope, Value
from warehouse.signals.goals import GoalProgress
from warehouse.trust.unwatched import Unwatched

# (scope, metric, name) -> attainment
Attained = Mapping[tuple[str, str, str], Attainment]
# (scope, metric, name) -> the progress of its goal
Goals = Mapping[tuple[str, str, str], GoalProgress]
NO_GOALS: Goals = MappingProxyType({})
# (scope, name) -> how many of its services have no source of incidents
Blind = Mapping[tuple[Scope, str], Unwatched]


@dataclass(frozen=True)
class WeekMark:
    """A week of a strip: its symbol, its colour (`met`, `missed` or `quiet`), and what a tooltip says.

    `is_marked` where an event touched it.
    """

    symbol: str
    tone: str
    title: str
    is_marked: bool = False


@dataclass(frozen=True)
class TargetLine:
    """A target of a scope: its value now, the last twelve completed weeks, and since when it is missed or met.

    `level` 1 is a scope with a target of its own below the one that holds for all. `last_known` is (its figure,
    of when) where these days have none.
    """

    level: int
    name: str
    address: str
    cell: ValueCell
    attainment: Attainment
    weeks: tuple[WeekMark, ...]
    attained: str
    aside: str
    since: str
    lasting: str
    goal: GoalWords | None
    last_known: tuple[str, str] | None = None

    @property
    def heard(self) -> str:
        """The strip in words."""
        return f"By week, oldest first: {', '.join(week.title for week in self.weeks)}"


def own_targets(settings: Settings, state: State, view: Filters) -> list[tuple[str, Scope, str]]:
    """(metric, scope, name) of the targets that hold for one scope only and lie within the view, as configured."""
    within = names(state, view)
    narrower = _BELOW[view.scope]
    found = []
    for entry in settings.metrics:
        metric = find(entry.name)
        for scope, name in (override.scope for override in entry.overrides):
            meant = find_name(name, within[scope])
            if metric and scope in narrower and meant:
                found.append((metric.id, narrower[scope], meant))
    return found


# the scopes that lie within a view's own
_BELOW: dict[str, dict[str, Scope]] = {
    "organisation": {"system": "system", "group": "group", "team": "team", "service": "service"},
    "system": {"team": "team", "service": "service"},
    "group": {"team": "team", "service": "service"},
    "team": {"service": "service"},
    "service": {},
}


def own_lines(
    values: Iterable[Value],
    attained: Attained,
    blind: Blind,
    view: Filters,
    goals: Goals = NO_GOALS,
    book: EventBook = NO_EVENTS,
) -> list[TargetLine]:
    """A line for each of the view's own targets, and below it those of narrower scopes that have their own."""
    order = {metric: at for at, metric in enumerate(metrics())}
    found = sorted(
        (value for value in values if value.target and exists(value)),
        key=lambda value: (order[value.metric], value.scope != view.scope, value.name.casefold()),
    )
    return [
        _line(
            value,
            attained,
            blind,
            view,
            goals,
            book,
            level=0 if value.scope == view.scope else 1,
            by_metric=True,
        )
        for value in found
    ]


def below(values: Iterable[Value], attained: Attained, view: Filters) -> list[Value]:
    """What each target of each scope of the grain `view.by` is held against, in the order of `view.rank`."""
    found = [
        value
        for value in values
        if value.target and value.scope == view.by and view.target in (None, value.metric) and exists(value)
    ]
    order = {metric: at for at, metric in enumerate(metrics())}
    found.sort(key=lambda value: (value.name.casefold(), order[value.metric]))
    if view.rank == "metric":
        return sorted(found, key=lambda value: order[value.metric])
    if view.rank == "attained":
        return sorted(found, key=lambda value: _share(_attainment(attained, value)))
    if view.rank == "missed":
        return sorted(found, key=lambda value: _missed(_attainment(attained, value)))
    return found


def target_lines(
    values: Iterable[Value],
    attained: Attained,
    blind: Blind,
    view: Filters,
    goals: Goals = NO_GOALS,
    book: EventBook = NO_EVENTS,
) -> list[TargetLine]:
    """A line for each of the values, in their order."""
    return [_line(value, attained, blind, view, goals, book, level=0, by_metric=False) for value in values]


def with_last_known(
    lines: Iterable[TargetLine], last_known: Mapping[tuple[Scope, str], Value]
) -> list[TargetLine]:
    """The lines, those of a time to first commit that has none with the last one that is known."""
    found = []
    for line in lines:
        value = line.cell.value
        past = last_known.get((value.scope, value.name)) if value.status == "none" else None
        is_of_it = past is not None and past.metric == value.metric
        found.append(replace(line, last_known=last_known_words(past)) if past and is_of_it else line)
    return found


def _attainment(attained: Attained, value: Value) -> Attainment:
    return attained.get((value.scope, value.metric, value.name), Attainment())


def _missed(of: Attainment) -> tuple[date, tuple[bool, float]]:
    return of.missed_since or date.max, _share(of)


def _share(of: Attainment) -> tuple[bool, float]:
    return not of.judged, of.met / of.judged if of.judged else 0.0


def _line(
    value: Value,
    attained: Attained,
    blind: Blind,
    view: Filters,
    goals: Goals,
    book: EventBook,
    level: int,
    by_metric: bool,
) -> TargetLine:
    found = _attainment(attained, value)
    goal = goals.get((value.scope, value.metric, value.name))
    since, lasting = _since(found)
    events = book.seen_with(
        {**view.where, **({} if value.scope == "organisation" else {value.scope: value.name})}
    )
    narrowed: dict[str, Any] = (
        {value.scope: value.name} if value.scope in ("group", "team", "service") else {}
    )
    name = f"{value.scope} {value.name}" if level else value.name
    return TargetLine(
        level=level,
        name=metrics()[value.metric].name if by_metric and not level else name,
        address=link(
            scope_page(value.scope), Filters(period=view.period, start=view.start, end=view.end, **narrowed)
        )
        if narrowed
        else "",
        cell=value_cell(value, view, blind.get((value.scope, value.name))),
        attainment=found,
        weeks=tuple(_with_events(_week(week), week, events) for week in found.weeks),
        attained=f"{found.met} of {formats.plural(found.judged, 'week')}" if found.judged else "not judged",
        aside=f"{len(found.weeks) - found.judged} not judged" if 0 < found.judged < len(found.weeks) else "",
        since=since,
        lasting=lasting,
        goal=goal_words(goal, value.metric) if goal else None,
    )


def _since(found: Attainment) -> tuple[str, str]:
    """(since when it is missed or met, for how long)."""
    since = found.missed_since or found.met_since
    if since is None:
        return formats.MISSING, ""
    weeks = (found.weeks[-1].period_end - since).days // 7
    return (
        f"{'missed' if found.missed_since else 'met'} since {formats.day(since)}",
        formats.plural(weeks, "week") + (" or more" if found.or_before else ""),
    )


def _week(week: Value) -> WeekMark:
    judged, status = met_or_missed(week), formats.STATUSES[week.status]
    figure = formats.figure_against(week.metric, week.value, week.unit, week.target)
    title = f"{formats.days(week.period_start, week.period_end)}: {figure} {status.word}"
    title += f", target {week.target}" if week.target else ""
    if judged is None:
        open_ = " so far, not final" if week.provisional and week.status == "met" else ""
        return WeekMark(
            "·" if week.provisional or not status.symbol else status.symbol, "quiet", title + open_
        )
    return WeekMark(status.symbol, week.status, title)


def headline(values: Iterable[Value], view: Filters) -> str:
    """How the view's own targets stand, in the words of every page; then those of the platform, which is told apart."""
    own: dict[str, list[dict[str, Any]]] = {"keys": [], "platform": []}
    for value in values:
        if value.scope == view.scope:
            own[metrics()[value.metric].group].append(vars(value))
    told, platform = standing(own["keys"]), standing(own["platform"])
    return told.text + (f"; on the platform, {platform.short}" if platform.judged else "")


def _with_events(mark: WeekMark, week: Value, events: Sequence[KnownEvent]) -> WeekMark:
    told = [event.title for event in in_days(events, week.period_start, week.period_end)]
    return replace(mark, title=f"{mark.title}; {', '.join(told)}", is_marked=True) if told else mark


def attained_rows(
    values: Iterable[Value], attained: Attained, goals: Goals = NO_GOALS
) -> list[dict[str, Any]]:
    """The targets as a CSV has them: the value of the period, the weeks met and judged, and how far its goal is."""
    return [
        {
            "metric": value.metric,
            "scope": value.scope,
            "name": value.name,
            "target": value.target,
            "period_start": value.period_start,
            "period_end": value.period_end,
            "value": value.value,
            "unit": value.unit,
            "n": value.n,
            "status": value.status,
            "weeks_met": of.met,
            "weeks_judged": of.judged,
            "missed_since": of.missed_since,
            "met_since": of.met_since,
            "goal_by": goal.by if goal else None,
            "goal_from": goal.since if goal else None,
            "goal_state": goal.state if goal else None,
            "goal_closed": goal.closed if goal else None,
            "goal_forecast": goal.forecast if goal else None,
        }
        for value in values
        for of in [_attainment(attained, value)]
        for goal in [goals.get((value.scope, value.metric, value.name))]
    ]
