"""The metrics' values: from pooled rows, for a scope and a period, against the targets."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal, get_args

from config.errors import ConfigurationError
from config.metrics import Metric
from config.metrics import metrics as declared
from config.settings import Settings
from warehouse.facts import Facts
from warehouse.periods import Bucket, Period, buckets, full_range, key_sql, midnight, today
from warehouse.satisfaction import rounds, shown_group

Scope = Literal["organisation", "system", "team", "service"]
Status = Literal["met", "missed", "insufficient", "none", "no data", "withheld", "value"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

# how a metric's rows become its value; a rate is a count until it is divided by the covered days
STATISTICS = {
    "median": "median(e.input)",
    "mean": "avg(e.input)",
    "share": "avg(cast(e.input as double))",
    "rate": "cast(count(*) as double)",
}


@dataclass(frozen=True)
class Value:
    """One number: `value`, `p75` and `p90` in the metric's unit, None where missing; `period_end` is exclusive.

    `status` is `value` where there is one but no target to hold it against. `partial`: the period is still running;
    `provisional`: a rate of failures that an incident may still raise, since its window has not passed.
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


def narrowing(where: Mapping[str, str]) -> str:
    """SQL after a condition on the fact `f`: one more for each key of `where`, bound as `$team` and so on."""
    return "".join(f" and f.{key} = ${key}" for key in sorted(where))


@dataclass(frozen=True)
class Selection:
    """What is asked for: the scope, the range, and the narrowing, checked once for all metrics."""

    by: Scope
    period: Period | None
    start: date
    end: date
    where: Mapping[str, str]

    @property
    def narrowing(self) -> str:
        """SQL for `where`; its values are bound as `$team` and so on."""
        return narrowing(self.where)

    @property
    def bound(self) -> dict[str, Any]:
        """The parameters that `narrowing` and the range need."""
        return {"start": self.start, "end": self.end, **self.where}

    @property
    def scope_sql(self) -> str:
        """SQL for the name of the scope that a fact row belongs to."""
        return "''" if self.by == "organisation" else f"f.{self.by}"


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
    """The values of all metrics (or those named), by scope and period, in the order metric, name, period.

    `where` narrows to a system, team or service. A name or period without rows is there too, with its status.
    Raises ConfigurationError for a narrowing that is none or names nothing known.
    """
    selection = Selection(by, period, *full_range(facts, start, end), _checked(facts, where or {}))
    periods = buckets(period, selection.start, selection.end)
    names = _names(facts, selection)
    now = today(facts)
    found: list[Value] = []
    for metric in declared().values():
        if metrics is not None and metric.id not in metrics:
            continue
        if metric.fact == "responses":
            rows = _satisfaction(facts, selection, names, periods)
            covered: dict[tuple[str, date], int] = {}
        else:
            rows = _rows(facts, metric, selection)
            covered = _covered(facts, metric, selection)
        for name in names:
            target = settings.target(metric.id, by, name)
            for one in periods:
                value, n, p75, p90 = rows.get((name, one.key), (None, 0, None, None))
                days = covered.get((name, one.key), 0)
                if metric.statistic == "rate":
                    value = n / days if days else None
                status = _status(metric, value, n, bool(days))
                if status == "value" and target is not None and value is not None:
                    status = "met" if target.met_by(value) else "missed"
                found.append(
                    Value(
                        metric=metric.id,
                        scope=by,
                        name=name or facts.organization,
                        period_start=one.start,
                        period_end=one.end,
                        value=value,
                        unit=metric.unit,
                        n=n,
                        target=target.text if target else None,
                        status=status,
                        partial=one.start <= now < one.end,
                        p75=p75,
                        p90=p90,
                        provisional=value is not None
                        and metric.statistic == "share"
                        and facts.as_of < midnight(facts, one.end) + settings.incidents.window,
                    )
                )
    return found


def as_rows(values: Iterable[Value]) -> list[dict[str, Any]]:
    """The values as `sixkeys metrics --format json` gives them, days as ISO dates."""
    return [
        asdict(value)
        | {"period_start": value.period_start.isoformat(), "period_end": value.period_end.isoformat()}
        for value in values
    ]


