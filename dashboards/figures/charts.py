"""Plotly figures in colours that colour-blind people can tell apart, on a light and on a dark page."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import plotly.graph_objects as go

from config.metrics import metrics
from config.targets import parse_target
from config.text.legible import one_line
from dashboards.figures import formats
from dashboards.figures.event_marks import EventMark
from warehouse.metrics.values import Value
from warehouse.signals.limits import Limits


@dataclass(frozen=True)
class Palette:
    """The colours of a chart; blue and orange stay apart in every common colour blindness."""

    line: str
    target: str
    faint: str
    text: str
    grid: str
    surface: str
    better: str
    incident: str


LIGHT = Palette("#1f5fa8", "#b3470a", "#8a94a3", "#4d5866", "#e4e8ee", "#ffffff", "#00775c", "#d9a441")
DARK = Palette("#7fb3f0", "#ff9f68", "#7b8796", "#b3becc", "#2b3541", "#19212b", "#6fdcbb", "#a97c1f")
# of a picture that is taken along; page.css hides the heading on the page and takes its height away there
HEADING_HEIGHT, EVENT_HEIGHT, PICTURE_WIDTH = 56, 21, 1000
_LONGEST_TITLE, _LONGEST_ABOUT, _ABOVE_TITLE = 100, 150, 26
# how far the band of natural limits is drawn, as a multiple of the highest value
_BAND_ABOVE = 1.25
# above a chart with events there is room for their numbers
EVENTS_TOP = 44
# of so few rows Plotly would put ticks at halves
_FEW_ROWS = 5
# how many of a unit are shown as one on the axis, and what that is called
_AXES = {"fraction": (0.01, "%"), "per day": (1.0, "a day"), "points": (1.0, "points")}


def series(
    values: Sequence[Value],
    dark: bool = False,
    limits: Limits | None = None,
    since: date | None = None,
    events: Sequence[EventMark] = (),
) -> go.Figure:
    """One metric's values by period with its target; periods with too few rows are hollow, missing ones are gaps.

    `limits` are drawn as a band; `since` is where the days begin that they are held against; `events` are marked.
    """
    palette = DARK if dark else LIGHT
    metric = metrics()[values[0].metric]
    ordered = sorted(values, key=lambda value: value.period_start)
    factor, unit = _axis(ordered)
    line = {
        "type": "scatter",
        "x": [value.period_start for value in ordered],
        "y": [None if value.value is None else value.value / factor for value in ordered],
        "mode": "lines+markers",
        "line": {"color": palette.line, "width": 2.5},
        "marker": {
            "size": 8 if len(ordered) < 70 else 4,
            "color": [palette.surface if v.status == "insufficient" else palette.line for v in ordered],
            "line": {"color": palette.line, "width": 2 if len(ordered) < 70 else 1},
        },
        "text": [_hover(value) for value in ordered],
        "hovertemplate": "%{text}<extra></extra>",
        "connectgaps": False,
        "cliponaxis": False,  # a point on the axis is seen whole
        "name": metric.name,
    }
    marks: list[_Mark] = []
    if limits is not None:
        marks += _band(limits, max((value.value or 0.0 for value in ordered), default=0.0), factor, palette)
    if since is not None and ordered[0].period_start < since < ordered[-1].period_start:
        marks.append(_begin(since, palette))
    # a point stands on the first day of its period, in the middle of its room
    marks += event_shapes(events, palette, (ordered[-1].period_end - ordered[-1].period_start) / 2)
    targets = [value.target for value in ordered if value.target]
    if targets:
        marks.append(
            target_line(targets[-1], parse_target(targets[-1], metric).limit / factor, palette.target)
        )
    every = max(1, round(len(ordered) / 9))
    ticks = [value.period_start for value in ordered[::-every]]
    axis = {"tickvals": ticks, "tickformat": _tick_format(ordered)}
    return drawn([line], palette, unit, marks, axis, top=EVENTS_TOP if events else 24)


# a shape across the chart and the words at it; either can be missing
_Mark = tuple[dict[str, Any] | None, dict[str, Any] | None]


def words(text: str) -> str:
    """Text from data as Plotly shows it: no markup, and legible."""
    return html.escape(one_line(text))


def target_line(target: str, at: float, colour: str) -> _Mark:
    """The target as a dashed line with its words."""
    return (
        _across(at, {"color": colour, "width": 1.5, "dash": "dash"}),
        {
            "text": f"target {words(target)}",
            "font": {"color": colour, "size": 12},
            "x": 0,
            "xref": "x domain",
            "xanchor": "left",
            "y": at,
            "yanchor": "bottom",
            "yshift": 2,
            "showarrow": False,
        },
    )


def _across(at: float, line: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "y0": at, "y1": at, "line": line, **more}


def _band(limits: Limits, highest: float, factor: float, palette: Palette) -> list[_Mark]:
    # no farther above the highest value than the eye needs, so that the line keeps its room
    upper = min(limits.upper, max(_BAND_ABOVE * highest, limits.centre))
    band = {
        "type": "rect",
        "x0": 0,
        "x1": 1,
        "xref": "x domain",
        "y0": limits.lower / factor,
        "y1": upper / factor,
        "fillcolor": palette.faint,
        "opacity": 0.16,
        "line": {"width": 0},
        "layer": "below",
    }
    centre = {"color": palette.faint, "width": 1, "dash": "dot"}
    return [(band, None), (_across(limits.centre / factor, centre, layer="below"), None)]


def _begin(since: date, palette: Palette) -> _Mark:
    """A line where the chosen period begins, half a step before its first point."""
    at = datetime.combine(since, time()) - timedelta(days=3.5)
    return (
        upright(at, {"color": palette.faint, "width": 1, "dash": "dot"}),
        above(at, "this period →", palette.faint, size=11),
    )


def heading_height(events: Sequence[str]) -> int:
    """The pixels that the heading of a picture takes, with a line for each of its events."""
    return HEADING_HEIGHT + EVENT_HEIGHT * len(events)


def headed(figure: go.Figure, title: str, about: str, events: Sequence[str] = ()) -> go.Figure:
    """The figure with a heading of two lines, for who sees its picture without the page; `events` are more lines."""
    room = heading_height(events)
    height = figure.layout.height + room
    small = "".join(
        f"<br><span style='font-size:13px'>{_cut(line, _LONGEST_ABOUT)}</span>" for line in (about, *events)
    )
    return figure.update_layout(
        height=height,
        margin={"t": figure.layout.margin.t + room},
        title={
            "text": f"<b>{_cut(title, _LONGEST_TITLE)}</b>{small}",
            "font": {"size": 16},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "pad": {"l": 16},
            "y": 1 - _ABOVE_TITLE / height,
            "yref": "container",
            "yanchor": "top",
        },
    )


def _cut(text: str, longest: int) -> str:
    return words(text if len(text) <= longest else f"{text[: longest - 1]}…")


def event_shapes(
    events: Sequence[EventMark], palette: Palette, earlier: timedelta = timedelta()
) -> list[_Mark]:
    """Each event as a line or a band with its number above; what it is shows at the number. `earlier` moves all."""
    found: list[_Mark] = []
    numbers: dict[date, list[EventMark]] = {}
    for event in events:
        first = datetime.combine(event.first, time()) - earlier
        after = datetime.combine(event.last + timedelta(days=1), time()) - earlier
        line = {"color": palette.text, "width": 1}
        if event.first == event.last:
            found.append((upright(first + (after - first) / 2, line), None))
        else:
            band = {"x0": first, "x1": after, "fillcolor": palette.text, "opacity": 0.12, "layer": "below"}
            found.append(({**upright(first, {"width": 0}), "type": "rect", **band}, None))
        numbers.setdefault(event.first, []).append(event)
    for day, of_day in numbers.items():
        at = datetime.combine(day, time(12)) - earlier
        label = {
            **above(
                at, ", ".join(str(event.number) for event in of_day), palette.surface, size=11, yshift=18
            ),
            "xanchor": "center",
            "bgcolor": palette.text,
            "borderpad": 2,
            "hovertext": "<br>".join(words(event.told) for event in of_day),
        }
        found.append((None, label))
    return found


def upright(at: Any, line: dict[str, Any]) -> dict[str, Any]:
    """A line from the bottom to the top of the chart."""
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "y domain", "line": line}


def above(at: Any, text: str, colour: str, size: int = 12, yshift: int = 0) -> dict[str, Any]:
    """Words above the chart, from `at` to the right."""
    return {
        "x": at,
        "y": 1,
        "yref": "paper",
        "text": text,
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": yshift,
        "font": {"color": colour, "size": size},
    }


def _tick_format(values: Sequence[Value]) -> str:
    years = (values[-1].period_start - values[0].period_start).days > 330
    return "%b %Y" if years else "%-d %b"


def rounds_chart(
    values: Sequence[Value], names: Sequence[str], dark: bool = False, events: Sequence[EventMark] = ()
) -> go.Figure:
    """A score by survey round, each called by its name, on the whole scale of one to five, with its target."""
    figure = series(values, dark, events=events)
    figure.update_xaxes(tickvals=[value.period_start for value in values], ticktext=[*map(words, names)])
    figure.update_yaxes(range=[0.9, 5.15], rangemode="normal", tickvals=[1, 2, 3, 4, 5], title_text="score")
    return figure


def _axis(values: Sequence[Value]) -> tuple[float, str]:
    if values[0].unit != "seconds":
        return _AXES[values[0].unit]
    longest = max((value.value for value in values if value.value is not None), default=0.0)
    if longest < 5400:
        return 60.0, "minutes"
    return (3600.0, "hours") if longest < 4 * 86400 else (86400.0, "days")


def _hover(value: Value) -> str:
    shown = formats.figure_against(value.metric, value.value, value.unit, value.target)
    status = formats.STATUSES[value.status]
    rows = formats.counted(value.n, metrics()[value.metric].fact)
    parts = [
        formats.days(value.period_start, value.period_end),
        f"<b>{shown}</b> {status.symbol} {status.word}",
        f"{formats.exact(value.value, value.unit)}, {rows}" if value.value is not None else rows,
    ]
    return "<br>".join(parts)


def themed(palette: Palette, height: int, top: int, bottom: int, left: int) -> dict[str, Any]:
    """A layout in the page's fonts and colours, so many pixels high, with these margins.

    Margins that Plotly finds by itself make it draw everything twice.
    """
    return {
        "template": None,  # Plotly's own is long, and all that shows of it is set here
        "height": height,
        "margin": {"l": left, "r": 16, "t": top, "b": bottom},
        "paper_bgcolor": palette.surface,
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": palette.text, "size": 13, "family": "Source Sans, sans-serif"},
        "hoverlabel": {
            "bgcolor": palette.surface,
            "bordercolor": palette.faint,
            "font": {"color": palette.text},
        },
        "showlegend": False,
        "dragmode": False,
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": palette.faint, "activecolor": palette.text},
    }


def drawn(
    traces: Sequence[Mapping[str, Any]],
    palette: Palette,
    unit: str,
    marks: Iterable[_Mark],
    axis: Mapping[str, Any],
    height: int = 300,
    top: int = 24,
    most: int | None = None,
    **more: Any,
) -> go.Figure:
    """`traces` and `marks` on a chart as the page has them: `unit` on its upright axis, `axis` is the other one.

    Where the upright axis counts rows, `most` is the highest count: it has no tick between two of them.

    All of it is handed to Plotly at once: it checks a figure anew with each piece that is added later.
    """
    found = [*marks]
    layout = {
        **themed(palette, height, top, bottom=40, left=64),
        "xaxis": {"showgrid": False, "linecolor": palette.grid, "fixedrange": True, **axis},
        "yaxis": {
            "gridcolor": palette.grid,
            "zeroline": False,
            "rangemode": "tozero",
            "title": {"text": unit, "standoff": 8},
            "fixedrange": True,
            **({"dtick": 1} if most is not None and most <= _FEW_ROWS else {}),
        },
        "shapes": [shape for shape, _ in found if shape],
        "annotations": [words for _, words in found if words],
        **more,
    }
    return go.Figure(traces, layout)
