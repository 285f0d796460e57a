"""How the rows behind a number are spread, as charts: durations on a logarithmic axis, the days of the week."""

import math
from collections.abc import Sequence
from datetime import date, timedelta

import plotly.graph_objects as go

from config.metrics import metrics
from config.targets import parse_target
from dashboards.figures import formats
from dashboards.figures.charts import DARK, LIGHT, _Mark, above, drawn, upright, words
from warehouse.metrics.values import Value
from warehouse.rows.distribution import Bin, Weekday

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
# where an axis of durations has a word, as far as there is something to see
_TICKS = {
    1: "1 s", 10: "10 s", _MINUTE: "1 min", 5 * _MINUTE: "5 min", 20 * _MINUTE: "20 min", _HOUR: "1 h",
    4 * _HOUR: "4 h", _DAY: "1 d", 3 * _DAY: "3 d", 7 * _DAY: "7 d", 28 * _DAY: "28 d", 91 * _DAY: "91 d",
    365 * _DAY: "365 d",
}  # fmt: skip
_SHARES = {"change_failure_rate": "failed", "deployment_rework_rate": "were rework"}


def durations_chart(bins: Sequence[Bin], value: Value, dark: bool = False) -> go.Figure:
    """A bar for each bin, in the colour of its side of the target, with the target and the median."""
    palette = DARK if dark else LIGHT
    target = parse_target(value.target, metrics()[value.metric]) if value.target else None
    total = sum(one.n for one in bins)
    fact = metrics()[value.metric].fact
    missed = [target is not None and not target.met_by(one.lower * 1.0001) for one in bins]
    bars = {
        "type": "bar",
        "x": [(one.lower * one.upper) ** 0.5 for one in bins],
        "y": [one.n for one in bins],
        "width": [(one.upper - one.lower) * 0.92 for one in bins],
        "marker": {
            "color": [palette.target if bad else palette.line for bad in missed],
            "pattern": {
                "shape": ["/" if bad else "" for bad in missed],
                "fillmode": "overlay",
                "fgcolor": palette.surface,
                "size": 6,
                "solidity": 0.22,
            },
        },
        "text": [
            f"{formats.figure(one.lower, 'seconds')} – {formats.figure(one.upper, 'seconds')}"
            f"<br><b>{formats.counted(one.n, fact)}</b>, {formats.share(one.n, total)}"
            for one in bins
        ],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
    marks = []
    if target is not None:
        marks.append(_mark(target.limit, f"target {value.target}", palette.target, "dash", yshift=15))
    if value.value:
        word = f"{metrics()[value.metric].statistic} {formats.figure(value.value, 'seconds')}"
        marks.append(_mark(value.value, word, palette.text, "solid"))
    ticks = [tick for tick in _TICKS if bins[0].lower / 2 <= tick <= bins[-1].upper * 2]
    axis = {"type": "log", "tickvals": ticks, "ticktext": [_TICKS[tick] for tick in ticks]}
    return drawn(
        [bars], palette, fact, marks, axis, height=280, top=44, most=max(one.n for one in bins), bargap=0
    )


def _mark(at: float, text: str, colour: str, dash: str, yshift: int = 0) -> _Mark:
    # a shape takes the value of a logarithmic axis, an annotation its exponent
    label = above(math.log10(max(at, 1.0)), words(text), colour, yshift=yshift)
    return upright(at, {"color": colour, "width": 1.5, "dash": dash}), label


def weekdays_chart(found: Sequence[Weekday], value: Value, dark: bool = False) -> go.Figure:
    """How many deployments, or which share of them, on each day of the week."""
    palette = DARK if dark else LIGHT
    metric = metrics()[value.metric]
    monday = date(2024, 1, 1)
    names = [f"{monday + timedelta(days=day.number - 1):%A}" for day in found]
    if metric.statistic == "rate":
        heights: list[float | None] = [float(day.n) for day in found]
        texts = [
            f"{name}<br><b>{formats.counted(day.n, metric.fact)}</b>"
            for name, day in zip(names, found, strict=True)
        ]
    else:
        heights = [100 * day.counted / day.n if day.n else None for day in found]
        texts = [
            f"{name}<br><b>{formats.share(day.counted, day.n)}</b> {_SHARES[metric.id]}: "
            f"{day.counted:,} of {formats.counted(day.n, metric.fact)}"
            for name, day in zip(names, found, strict=True)
        ]
    few = [day.n < metric.floor for day in found]
    bars = {
        "type": "bar",
        "x": [name[:3] for name in names],
        "y": heights,
        "marker": {
            "color": [palette.surface if hollow else palette.line for hollow in few],
            "line": {"color": palette.line, "width": 1.5},
        },
        "text": texts,
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
    unit = metric.fact if metric.statistic == "rate" else "%"
    most = max((day.n for day in found), default=0) if metric.statistic == "rate" else None
    return drawn([bars], palette, unit, [], {}, height=260, most=most, bargap=0.35)


def sentence(bins: Sequence[Bin], value: Value) -> str:
    """Which share of the rows is within the target by itself: "62 % of 168 changes are within < 1 hour"; else ""."""
    target = parse_target(value.target, metrics()[value.metric]) if value.target else None
    if target is None or not bins:
        return ""
    total = sum(one.n for one in bins)
    within = sum(one.n for one in bins if target.met_by(one.lower * 1.0001))
    rows = formats.counted(total, metrics()[value.metric].fact)
    return f"{formats.share(within, total)} of {rows} are within the target of {value.target} by themselves."
