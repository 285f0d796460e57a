"""What the page of targets reads from the facts file, in one opening of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from config.metrics import find
from config.settings import Settings
from dashboards import filters as periods
from dashboards.filters import Filters
from warehouse.attainment import Attainment, attainments
from warehouse.entries import Entry, entries
from warehouse.facts import Facts, open_facts
from warehouse.golden_paths import PathValue, on_and_off_paths
from warehouse.periods import full_range, today
from warehouse.unwatched import BLIND_METRICS, Unwatched, unwatched
from warehouse.values import Scope, Value, compute

_BY: dict[str, Scope] = {"team": "team", "system": "system", "service": "service"}


@dataclass(frozen=True)
class Targets:
    """The values of a view's own targets and of those below, their attainment, and the services with their paths.

    The values are of the days from `start` to the one before `end`. `blind` tells by scope and name where services have
    no source of incidents.
    """

    start: date
    end: date
    own: tuple[Value, ...]
    below: tuple[Value, ...]
    attained: dict[tuple[str, str, str], Attainment]
    blind: dict[tuple[Scope, str], Unwatched]
    entries: tuple[Entry, ...]
    on_paths: tuple[PathValue, ...]


def targets(
    warehouse: Path, settings: Settings, view: Filters, own_targets: Sequence[tuple[str, Scope, str]]
) -> Targets:
    """All that the page shows of `view`; `own_targets` are (metric, scope, name)."""
    aimed = [metric.id for entry in settings.metrics if (metric := find(entry.name))]
    with open_facts(warehouse) as facts:
        found = _Found(facts, settings, view, {}, {})
        own = found.values(view.scope, view.where, aimed)
        below = found.values(_BY[view.by], view.where, aimed if view.target is None else [view.target])
        for aim, scope, name in own_targets:
            own += found.values(scope, {**view.where, scope: name}, [aim])
        start, end = full_range(facts, *periods.days(view, today(facts)))
        return Targets(
            start=start,
            end=end,
            own=tuple(own),
            below=tuple(below),
            attained=found.attained,
            blind=found.blind,
            entries=entries(facts, view.where),
            on_paths=tuple(on_and_off_paths(facts, start, end, view.where)),
        )


@dataclass(frozen=True)
class _Found:
    facts: Facts
    settings: Settings
    view: Filters
    attained: dict[tuple[str, str, str], Attainment]
    blind: dict[tuple[Scope, str], Unwatched]

    def values(self, by: Scope, where: dict[str, str], metrics: list[str]) -> list[Value]:
        """The values of the view's period; their attainment, and where incidents are not read, are kept as well."""
        start, end = periods.days(self.view, today(self.facts))
        asked: dict[str, Any] = {"where": where, "metrics": metrics}
        for (metric, name), one in attainments(self.facts, self.settings, by, **asked).items():
            self.attained[by, metric, name] = one
        if set(metrics) & set(BLIND_METRICS):
            of = unwatched(self.facts, by, *full_range(self.facts, start, end), where)
            self.blind.update({(by, name): one for name, one in of.items()})
        return compute(self.facts, self.settings, by, start=start, end=end, **asked)
