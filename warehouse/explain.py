"""The rows behind a number, and those left out with the reason: the number can be worked out again from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from config.errors import ConfigurationError
from config.metrics import Metric
from config.metrics import metrics as declared
from config.settings import Settings
from warehouse.facts import Facts
from warehouse.periods import full_range
from warehouse.reasons import left_out, rule
from warehouse.satisfaction import histogram, rounds, shown_group
from warehouse.values import SCOPES, Scope, compute, narrowing

# where a row without an instant that decides its period is listed: by its start
_STARTS = {
    "deployments": "f.started_at",
    "incidents": "f.opened_at",
    "recoveries": "f.finished_at",
    "changes": "f.authored_at",
    "repositories": "f.created_at",
}
_STATISTICS = {"median": "median of value", "mean": "mean of value", "share": "mean of value (0 or 1)"}


@dataclass(frozen=True)
class Explanation:
    """A number with its rows.

    Each row has its fact's columns, `value` (what entered the statistic, None where the row is left out), `rule` (the
    rule that made it count), `excluded_because` (None where it counts) and `url`. Satisfaction has a histogram instead:
    a row a score, `n` respondents. `covered_days` divides a rate and is None for the others; `left_out` counts the
    rows that do not count by reason.
    """

    metric: str
    scope: Scope
    name: str
    period_start: date
    period_end: date
    value: float | None
    unit: str
    n: int
    status: str
    statistic: str
    rule: str
    covered_days: int | None
    left_out: dict[str, int]
    rows: list[dict[str, Any]]


def explain(
    facts: Facts,
    settings: Settings,
    metric: str,
    where: Mapping[str, str] | None = None,
    start: date | None = None,
    end: date | None = None,
) -> Explanation:
    """What `metric` (an id) is made of in a range, for the organisation or what `where` narrows it to.

    The rows that count come first, in order of time. Raises ConfigurationError as `compute` does.
    """
    where = dict(where or {})
    about = declared()[metric]
    scope: Scope = next((s for s in reversed(SCOPES) if s in where), "organisation")
    first, after = full_range(facts, start, end)
    of_scope = compute(facts, settings, scope, None, first, after, where, [metric])
    named = [value for value in of_scope if scope == "organisation" or value.name == where[scope]]
    if not named:
        asked = ", ".join(f"{key}={name}" for key, name in where.items())
        raise ConfigurationError(f"nothing is {asked} at once; drop one of them")
    value = named[0]
    rows = (
        _scores(facts, where, scope, after)
        if about.fact == "responses"
        else _rows(facts, about, where, first, after)
    )
    covered = _covered_days(facts, about, where, first, after) if about.statistic == "rate" else None
    statistic = f"count / {covered} covered days" if covered is not None else _STATISTICS[about.statistic]
    return Explanation(
        metric=metric,
        scope=scope,
        name=value.name,
        period_start=first,
        period_end=after,
        value=value.value,
        unit=about.unit,
        n=value.n,
        status=value.status,
        statistic=statistic,
        rule=about.rule,
        covered_days=covered,
        left_out=left_out(rows),
        rows=[row | {"rule": rule(metric, row)} for row in rows],
    )


def _rows(
    facts: Facts, metric: Metric, where: Mapping[str, str], start: date, end: date
) -> list[dict[str, Any]]:
    begins = _STARTS[metric.fact]
    sql = (
        f"select f.*, f.{metric.excluded} as left_out,"
        f" case when f.{metric.excluded} is null then {_input(metric)} end as value"
        f" from {metric.fact} as f"
        f" where coalesce(f.day, cast(timezone($zone, timezone('UTC', {begins})) as date)) >= $start"
        f" and coalesce(f.day, cast(timezone($zone, timezone('UTC', {begins})) as date)) < $end{narrowing(where)}"
        f" order by left_out is not null, coalesce(f.at, {begins}), {', '.join(f'f.{c}' for c in metric.entity)}"
    )
    result = facts.connection.execute(sql, {**where, "start": start, "end": end, "zone": facts.timezone})
    columns = [column[0] for column in result.description or ()]
    entities: dict[tuple[Any, ...], dict[str, Any]] = {}
    for found in result.fetchall():
        row = dict(zip(columns, found, strict=True))
        row["excluded_because"] = row.pop("left_out")
        if metric.excluded != "excluded_because":
            row.pop(metric.excluded)
        known = entities.setdefault(tuple(row[c] for c in metric.entity), row)
        if (
            known is not row and row["excluded_because"] is None
        ):  # shared by services: counted once for all of them
            services = {*str(known["service"]).split(", "), str(row["service"])}
            known["service"] = ", ".join(sorted(services))
            known["value"] = max(known["value"], row["value"])
    return list(entities.values())


def _input(metric: Metric) -> str:
    return metric.input if metric.input.isdigit() else f"f.{metric.input}"


def _covered_days(facts: Facts, metric: Metric, where: Mapping[str, str], start: date, end: date) -> int:
    sql = (
        "select count(distinct f.day) from covered_days as f"
        f" where f.fact = $fact and f.day >= $start and f.day < $end{narrowing(where)}"
    )
    bound = {**where, "fact": metric.covered_by, "start": start, "end": end}
    return int(facts.connection.execute(sql, bound).fetchall()[0][0])


def _scores(facts: Facts, where: Mapping[str, str], scope: Scope, end: date) -> list[dict[str, Any]]:
    """A row a score of the round shown; nothing where the group is withheld."""
    if scope not in ("organisation", "team") or set(where) - {"team"}:
        return []
    group = shown_group(rounds(facts), end, where.get("team"))
    if group is None:
        return []
    return [
        {
            "round": group.round,
            "closed_on": group.closed_on,
            "team": group.team,
            "score": score,
            "n": n,
            "value": score,
            "excluded_because": None,
            "url": None,
        }
        for score, n in histogram(facts, group).items()
    ]
