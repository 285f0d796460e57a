"""What changed in a week: its signals as sentences and as a list, and the week in sentences."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from config.metrics import metrics
from config.settings import Settings
from dashboards.figures import formats
from dashboards.figures.verdicts import tone
from dashboards.frame.view import Filters, link, view_days
from warehouse.metrics.periods import week_of
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import SCOPES, Scope
from warehouse.scorecards.sentences import Sentence, movement, sentences
from warehouse.signals.verdicts import Verdict
from warehouse.signals.wording import better_or_worse, compared_numbers, extent

_MOST = 3


@dataclass(frozen=True)
class SignalLine:
    """A signal in the list of all: whose, which metric, whither, both numbers, how much that is, and its page."""

    scope: Scope
    name: str
    metric: str
    address: str
    tone: str
    direction: str
    compared: str
    extent: str


@dataclass(frozen=True)
class ThisWeek:
    """The week from `monday`: the largest signals for the better and for the worse, and `lines`, all of them.

    `view` is what they are of, in that week; `told` says how it went as a whole.
    """

    view: Filters
    monday: date
    better: tuple[Sentence, ...]
    worse: tuple[Sentence, ...]
    told: tuple[Sentence, ...]
    lines: tuple[SignalLine, ...]

    @property
    def days(self) -> str:
        """The week's days: "9 – 15 Nov 2026"."""
        return formats.days(self.monday, self.monday + timedelta(weeks=1))


def told_week(view: Filters, today: date) -> tuple[date, Filters]:
    """The Monday of the view's week, where it is one that has ended, else of the last that has; and whose it is."""
    start, end = view_days(view, today)
    whose = Filters(system=view.system, group=view.group, team=view.team, service=view.service)
    if start and end and start == week_of(start) and end - start == timedelta(weeks=1) and end <= today:
        return start, replace(whose, period=view.period, start=view.start, end=view.end)
    return week_of(today) - timedelta(weeks=1), replace(whose, period="week")


def this_week(view: Filters, monday: date, found: Iterable[Verdict], told: Iterable[Sentence]) -> ThisWeek:
    """The week from `monday`, which `view` is of, from its signals, the largest first, and what is told of it."""
    signals = list(found)
    below = [one for one in signals if one.judged.scope in ("team", "service")]
    better = [movement(one) for one in below if one.is_better]
    worse = [movement(one) for one in below if not one.is_better]
    lines = tuple(_line(one, view) for one in signals)
    return ThisWeek(view, monday, tuple(better[:_MOST]), tuple(worse[:_MOST]), tuple(told), lines)


def seen(found: Iterable[Verdict], names: Mapping[str, Iterable[str]], view: Filters) -> list[Verdict]:
    """The signals of what is below the view, of those `names` by scope; in a view of everything, of the whole too."""
    below = SCOPES[SCOPES.index(view.scope) + 1 :]
    shown = {scope: set(of) for scope, of in names.items()}
    return [
        one
        for one in found
        if (one.judged.scope in below and one.judged.name in shown.get(one.judged.scope, ()))
        or (one.judged.scope == "organisation" and "organisation" in shown and not view.where)
    ]


def is_told_to(view: Filters, own: Collection[str] | None, services: Collection[str]) -> bool:
    """Whether what happened to a view, with titles, is for who sees these teams (None: all) and services."""
    return own is None or view.team in own or view.service in services


def week_as_a_whole(
    warehouse: Path, settings: Settings, view: Filters, monday: date, highest_chance: float
) -> tuple[Sentence, ...]:
    """The sentences of what `view` narrows to, titles and incidents too."""
    with open_facts(warehouse) as facts:
        return tuple(sentences(facts, settings, view.where, monday, highest_chance))


def _line(one: Verdict, view: Filters) -> SignalLine:
    of = one.judged
    narrowed: dict[str, Any] = {} if of.scope == "organisation" else {of.scope: of.name}
    # where the number of the sentence is the number of the page
    if view.period == "custom":
        view = replace(view, start=of.first, end=of.end)
    period = "4w" if of.week and view.period == "week" else view.period
    address = link("metric", replace(view, period=period, metric=of.metric, **narrowed))
    return SignalLine(
        of.scope,
        of.name,
        metrics()[of.metric].name,
        address,
        tone(one),
        better_or_worse(one),
        compared_numbers(of),
        extent(of),
    )
