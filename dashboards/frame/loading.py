"""What every page reads of the facts file, in one opening of it each."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from config.settings import Settings
from dashboards.frame.published import Published, read_once
from dashboards.frame.state import State
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import full_range
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.satisfaction import teams_below
from warehouse.metrics.values import SELDOM, Scope, Value, compute
from warehouse.signals.judging import Judged
from warehouse.signals.verdicts import Signals, Verdict, could_be_signal, signals, verdict
from warehouse.trust import ownership, runs_and_doubts
from warehouse.trust.readings import Readings, readings


def rests_on(warehouse: Path, settings: Settings, where: tuple[tuple[str, str], ...]) -> Readings:
    """Until when the sources were read well that tell of what `where` narrows to, as (key, name)."""
    with open_facts(warehouse) as facts:
        return readings(facts, settings, dict(where))


def state(warehouse: Path) -> State:
    """The published facts' own description: their age, the services, how the sources did."""
    with open_facts(warehouse) as facts:
        services = ownership.services(facts)
        return State(
            path=str(facts.path),
            organization=facts.organization,
            timezone=facts.timezone,
            as_of=facts.as_of,
            warning=facts.warning,
            services=services,
            teams=ownership.teams(facts),
            systems=tuple(sorted({service.system for service in services if service.system})),
            runs=runs_and_doubts.last_runs(facts),
            first_day=full_range(facts, None, None)[0],
            groups=teams_below(facts),
        )


def last_known(
    facts: Facts, settings: Settings, by: Scope, where: Mapping[str, str], end: date, values: Iterable[Value]
) -> dict[str, Value]:
    """By name the time to first commit of the last week before `end` that has one, of those `values` that have none.

    Repositories are made seldom: what is asked of them is answered by the last that there were.
    """
    asked = {value.name for value in values if value.metric == SELDOM and value.status == "none"}
    if not asked:
        return {}
    weeks = compute(facts, settings, by, "week", None, end, where, [SELDOM])
    ordered = sorted(weeks, key=lambda week: week.period_start)
    return {week.name: week for week in ordered if week.name in asked and week.value is not None}


def signals_of_days(warehouse: Path, settings: Settings, first: date, end: date) -> Signals:
    """All signals of the days from `first` to before `end`, whoever's."""
    with open_facts(warehouse) as facts:
        return signals(facts, settings, first, end)


def verdicts_on(
    published: Published, settings: Settings, judged: Iterable[Judged], days: tuple[date, date]
) -> dict[str, Verdict]:
    """By metric the verdict on each of a view's `judged` numbers of `days`, among all numbers of these."""
    found = list(judged)
    if not any(could_be_signal(one, settings) for one in found):
        return {one.metric: verdict(one, 0.0, settings) for one in found}
    highest = read_once(signals_of_days, published, settings, *days).highest_chance
    return {one.metric: verdict(one, highest, settings) for one in found}
