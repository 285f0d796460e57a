"""Before an event and after it: each metric of what it touched, beside the services that it did not touch.

The change of either has a 95 % interval made of those of its two numbers (MOVER: Zou and Donner, 2008): of the
ratio for times and frequencies, of the difference for shares.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from config.metrics import Metric, keys
from warehouse.metrics.events import EventBook, KnownEvent, event_book
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import full_range, today
from warehouse.metrics.pooled import SERVICES, narrowing
from warehouse.metrics.satisfaction import Group, rounds
from warehouse.rows.assistance import NORMAL_95, AssistanceSide, median_side, share_side
from warehouse.rows.distribution import counted_entities

WINDOW = timedelta(weeks=8)
# of fewer rows neither a number nor a change is shown
FEWEST_COMPARED = 5
MOST_MOVES = 3

Days = tuple[date, date]


@dataclass(frozen=True)
class MeasuredChange:
    """How far a number went, as a ratio or a difference, and the ends of its 95 % interval."""

    by: float
    low: float
    high: float


@dataclass(frozen=True)
class BeforeAfter:
    """A number before and after; `change` is None where either has too few rows, or no interval."""

    before: AssistanceSide
    after: AssistanceSide
    change: MeasuredChange | None = None


@dataclass(frozen=True)
class MetricBesideOthers:
    """A metric of what the event touched, and of the services that it did not touch: None where there are none."""

    metric: str
    touched: BeforeAfter
    others: BeforeAfter | None


@dataclass(frozen=True)
class EventComparison:
    """What is known around an event; the windows' ends are exclusive, and a window without a day is None.

    `services` are how many it touched, `others` how many it did not.
    """

    event: KnownEvent
    before: Days | None
    after: Days | None
    services: int
    others: int
    metrics: tuple[MetricBesideOthers, ...]


def before_and_after(facts: Facts, id: str) -> EventComparison | None:
    """The metrics around the event of this id; None where there is none.

    Satisfaction is of the last round that closed before it and the first after it, of groups that are published.
    """
    book = event_book(facts)
    event = next((one for one in book.events if one.id == id), None)
    if event is None:
        return None
    first, _ = full_range(facts, None, None)
    before = _days(max(event.day - WINDOW, first), event.day)
    after = _days(max(event.over, first), min(event.over + WINDOW, today(facts)))
    touched, others = book.services(event), book.untouched(event)
    return EventComparison(
        event=event,
        before=before,
        after=after,
        services=len(touched),
        others=len(others),
        metrics=tuple(
            _satisfaction(facts, metric, event, book)
            if metric.fact == "responses"
            else MetricBesideOthers(
                metric.id,
                _around(facts, metric, _of(event, touched), before, after),
                _around(facts, metric, {SERVICES: sorted(others)}, before, after) if others else None,
            )
            for metric in keys().values()
        ),
    )


def around_moves(facts: Facts, where: Mapping[str, str], end: date) -> list[EventComparison]:
    """The metrics around the newest moves on to a golden path before the day `end`, of the services of `where`."""
    ids = facts.connection.execute(
        "select e.id from path_moves as f inner join events as e"
        " on e.scope = 'service' and e.name = f.service and e.kind = 'golden path' and e.day = f.day"
        f" where f.to_path is not null and f.day < $end{narrowing(where)}"
        " order by f.at desc, f.service limit $most",
        {**where, "end": end, "most": MOST_MOVES},
    ).fetchall()
    return [found for (id,) in ids if (found := before_and_after(facts, id))]


def _days(start: date, end: date) -> Days | None:
    return (start, end) if start < end else None


def _of(event: KnownEvent, touched: frozenset[str]) -> dict[str, Any]:
    """All rows for the organisation, those that belong to no service too."""
    return {} if event.scope == "organisation" else {SERVICES: sorted(touched)}


def _around(
    facts: Facts, metric: Metric, where: Mapping[str, Any], before: Days | None, after: Days | None
) -> BeforeAfter:
    was, became = (
        _side(facts, metric, where, days) if days else AssistanceSide() for days in (before, after)
    )
    return BeforeAfter(was, became, _change(was, became, metric.statistic != "share"))


def _side(facts: Facts, metric: Metric, where: Mapping[str, Any], days: Days) -> AssistanceSide:
    if metric.statistic == "share":
        return share_side(facts, metric, where, *days)
    if metric.statistic == "rate":
        return _rate(facts, metric, where, *days)
    if metric.statistic == "mean":
        return _mean_time(facts, metric, where, *days)
    return median_side(facts, counted_entities(metric, where), "input", where, *days)


def _rate(facts: Facts, metric: Metric, where: Mapping[str, Any], start: date, end: date) -> AssistanceSide:
    bound = {**where, "start": start, "end": end}
    sql = f"select count(*) from ({counted_entities(metric, where)}) as e"
    ((n,),) = facts.connection.execute(sql, bound).fetchall()
    sql = (
        "select count(distinct f.day) from covered_days as f"
        f" where f.fact = $fact and f.day >= $start and f.day < $end{narrowing(where)}"
    )
    ((covered,),) = facts.connection.execute(sql, {**bound, "fact": metric.covered_by}).fetchall()
    if not covered:
        return AssistanceSide(n)
    # the score interval of a count, as Wilson's is of a share
    centre, reach = n + NORMAL_95**2 / 2, NORMAL_95 * math.sqrt(n + NORMAL_95**2 / 4)
    low, high = centre - reach, centre + reach
    return AssistanceSide(n, n / covered, low / covered, high / covered)


def _mean_time(
    facts: Facts, metric: Metric, where: Mapping[str, Any], start: date, end: date
) -> AssistanceSide:
    """The mean, and its interval by its standard error on a logarithmic scale: times are skewed and never negative."""
    sql = f"select count(*), avg(e.input), stddev_samp(e.input) from ({counted_entities(metric, where)}) as e"
    ((n, mean, deviation),) = facts.connection.execute(sql, {**where, "start": start, "end": end}).fetchall()
    if not n:
        return AssistanceSide()
    if n < FEWEST_COMPARED or not mean:
        return AssistanceSide(n, mean)
    reach = math.exp(NORMAL_95 * deviation / (mean * math.sqrt(n)))
    return AssistanceSide(n, mean, mean / reach, mean * reach)


def _change(before: AssistanceSide, after: AssistanceSide, is_ratio: bool) -> MeasuredChange | None:
    scale: Callable[[float], float] = _log if is_ratio else float
    ends = [(side.middle, side.low, side.high) for side in (before, after) if side.n >= FEWEST_COMPARED]
    known = [tuple(scale(end) for end in side if end is not None) for side in ends]
    if len(known) < 2 or any(len(side) < 3 for side in known):
        return None
    (was, was_low, was_high), (became, became_low, became_high) = known
    by = became - was
    low = by - math.hypot(became - became_low, was_high - was)
    high = by + math.hypot(became_high - became, was - was_low)
    return (
        MeasuredChange(*(math.exp(end) for end in (by, low, high)))
        if is_ratio
        else MeasuredChange(by, low, high)
    )


def _log(end: float) -> float:
    # what took no time at all took less than can be told
    return math.log(max(end, 1e-6))


def _satisfaction(facts: Facts, metric: Metric, event: KnownEvent, book: EventBook) -> MetricBesideOthers:
    of_facts = rounds(facts)
    before = [(everyone, teams) for closed_on, everyone, teams in of_facts if closed_on < event.day][-1:]
    after = [(everyone, teams) for closed_on, everyone, teams in of_facts if closed_on >= event.over][:1]
    same = {one.name for one in book.events if one.title.casefold() == event.title.casefold()}

    def own(everyone: Group, teams: Mapping[str, Group]) -> list[Group]:
        if event.scope == "organisation":
            return [everyone]
        return [teams[event.name]] if event.scope == "team" and event.name in teams else []

    def others(_: Group, teams: Mapping[str, Group]) -> list[Group]:
        return [group for name, group in teams.items() if name not in same]

    def around(of: Callable[[Group, Mapping[str, Group]], list[Group]]) -> BeforeAfter:
        was, became = (_mean([group for one in found for group in of(*one)]) for found in (before, after))
        return BeforeAfter(was, became)

    return MetricBesideOthers(metric.id, around(own), around(others) if event.scope == "team" else None)


def _mean(groups: list[Group]) -> AssistanceSide:
    """The mean of groups that are published: nothing of one that is withheld."""
    known = [(group.score, group.n) for group in groups if group.score is not None]
    n = sum(n for _, n in known)
    return AssistanceSide(n, math.fsum(score * n for score, n in known) / n) if n else AssistanceSide()
