"""One metric's numbers side by side: teams, systems and services against the target, and the stages of a change."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.metrics import metrics
from config.targets import parse_target
from dashboards.figures import formats
from dashboards.frame.value_cells import ValueCell, value_cell
from dashboards.frame.view import Filters
from warehouse.metrics.values import Scope, Value
from warehouse.rows.stages import Stage
from warehouse.trust.unwatched import Unwatched

# the CSV has the others
MOST_RANKED = 15
TITLES: dict[Scope, str] = {"team": "By team", "system": "By system", "service": "By service"}


@dataclass(frozen=True)
class Ranked:
    """A scope's number with its place and its target's on a track, both in percent of the track's width."""

    cell: ValueCell
    counted: str
    at: float | None
    target_at: float | None


@dataclass(frozen=True)
class Bar:
    """A stage: its median and p90 as people say them, and the length of its bar in percent of the longest."""

    name: str
    meaning: str
    figure: str
    exact: str
    detail: str
    width: float


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


def stage_bars(found: Sequence[Stage]) -> list[Bar]:
    """A bar for each stage, in their order; one that never happened has no length."""
    longest = max((stage.median or 0.0 for stage in found), default=0.0) or 1.0
    return [
        Bar(
            stage.name,
            stage.meaning,
            formats.figure(stage.median, "seconds"),
            formats.exact(stage.median, "seconds"),
            f"p90 {formats.figure(stage.p90, 'seconds')} · {formats.plural(stage.n, 'pull request')}",
            100 * (stage.median or 0.0) / longest,
        )
        for stage in found
    ]


def stage_rows(found: Sequence[Stage]) -> list[dict[str, Any]]:
    """The stages as a CSV has them, in seconds."""
    return [
        {
            "stage": stage.name.lower(),
            "median_seconds": stage.median,
            "p90_seconds": stage.p90,
            "pull_requests": stage.n,
        }
        for stage in found
    ]
