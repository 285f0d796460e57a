"""What is to be said above the numbers: how old they are, and what a reader has to know before believing them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dashboards.figures import formats
from dashboards.frame.state import State
from dashboards.frame.view import Filters, elsewhere, link, view_days
from warehouse.metrics.units import listed, plural
from warehouse.progress import CollectionProgress, SourceProgress
from warehouse.trust.readings import Reading, Readings, source_name

OLD = timedelta(hours=24)
_STATES = {"waiting": "not begun", "reading": "being read", "read": "✓ read", "failed": "✗ could not be read"}
_WORDS = {"responses": "survey answers"}
_SPANS = {
    "now": "this week",
    "week": "last week",
    "4w": "these 4 weeks",
    "12w": "these 12 weeks",
    "quarter": "this quarter",
    "12m": "these 12 months",
}


@dataclass(frozen=True)
class Notice:
    """Something to be said above the numbers; `bad` where they may be wrong, `more` is (name, address) of a link."""

    title: str
    lines: tuple[str, ...] = ()
    bad: bool = False
    more: tuple[str, str] | None = None


class AsOf(NamedTuple):
    """Until `when` what a page shows was read, and `why` not later; `what` is empty where none of it was."""

    what: str
    when: str
    why: str = ""


class ReadingLine(NamedTuple):
    """A source that is read, was or will be: what came of it so far, and how far that is."""

    name: str
    state: str
    came: str
    part: str
    is_read_now: bool


def warnings(
    state: State, found: Readings, kinds: Collection[str], view: Filters, unknown: Sequence[str]
) -> list[Notice]:
    """What a reader of these kinds of fact has to know beside what fails, the worst first."""
    told = []
    if state.warning:
        told.append(Notice("These are not the newest facts", (state.warning,), bad=True))
    if unknown:
        told.append(Notice(f"Not found, so not applied: {', '.join(unknown)}"))
    if begins := _beginning(found, kinds, view, state.today):
        told.append(begins)
    return told


def failure_notices(
    found: Readings, kinds: Collection[str], view: Filters, timezone: str, now: datetime
) -> list[Notice]:
    """The sources of these kinds that could not be read, as one notice, or none."""
    failed = failures(found.sources, kinds, now, timezone)
    why = ("What the sources answered", link("trust", elsewhere(view)))
    title = "Not all sources could be read; numbers may be incomplete"
    return [Notice(title, tuple(failed), True, why)] if failed else []


def failures(sources: Iterable[Reading], kinds: Collection[str], now: datetime, timezone: str) -> list[str]:
    """A sentence for each source of these kinds that could not be read: since when, and what may be wrong."""
    return [
        one.sentence(formats.spoken_since(one.read_at, now, timezone) if one.read_at else "")
        for one in sources
        if one.is_failing and one.concerns(kinds)
    ]


def as_of(
    found: Readings, kinds: Sequence[str], built_at: datetime, now: datetime, timezone: str
) -> tuple[list[AsOf], bool]:
    """(how old these kinds of fact are, those that could be read first; whether that is old).

    Each is as old as the oldest last good reading of the sources that tell of it. What nothing is known of was built at
    `built_at`.
    """
    fresh, behind = _Group(), dict[date | None, _Group]()
    for kind in kinds:
        sources = [one for one in found.sources if kind in one.kinds]
        failing = [one for one in sources if one.is_failing]
        read = [one.read_at for one in sources if one.read_at]
        if not read and kind in found.imported:
            read = [found.imported[kind]]
        if read or sources:
            day = min(read).astimezone(ZoneInfo(timezone)).date() if read else None
            group = behind.setdefault(day, _Group()) if failing else fresh
            group.words.append(_WORDS.get(kind, kind))
            group.read += read
            group.failing |= dict.fromkeys(failing)
    groups = [group for group in (fresh, *behind.values()) if group.words] or [_Group(read=[built_at])]
    is_old = bool(behind) or any(now - min(group.read) > OLD for group in groups)
    told = [
        AsOf(
            ("data" if len(groups) == 1 else listed(group.words)) if group.read else "",
            formats.spoken(min(group.read), now, timezone) if group.read else "",
            _why(list(group.failing)),
        )
        for group in groups
    ]
    return [told[0]._replace(what=_capital(told[0].what)), *told[1:]], is_old


@dataclass
class _Group:
    """Kinds of fact that are as old as each other, in words, when they were read, and what fails of them."""

    words: list[str] = field(default_factory=list)
    read: list[datetime] = field(default_factory=list)
    failing: dict[Reading, None] = field(default_factory=dict)


def reading_lines(running: CollectionProgress) -> list[ReadingLine]:
    """A line for each source of a collection that runs, in the order in which they are read."""
    return [
        ReadingLine(
            source_name(one.source),
            _STATES[one.status],
            ", ".join(_records(n, kind) for kind, n in one.counts.items() if kind != "coverage"),
            "; ".join(filter(None, (_part(one), one.pause))) if one.status == "reading" else "",
            one.status == "reading",
        )
        for one in running.sources
    ]


def _part(of: SourceProgress) -> str:
    return f"{of.done:,} of {of.total:,} {of.of}" if of.total else ""


def _records(n: int, kind: str) -> str:
    many = kind.replace("_", " ")
    return plural(n, f"{many[:-3]}y" if many.endswith("ies") else many.removesuffix("s"), many)


def _why(failing: Sequence[Reading]) -> str:
    known = [one.name for one in failing if one.read_at]
    never = [one.name for one in failing if not one.read_at]
    return " and ".join(
        f"{listed(names)} {'has' if len(names) == 1 else 'have'} not been read {since}"
        for names, since in ((known, "since"), (never, "yet"))
        if names
    )


def _beginning(found: Readings, kinds: Collection[str], view: Filters, today: date) -> Notice | None:
    """What of the period is before the data begin, with the way to where they do, or ahead; None where nothing is."""
    start, end = view_days(view, today)
    after = min(end or today + timedelta(days=1), today + timedelta(days=1))
    begins = {kind: found.begins[kind] for kind in kinds if kind in found.begins}
    late = {kind: first for kind, first in begins.items() if start and first > start}
    if start and start > today:
        return Notice(f"These days lie ahead: data are of the days until {formats.day(today)}")
    if start is None or not late or after <= start:
        return None
    first = min(begins.values())
    if first >= after:
        until = min(first + (after - start), today + timedelta(days=1))
        there = replace(view, period="custom", start=first, end=until, page=1, row=None)
        return Notice(
            f"Nothing was read of these days: data begin on {formats.day(first)}",
            more=(f"Show {formats.days(first, until)}", link("", there)),
        )
    by_day: dict[date, list[str]] = {}
    for kind, day in late.items():
        by_day.setdefault(day, []).append(kind)
    covered = [
        f"{_length((after - day).days) if day < after else 'no day'} {'is' if _is_one(after - day) else 'are'} covered"
        f" for {listed(names)}, from {formats.day(day)} on"
        for day, names in sorted(by_day.items())
    ]
    span = _SPANS.get(view.period, f"these {_length((after - start).days)}")
    return Notice(f"Of {span}, {', and '.join(covered)}")


def _is_one(length: timedelta) -> bool:
    return length.days <= 1


def _length(days: int) -> str:
    return plural(days // 7, "week") if days >= 14 else plural(days, "day")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
