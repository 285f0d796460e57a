"""A scope's deployments, incidents and recoveries on a time axis; shapes tell what colours tell."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboards.figures import formats
from dashboards.figures.charts import DARK, EVENTS_TOP, LIGHT, Palette, event_shapes, themed, words
from dashboards.figures.event_marks import EventMark
from dashboards.figures.fact_cells import SHA_LENGTH
from warehouse.rows.timeline import Count, Point, PointKind, Recovery, Timeline

MOST_LANES = 30
LONGEST_TITLE = 90
_LONGEST_NAME = 24
# of a lane's height: recoveries stand so far above its deployments, incidents below
ABOVE = 0.3
_SEVERAL = "several services"
_INCIDENTS = "incidents"
# what a kind is called, its shape, and its size; a rollback goes round the failure that it ends where the two meet
_KINDS: dict[PointKind, tuple[str, str, int]] = {
    "left out": ("left out", "circle-open", 7),
    "counted": ("deployment", "circle", 9),
    "failed": ("failed deployment", "x", 10),
    "rollback": ("rollback", "triangle-left-open", 19),
}

# (shape, colour, what it is) of what is in the picture
KEY = (
    ("●", "counted", "deployment"),
    ("✖", "failed", "failed deployment"),
    ("◁", "rollback", "rollback"),
    ("○", "left-out", "left out, such as a repeat"),
    ("◆", "recovery", "recovery"),
    ("▬", "incident", "incident"),
)

By = Literal["service", "environment"]


@dataclass(frozen=True)
class _Drawing:
    """Where things stand: the lanes from the top, the zone of times, the colours."""

    lanes: Sequence[str]
    by: By
    zone: ZoneInfo
    palette: Palette
    as_of: datetime
    end: datetime

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone).replace(tzinfo=None)

    def y(self, lane: str) -> int:
        return -self.lanes.index(lane)


def timeline_chart(
    of: Timeline,
    by: By,
    timezone: str,
    as_of: datetime,
    dark: bool = False,
    events: Sequence[EventMark] = (),
) -> go.Figure:
    """The timeline with a lane for each service of a team, or for each environment of one service."""
    palette = DARK if dark else LIGHT
    end = datetime.combine(of.end, time())
    drawing = _Drawing(lanes(of, by), by, ZoneInfo(timezone), palette, as_of, end)
    traces = [*_incidents(of, drawing), *_recoveries(of.recoveries, drawing)]
    for kind in _KINDS:
        traces += _deployments(of, kind, drawing)
    return go.Figure(traces, _layout(of, drawing, events))


def lanes(of: Timeline, by: By) -> list[str]:
    """What has a lane: those with the most events where there is no room for all, in order of name; incidents last."""
    single: list[Point | Recovery] = [*of.points, *of.recoveries]
    events = Counter(_lane(event, by) for event in single)
    for count in of.counts:
        events[_lane(count, by)] += count.n
    if by == "service":
        events.update(incident.service or _SEVERAL for incident in of.incidents)
    found = [lane for lane, _ in events.most_common(MOST_LANES)]
    found = sorted(found, key=lambda lane: (lane == _SEVERAL, lane.casefold()))
    return [*found, _INCIDENTS] if by == "environment" and of.incidents else found


def left_undrawn(of: Timeline, by: By) -> str:
    """What of the range the picture does not show, in a sentence; empty where it shows all."""
    events: list[Point | Count | Recovery] = [*of.points, *of.counts, *of.recoveries]
    whole = len({_lane(event, by) for event in events})
    told = []
    if whole > MOST_LANES:
        told.append(f"the {MOST_LANES} of {whole:,} {by}s with the most events are drawn")
    if of.more_incidents:
        told.append(f"{formats.plural(of.more_incidents, 'older incident')} left undrawn")
    if of.counts:
        told.append(
            f"there are too many deployments for points of their own: larger marks hold a {of.counted_by}'s"
        )
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def described(of: Timeline) -> str:
    """The picture in words, for those who do not see it."""
    parts = [f"{of.totals.get(kind, 0):,} {name}" for kind, (name, _, _) in _KINDS.items()]
    return f"Timeline: {', '.join(parts)}, {len(of.incidents):,} incidents, {len(of.recoveries):,} recoveries"


def point_rows(of: Timeline) -> list[dict[str, Any]]:
    """The picture as a CSV has it: a row for each mark, with how many deployments it stands for."""
    return [
        *(
            _row(point.kind, point.service, point.environment, point.at, point.why, point.revision)
            for point in of.points
        ),
        *(
            _row(n.kind, n.service, n.environment, n.first, f"in the {of.counted_by}", n=n.n)
            for n in of.counts
        ),
        *(_row("recovery", one.service, one.environment, one.at, one.by) for one in of.recoveries),
        *(
            _row("incident", one.service or "", "", one.opened_at, one.title, until=one.resolved_at)
            for one in of.incidents
        ),
    ]


def _row(
    what: str,
    service: str,
    environment: str,
    at: date,
    why: str,
    revision: str = "",
    until: datetime | None = None,
    n: int = 1,
) -> dict[str, Any]:
    return {
        "what": what,
        "service": service,
        "environment": environment,
        "at": at,
        "until": until,
        "n": n,
        "revision": revision,
        "why": why,
    }


def _lane(event: Point | Count | Recovery, by: By) -> str:
    return (event.environment or "no environment") if by == "environment" else event.service


def _deployments(of: Timeline, kind: PointKind, drawing: _Drawing) -> Iterator[dict[str, Any]]:
    name, symbol, size = _KINDS[kind]
    points = [p for p in of.points if p.kind == kind and _lane(p, drawing.by) in drawing.lanes]
    counts: Counter[tuple[str, datetime]] = Counter()
    for count in of.counts:
        if count.kind == kind and _lane(count, drawing.by) in drawing.lanes:
            counts[_lane(count, drawing.by), datetime(*count.first.timetuple()[:3], 12)] += count.n
    most = max(counts.values(), default=1)
    if not points and not counts:
        return
    yield _scatter(
        x=[drawing.local(point.at) for point in points] + [first for _, first in counts],
        y=[drawing.y(_lane(point, drawing.by)) for point in points] + [drawing.y(lane) for lane, _ in counts],
        text=[_told(point, drawing) for point in points]
        + [_counted(n, name, first, of.counted_by) for (_, first), n in counts.items()],
        mode="markers",
        marker={
            "symbol": symbol,
            "size": [size] * len(points) + [6 + 14 * (n / most) ** 0.5 for n in counts.values()],
            "color": _colour(kind, drawing.palette),
            "opacity": 0.85,
            "line": {
                "width": 1 if kind in ("counted", "failed") else 1.75,
                "color": _edge(kind, drawing.palette),
            },
        },
        name=name,
        hovertemplate="%{text}<extra></extra>",
    )


def _scatter(**trace: Any) -> dict[str, Any]:
    return {"type": "scatter", **trace}


def _colour(kind: PointKind, palette: Palette) -> str:
    return {"counted": palette.line, "left out": palette.faint, "failed": palette.target}.get(
        kind, palette.text
    )


def _edge(kind: PointKind, palette: Palette) -> str:
    return {"left out": palette.faint, "rollback": palette.text}.get(kind, palette.surface)


def _told(point: Point, drawing: _Drawing) -> str:
    name = _KINDS[point.kind][0]
    revision = point.revision[:SHA_LENGTH] or "commit unknown"
    return _lines(
        f"<b>{name.capitalize()}</b> of {words(point.service)}",
        formats.moment(point.at, drawing.zone.key),
        words(f"{point.environment} · {revision}" if point.environment else revision),
        words(_cut(point.why)),
    )


def _counted(n: int, name: str, first: datetime, period: str) -> str:
    what = f"{n:,} {name}" if name == "left out" else formats.plural(n, name)
    when = {"day": "", "week": "week of ", "month": "month of "}[period] + formats.day(first.date())
    return _lines(f"<b>{what}</b>", when)


def _recoveries(found: Iterable[Recovery], drawing: _Drawing) -> Iterator[dict[str, Any]]:
    """Each recovery above the deployments, at the end of a line from the failure that it ended."""
    shown = [one for one in found if _lane(one, drawing.by) in drawing.lanes]
    if not shown:
        return
    x: list[datetime | None] = []
    y: list[float | None] = []
    for one in shown:
        at, lane = drawing.local(one.at), drawing.y(_lane(one, drawing.by)) + ABOVE
        x += [drawing.local(one.at - timedelta(seconds=one.after_seconds)), at, None]
        y += [lane, lane, None]
    line = {"color": drawing.palette.better, "width": 2, "dash": "dot"}
    yield _scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip")
    yield _scatter(
        x=[drawing.local(one.at) for one in shown],
        y=[drawing.y(_lane(one, drawing.by)) + ABOVE for one in shown],
        text=[
            _lines(
                f"<b>Recovery</b> of {words(one.service)}, after {formats.figure(one.after_seconds, 'seconds')}",
                formats.moment(one.at, drawing.zone.key),
                words(_cut(one.by)),
            )
            for one in shown
        ],
        mode="markers",
        marker={
            "symbol": "diamond",
            "size": 11,
            "color": drawing.palette.better,
            "line": {"width": 1, "color": drawing.palette.surface},
        },
        name="recovery",
        hovertemplate="%{text}<extra></extra>",
    )


def _incidents(of: Timeline, drawing: _Drawing) -> Iterator[dict[str, Any]]:
    """Each incident as a bar from opening to resolution, below the deployments; one that goes on ends in an arrow."""
    bars: list[tuple[datetime | None, float | None]] = []
    marks: list[tuple[datetime, float, str, str]] = []
    for one in of.incidents:
        lane, offset = (_INCIDENTS, 0.0) if drawing.by == "environment" else (one.service or _SEVERAL, -ABOVE)
        if lane not in drawing.lanes:
            continue
        until = one.resolved_at or drawing.as_of
        lasted = formats.figure((until - one.opened_at).total_seconds(), "seconds")
        told = _lines(
            f"<b>Incident</b> of {words(one.service or _SEVERAL)}",
            words(_cut(one.title)),
            f"opened {formats.moment(one.opened_at, drawing.zone.key)}",
            f"{'resolved after' if one.resolved_at else 'still open after'} {lasted}",
        )
        level = drawing.y(lane) + offset
        opened, shown_until = drawing.local(one.opened_at), min(drawing.local(until), drawing.end)
        bars += [(opened, level), (shown_until, level), (None, None)]
        marks.append((opened, level, "line-ns", told))
        if one.resolved_at is None or shown_until < drawing.local(until):
            marks.append((shown_until, level, "triangle-right", told))
    if not bars:
        return
    colour = drawing.palette.incident
    yield _scatter(
        x=[x for x, _ in bars],
        y=[y for _, y in bars],
        mode="lines",
        line={"color": colour, "width": 7},
        hoverinfo="skip",
        cliponaxis=False,
    )
    yield _scatter(
        x=[x for x, *_ in marks],
        y=[y for _, y, *_ in marks],
        text=[told for *_, told in marks],
        mode="markers",
        marker={
            "symbol": [symbol for *_, symbol, _ in marks],
            "size": 12,
            "opacity": 1,
            "color": colour,
            "line": {"width": 2.5, "color": colour},
        },
        name="incident",
        cliponaxis=False,
        hovertemplate="%{text}<extra></extra>",
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else f"{text[: LONGEST_TITLE - 1]}…"


def _lines(*parts: str) -> str:
    return "<br>".join(part for part in parts if part)


def _layout(of: Timeline, drawing: _Drawing, events: Sequence[EventMark]) -> dict[str, Any]:
    palette, lanes = drawing.palette, drawing.lanes
    names = [lane if len(lane) <= _LONGEST_NAME else f"{lane[: _LONGEST_NAME - 1]}…" for lane in lanes]
    left = 16 + round(7.5 * max(map(len, names), default=0))
    top = EVENTS_TOP if events else 12
    themes = themed(palette, height=58 + top + 38 * max(2, len(lanes)), top=top, bottom=30, left=left)
    marks = event_shapes(events, palette)
    return {
        **themes,
        "hoverlabel": {**themes["hoverlabel"], "align": "left"},
        "hovermode": "closest",
        "shapes": [shape for shape, _ in marks if shape],
        "annotations": [label for _, label in marks if label],
        "xaxis": {
            "range": [of.start, of.end],
            "showgrid": True,
            "gridcolor": palette.grid,
            "linecolor": palette.grid,
            "tickformat": "%-d %b",
        },
        "yaxis": {
            "tickvals": [drawing.y(lane) for lane in lanes],
            "ticktext": [words(name) for name in names],
            "range": [0.6 - len(lanes), 0.6],
            "gridcolor": palette.grid,
            "zeroline": False,
            "fixedrange": True,
        },
    }
