"""What a page says of a number against the weeks before: a change only where it is more than chance."""

from dataclasses import dataclass

from warehouse.metrics.units import figure_beside
from warehouse.metrics.values import Value
from warehouse.signals.verdicts import Verdict
from warehouse.signals.wording import compared_with, told_verdict


@dataclass(frozen=True)
class Change:
    """`text` is the verdict, `tone` its colour (`better`, `worse` or `quiet`), `before` the number compared with."""

    text: str = ""
    tone: str = "quiet"
    before: str = ""


def change(value: Value, found: Verdict | None) -> Change:
    """What is `found` of `value`; nothing where there is no value, or nothing was judged."""
    if value.value is None or found is None:
        return Change()
    if found.kind == "signal":
        arrow = "↑" if found.direction == "up" else "↓"
        return Change(f"{arrow} {told_verdict(found)}", tone(found))
    usual = found.judged.usual
    if usual is None:
        return Change(told_verdict(found))
    before = figure_beside(usual, value.value, value.unit)
    return Change(told_verdict(found), before=f"{before} in {compared_with(found.judged)}")


def tone(found: Verdict) -> str:
    """The colour of a verdict: `better`, `worse`, or `quiet` where it is no signal."""
    if found.kind != "signal":
        return "quiet"
    return "better" if found.is_better else "worse"
