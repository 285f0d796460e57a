"""Events as charts and lists show them: numbered, in words, and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dashboards.figures import formats
from dashboards.figures.fact_cells import followable
from warehouse.metrics.events import KnownEvent, in_days

# more lines than this say nothing any more; the page of targets lists all
MOST_MARKED = 20


@dataclass(frozen=True)
class EventMark:
    """An event in a chart under its number, in words; `first` and `last` are the local days of the chart it touched."""

    number: int
    first: date
    last: date
    days: str
    title: str
    about: str
    address: str

    @property
    def told(self) -> str:
        """The event in one line."""
        return f"{self.days}: {self.title} ({self.about})"


def event_marks(events: Sequence[KnownEvent], start: date, end: date) -> tuple[list[EventMark], int]:
    """(the newest of those that touch the days from `start` to before `end`, oldest first; how many more there are)."""
    found = in_days(events, start, end)
    shown = found[-MOST_MARKED:]
    return [
        EventMark(
            number,
            max(event.day, start),
            min(event.last_day, end - timedelta(days=1)),
            formats.days(event.day, event.last_day + timedelta(days=1)),
            event.title,
            event_about(event.kind, event.scope, event.name, event.resets),
            followable(event.url),
        )
        for number, event in enumerate(shown, start=1)
    ], len(found) - len(shown)


def event_about(kind: str, scope: str, name: str, resets: bool) -> str:
    """What kind of event it is, whose, and what it means for the limits: "freeze, team payments, limits begin anew"."""
    told = [kind] if kind != "other" else []
    return ", ".join([*told, f"{scope} {name}".strip(), *(["limits begin anew"] if resets else [])])
