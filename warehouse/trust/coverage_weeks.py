"""Coverage over time: of what share of each week's rows the cause is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from warehouse.metrics.facts import Facts
from warehouse.metrics.values import narrowing
from warehouse.trust.coverage import IS_EVIDENCE, IS_UNNAMED, IS_UNTOLD, OPENED, OPENED_WITHIN


@dataclass(frozen=True)
class CoverageWeek:
    """A week's counted deployments and changes and its incidents, and of how many the cause is known.

    Those of which an import leaves out what would tell it are not among them.
    """

    monday: date
    deployments: int = 0
    traced: int = 0
    changes: int = 0
    with_pull_request: int = 0
    incidents: int = 0
    linked: int = 0


_WEEK = "cast(date_trunc('week', {day}) as date)"
# each with the same meaning as in `coverage`, where a range is pooled
_COUNTED = (
    "deployments as f where f.excluded_because is null"
    f" and not {IS_UNTOLD} and f.day >= $start and f.day < $end{{narrowing}}"
)
_DEPLOYMENTS = (
    f"select e.week, count(*), count(*) filter (where e.traced) from ("
    f" select {_WEEK.format(day='f.day')} as week, f.new_commits is not null as traced"
    f" from {_COUNTED} and not f.is_shared"
    f" union all select {_WEEK.format(day='f.day')}, bool_or(f.new_commits is not null)"
    f" from {_COUNTED} and f.is_shared group by 1, f.source, f.id) as e group by e.week"
)
_CHANGES = (
    f"select {_WEEK.format(day='f.day')} as week, count(*), count(f.pull_request) from changes as f"
    " where f.excluded_because is null and f.day >= $start and f.day < $end{narrowing} group by week"
)
_INCIDENTS = (
    f"select {_WEEK.format(day=OPENED)} as week, count(*), count(f.blamed_by) from incidents as f"
    f" where {IS_EVIDENCE} and not {IS_UNNAMED} and {OPENED_WITHIN}{{narrowing}} group by week"
)


def coverage_weeks(facts: Facts, start: date, end: date, where: Mapping[str, str]) -> list[CoverageWeek]:
    """One for each week from the Monday `start` to before the Monday `end`, also where there are no rows."""
    bound = {"start": start, "end": end, **where}
    found = [
        {week: counts for week, *counts in facts.connection.execute(sql, bound | more).fetchall()}
        for sql, more in (
            (_DEPLOYMENTS.format(narrowing=narrowing(where)), {}),
            (_CHANGES.format(narrowing=narrowing(where)), {}),
            (_INCIDENTS.format(narrowing=narrowing(where)), {"zone": facts.timezone}),
        )
    ]
    mondays = [start + timedelta(weeks=number) for number in range((end - start).days // 7)]
    return [
        CoverageWeek(monday, *(count for each in found for count in each.get(monday, (0, 0))))
        for monday in mondays
    ]
