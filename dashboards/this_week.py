"""What changed in the last completed week, in sentences: signals by team and service, failures, what is still open."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from config.settings import Settings
from dashboards import formats
from dashboards.filters import Filters, week_of
from warehouse.facts import open_facts
from warehouse.movements import movements
from warehouse.periods import today
from warehouse.reading import Service, services
from warehouse.sentences import Sentence, movement, sentences

_MOST = 3


@dataclass(frozen=True)
class ThisWeek:
    """The sentences of the week from `monday`; `more` counts the signals that are not told."""

    monday: date
    better: tuple[Sentence, ...]
    worse: tuple[Sentence, ...]
    told: tuple[Sentence, ...]
    more: int

    @property
    def days(self) -> str:
        """The week's days: "9 – 15 Nov 2026"."""
        return formats.days(self.monday, self.monday + timedelta(weeks=1))


def this_week(
    warehouse: Path, settings: Settings, view: Filters, teams: frozenset[str], visible: frozenset[str]
) -> ThisWeek:
    """The last completed week of what `view` narrows to, whatever its period is.

    Only of the `teams` and the services `visible`; titles and incidents only where all services of the view are.
    """
    with open_facts(warehouse) as facts:
        monday = week_of(today(facts)) - timedelta(weeks=1)
        shown = {"team": teams, "service": visible}
        found = [
            one
            for one in movements(facts, settings, monday, view.where)
            if one.value.name in shown[one.value.scope]
        ]
        within = {s.name for s in services(facts) if view.where.items() <= _owners(s).items()}
        better = [one for one in found if one.verdict.is_better]
        worse = [one for one in found if not one.verdict.is_better]
        return ThisWeek(
            monday,
            tuple(movement(one) for one in better[:_MOST]),
            tuple(movement(one) for one in worse[:_MOST]),
            tuple(sentences(facts, settings, view.where, monday)) if within <= visible else (),
            len(found) - len(better[:_MOST]) - len(worse[:_MOST]),
        )


def _owners(service: Service) -> dict[str, str | None]:
    return {"system": service.system, "team": service.team, "service": service.name}
