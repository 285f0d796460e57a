"""Verdicts on the numbers of some days: each against the weeks before, and all of them together.

A number alone is judged by `judged`; whether that is a signal depends on all that is judged of the same days
(`signals`), since among a thousand numbers some look changed by chance.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from config.metrics import Metric, keys
from config.metrics import metrics as declared
from config.settings import Settings
from warehouse.metrics.events import EventBook, anew_since, event_book
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import Bucket, baseline, today
from warehouse.metrics.pooled import ASSISTANCE, NOTHING, names_only, pooled, scoped
from warehouse.metrics.values import LEAST_WATCHED, SCOPES, Scope, narrowed
from warehouse.signals.chances import false_discoveries
from warehouse.signals.judging import Evidence, Judged, Unjudged, judged_sums
from warehouse.signals.rounds import judged_rounds
from warehouse.signals.sums import WEEK, Sums, added, weekly_sums

# so many of the signals of some days may be false
FALSE_DISCOVERY_RATE = 0.05
# a week is judged by itself, and together with the three before it; of the chance to be wrong either has its part
RUN_WEEKS = 4
_PARTS = (0.2, 0.8)
# with fewer days it matters which weekdays they are
_ANY_WEEKDAYS = timedelta(days=28)

Direction = Literal["up", "down"]


@dataclass(frozen=True)
class Verdict:
    """`signal`, `normal` variation, or `unknown`; `judged` is what it was reached from."""

    kind: Literal["signal", "normal", "unknown"]
    judged: Judged

    @property
    def direction(self) -> Direction | None:
        """Whither the number went from its baseline; None but for a signal."""
        one = self.judged
        if self.kind != "signal" or one.now is None or one.usual is None:
            return None
        return "up" if one.now > one.usual else "down"

    @property
    def is_better(self) -> bool | None:
        """Whether it went where it should; None but for a signal."""
        if self.direction is None:
            return None
        return (self.direction == "up") == (declared()[self.judged.metric].better == "higher")


@dataclass(frozen=True)
class Signals:
    """The signals among all `judged` numbers of some days, the largest first.

    A number of these days whose chance is at most `highest_chance` is a signal.
    """

    found: tuple[Verdict, ...]
    judged: int
    highest_chance: float


def signals(facts: Facts, settings: Settings, first: date, end: date) -> Signals:
    """The signals of the days from `first` to before `end`, of all metrics of all scopes."""
    return among(all_judged(facts, first, end), settings)


def all_judged(facts: Facts, first: date, end: date) -> list[Judged]:
    """Every number of the days from `first` to before `end`, of all metrics and scopes, judged."""
    return [one for by in SCOPES for one in judged_numbers(facts, by, first, end).values()]


def among(numbers: Iterable[Judged], settings: Settings) -> Signals:
    """The signals among `numbers`, all that there are of the same days.

    Groups have the rows of their teams once more: they are held to the same chance, and make it no other one, so that
    whoever draws a hierarchy makes a signal of nothing.
    """
    found = [one for one in numbers if one.chance is not None]
    chances = [one.chance for one in found if one.chance is not None and one.scope != "group"]
    highest = false_discoveries(chances, FALSE_DISCOVERY_RATE)
    verdicts = (verdict(one, highest, settings) for one in found)
    return Signals(largest_first(one for one in verdicts if one.kind == "signal"), len(chances), highest)


def below_scope(facts: Facts, of: Signals, scope: Scope, name: str) -> list[Verdict]:
    """The signals of what is below a scope, as it belongs to it now."""
    if scope == "organisation":
        # what a group has, its teams have
        return [one for one in of.found if one.judged.scope not in ("organisation", "group")]
    rows = facts.connection.execute(
        f"select f.service, f.team from {scoped('services', scope)} where f.{scope} = ?", [name]
    ).fetchall()
    names = {("service", service) for service, _ in rows} if scope != "service" else set()
    if scope in ("system", "group"):
        names |= {("team", team) for _, team in rows}
    return [one for one in of.found if (one.judged.scope, one.judged.name) in names]


def largest_first(found: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts in the order of how many changes, deployments, incidents or answers are affected."""
    return tuple(
        sorted(
            found,
            key=lambda one: (
                -one.judged.affected,
                SCOPES.index(one.judged.scope),
                one.judged.name,
                one.judged.metric,
            ),
        )
    )


def verdict(one: Judged, highest_chance: float, settings: Settings) -> Verdict:
    """What is to be said of `one` among all numbers of its days; what is too small to matter is no signal."""
    if one.chance is None:
        return Verdict("unknown", one)
    # the four weeks may differ too little where the week by itself does not
    for told in (one, one.week):
        if told and told.chance is not None and told.chance <= highest_chance and _matters(told, settings):
            return Verdict("signal", told)
    return Verdict("normal", one.week or one)


def could_be_signal(one: Judged, settings: Settings) -> bool:
    """Whether it is one among any numbers: no chance above the share of signals that may be false ever is."""
    return verdict(one, FALSE_DISCOVERY_RATE, settings).kind == "signal"


def _matters(one: Judged, settings: Settings) -> bool:
    if one.now is None or one.usual is None:
        return False
    return abs(one.now - one.usual) >= settings.signals.least_of(one.metric)


