"""What a page reads from the facts file, in one opening of it each."""

from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from dashboards.frame import view as periods
from dashboards.frame.loading import last_known
from dashboards.frame.view import Filters
from warehouse.metrics.events import KnownEvent, event_book
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import full_range, today
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import Scope, Value, compute
from warehouse.signals.judging import Judged
from warehouse.signals.verdicts import judged_numbers
from warehouse.trust import runs_and_doubts
from warehouse.trust.runs_and_doubts import Doubts
from warehouse.trust.unwatched import Unwatched, unwatched

ROW_SCOPES: dict[str, tuple[Scope, ...]] = {
    "both": ("team", "service"),
    "team": ("team",),
    "service": ("service",),
    "system": ("system",),
}


@dataclass(frozen=True)
class Numbers:
    """The values of a view: of its own scope now, judged and by week, and of each scope below it.

    `blind` tells by scope and name where services have no source of incidents; `events` are those of the view.
    `last_known` is the time to first commit of the last week that has one, where the period has none.
    """

    current: list[Value]
    judged: list[Judged]
    history: list[Value]
    below: list[Value]
    blind: dict[tuple[Scope, str], Unwatched]
    doubts: Doubts
    events: tuple[KnownEvent, ...] = ()
    last_known: Value | None = None


def numbers(warehouse: Path, settings: Settings, filters: Filters) -> Numbers:
    """All values that the overview of `filters` shows."""
    with open_facts(warehouse) as facts:
        return numbers_of(facts, settings, filters)


def numbers_of(facts: Facts, settings: Settings, filters: Filters) -> Numbers:
    """The same from facts that are open."""
    start, end = periods.view_days(filters, today(facts))
    first, last = periods.history(filters, today(facts))
    scope, where = filters.scope, filters.where
    below: tuple[Scope, ...] = ROW_SCOPES[filters.rows]
    days = full_range(facts, start, end)
    current = compute(facts, settings, scope, start=start, end=end, where=where)
    return Numbers(
        current=current,
        judged=list(judged_numbers(facts, scope, *days, where).values()) if start else [],
        history=compute(facts, settings, scope, period="week", start=first, end=last, where=where),
        below=[
            value
            for by in below
            for value in (
                current if by == scope else compute(facts, settings, by, start=start, end=end, where=where)
            )
        ],
        blind={
            (by, name): found
            for by in {scope, *below}
            for name, found in unwatched(facts, by, *days, where).items()
        },
        doubts=runs_and_doubts.doubts(facts, start, end, where),
        events=event_book(facts).seen_with(where),
        last_known=last_known(facts, settings, scope, where, days[1], current).get(
            where.get(scope, facts.organization)
        ),
    )
