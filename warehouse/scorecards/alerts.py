"""Crossed targets: which metric of which scope misses its target, since when and by more than noise, or is back."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from config.metrics import keys
from config.settings import Settings
from warehouse.metrics.attainment import against_published_targets
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import BASELINE_WEEKS, iso_week, parse_week, today
from warehouse.metrics.values import Scope, Value, compute, kept_name
from warehouse.scorecards.due_weeks import first_week
from warehouse.signals.limits import usable
from warehouse.signals.verdicts import Verdict, signals
from warehouse.signals.wording import compared_numbers
from warehouse.storage.instants import naive
from warehouse.storage.store import open_warehouse

ALERTED_SCOPES: tuple[Scope, ...] = ("organisation", "system", "group", "team")


@dataclass(frozen=True)
class Alert:
    """A metric of a scope that `missed` its target in an ISO week, or `met` it again; `value` in the metric's unit.

    `since` is the first of the weeks in a row that it missed its target in, `reason` why that is more than noise.
    The week `target_until` is the last that was held against another target, `target_before`, or none.
    """

    scope: str
    name: str
    metric: str
    state: Literal["missed", "met"]
    week: str
    since: str
    value: float
    unit: str
    n: int
    target: str
    reason: str
    target_before: str | None = None
    target_until: str | None = None


def evaluate(facts: Facts, settings: Settings) -> list[Alert]:
    """What there is to tell of the last complete week, also what was found of it earlier; it is kept in the warehouse.

    A target is crossed where the week misses it with a signal for the worse, and any of the twelve weeks before met it.
    It is back in the first later week that meets it. A metric changes once a week at most, whatever data comes late.
    What was crossed in a week that ended before the first build is not told.
    """
    monday = today(facts) - timedelta(days=today(facts).weekday())
    week, first = iso_week(monday - timedelta(days=7)), first_week(facts)
    with open_warehouse(settings.warehouse) as opened:
        rows = opened.connection.execute("select content from alerts").fetchall()
    last = {_key(one): one for (content,) in rows if (one := _kept(content))}
    moved: dict[tuple[str, str, str], Verdict] = {
        (one.judged.scope, kept_name(one.judged.scope, one.judged.name), one.judged.metric): one
        for one in signals(facts, settings, monday - timedelta(days=7), monday).found
    }
    found = [
        alert
        for weeks in _weeks(facts, settings, monday)
        if (alert := _changed(weeks, last.get(_key(weeks[-1])), moved.get(_key(weeks[-1]))))
        and parse_week(alert.since) >= first
    ]
    if found:
        now = naive(datetime.now(UTC))
        with open_warehouse(settings.warehouse) as opened, opened.transaction():
            for one in found:
                key = _key(one)
                opened.connection.execute(
                    "delete from alerts where scope = ? and name = ? and metric = ?", key
                )
                opened.connection.execute(
                    "insert into alerts values (?, ?, ?, ?, ?)", [*key, json.dumps(asdict(one)), now]
                )
    return [*(one for one in last.values() if one.week == week), *found]


def _kept(content: str) -> Alert | None:
    """The alert that is kept; None for one that this version cannot read, of which nothing is known then."""
    try:
        told = json.loads(content)
        return Alert(**{field.name: told[field.name] for field in fields(Alert) if field.name in told})
    except (ValueError, TypeError):
        return None


def _key(of: Alert | Value) -> tuple[str, str, str]:
    return of.scope, kept_name(of.scope, of.name), of.metric


def _weeks(facts: Facts, settings: Settings, monday: date) -> list[list[Value]]:
    """The complete weeks before `monday`, oldest first, of each scope and metric with a target, held against theirs."""
    # a survey's score stays until the next round: a round is no week, and too few make no history
    ids = [metric.id for metric in keys().values() if metric.fact != "responses"]
    start = monday - timedelta(weeks=BASELINE_WEEKS + 1)
    by_key: dict[tuple[str, str, str], list[Value]] = {}
    for scope in ALERTED_SCOPES:
        found = compute(facts, settings, scope, "week", start, monday, metrics=ids)
        for value in against_published_targets(facts, found):
            by_key.setdefault(_key(value), []).append(value)
    ordered = (sorted(weeks, key=lambda week: week.period_start) for weeks in by_key.values())
    return [weeks for weeks in ordered if weeks[-1].target is not None]


def _changed(weeks: Sequence[Value], before: Alert | None, signal: Verdict | None) -> Alert | None:
    current = weeks[-1]
    week = iso_week(current.period_start)
    if not usable(current) or (before is not None and before.week >= week):
        return None
    if before is not None and before.state == "missed":
        # a rate that an incident may still raise is not back yet
        if current.status == "met" and not current.provisional:
            return _alert(weeks, "met", before.since, "")
        return None
    if current.status != "missed" or not any(usable(one) and one.status == "met" for one in weeks[:-1]):
        return None
    if signal is None or signal.is_better:
        return None
    return _alert(weeks, "missed", _since(weeks), compared_numbers(signal.judged))


def _since(weeks: Sequence[Value]) -> str:
    """The first of the last weeks in a row that missed the target; those that could not be judged do not break it."""
    first = weeks[-1]
    for week in reversed(weeks):
        if usable(week) and week.status == "met":
            break
        if usable(week) and week.status == "missed":
            first = week
    return iso_week(first.period_start)


def _alert(weeks: Sequence[Value], state: Literal["missed", "met"], since: str, reason: str) -> Alert:
    of = weeks[-1]
    other = next((one for one in reversed(weeks) if one.target != of.target), None)
    known: dict[str, Any] = {"value": of.value, "target": of.target}
    if other:
        known |= {"target_before": other.target, "target_until": iso_week(other.period_start)}
    return Alert(
        of.scope,
        of.name,
        of.metric,
        state,
        iso_week(of.period_start),
        since,
        unit=of.unit,
        n=of.n,
        reason=reason,
        **known,
    )