def _checked(facts: Facts, where: Mapping[str, str]) -> Mapping[str, str]:
    for key, name in where.items():
        if key not in SCOPES[1:]:
            raise ConfigurationError(f'"{key}={name}" narrows nothing; write system=…, team=… or service=…')
        known = {
            row[0] for row in facts.connection.execute(f"select distinct f.{key} from owners as f").fetchall()
        }
        if key == "team":
            known |= {
                row[0] for row in facts.connection.execute("select distinct team from responses").fetchall()
            }
        if name not in known:
            names = ", ".join(sorted(k for k in known if k)[:12]) or "none"
            raise ConfigurationError(f'there is no {key} "{name}"; known: {names}')
    return where


def _names(facts: Facts, selection: Selection) -> list[str]:
    """The names of the scope, the organisation's being empty; those without an owner are in the roll-up only."""
    if selection.by == "organisation":
        return [""]
    sql = f"select distinct f.{selection.by} from owners as f where f.{selection.by} is not null{selection.narrowing}"
    names = {row[0] for row in facts.connection.execute(sql, dict(selection.where)).fetchall()}
    if selection.by == "team" and not set(selection.where) - {"team"}:
        # a team may answer the survey without owning a service
        sql = "select distinct f.team from responses as f where f.team is not null" + selection.narrowing
        names |= {row[0] for row in facts.connection.execute(sql, dict(selection.where)).fetchall()}
    return sorted(names)


def _rows(facts: Facts, metric: Metric, selection: Selection) -> dict[tuple[str, date], tuple]:
    """(name, period) -> (value, n, p75, p90), each deployment, incident or repository counted once."""
    entity = ", ".join(f"f.{column}" for column in metric.entity)
    spread = "quantile_cont(e.input, 0.75), quantile_cont(e.input, 0.9)"
    sql = (
        f"with entities as ("
        f" select {selection.scope_sql} as name, {key_sql(selection.period)} as key, max(f.{metric.input}) as input"
        f" from {metric.fact} as f"
        f" where f.{metric.excluded} is null and f.day >= $start and f.day < $end{selection.narrowing}"
        f" group by name, key, {entity})"
        f" select e.name, e.key, {STATISTICS[metric.statistic]}, count(*),"
        f" {spread if metric.unit == 'seconds' else 'null, null'}"
        f" from entities as e where e.name is not null group by e.name, e.key"
    ).replace("max(f.1)", "1")
    rows = facts.connection.execute(sql, selection.bound).fetchall()
    return {(name, key): rest for name, key, *rest in rows}  # type: ignore[misc]


def _covered(facts: Facts, metric: Metric, selection: Selection) -> dict[tuple[str, date], int]:
    """(name, period) -> the days on which at least one of the scope's services was covered."""
    sql = (
        f"select {selection.scope_sql} as name, {key_sql(selection.period)} as key, count(distinct f.day)"
        f" from covered_days as f where f.fact = $fact and f.day >= $start and f.day < $end{selection.narrowing}"
        f" group by name, key"
    )
    rows = facts.connection.execute(sql, {**selection.bound, "fact": metric.covered_by}).fetchall()
    return {(name, key): days for name, key, days in rows}


def _satisfaction(
    facts: Facts, selection: Selection, names: Iterable[str], periods: Iterable[Bucket]
) -> dict[tuple[str, date], tuple]:
    """(name, period) -> the last closed round's mean; it exists for the organisation and for teams only."""
    if selection.by in ("system", "service") or set(selection.where) - {"team"}:
        return {}
    of_facts = rounds(facts)
    found = {}
    for name in names:
        for one in periods:
            group = shown_group(of_facts, one.end, name or selection.where.get("team"))
            if group is not None:
                found[name, one.key] = (group.score, group.n, None, None)
    return found


def _status(metric: Metric, value: float | None, n: int, is_covered: bool) -> Status:
    if value is None:
        if metric.fact == "responses" and n:
            return "withheld"
        return "none" if is_covered else "no data"
    return "insufficient" if n < metric.floor else "value"
