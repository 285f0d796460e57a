"""The metrics' values: from pooled rows, for a scope and a period, against the targets."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from itertools import repeat
from typing import Any, Literal, get_args

from config.errors import ConfigurationError
from config.metrics import Metric, find, keys
from config.metrics import metrics as declared
from config.names import find_name
from config.settings import Settings
from config.targets import Target
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import Bucket, Period, buckets, full_range, midnight, today
from warehouse.metrics.pooled import (
    ASSISTANCE,
    ASSISTED_FACTS,
    NOTHING,
    Pooled,
    PooledStretches,
    names_only,
    narrowing,
    pooled,
    scoped,
)
from warehouse.metrics.satisfaction import asked_people, round_doubts, rounds, shown_group, teams_below
from warehouse.metrics.target_levels import TargetLevels

Scope = Literal["organisation", "system", "group", "team", "service"]
Status = Literal[
    "met", "missed", "insufficient", "none", "no data", "withheld", "value", "unwatched", "not applicable"
]
# a rate of failures says nothing where more than a fifth of its deployments would have failed unnoticed
LEAST_WATCHED = 0.8
SCOPES: tuple[Scope, ...] = get_args(Scope)
SATISFACTION = "developer_satisfaction"
# repositories are made so seldom that the last number is told, with its week, where the days have none
SELDOM = "time_to_first_commit"


def kept_name(scope: str, name: str) -> str:
    """The name under which what was told of a scope is kept: the organisation has none, so that it may be renamed."""
    return "" if scope == "organisation" else name


def narrowest(where: Mapping[str, str]) -> Scope:
    """Of what the number of a narrowing is: its service, else its team, its group, its system."""
    return next((scope for scope in reversed(SCOPES) if scope in where), "organisation")


def measured(facts: Facts, settings: Settings) -> list[str]:
    """The keys, and of the platform's metrics those that have a target or a row: their ids."""
    aimed = {metric.id for entry in settings.metrics if (metric := find(entry.name))}
    return [
        metric.id
        for metric in declared().values()
        if metric.group == "keys"
        or metric.id in aimed
        or facts.connection.execute(f"from {metric.fact} limit 1").fetchall()
    ]


# not frozen: a table is of a hundred thousand of them, and each would take three times as long to make
@dataclass(unsafe_hash=True)
class Value:
    """One number: `value`, `p75` and `p90` in the metric's unit, None where missing; `period_end` is exclusive.

    `status` is `value` where there is one but no target to hold it against. `partial`: the period is still running;
    `provisional`: a rate of failures that an incident may still raise, since its window has not passed. `watched`
    is the share of a rate's deployments whose incidents are read, None for other metrics. `remark` says what to know of
    the survey round that satisfaction is of.
    """

    metric: str
    scope: Scope
    name: str
    period_start: date
    period_end: date
    value: float | None
    unit: str
    n: int
    target: str | None
    status: Status
    partial: bool
    p75: float | None = None
    p90: float | None = None
    provisional: bool = False
    watched: float | None = None
    remark: str = ""


def compute(
    facts: Facts,
    settings: Settings,
    by: Scope = "organisation",
    period: Period | None = None,
    start: date | None = None,
    end: date | None = None,
    where: Mapping[str, str] | None = None,
    metrics: Collection[str] | None = None,
) -> list[Value]:
    """The values of the keys (or of the metrics named), by scope and period, in the order metric, name, period.

    `where` narrows to a system, group, team or service, and by `assistance` to what an agent helped with or not: only
    metrics of changes and deployments have that, and no target. A name or period without rows is there too, with its
    status. Raises ConfigurationError for a narrowing that is none, names nothing known, or that a metric named does not
    have.
    """
    columns = value_columns(facts, settings, by, period, start, end, where, metrics)
    return [*map(Value, *columns.values())]


