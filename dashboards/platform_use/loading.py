"""What the page of the platform reads from the facts file."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from config.metrics import platform_metrics
from config.settings import Settings
from dashboards.frame import view as periods
from dashboards.frame.view import Filters
from warehouse.metrics.events import KnownEvent, event_book
from warehouse.metrics.golden_paths import PathValue, on_and_off_paths
from warehouse.metrics.periods import full_range, today
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import Value, compute
from warehouse.rows.before_and_after import EventComparison, around_moves
from warehouse.rows.catalogue_entries import CatalogueEntry, described_services
from warehouse.rows.platform_rows import PlatformRows, platform_rows

STATES = [id for id, metric in platform_metrics().items() if metric.statistic == "state"]


@dataclass(frozen=True)
class PlatformNumbers:
    """The platform's metrics in the period of the view, their weeks, those of each team, and the rows behind them.

    `now` are the states as they are today.
    """

    start: date
    end: date
    current: tuple[Value, ...]
    history: tuple[Value, ...]
    by_team: tuple[Value, ...]
    now: tuple[Value, ...]
    rows: PlatformRows
    entries: tuple[CatalogueEntry, ...]
    events: tuple[KnownEvent, ...]


def platform_numbers(warehouse: Path, settings: Settings, view: Filters) -> PlatformNumbers:
    """All that the page of `view` shows, but for what is beside what."""
    with open_facts(warehouse) as facts:
        start, end = full_range(facts, *periods.view_days(view, today(facts)))
        first, last = periods.history(view, today(facts))
        scope, where = view.scope, view.where
        return PlatformNumbers(
            start=start,
            end=end,
            current=tuple(compute(facts, settings, scope, None, start, end, where, platform_metrics())),
            history=tuple(compute(facts, settings, scope, "week", first, last, where, platform_metrics())),
            by_team=tuple(compute(facts, settings, "team", None, start, end, where, platform_metrics()))
            if scope in ("organisation", "system", "group")
            else (),
            now=tuple(compute(facts, settings, scope, None, today(facts), None, where, STATES)),
            rows=platform_rows(facts, start, end, where),
            entries=described_services(facts, where),
            events=event_book(facts).seen_with(where),
        )


def on_paths(warehouse: Path, settings: Settings, view: Filters) -> tuple[PathValue, ...]:
    """The keys on the golden paths and off them in the period of `view`."""
    with open_facts(warehouse) as facts:
        start, end = full_range(facts, *periods.view_days(view, today(facts)))
        return tuple(on_and_off_paths(facts, start, end, view.where))


def moved_to_paths(warehouse: Path, settings: Settings, view: Filters) -> tuple[EventComparison, ...]:
    """The keys before and since the newest moves on to a golden path, until the end of the period of `view`."""
    with open_facts(warehouse) as facts:
        _, end = full_range(facts, *periods.view_days(view, today(facts)))
        return tuple(around_moves(facts, view.where, end))
