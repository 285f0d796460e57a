"""What the list of teams or of services reads from the facts."""

from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from dashboards.frame import view as periods
from dashboards.frame.view import Filters
from warehouse.metrics.periods import full_range, today
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import Scope, Value, compute
from warehouse.trust.unwatched import Unwatched, unwatched


@dataclass(frozen=True)
class ListedNumbers:
    """The values of each team or service of a view; `blind` tells where services have no source of incidents."""

    values: list[Value]
    blind: dict[tuple[Scope, str], Unwatched]


def listed_numbers(warehouse: Path, settings: Settings, view: Filters, scope: Scope) -> ListedNumbers:
    """The numbers of each `scope` in what `view` narrows to, in its period."""
    with open_facts(warehouse) as facts:
        start, end = periods.view_days(view, today(facts))
        days = full_range(facts, start, end)
        return ListedNumbers(
            compute(facts, settings, scope, start=start, end=end, where=view.where),
            {(scope, name): found for name, found in unwatched(facts, scope, *days, view.where).items()},
        )
