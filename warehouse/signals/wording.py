"""A verdict in words: both numbers in one unit, and how much that is for people."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from config.metrics import metrics
from warehouse.metrics.units import duration, figures, plural
from warehouse.signals.judging import Judged, Unjudged
from warehouse.signals.sums import WEEK
from warehouse.signals.verdicts import Verdict

NORMAL = "within normal variation"
UNKNOWN: dict[Unjudged | None, str] = {
    None: "too little history to tell",
    "history": "too little history to tell",
    "few": "too few to tell",
    "round": "no new round to tell",
    "days": "told of whole weeks that have ended",
}


def compared_numbers(one: Judged) -> str:
    """ "9.6 h against 4.8 h in the 12 weeks before"; there are both numbers."""
    if one.now is None or one.usual is None:
        return ""
    now, usual = figures(one.now, one.usual, metrics()[one.metric].unit)
    run = f" in {(one.end - one.first) // WEEK} weeks" if one.week else ""
    return f"{now}{run} against {usual} in {compared_with(one)}"


def compared_with(one: Judged) -> str:
    """What the number is compared with: "the 12 weeks before"."""
    if metrics()[one.metric].fact == "responses":
        return "the round before"
    return f"the {one.weeks_before} weeks before"


def better_or_worse(found: Verdict) -> str:
    """ "better" or "worse", of a signal."""
    return "better" if found.is_better else "worse"


def told_verdict(found: Verdict) -> str:
    """The verdict with its numbers, or that there is none: "worse: 9.6 h against 4.8 h in the 12 weeks before"."""
    if found.kind == "signal":
        return f"{better_or_worse(found)}: {compared_numbers(found.judged)}"
    return NORMAL if found.kind == "normal" else UNKNOWN[found.judged.unjudged]


def extent(one: Judged) -> str:
    """How much that is for people: "about 576 hours more for 120 changes", "24 deployments fewer"; "" if unknown."""
    if one.now is None or one.usual is None:
        return ""
    metric, more = metrics()[one.metric], one.now > one.usual
    if metric.statistic == "rate":
        return f"{plural(round(one.affected), 'deployment')} {'more' if more else 'fewer'}"
    if metric.statistic == "share":
        kind = "failed deployment" if metric.input == "failed" else "deployment of rework"
        many = None if metric.input == "failed" else "deployments of rework"
        return f"{plural(round(one.affected), kind, many)} {'more' if more else 'fewer'}"
    if metric.fact == "responses":
        return f"of {plural(one.n, 'answer')}"
    one_row, many_rows = _ROWS[metric.fact]
    spent = duration(abs(one.now - one.usual) * one.n)
    return f"about {spent} {'more' if more else 'less'} for {plural(one.n, one_row, many_rows)}"


def signal_rows(found: Iterable[Verdict]) -> list[dict[str, Any]]:
    """The signals as rows: whose, both numbers in the metric's unit, of which days, how much that is, how likely."""
    return [
        {
            "scope": one.judged.scope,
            "name": one.judged.name,
            "metric": one.judged.metric,
            "verdict": better_or_worse(one),
            "value": one.judged.now,
            "usual": one.judged.usual,
            "unit": metrics()[one.judged.metric].unit,
            "first_day": one.judged.first.isoformat(),
            "last_day": (one.judged.end - timedelta(days=1)).isoformat(),
            "n": one.judged.n,
            "affected": round(one.judged.affected, 1),
            "extent": extent(one.judged),
            "chance": one.judged.chance,
        }
        for one in found
    ]


_ROWS = {
    "repositories": ("repository", "repositories"),
    "changes": ("change", "changes"),
    "incidents": ("incident", "incidents"),
    "recoveries": ("recovery", "recoveries"),
}