def value_columns(
    facts: Facts,
    settings: Settings,
    by: Scope = "organisation",
    period: Period | None = None,
    start: date | None = None,
    end: date | None = None,
    where: Mapping[str, str] | None = None,
    metrics: Collection[str] | None = None,
) -> dict[str, list[Any]]:
    """What `compute` gives as a list for each field of a `Value`, in their order."""
    where = narrowed(facts, where or {})
    owned, is_parted = names_only(where), ASSISTANCE in where
    periods = buckets(period, *full_range(facts, start, end))
    names = _names(facts, by, owned)
    now, levels = today(facts), TargetLevels(facts.connection, settings)
    wanted = [metric for id, metric in declared().items() if id in (keys() if metrics is None else metrics)]
    if is_parted:
        wanted = _with_assistance(wanted, is_asked=metrics is not None)
    of_rows = [metric for metric in wanted if metric.fact != "responses"]
    counted = pooled(facts, of_rows, None if by == "organisation" else by, where, periods)
    without = _without(facts, by, owned)
    remarks: Mapping[tuple[str, str], Mapping[date, str]] = {}
    if len(of_rows) < len(wanted):
        of_rounds, remarks = _satisfaction(facts, by, where, names, periods)
        counted = {**counted, **of_rounds}
    starts, ends = [one.start for one in periods], [one.end for one in periods]
    running = [one.start <= now < one.end for one in periods]
    rising = [facts.as_of < midnight(facts, one.end) + settings.incidents.window for one in periods]
    found: dict[str, list[Any]] = {field.name: [] for field in fields(Value)}
    for metric in wanted:
        for name in names:
            target = None if is_parted else levels.target(metric.id, by, name)
            is_without = name in without.get(metric.id, ())
            of_days, remark = counted.get((metric.id, name), {}), remarks.get((metric.id, name), {})
            told = [of_days.get(first, NOTHING) for first in starts]
            values = [_value(metric, of) for of in told]
            block: dict[str, Iterable[Any]] = {
                "metric": repeat(metric.id, len(periods)),
                "scope": repeat(by, len(periods)),
                "name": repeat(name or facts.organization, len(periods)),
                "period_start": starts,
                "period_end": ends,
                "value": values,
                "unit": repeat(metric.unit, len(periods)),
                "n": [of.n for of in told],
                "target": repeat(target.text if target else None, len(periods)),
                "status": [
                    _status(metric, value, of, is_without, target)
                    for value, of in zip(values, told, strict=True)
                ],
                "partial": running,
                "p75": [of.p75 for of in told],
                "p90": [of.p90 for of in told],
                "provisional": [
                    metric.needs_incidents and may_rise and value is not None
                    for value, may_rise in zip(values, rising, strict=True)
                ],
                "watched": [of.watched for of in told],
                "remark": [remark.get(first, "") for first in starts],
            }
            for column, part in block.items():
                found[column] += part
    return found


def _with_assistance(wanted: list[Metric], is_asked: bool) -> list[Metric]:
    lacking = [metric.name for metric in wanted if metric.fact not in ASSISTED_FACTS]
    if lacking and is_asked:
        raise ConfigurationError(
            f"{lacking[0]} is made of neither changes nor deployments; drop {ASSISTANCE}=…, or ask for another metric"
        )
    return [metric for metric in wanted if metric.fact in ASSISTED_FACTS]


def as_rows(values: Iterable[Value]) -> list[dict[str, Any]]:
    """The values as `sixkeys metrics --format json` gives them, days as ISO dates."""
    return [
        vars(value)
        | {"period_start": value.period_start.isoformat(), "period_end": value.period_end.isoformat()}
        for value in values
    ]


def narrowed(facts: Facts, where: Mapping[str, str]) -> dict[str, str]:
    """`where` with the names as they are known, however they are written; raises as `compute` does."""
    found: dict[str, str] = {}
    for key, name in where.items():
        if key == ASSISTANCE and name in ("agent", "none"):
            found[key] = name
            continue
        if key not in SCOPES[1:]:
            raise ConfigurationError(
                f'"{key}={name}" narrows nothing; write system=…, group=…, team=… or service=…,'
                " assistance=agent or …=none"
            )
        names = (
            "select f.name from groups as f"
            if key == "group"
            else f"select distinct f.{key} from owners as f"
        )
        known = {row[0] for row in facts.connection.execute(names).fetchall()}
        if key == "team":
            known |= {
                row[0] for row in facts.connection.execute("select distinct team from responses").fetchall()
            }
        meant = find_name(name, (one for one in known if one))
        if meant is None:
            some = ", ".join(sorted(k for k in known if k)[:12]) or "none"
            raise ConfigurationError(f'there is no {key} "{name}"; known: {some}')
        found[key] = meant
    return found


