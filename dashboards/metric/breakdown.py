"""One metric's numbers side by side: teams, systems and services against the target, and the stages of a change."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from config.metrics import metrics
from config.targets import parse_target
from dashboards.figures import formats
from dashboards.figures.fact_cells import followable
from dashboards.figures.formats import MISSING
from dashboards.frame.value_cells import ValueCell, value_cell
from dashboards.frame.view import Filters, link
from warehouse.metrics.values import Scope, Value
from warehouse.rows.stages import Holder, Stage, fewest_that_hold, item_of
from warehouse.scorecards.held_back_sentences import hours
from warehouse.trust.unwatched import Unwatched

# the CSV has the others
MOST_RANKED = 15
MOST_ITEMS = 3
TITLES: dict[Scope, str] = {
    "team": "By team",
    "group": "By group",
    "system": "By system",
    "service": "By service",
}


@dataclass(frozen=True)
class Ranked:
    """A scope's number with its place and its target's on a track, both in percent of the track's width."""

    cell: ValueCell
    counted: str
    at: float | None
    target_at: float | None


@dataclass(frozen=True)
class HolderLink:
    """A service or a pull request with what it holds, and where that leads; `outside`: to another place than ours."""

    name: str
    figure: str
    address: str
    outside: bool = False


@dataclass(frozen=True)
class Bar:
    """A stage: its share of all hours, also as the length of its bar in percent, and the few that hold half of it."""

    name: str
    meaning: str
    figure: str
    exact: str
    detail: str
    width: float
    services: tuple[HolderLink, ...] = ()
    pull_requests: tuple[HolderLink, ...] = ()


def ranked(values: Iterable[Value], view: Filters, blind: Mapping[str, Unwatched]) -> list[Ranked]:
    """The numbers, the worst first, those that are not judged after them and those without a value last."""
    values = list(values)
    place = _scale(values)
    sign = -1 if values and metrics()[values[0].metric].better == "lower" else 1
    ordered = sorted(
        values,
        key=lambda v: (
            v.value is None,
            v.status == "insufficient",
            sign * (v.value or 0.0),
            v.name.casefold(),
        ),
    )
    return [
        Ranked(
            value_cell(value, view, blind.get(value.name)),
            formats.counted(value.n, metrics()[value.metric].fact),
            None if value.value is None else place(value.value),
            None if (limit := _limit(value)) is None else place(limit),
        )
        for value in ordered
    ]


def _limit(value: Value) -> float | None:
    return parse_target(value.target, metrics()[value.metric]).limit if value.target else None


def _scale(values: Sequence[Value]) -> Callable[[float], float]:
    """Where a number stands on the track, 0 to 100: durations by their logarithm, all others from zero."""
    limits = [limit for value in values if (limit := _limit(value)) is not None]
    known = [value.value for value in values if value.value is not None] + limits
    if not known or max(known) <= 0:
        return lambda number: 0.0
    if values[0].unit != "seconds":
        top = 5.0 if values[0].unit == "points" else max(known)
        return lambda number: min(100.0, 100 * max(number, 0.0) / top)
    low, high = math.log(max(1.0, min(known))), math.log(max(1.0, *known))
    # a margin keeps the smallest off the edge, and one number alone in the middle
    margin = max((high - low) * 0.08, 0.35)
    low, high = low - margin, high + margin
    return lambda number: min(100.0, max(0.0, 100 * (math.log(max(1.0, number)) - low) / (high - low)))


def stage_bars(found: Sequence[Stage], view: Filters) -> list[Bar]:
    """A bar for each stage, in their order; one that never happened has no length."""
    return [
        Bar(
            stage.name,
            stage.meaning,
            _in_percent(stage.share),
            f"{stage.seconds / 3600:,.9g} hours",
            _stage_detail(stage),
            100 * (stage.share or 0.0),
            tuple(_holder_link(one, view) for one in fewest_that_hold(stage.services)),
            tuple(_holder_link(one, view) for one in fewest_that_hold(stage.pull_requests)[:MOST_ITEMS]),
        )
        for stage in found
    ]


def _in_percent(share: float | None) -> str:
    if share is None:
        return MISSING
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def _stage_detail(stage: Stage) -> str:
    if not stage.n:
        return "never happened"
    parts = [hours(stage.seconds)]
    parts += [
        f"{name} {formats.figure(seconds, 'seconds')}"
        for name, seconds in (("mean", stage.mean), ("median", stage.median), ("p90", stage.p90))
    ]
    return " · ".join([*parts, formats.plural(stage.n, item_of(stage))])


def _holder_link(one: Holder, view: Filters) -> HolderLink:
    """A service with its part, which leads to its changes, the slowest first; or a pull request with its time."""
    if one.service is None:
        own = replace(view, metric="lead_time", service=one.name, order="highest")
        return HolderLink(one.name, f"{100 * one.share:.0f} %", link("metric", own))
    return HolderLink(one.name, formats.figure(one.amount, "seconds"), followable(one.url), outside=True)
