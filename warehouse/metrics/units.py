"""Figures in the units that people say, for sentences and for everything that shows numbers."""

import math
from collections.abc import Iterable
from statistics import median

MISSING = "–"


def figure(value: float | None, unit: str, limit: float | None = None) -> str:
    """`value` with one unit: "25 min", "3.2 h", "2.1 d", "4.2 %", "12 a day", "4.0 of 5"; "–" for None.

    Given a target's `limit`, as many digits as it takes to be on the same side of it as the exact value.
    """
    if value is None:
        return MISSING
    factor, suffix, places = _scale(value, unit)
    number = round(value / factor, places)
    while limit is not None and places < 6 and _side(number * factor, limit) != _side(value, limit):
        places += 1
        number = round(value / factor, places)
    return _written(number, places, unit) + suffix


def figure_beside(value: float, shown: float, unit: str) -> str:
    """`value` in the unit in which `figure` says `shown`, in as many digits as it takes to tell them apart.

    In its own unit where nobody would say it in the other's: "4 d" beside "2 min".
    """
    factor, suffix, places = _scale(shown, unit)
    if value and not 0.05 <= abs(value / factor) < 1000:
        return figure(value, unit)
    while round(value / factor, places) == round(shown / factor, places) and places < 6 and value != shown:
        places += 1
    return _written(round(value / factor, places), places, unit) + suffix


def figures(first: float, second: float, unit: str) -> tuple[str, str]:
    """Two figures in one unit, in as many digits as it takes to tell them apart: "0.4 h" and "50.4 h"."""
    sizes = [abs(value) for value in (first, second) if value]
    factor, suffix, places = _scale(math.prod(sizes) ** (1 / max(1, len(sizes))), unit)
    while round(first / factor, places) == round(second / factor, places) and places < 6 and first != second:
        places += 1
    told = [_written(round(value / factor, places), places, unit) + suffix for value in (first, second)]
    return told[0], told[1]


def figures_of(values: Iterable[float | None], unit: str) -> list[str]:
    """Figures that are read one after the other, in the unit of the middle one: "3.5 h", "50.4 h"; "–" for None.

    One that nobody would say in it is in its own: "4 d" among minutes.
    """
    told = [*values]
    sizes = [abs(value) for value in told if value]
    factor, suffix, places = _scale(median(sizes) if sizes else 0.0, unit)
    return [
        figure(value, unit)
        if value is None or (value and not 0.05 <= abs(value / factor) < 1000)
        else _written(round(value / factor, places), places, unit) + suffix
        for value in told
    ]


def _written(number: float, places: int, unit: str) -> str:
    text = f"{number:,.{places}f}"
    # of a score the place after the point is read as how exact it is
    return text.rstrip("0").rstrip(".") if places and unit != "points" else text


def _scale(value: float, unit: str) -> tuple[float, str, int]:
    """(factor, suffix, decimal places) in which a person would say it."""
    size = abs(value)
    if unit == "seconds":
        if size < 89.5:
            return 1, " s", 0
        if size < 89.5 * 60:
            return 60, " min", 0 if size >= 570 else 1
        return (3600, " h", 1) if size < 47.95 * 3600 else (86400, " d", 1)
    if unit == "fraction":
        return 0.01, " %", 1
    if unit == "per day":
        return (1, " a day", 1 if size < 99.5 else 0) if size >= 0.995 else (1 / 7, " a week", 1)
    return 1, " of 5", 1


def _side(value: float, limit: float) -> int:
    """-1, 0 or 1: below, at or above `limit`, with what binary fractions lose taken as equal."""
    difference = value - limit
    return 0 if abs(difference) <= 1e-12 * max(1.0, abs(limit)) else (1 if difference > 0 else -1)


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: "1 gap", "1,204 gaps"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A duration in words, in the largest unit that reads well: "25 minutes", "3.2 hours", "1 day"."""
    size, unit, places = 86400.0, "day", 1 if seconds < 9.95 * 86400 else 0
    if seconds < 89.5:
        size, unit, places = 1, "second", 0
    elif seconds < 89.5 * 60:
        size, unit, places = 60, "minute", 0
    elif seconds < 47.95 * 3600:
        size, unit, places = 3600, "hour", 1
    text = f"{seconds / size:,.{places}f}".removesuffix(".0")
    return f"{text} {unit}{'' if text == '1' else 's'}"


def listed(parts: list[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
