"""A number as people see it on any page: its figure, status and tooltip, and where it is explained."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from config.metrics import Metric, metrics
from dashboards.figures import formats
from dashboards.figures.distances import distance, shade
from dashboards.frame.view import Filters, link
from warehouse.metrics.values import Value
from warehouse.trust.unwatched import BLIND_METRICS, Unwatched


@dataclass(frozen=True)
class ValueCell:
    """One number as people see it: figure, status in symbol and word, tooltip, and where it is explained."""

    value: Value
    metric: Metric
    status: formats.StatusWords
    figure: str
    detail: str
    address: str = ""
    warning: str = ""

    @property
    def tone(self) -> str:
        """Which of the three colours it has: `met`, `missed` or `quiet`, as for what is met unseen."""
        if self.value.status == "met" and self.warning:
            return "quiet"
        return self.value.status if self.value.status in ("met", "missed") else "quiet"

    @property
    def far(self) -> int:
        """How far it is from its target: 1 near, 2 far, 3 very far, 0 where it is not judged."""
        return shade(self.value)


def value_cell(value: Value, view: Filters | None = None, blind: Unwatched | None = None) -> ValueCell:
    """A value with its figure, its tooltip, and where it is explained: `view`, narrowed to its scope."""
    metric, status = metrics()[value.metric], formats.STATUSES[value.status]
    shown = formats.figure_against(value.metric, value.value, value.unit, value.target)
    known = [formats.exact(value.value, value.unit)] if value.value is not None else []
    known += [formats.counted(value.n, metric.fact)]
    known += [f"target {value.target}"] if value.target else []
    known += [said] if (said := distance(value)) else []
    known += [status.meaning]
    warning = unseen(value, blind) or value.remark
    known += [warning] if warning else []
    address = _explained(value, view) if view else ""
    return ValueCell(value, metric, status, shown, " · ".join(known), address, warning)


def last_known_words(value: Value) -> tuple[str, str]:
    """(the figure of a week that is past, of when it is), for where the days shown have none."""
    return formats.figure(value.value, value.unit), formats.of_past_week(value.period_start)


def unseen(value: Value, blind: Unwatched | None) -> str:
    """That failures stay unseen where no source tells of incidents; empty where it does not matter."""
    if blind is None or value.metric not in BLIND_METRICS:
        return ""
    return blind.warning


def _explained(value: Value, view: Filters) -> str:
    narrowed: dict[str, Any] = {} if value.scope == "organisation" else {value.scope: value.name}
    if metrics()[value.metric].group == "platform":
        place = value.metric.replace("_", "-")
        return f"{link('platform', replace(view, **narrowed))}#{place}"
    return link("metric", replace(view, metric=value.metric, **narrowed))


def exists(value: Value) -> bool:
    """Whether there is such a number for the value's scope: people are asked by team."""
    return value.scope in ("organisation", "group", "team") or metrics()[value.metric].fact != "responses"


def days_of(values: Sequence[Value]) -> tuple[str, bool]:
    """(the days that the values are of, whether the period is still running)."""
    if not values:
        return "", False
    start, end = min(v.period_start for v in values), max(v.period_end for v in values)
    return formats.days(start, end), any(value.partial for value in values)
