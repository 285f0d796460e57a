"""How far a number is from its target: as a shade and in words."""

from config.metrics import metrics
from config.targets import parse_target
from warehouse.metrics.values import Value

# from how far beyond its target on a number has the second and the third shade: a ratio, for scores points
_FAR = {"points": (0.25, 0.75)}
_TIMES = (1.5, 3.0)


def shade(value: Value) -> int:
    """How far a number is from its target, met or missed: 1 near, 2 far, 3 very far; 0 where it is not judged."""
    if value.status not in ("met", "missed") or value.value is None or value.target is None:
        return 0
    limit = parse_target(value.target, metrics()[value.metric]).limit
    if value.unit in _FAR:
        return 1 + sum(abs(value.value - limit) >= step for step in _FAR[value.unit])
    small, large = sorted((abs(value.value), abs(limit)))
    return 3 if small == 0 else 1 + sum(large / small >= step for step in _TIMES)


def distance(value: Value) -> str:
    """How far a judged number is from its target in words: "2.6 times the target", "40 % of the target"; else ""."""
    if value.status not in ("met", "missed") or value.value is None or value.target is None:
        return ""
    limit = parse_target(value.target, metrics()[value.metric]).limit
    if value.unit in _FAR:
        return (
            f"{abs(value.value - limit):.1f} points {'above' if value.value > limit else 'below'} the target"
        )
    if limit == 0:
        return ""
    times = value.value / limit
    return f"{times:,.1f} times the target" if times >= 2 else f"{100 * times:.0f} % of the target"