# what left the catalogue again without ever having been deployed need not be named
_WAS_THERE = (
    "f.service not in (select s.service from services as s where s.gone_at is not null"
    " and s.service not in (select d.service from deployments as d where d.service is not null))"
)


def _names(facts: Facts, by: Scope, where: Mapping[str, str]) -> list[str]:
    """The names of the scope, the organisation's being empty; those without an owner are in the roll-up only."""
    if by == "organisation":
        return [""]
    sql = (
        f"select distinct f.{by} from {scoped('owners', by, where)}"
        f" where f.{by} is not null{narrowing(where)} and {_WAS_THERE}"
    )
    names = {row[0] for row in facts.connection.execute(sql, where).fetchall()}
    if by in ("group", "team") and not set(where) - {"group", "team"}:
        # a team may answer the survey without owning a service
        sql = f"select distinct f.{by} from {scoped('responses', by, where)} where f.team is not null{narrowing(where)}"
        names |= {row[0] for row in facts.connection.execute(sql, where).fetchall()}
    return sorted(names)


def _satisfaction(
    facts: Facts, by: Scope, where: Mapping[str, str], names: Iterable[str], periods: Collection[Bucket]
) -> tuple[PooledStretches, Mapping[tuple[str, str], Mapping[date, str]]]:
    """The last closed round's mean, and what to know of it, as `pooled` gives what is made of rows.

    There is one of the organisation, of groups and of teams only.
    """
    if by in ("system", "service") or set(where) - {"group", "team"}:
        return {}, {}
    of_facts, below = rounds(facts), teams_below(facts)
    found, remarks = {}, {}
    for name in names:
        whose = asked_people(where if by == "organisation" else {**where, by: name}, below)
        groups = {one.start: shown_group(of_facts, one.end, whose) for one in periods}
        found[SATISFACTION, name] = {
            first: Pooled(group.score, group.n) for first, group in groups.items() if group is not None
        }
        remarks[SATISFACTION, name] = {
            one.start: ". ".join(round_doubts(of_facts, one.end, whose)) for one in periods
        }
    return found, remarks


def _without(facts: Facts, by: Scope, where: Mapping[str, str]) -> dict[str, set[str]]:
    """By metric the names for which it cannot be: nothing of theirs is deployed, no commit of theirs was read."""
    name = "''" if by == "organisation" else f"f.{by}"
    grouped = f" where {name} is not null{narrowing(where)} group by 1"
    questions = {
        "deployment_frequency": "bool_and(f.service in (select w.service from without_deployments as w))",
        "lead_time": "not bool_or(f.has_commits)",
    }
    return {
        metric: {
            found
            for (found,) in facts.connection.execute(
                f"select {name} from {scoped('services', by, where)}{grouped} having {condition}", where
            ).fetchall()
        }
        for metric, condition in questions.items()
    }


def _value(metric: Metric, of: Pooled) -> float | None:
    if metric.statistic != "rate":
        return of.value
    return of.n / of.days if of.days else None


def _status(
    metric: Metric, value: float | None, of: Pooled, is_without: bool, target: Target | None
) -> Status:
    if value is None or (metric.statistic == "rate" and is_without and not of.n):
        if metric.fact == "responses" and of.n:
            return "withheld"
        if is_without:
            return "not applicable" if metric.statistic == "rate" else "no data"
        return "none" if of.days else "no data"
    if of.watched is not None and of.watched < LEAST_WATCHED:
        return "unwatched"
    if of.n < metric.floor:
        return "insufficient"
    if target is None:
        return "value"
    return "met" if target.met_by(value) else "missed"
