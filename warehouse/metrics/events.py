"""What happened: the events of the facts, whom each touched, and which of them a scope's numbers are seen with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import local


@dataclass(frozen=True)
class KnownEvent:
    """An event; `at` and `until` are UTC, None where it happened at once; the organisation's `name` is empty.

    `day` and `last_day` are the local days that it touched first and last, `over` is the first that it did not touch
    and that comes after it: its own day where that begins with it.
    """

    id: str
    title: str
    kind: str
    scope: str
    name: str
    at: datetime
    until: datetime | None
    day: date
    last_day: date
    over: date
    resets: bool
    url: str | None


@dataclass(frozen=True)
class _Stretch:
    """Who owned a service from an instant (UTC) on until another; None: ever before, and ever after."""

    team: str | None
    system: str | None
    from_at: datetime | None
    until_at: datetime | None

    def holds(self, at: datetime) -> bool:
        return (self.from_at is None or self.from_at <= at) and (self.until_at is None or at < self.until_at)


class EventBook:
    """All events, oldest first, and who owned which service when."""

    def __init__(
        self,
        events: Sequence[KnownEvent],
        stretches: Mapping[str, Sequence[_Stretch]],
        below: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """Beside whom each service belonged to, `below` has the teams that each group holds today."""
        self.events = tuple(events)
        self._stretches = stretches
        self._below = below or {}

    def seen_with(self, where: Mapping[str, str]) -> tuple[KnownEvent, ...]:
        """Those that touched what `where` narrows to as a whole: the organisation's, and its own.

        To a service those of its team and its system belong, as they were at the time, and to both those of the groups
        that hold the team.
        """
        return tuple(event for event in self.events if self._touches(event, where))

    def _touches(self, event: KnownEvent, where: Mapping[str, str]) -> bool:
        if event.scope == "organisation" or where.get(event.scope) == event.name:
            return True
        if event.scope == "group" and {where.get("team"), where.get("group")} & set(self._teams(event)):
            return True
        service = where.get("service")
        return service is not None and event.scope != "service" and self._owned(service, event)

    def _teams(self, event: KnownEvent) -> Collection[str]:
        return self._below.get(event.name, ()) if event.scope == "group" else (event.name,)

    def _owned(self, service: str, event: KnownEvent) -> bool:
        owner = "system" if event.scope == "system" else "team"
        return any(
            getattr(stretch, owner) in self._teams(event) and stretch.holds(event.at)
            for stretch in self._stretches.get(service, ())
        )

    def services(self, event: KnownEvent) -> frozenset[str]:
        """The services that an event touched, as they were owned at the time; of the organisation's all."""
        if event.scope == "organisation":
            return frozenset(self._stretches)
        if event.scope == "service":
            return frozenset({event.name})
        return frozenset(service for service in self._stretches if self._owned(service, event))

    def untouched(self, event: KnownEvent) -> frozenset[str]:
        """The services that neither the event touched nor another of its title, which is the same one elsewhere."""
        same = [other for other in self.events if other.title.casefold() == event.title.casefold()]
        return frozenset(self._stretches).difference(*(self.services(other) for other in same))


NO_EVENTS = EventBook((), {})


def event_book(facts: Facts) -> EventBook:
    """The events of the facts."""
    rows = facts.connection.execute(
        "select f.id, f.title, f.kind, f.scope, f.name, f.at, f.until, f.resets, f.url"
        " from events as f order by f.at, f.id"
    ).fetchall()
    if not rows:
        return NO_EVENTS
    stretches: dict[str, list[_Stretch]] = {}
    for service, team, system, *ends in facts.connection.execute(
        "select o.service, o.team, o.system, o.from_at, o.until_at from owners as o"
    ).fetchall():
        from_at, until_at = (end and end.replace(tzinfo=UTC) for end in ends)
        stretches.setdefault(service, []).append(_Stretch(team, system, from_at, until_at))
    below = facts.connection.execute(
        "select g.name, list(g.team) from groups as g group by g.name"
    ).fetchall()
    return EventBook([_known(facts, *row) for row in rows], stretches, dict(below))


def _known(
    facts: Facts,
    id: str,
    title: str,
    kind: str,
    scope: str,
    name: str,
    at: datetime,
    until: datetime | None,
    resets: bool,
    url: str | None,
) -> KnownEvent:
    begun, ended = local(facts, at), local(facts, until or at)
    over = ended.date() if ended.time() == time() else ended.date() + timedelta(days=1)
    return KnownEvent(
        id=id,
        title=title,
        kind=kind,
        scope=scope,
        name=name,
        at=at.replace(tzinfo=UTC),
        until=until.replace(tzinfo=UTC) if until else None,
        day=begun.date(),
        last_day=max(over - timedelta(days=1), begun.date()) if until else begun.date(),
        over=over,
        resets=resets,
        url=url,
    )


def in_days(events: Sequence[KnownEvent], start: date, end: date) -> list[KnownEvent]:
    """Those that touch any of the days from `start` to the one before `end`, oldest first."""
    return [event for event in events if event.day < end and event.last_day >= start]


def anew_since(events: Sequence[KnownEvent], first: date) -> date | None:
    """The first day of what is comparable with the days from `first` on; None where no event began anything anew.

    An event that goes on at `first` counts from its own day, one that is over from its end.
    """
    days = [day for event in events if event.resets for day in _anew(event) if day <= first]
    return max(days, default=None)


def _anew(event: KnownEvent) -> tuple[date, date]:
    return (event.day if event.until else event.over), event.over
