"""What an agent helped with beside the rest, as a page shows it: plain values and a chart."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import plotly.graph_objects as go

from config.metrics import Metric
from dashboards.figures import formats
from dashboards.figures.charts import DARK, EVENTS_TOP, LIGHT, drawn, event_shapes
from dashboards.figures.event_marks import EventMark
from warehouse.rows.assistance import AssistanceSide, AssistedWeek, ByAssistance

# with fewer rows than this, one kind of work says nothing beside the other
FEWEST_BESIDE = 5
NO_CAUSE = (
    "The two kinds of work differ, in size, in risk and in who chooses them: no cause is claimed, of a difference or of"
    " none. What an agent did without a trace in git is among the rest."
)


@dataclass(frozen=True)
class Placed:
    """One kind of work of a measure: its figure and interval in words, and where they lie, in percent of the track.

    `at` is None where there are too few rows to show; `box` is from the first quartile to the third.
    """

    kind: str
    figure: str
    interval: str
    counted: str
    at: float | None = None
    reach: tuple[float, float] | None = None
    box: tuple[float, float] | None = None


@dataclass(frozen=True)
class PlacedMeasure:
    """A measure with its two kinds of work."""

    name: str
    kinds: tuple[Placed, Placed]


def placed(found: Sequence[ByAssistance], metric: Metric) -> list[PlacedMeasure]:
    """The measures in their order, all on one track: durations by their logarithm, shares from zero."""
    place = _track([side for each in found for side in (each.assisted, each.rest) if side.n >= FEWEST_BESIDE])
    fact = [metric.fact, *("pull requests" for _ in found[1:])]
    return [
        PlacedMeasure(
            each.measure,
            (
                _placed("with an agent", each.assisted, each.unit, rows, place),
                _placed("without", each.rest, each.unit, rows, place),
            ),
        )
        for each, rows in zip(found, fact, strict=True)
    ]


def _placed(kind: str, side: AssistanceSide, unit: str, rows: str, place: Callable[[float], float]) -> Placed:
    counted = formats.counted(side.n, rows)
    if side.n < FEWEST_BESIDE or side.middle is None or side.low is None or side.high is None:
        return Placed(kind, "too few", "", counted)
    low, high = formats.figure(side.low, unit), formats.figure(side.high, unit)
    return Placed(
        kind,
        formats.figure(side.middle, unit),
        f"{low} – {high}",
        counted,
        place(side.middle),
        (place(side.low), place(side.high)),
        None if side.p25 is None or side.p75 is None else (place(side.p25), place(side.p75)),
    )


def _track(sides: Sequence[AssistanceSide]) -> Callable[[float], float]:
    ends = [end for side in sides for end in (side.low, side.high, side.p25, side.p75) if end is not None]
    if not any(side.p25 is not None for side in sides):
        top = max(ends, default=0.0) or 1.0
        return lambda share: 100 * share / top
    low, high = math.log(max(1.0, min(ends))), math.log(max(1.0, *ends))
    margin = max((high - low) * 0.04, 0.2)
    low, high = low - margin, high + margin
    return lambda seconds: 100 * (math.log(max(1.0, seconds)) - low) / (high - low)


def beside_rows(found: Sequence[ByAssistance]) -> list[dict[str, Any]]:
    """The measures as a CSV has them, in seconds or as fractions; those of too few rows are there too, to be seen."""
    return [
        {"measure": each.measure.lower(), "assistance": kind, **asdict(side)}
        for each in found
        for kind, side in (("agent", each.assisted), ("none", each.rest))
    ]


def method(metric: Metric) -> str:
    """What the marks of a track mean, and how an interval is found."""
    if metric.statistic == "share":
        return "The dot is the share, the line its 95 % interval by Wilson’s method."
    return (
        "The dot is the median, the box the middle half of the rows, the line the median’s 95 % interval by order"
        " statistics: the rows in the places n/2 ∓ 0.98·√n. On a logarithmic track."
    )


def share_of_weeks(
    weeks: Sequence[AssistedWeek], metric: Metric, dark: bool = False, events: Sequence[EventMark] = ()
) -> go.Figure:
    """Which share of each week's rows an agent helped with, and the events; weeks with too few rows are hollow."""
    palette = DARK if dark else LIGHT
    bars = {
        "type": "bar",
        "x": [week.monday for week in weeks],
        "y": [100 * week.assisted / week.n for week in weeks],
        "marker": {
            "color": [palette.surface if week.n < FEWEST_BESIDE else palette.line for week in weeks],
            "line": {"color": palette.line, "width": 1.5},
        },
        "text": [
            f"{formats.days(week.monday, week.monday + timedelta(days=7))}"
            f"<br><b>{formats.share(week.assisted, week.n)}</b>: {week.assisted:,} of"
            f" {formats.counted(week.n, metric.fact)}"
            for week in weeks
        ],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
    every = max(1, round(len(weeks) / 9))
    axis = {"tickvals": [week.monday for week in weeks[::-every]], "tickformat": "%-d %b"}
    marks = event_shapes(events, palette, timedelta(days=3.5))
    top = EVENTS_TOP if events else 24
    return drawn([bars], palette, "% with an agent", marks, axis, height=240, top=top, bargap=0.35)
