"""Small lines in a tile: the coordinates that `sparkline.j2` draws."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.figures.pictures import drawn_range

WIDTH, HEIGHT = 120.0, 34.0


@dataclass(frozen=True)
class Sparkline:
    """Coordinates in a box of WIDTH × HEIGHT: stretches without a gap as `x,y x,y`, and the texts of tooltips."""

    lines: tuple[str, ...]
    alone: tuple[str, ...]
    last: str | None
    limit: str | None
    band: tuple[str, str] | None
    titles: tuple[str, ...]
    label: str


def sparkline(
    values: Sequence[float | None],
    titles: Sequence[str],
    limit: float | None,
    label: str,
    band: tuple[float, float] | None = None,
) -> Sparkline:
    """The values oldest first, gaps where one is missing, with a tooltip for each; `band`: (lower, upper)."""
    low, high = drawn_range(values, limit)
    step = WIDTH / max(len(values), 1)

    def y(value: float) -> str:
        return f"{HEIGHT * (high - value) / (high - low):.1f}"

    def point(at: int, value: float) -> str:
        return f"{step * (at + 0.5):.1f},{y(value)}"

    runs = [[point(at, value) for at, value in run] for run in _runs(values)]
    last = values[-1] if values else None
    return Sparkline(
        lines=tuple(" ".join(run) for run in runs if len(run) > 1),
        alone=tuple(run[0] for run in runs if len(run) == 1),
        last=None if last is None else point(len(values) - 1, last),
        limit=y(limit) if limit is not None and low <= limit <= high else None,
        band=_clipped(band, low, high),
        titles=tuple(titles),
        label=label,
    )


def _clipped(band: tuple[float, float] | None, low: float, high: float) -> tuple[str, str] | None:
    """(top, height) of what the box shows of a band; None where that is nothing."""
    if band is None:
        return None
    bottom, top = max(band[0], low), min(band[1], high)
    if top <= bottom:
        return None
    return f"{HEIGHT * (high - top) / (high - low):.1f}", f"{HEIGHT * (top - bottom) / (high - low):.1f}"


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """The stretches of values without a gap: (position, value)."""
    runs: list[list[tuple[int, float]]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]
