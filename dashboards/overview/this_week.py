"""What changed in the last completed week, in sentences: signals by team and service, failures, what is still open."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from config.settings import Settings
from dashboards.figures import formats
from dashboards.frame.view import Filters, week_of
from warehouse.metrics.movements import movements
from warehouse.metrics.periods import today
from warehouse.metrics.published_facts import open_facts
from warehouse.scorecards.sentences import Sentence, movement, sentences

_MOST = 3


@dataclass(frozen=True)
class ThisWeek:
    """The sentences of the week from `monday`; `more` counts the signals that are not told.

    `view` is what they are of, in that week.
    """

    view: Filters
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
    warehouse: Path,
    settings: Settings,
    view: Filters,
    teams: frozenset[str],
    visible: frozenset[str],
    own: frozenset[str] | None,
) -> ThisWeek:
    """The last completed week of what `view` narrows to, whatever its period is.

    Only of the `teams` and the services `visible`; titles and incidents only where the view is of a team of one's
    `own` (None: everybody's) or a service visible. What services there are now tells nothing of the rows of others.
    """
    with open_facts(warehouse) as facts:
        monday = week_of(today(facts)) - timedelta(weeks=1)
        shown = {"team": teams, "service": visible}
        found = [
            one
            for one in movements(facts, settings, monday, view.where)
            if one.value.name in shown[one.value.scope]
        ]
        with_rows = own is None or view.team in own or view.service in visible
        better = [one for one in found if one.verdict.is_better]
        worse = [one for one in found if not one.verdict.is_better]
        return ThisWeek(
            replace(view, period="week", start=None, end=None),
            monday,
            tuple(movement(one) for one in better[:_MOST]),
            tuple(movement(one) for one in worse[:_MOST]),
            tuple(sentences(facts, settings, view.where, monday)) if with_rows else (),
            len(found) - len(better[:_MOST]) - len(worse[:_MOST]),
        )
