"""What a page says of a number against the period before: a change only where it is more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.figures import formats
from warehouse.metrics.signals import Verdict, assess
from warehouse.metrics.values import Value

NORMAL = "within normal variation"
UNKNOWN = "too little history to tell"


@dataclass(frozen=True)
class Change:
    """`text` is the verdict, `tone` its colour (`better`, `worse` or `quiet`), `before` the value compared with."""

    text: str = ""
    tone: str = "quiet"
    before: str = ""


def change(value: Value, before: Value | None, weeks: Sequence[Value]) -> Change:
    """`value` against `before` and the weeks before its days; nothing where there is no value.

    `weeks` are the metric's values by week of the same scope.
    """
    if value.value is None:
        return Change(before=_before(before))
    verdict = assess(weeks, value.period_start, value.period_end, value, before)
    return Change(verdict_in_words(verdict), tone(verdict), _before(before))


def verdict_in_words(verdict: Verdict) -> str:
    """The verdict in words: "↓ better: below the natural limits of the 12 weeks before", "within normal variation"."""
    if verdict.kind == "normal":
        return NORMAL
    if verdict.kind == "unknown":
        return UNKNOWN
    arrow = "↑" if verdict.direction == "up" else "↓"
    return f"{arrow} {'better' if verdict.is_better else 'worse'}: {verdict.reason}"


def tone(verdict: Verdict) -> str:
    """The colour of a verdict: `better`, `worse`, or `quiet` where it is no signal."""
    if verdict.kind != "signal":
        return "quiet"
    return "better" if verdict.is_better else "worse"


def _before(before: Value | None) -> str:
    if before is None or before.value is None:
        return ""
    figure = formats.figure(before.value, before.unit)
    return f"{figure} in {formats.days(before.period_start, before.period_end)}"
