"""Goals: how much of the way to a target is closed since a day, in how much of the time, and when it would be met."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any, Literal

from config.metrics import find
from config.metrics import metrics as declared
from config.settings import Settings
from config.targets import Goal, HeldTarget
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import today, week_of
from warehouse.metrics.pooled import ASSISTANCE
from warehouse.metrics.satisfaction import rounds
from warehouse.metrics.target_levels import TargetLevels
from warehouse.metrics.values import Scope, Value, compute
from warehouse.signals.limits import usable
from warehouse.signals.verdicts import Verdict, could_be_signal, judged_numbers, signals, verdict

# of so many days are the value before the first day and the one now
_SPAN = timedelta(weeks=4)
# a forecast beyond this many years says nothing
_FARTHEST = timedelta(days=3653)

# (first day, first day after) -> up to which chance a number of these days is a signal
HighestChance = Callable[[date, date], float]
GoalState = Literal["not begun", "no start", "no value", "met before", "under way", "reached"]


@dataclass(frozen=True)
class GoalProgress:
    """How far a metric of a scope is on its way to a target by the day `by`, measured from the day `since`.

    `start` is its value in the four weeks before `since`, `now` that of the last four completed weeks of those since,
    None where it cannot be judged. `closed` is the share of the distance between `start` and the target that is closed,
    below zero where it grew, None unless `under way` or `reached`; `passed` is the share of the days that are over.
    `moved` says whether there is a signal since, `forecast` when the target is met at this pace where it is for the
    better.
    """

    by: date
    since: date
    state: GoalState
    start: float | None = None
    now: float | None = None
    closed: float | None = None
    passed: float = 0.0
    moved: Literal["better", "worse"] | None = None
    forecast: date | None = None


def highest_chances(facts: Facts, settings: Settings) -> HighestChance:
    """Up to which chance numbers are signals, worked out once for the same days, of all metrics of all scopes."""
    return cache(lambda first, end: signals(facts, settings, first, end).highest_chance)


def goal_progress(
    facts: Facts,
    settings: Settings,
    by: Scope = "organisation",
    where: Mapping[str, str] | None = None,
    metrics: Collection[str] | None = None,
    highest: HighestChance | None = None,
) -> dict[tuple[str, str], GoalProgress]:
    """(metric, name) -> the progress of those whose target has a goal, up to the last completed week.

    Who asks for several scopes gives all of them the same `highest`.
    """
    if ASSISTANCE in (where or {}):
        return {}
    highest = highest or highest_chances(facts, settings)
    levels, end = TargetLevels(facts.connection, settings), week_of(today(facts))
    found: dict[tuple[str, str], GoalProgress] = {}
    for metric, since in _measured(settings, metrics):

        def values(start: date, after: date, metric: str = metric) -> dict[str, Value]:
            computed = compute(facts, settings, by, None, start, after, where, [metric])
            return {value.name: value for value in computed}

        then = values(since - _SPAN, since)
        now = values(max(since, end - _SPAN), end) if end > since else {}
        held = {
            name: (target, target.goal)
            for name in then
            if (target := levels.target(metric, by, name)) and target.goal and target.goal.since == since
        }
        verdicts = _verdicts(facts, settings, by, where, metric, since, end, highest) if held else {}
        is_asked = declared()[metric].fact != "responses" or _round_closed(facts, since, end)
        for name, (target, goal) in held.items():
            found[metric, name] = _progress(
                target, goal, then[name], now.get(name), verdicts.get(name), end, is_asked
            )
    return found


def with_goals(
    rows: Iterable[Mapping[str, Any]], found: Mapping[tuple[str, str], GoalProgress]
) -> list[dict[str, Any]]:
    """The rows of values with the progress of their goals as `goal`, None where there is none."""
    of_key = {key: asdict(one) for key, one in found.items()}
    return [{**row, "goal": of_key.get((row["metric"], row["name"]))} for row in rows]


def _measured(settings: Settings, metrics: Collection[str] | None) -> list[tuple[str, date]]:
    """(metric, the day from which a goal of it is measured)."""
    found = {
        (metric.id, goal.since)
        for entry in settings.metrics
        for goal in (entry.goal, *(override.goal for override in entry.overrides))
        if goal is not None and (metric := find(entry.name)) is not None
    }
    return sorted(one for one in found if metrics is None or one[0] in metrics)


def _verdicts(
    facts: Facts,
    settings: Settings,
    by: Scope,
    where: Mapping[str, str] | None,
    metric: str,
    since: date,
    end: date,
    highest: HighestChance,
) -> dict[str, Verdict]:
    """By name, whether the completed weeks since that day differ from those before it."""
    first = week_of(since + timedelta(days=6))
    if first >= end:
        return {}
    judged = judged_numbers(facts, by, first, end, where, [metric])
    return {
        name: verdict(one, highest(first, end) if could_be_signal(one, settings) else 0.0, settings)
        for (_, name), one in judged.items()
    }


def _round_closed(facts: Facts, since: date, end: date) -> bool:
    return any(since <= closed_on < end for closed_on, _, _ in rounds(facts))


def _progress(
    held: HeldTarget,
    goal: Goal,
    then: Value,
    now: Value | None,
    told: Verdict | None,
    end: date,
    is_asked: bool,
) -> GoalProgress:
    start = then.value if usable(then) else None
    current = now.value if now is not None and usable(now) and is_asked else None
    passed = min(1.0, max(0.0, (end - goal.since) / (goal.by - goal.since)))
    known = GoalProgress(goal.by, goal.since, "not begun", start, current, passed=passed)
    if now is None:
        return known
    if start is None or current is None:
        return replace(known, state="no start" if start is None else "no value")
    if held.met_by(start):
        return replace(known, state="met before")
    is_reached, distance = held.met_by(current), held.limit - start
    closed = (current - start) / distance if distance else float(is_reached)
    is_signal = told is not None and told.kind == "signal"
    is_better = told is not None and told.is_better is True
    known = replace(
        known,
        state="reached" if is_reached else "under way",
        closed=closed,
        moved=("better" if is_better else "worse") if is_signal else None,
    )
    if is_reached or not (is_signal and is_better and closed > 0):
        return known
    needed = (end - goal.since) / closed
    return replace(known, forecast=goal.since + needed) if needed < _FARTHEST else known