def judged_numbers(
    facts: Facts,
    by: Scope,
    first: date,
    end: date,
    where: Mapping[str, str] | None = None,
    metrics: Collection[str] | None = None,
) -> dict[tuple[str, str], Judged]:
    """(metric, name) -> the number of the days from `first` to before `end`, judged; as values are named.

    A week is judged by itself and together with the three before it, and told as what is the less likely chance. What
    lies before an event that makes the number anew is no part of its baseline.
    """
    where = narrowed(facts, where or {})
    wanted = [
        metric
        for metric in keys().values()
        if (metrics is None or metric.id in metrics)
        and (ASSISTANCE not in where or metric.fact != "responses")
    ]
    of_rows = [metric for metric in wanted if metric.fact != "responses"]
    spans = [(first, end)]
    if end - first == WEEK:
        spans.append((end - RUN_WEEKS * WEEK, end))
    book = event_book(facts)
    found = _judged_rows(facts, book, of_rows, by, where, spans)
    if len(of_rows) < len(wanted):
        found |= {(one.metric, one.name): one for one in judged_rounds(facts, book, by, where, first, end)}
    return found


def _judged_rows(
    facts: Facts,
    book: EventBook,
    metrics: Sequence[Metric],
    by: Scope,
    where: Mapping[str, str],
    spans: list[tuple[date, date]],
) -> dict[tuple[str, str], Judged]:
    column = None if by == "organisation" else by
    befores = [baseline(first) for first, _ in spans]
    start, end = min(first for first, _ in befores), max(after for _, after in spans)
    sums = weekly_sums(facts, metrics, column, where, start, end)
    times = [metric for metric in metrics if metric.statistic in ("median", "mean")]
    of_times = pooled(facts, times, column, where, [Bucket(*days) for days in (*spans, *befores)])
    own = {name: _own_baselines(book, by, where, name, spans) for name in {name for _, name in sums}}
    # of these several may begin on one day
    of_others = {
        days: pooled(facts, times, column, where, [Bucket(*days)])
        for days in {days for of_name in own.values() for days in of_name} - {*befores}
        if days[0] < days[1]
    }
    is_whole = _is_whole(spans[0]) and spans[0][1] <= today(facts)

    def judge(metric: Metric, name: str, days: tuple[date, date], before: tuple[date, date]) -> Judged:
        weeks = sums[metric.id, name]
        parts = _within(weeks, start, days), _within(weeks, start, before)
        now, usual = map(added, parts)
        usual_times = of_times if before in befores else of_others.get(before, {})
        middles = iter(
            of.get((metric.id, name), {}).get(first, NOTHING).value
            for of, (first, _) in ((of_times, days), (usual_times, before))
        )
        one = Judged(
            metric.id,
            by,
            name or facts.organization,
            *days,
            now=_number(metric, now, next(middles)),
            usual=_number(metric, usual, next(middles)),
            n=now.n,
            weeks_before=(before[1] - before[0]) // WEEK,
        )
        if not is_whole:
            return replace(one, unjudged="days")
        if metric.statistic == "share" and any(of.watched < LEAST_WATCHED * of.n for of in (now, usual)):
            return replace(one, unjudged="few")
        return _with_evidence(one, judged_sums(metric, now, parts[1]))

    return {
        (metric.id, name or facts.organization): _less_likely(
            [judge(metric, name, *both) for both in zip(spans, own[name], strict=True)]
        )
        for metric in metrics
        for name in sorted({name for of, name in sums if of == metric.id})
    }


def _own_baselines(
    book: EventBook, by: Scope, where: Mapping[str, str], name: str, spans: Sequence[tuple[date, date]]
) -> list[tuple[date, date]]:
    """The baseline of each of the spans, without what lies before what made the number of `name` anew.

    The first span is what was asked for. One that begins earlier has none where something began anew in between.
    """
    events = book.seen_with({**names_only(where), **({} if by == "organisation" else {by: name})})
    anew = anew_since(events, spans[0][0])
    return [baseline(first, anew) if anew is None or anew <= first else (first, first) for first, _ in spans]


def _within(weeks: Sequence[Sums], start: date, days: tuple[date, date]) -> list[Sums]:
    first, end = ((day - start).days / 7 for day in days)
    return [week for at, week in enumerate(weeks) if first <= at < end]


def _is_whole(days: tuple[date, date]) -> bool:
    length = days[1] - days[0]
    return length % WEEK == timedelta(0) or length >= _ANY_WEEKDAYS


def _number(metric: Metric, of: Sums, middle: float | None) -> float | None:
    """The metric's value, of times their `middle`."""
    if metric.statistic == "rate":
        return of.n / of.days if of.days else None
    if metric.statistic == "share":
        return of.counted / of.n if of.n else None
    return middle


def _with_evidence(one: Judged, found: Evidence | Unjudged) -> Judged:
    if not isinstance(found, Evidence):
        return replace(one, unjudged=found)
    if one.now is None or one.usual is None:
        return replace(one, unjudged="history")
    # rows that went one way while the numbers that are shown went the other say nothing
    agree = found.more == (one.now > one.usual)
    return replace(one, chance=found.chance if agree else 1.0, affected=found.affected)


def _less_likely(spans: Sequence[Judged]) -> Judged:
    """What the days are told as: a week by itself, or with those before it where that is surer and it goes along."""
    if len(spans) == 1:
        return spans[0]
    alone, run = (
        replace(one, chance=min(1.0, one.chance / part)) if one.chance is not None else one
        for one, part in zip(spans, _PARTS, strict=True)
    )
    if run.chance is None or not _goes_along(alone, run):
        return alone
    is_surer = alone.chance is None or run.chance < alone.chance
    return replace(run, week=alone) if is_surer else alone


def _goes_along(week: Judged, run: Judged) -> bool:
    if week.now is None or run.now is None or run.usual is None:
        return False
    return (week.now - run.usual) * (run.now - run.usual) > 0
