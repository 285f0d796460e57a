"""Plotly figures in colours that colour-blind people can tell apart, on a light and on a dark page."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import plotly.graph_objects as go

from config.metrics import metrics
from config.targets import parse_target
from dashboards import formats
from warehouse.signals import Limits
from warehouse.values import Value


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
# how many of a unit are shown as one on the axis, and what that is called
_AXES = {"fraction": (0.01, "%"), "per day": (1.0, "a day"), "points": (1.0, "points")}


def series(
    values: Sequence[Value], dark: bool = False, limits: Limits | None = None, since: date | None = None
) -> go.Figure:
    """One metric's values by period with its target; periods with too few rows are hollow, missing ones are gaps.

    `limits` are drawn as a band; `since` is where the days begin that they are held against.
    """
    palette = DARK if dark else LIGHT
    metric = metrics()[values[0].metric]
    ordered = sorted(values, key=lambda value: value.period_start)
    factor, unit = _axis(ordered)
    figure = go.Figure(
        go.Scatter(
            x=[value.period_start for value in ordered],
            y=[None if value.value is None else value.value / factor for value in ordered],
            mode="lines+markers",
            line={"color": palette.line, "width": 2.5},
            marker={
                "size": 8 if len(ordered) < 70 else 4,
                "color": [palette.surface if v.status == "insufficient" else palette.line for v in ordered],
                "line": {"color": palette.line, "width": 2 if len(ordered) < 70 else 1},
            },
            text=[_hover(value) for value in ordered],
            hovertemplate="%{text}<extra></extra>",
            connectgaps=False,
            name=metric.name,
        )
    )
    if limits is not None:
        _band(figure, limits, factor, palette)
    if since is not None and ordered[0].period_start < since < ordered[-1].period_start:
        _mark(figure, since, palette)
    targets = [value.target for value in ordered if value.target]
    if targets:
        target_line(figure, targets[-1], parse_target(targets[-1], metric).limit / factor, palette)
    every = max(1, round(len(ordered) / 9))
    ticks = [value.period_start for value in ordered[::-every]]
    styled(figure, palette, unit).update_xaxes(tickvals=ticks, tickformat=_tick_format(ordered))
    return figure


def target_line(figure: go.Figure, target: str, at: float, palette: Palette) -> None:
    """Adds the target as a dashed line with its words."""
    figure.add_hline(
        y=at,
        line={"color": palette.target, "width": 1.5, "dash": "dash"},
        annotation={
            "text": f"target {html.escape(target)}",
            "font": {"color": palette.target, "size": 12},
            "yshift": 2,
        },
        annotation_position="top left",
    )


def _band(figure: go.Figure, limits: Limits, factor: float, palette: Palette) -> None:
    figure.add_hrect(
        y0=limits.lower / factor,
        y1=limits.upper / factor,
        fillcolor=palette.faint,
        opacity=0.16,
        line_width=0,
        layer="below",
    )
    figure.add_hline(
        y=limits.centre / factor, line={"color": palette.faint, "width": 1, "dash": "dot"}, layer="below"
    )


def _mark(figure: go.Figure, since: date, palette: Palette) -> None:
    """A line where the chosen period begins, half a step before its first point."""
    figure.add_vline(
        x=datetime.combine(since, time()) - timedelta(days=3.5),
        line={"color": palette.faint, "width": 1, "dash": "dot"},
    )
    figure.add_annotation(
        x=datetime.combine(since, time()) - timedelta(days=3.5),
        y=1,
        yref="paper",
        text="this period →",
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        font={"color": palette.faint, "size": 11},
    )


def _tick_format(values: Sequence[Value]) -> str:
    years = (values[-1].period_start - values[0].period_start).days > 330
    return "%b %Y" if years else "%-d %b"


def rounds(values: Sequence[Value], names: Sequence[str], dark: bool = False) -> go.Figure:
    """A score by survey round, each called by its name, on the whole scale of one to five, with its target."""
    figure = series(values, dark)
    figure.update_xaxes(tickvals=[value.period_start for value in values], ticktext=[*names])
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


def themed(figure: go.Figure, palette: Palette, height: int, top: int, bottom: int) -> go.Figure:
    """The figure in the page's fonts and colours, so many pixels high, with these margins."""
    figure.update_layout(
        template=None,  # Plotly's own is long, and all that shows of it is set here
        height=height,
        margin={"l": 8, "r": 16, "t": top, "b": bottom},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": palette.text, "size": 13, "family": "Source Sans, sans-serif"},
        hoverlabel={
            "bgcolor": palette.surface,
            "bordercolor": palette.faint,
            "font": {"color": palette.text},
        },
        showlegend=False,
        dragmode=False,
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": palette.faint, "activecolor": palette.text},
    )
    return figure


def styled(figure: go.Figure, palette: Palette, unit: str) -> go.Figure:
    """The figure as the page's charts are, with `unit` on its upright axis."""
    themed(figure, palette, height=300, top=24, bottom=40)
    figure.update_xaxes(showgrid=False, linecolor=palette.grid, fixedrange=True)
    figure.update_yaxes(
        gridcolor=palette.grid,
        zeroline=False,
        rangemode="tozero",
        title={"text": unit, "standoff": 8},
        fixedrange=True,
        automargin=True,
    )
    return figure
