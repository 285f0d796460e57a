"""Pictures that a mail program shows: PNG as data URI, legible on a light and on a dark page."""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 132, 34  # as shown, in pixels; drawn at twice that
LINE, TARGET = "#3f7fc4", "#8a8f98"


@dataclass(frozen=True)
class Picture:
    """An embedded picture; `alt` says in words what it shows."""

    uri: str
    alt: str
    width: int = WIDTH
    height: int = HEIGHT


def sparkline_picture(values: Sequence[float | None], limit: float | None, alt: str) -> Picture:
    """The values oldest first as a line with the last one marked, gaps where one is missing; `limit` dashed."""
    # takes half a second, which no delivery waits for that has nothing to draw
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 50, HEIGHT / 50), dpi=100, facecolor="none")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    points = [math.nan if value is None else value for value in values]
    low, high = drawn_range(values, limit)
    axes.set_xlim(-0.5, max(len(points) - 0.5, 0.5))
    axes.set_ylim(low, high)
    if limit is not None and low <= limit <= high:
        axes.axhline(limit, color=TARGET, linewidth=1.2, dashes=(3, 2.5))
    axes.plot(points, color=LINE, linewidth=1.8, solid_capstyle="round", solid_joinstyle="round")
    alone = [
        at
        for at, value in enumerate(points)
        if not math.isnan(value)
        and (at == 0 or math.isnan(points[at - 1]))
        and (at == len(points) - 1 or math.isnan(points[at + 1]))
    ]
    axes.plot(alone, [points[at] for at in alone], ".", color=LINE, markersize=4)
    if points and not math.isnan(points[-1]):
        axes.plot([len(points) - 1], [points[-1]], "o", color=LINE, markersize=5)
    file = io.BytesIO()
    canvas.print_png(file, metadata={"Software": None})
    return Picture("data:image/png;base64," + base64.b64encode(file.getvalue()).decode(), alt)


def drawn_range(values: Sequence[float | None], limit: float | None) -> tuple[float, float]:
    """(lowest, highest) to draw: all values, and the limit where it does not press them flat, with a margin."""
    known = [value for value in values if value is not None]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    if limit is not None:
        room = max(high - low, abs(high) * 0.25)
        if low - room <= limit <= high + room:
            low, high = min(low, limit), max(high, limit)
    margin = (high - low) * 0.14 or abs(high) * 0.5 or 1.0
    return low - margin, high + margin
