"""Targets in words: `< 30 minutes`, `> 10/day`, `< 5%`, `> 4.5/5`."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from config.metrics import Metric
from config.text.quoting import LONGEST_VALUE, quoted

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# dimension -> unit as written -> factor that turns the number into the metric's own unit
_UNITS: dict[str, dict[str, float]] = {
    "duration": {"minute": 60, "minutes": 60, "hour": 3600, "hours": 3600, "day": 86400, "days": 86400},
    "rate": {"/day": 1, "/week": 1 / 7},
    "share": {"%": 0.01},
    "score": {"/5": 1},
}
_EXAMPLES = {"duration": "< 30 minutes", "rate": "> 10/day", "share": "< 5%", "score": "> 4.5/5"}
_TARGET = re.compile(r"\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*(\S.*?)\s*")


@dataclass(frozen=True)
class Target:
    """A limit on a metric's value; `limit` is in the metric's own unit, `text` as the user wrote it."""

    comparison: str
    limit: float
    text: str

    def met_by(self, value: float) -> bool:
        """Whether the unrounded `value` is on the right side of the limit."""
        return _COMPARISONS[self.comparison](value, self.limit)


@cache
def parse_target(text: str, metric: Metric) -> Target:
    """The target that `text` states for `metric`.

    Raises ValueError with a sentence that says what is wrong and an example that works.
    """
    example = f'write it like "{_EXAMPLES[metric.dimension]}"'
    found = _TARGET.fullmatch(text) if len(text) <= LONGEST_VALUE else None
    if not found:
        raise ValueError(f"{quoted(text)} is not a target; {example}")
    comparison, number, unit = found.groups()
    factors = _UNITS[metric.dimension]
    factor = factors.get(" ".join(unit.lower().split()))
    if factor is None:
        known = ", ".join(factors)
        raise ValueError(
            f"the unit {quoted(unit)} does not fit {metric.name}, which takes {known}; {example}"
        )
    # a percentage is divided, not multiplied: 5 * 0.01 is not the float 0.05 for every number
    limit = float(number) / 100 if unit == "%" else float(number) * factor
    return Target(comparison, limit, text)


def parse_size(text: str, metric: Metric) -> float:
    """A size in the metric's own unit, written as a target without its comparison: `2 hours`, `1/week`, `2%`, `0.3/5`.

    Raises ValueError with a sentence that says what is wrong and an example that works.
    """
    try:
        return parse_target(f"> {text}", metric).limit
    except ValueError:
        units = ", ".join(_UNITS[metric.dimension])
        example = _EXAMPLES[metric.dimension].split(maxsplit=1)[1]
        raise ValueError(
            f'{quoted(text)} is not a size of {metric.name}, which takes {units}; write it like "{example}"'
        ) from None
