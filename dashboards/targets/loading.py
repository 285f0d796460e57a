"""What the page of targets reads from the facts file: of the period that is shown, and of the weeks up to now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from config.metrics import find
from config.settings import Settings
from dashboards.frame import view as periods
from dashboards.frame.loading import last_known
from dashboards.frame.view import Filters
from warehouse.metrics.attainment import Attainment, attainments
from warehouse.metrics.events import EventBook, event_book
from warehouse.metrics.golden_paths import PathValue, on_and_off_paths
from warehouse.metrics.periods import full_range, today
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import Scope, Value, compute
from warehouse.rows.before_and_after import EventComparison, before_and_after
from warehouse.rows.catalogue_entries import CatalogueEntry, described_services
from warehouse.signals.goals import GoalProgress, goal_progress, highest_chances
from warehouse.trust.unwatched import BLIND_METRICS, Unwatched, unwatched

_BY: dict[str, Scope] = {"team": "team", "system": "system", "service": "service"}


@dataclass(frozen=True)
class Targets:
    """The values of a view's own targets and of those below, and the services, which name their golden paths.

    The values are of the days from `start` to the one before `end`. `blind` tells by scope and name where services have
    no source of incidents, `last_known` the time to first commit of the last week that has one, where these days have
    none.
    """

    start: date
    end: date
    own: tuple[Value, ...]
    below: tuple[Value, ...]
    blind: dict[tuple[Scope, str], Unwatched]
    entries: tuple[CatalogueEntry, ...]
    last_known: dict[tuple[Scope, str], Value] = field(default_factory=dict)


# (by which scope, narrowed to what, which metrics)
_Asked = tuple[Scope, dict[str, str], list[str]]
OwnTargets = Sequence[tuple[str, Scope, str]]


def targets(warehouse: Path, settings: Settings, view: Filters, own_targets: OwnTargets) -> Targets:
    """What the page shows of the period of `view`; `own_targets` are (metric, scope, name)."""
    own, below = _own(settings, view, own_targets), _below(settings, view)
    with open_facts(warehouse) as facts:
        start, end = full_range(facts, *periods.view_days(view, today(facts)))

        def values(asked: Sequence[_Asked]) -> tuple[Value, ...]:
            return tuple(
                value
                for by, where, metrics in asked
                for value in compute(facts, settings, by, start=start, end=end, where=where, metrics=metrics)
            )

        of_own, of_below = values(own), values([below])
        return Targets(
            start=start,
            end=end,
            own=of_own,
            below=of_below,
            blind={
                (by, name): found
                for by, where, metrics in (*own, below)
                if set(metrics) & set(BLIND_METRICS)
                for name, found in unwatched(facts, by, start, end, where).items()
            },
            entries=described_services(facts, view.where),
            last_known={
                (by, name): value
                for by, where, _ in (*own, below)
                for name, value in last_known(
                    facts, settings, by, where, end, (one for one in (*of_own, *of_below) if one.scope == by)
                ).items()
            },
        )


def all_events(warehouse: Path, settings: Settings) -> EventBook:
    """All events; who shows them leaves out those that the view does not have."""
    with open_facts(warehouse) as facts:
        return event_book(facts)


def comparison_around(warehouse: Path, settings: Settings, id: str) -> EventComparison | None:
    """The metrics before and after an event, beside the services that it did not touch."""
    with open_facts(warehouse) as facts:
        return before_and_after(facts, id)


def on_paths(warehouse: Path, settings: Settings, view: Filters) -> tuple[PathValue, ...]:
    """The metrics on the golden paths and off them in the period of `view`."""
    with open_facts(warehouse) as facts:
        start, end = full_range(facts, *periods.view_days(view, today(facts)))
        return tuple(on_and_off_paths(facts, start, end, view.where))


def attained(
    warehouse: Path, settings: Settings, view: Filters, own_targets: OwnTargets
) -> dict[tuple[str, str, str], Attainment]:
    """(scope, metric, name) -> attainment of the targets that the page shows, whatever the period of `view`."""
    with open_facts(warehouse) as facts:
        return {
            (by, metric, name): found
            for by, where, metrics in (*_own(settings, view, own_targets), _below(settings, view))
            for (metric, name), found in attainments(facts, settings, by, where, metrics).items()
        }


def on_the_way(
    warehouse: Path, settings: Settings, view: Filters, own_targets: OwnTargets
) -> dict[tuple[str, str, str], GoalProgress]:
    """(scope, metric, name) -> the progress of the goals among the targets that the page shows, whatever the period."""
    with open_facts(warehouse) as facts:
        highest = highest_chances(facts, settings)
        return {
            (by, metric, name): found
            for by, where, metrics in (*_own(settings, view, own_targets), _below(settings, view))
            for (metric, name), found in goal_progress(facts, settings, by, where, metrics, highest).items()
        }


def _own(settings: Settings, view: Filters, own_targets: OwnTargets) -> list[_Asked]:
    narrower: list[_Asked] = [
        (scope, {**view.where, scope: name}, [metric]) for metric, scope, name in own_targets
    ]
    return [(view.scope, view.where, _aimed(settings)), *narrower]


def _below(settings: Settings, view: Filters) -> _Asked:
    return _BY[view.by], view.where, _aimed(settings) if view.target is None else [view.target]


def _aimed(settings: Settings) -> list[str]:
    return [metric.id for entry in settings.metrics if (metric := find(entry.name))]
