"""The overview's content: tiles and the table of teams and services, made from values; no Streamlit, no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from config.metrics import Metric, metrics
from config.targets import parse_target
from dashboards.figures import formats
from dashboards.figures.distances import distance, shade
from dashboards.figures.sparklines import Sparkline, sparkline
from dashboards.figures.verdicts import Change, change
from dashboards.frame.view import Filters, days_before, link
from dashboards.overview.loading import State
from warehouse.metrics.signals import Limits, limits_before
from warehouse.metrics.values import Value
from warehouse.trust.unwatched import BLIND_METRICS, Unwatched


@dataclass(frozen=True)
class Cell:
    """One number as people see it: figure, status in symbol and word, tooltip, and where it is explained."""

    value: Value
    metric: Metric
    status: formats.Status
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


@dataclass(frozen=True)
class Tile:
    """A key metric with its last twelve completed weeks and its change since the period before."""

    cell: Cell
    counted: str
    percentiles: str
    change: Change
    line: Sparkline


@dataclass(frozen=True)
class Notice:
    """Something to be said above the numbers; `bad` where they may be wrong."""

    title: str
    lines: tuple[str, ...] = ()
    bad: bool = False


def cell(value: Value, view: Filters | None = None, blind: Unwatched | None = None) -> Cell:
    """A value with its figure, its tooltip, and where it is explained: `view`, narrowed to its scope."""
    metric, status = metrics()[value.metric], formats.STATUSES[value.status]
    shown = formats.figure_against(value.metric, value.value, value.unit, value.target)
    known = [formats.exact(value.value, value.unit)] if value.value is not None else []
    known += [formats.counted(value.n, metric.fact)]
    known += [f"target {value.target}"] if value.target else []
    known += [said] if (said := distance(value)) else []
    known += [status.meaning]
    warning = unseen(value, blind)
    known += [warning] if warning else []
    address = _explained(value, view) if view else ""
    return Cell(value, metric, status, shown, " · ".join(known), address, warning)


def unseen(value: Value, blind: Unwatched | None) -> str:
    """That failures stay unseen where no source tells of incidents; empty where it does not matter."""
    if blind is None or value.metric not in BLIND_METRICS:
        return ""
    if blind.is_all:
        return "No incidents are read here; failures may be missing."
    return (
        f"Incidents of {blind.unwatched} of {blind.services} services are not read; failures may be missing."
    )


def _explained(value: Value, view: Filters) -> str:
    narrowed: dict[str, Any] = {} if value.scope == "organisation" else {value.scope: value.name}
    return link("metric", replace(view, metric=value.metric, **narrowed))


def tiles(
    current: Sequence[Value],
    previous: Sequence[Value],
    history: Sequence[Value],
    view: Filters,
    blind: Mapping[str, Unwatched] | None = None,
) -> list[Tile]:
    """A tile for each value of `current`, in the order in which metrics are declared; `blind` is by name."""
    before = {value.metric: value for value in previous}
    weeks: dict[str, list[Value]] = {}
    for value in history:
        weeks.setdefault(value.metric, []).append(value)
    return [
        _tile(
            cell(value, view, (blind or {}).get(value.name)),
            before.get(value.metric),
            weeks.get(value.metric, []),
        )
        for value in _declared(current)
    ]


def _tile(shown: Cell, before: Value | None, weeks: list[Value]) -> Tile:
    value = shown.value
    changed = change(value, before, weeks)
    return Tile(
        cell=shown,
        counted=formats.counted(value.n, shown.metric.fact),
        percentiles=formats.percentiles(value.p75, value.p90, value.unit),
        change=changed,
        line=_line(
            value,
            sorted(weeks, key=lambda week: week.period_start)[-12:],
            limits_before(weeks, value.period_start),
        ),
    )


def _line(value: Value, weeks: Sequence[Value], limits: Limits | None) -> Sparkline:
    metric = metrics()[value.metric]
    cells = [cell(week) for week in weeks]
    titles = [
        f"{formats.days(c.value.period_start, c.value.period_end)}: {c.figure} {c.status.word}" for c in cells
    ]
    label = f"{metric.name} by week, oldest first: {', '.join(c.figure for c in cells)}"
    limit = parse_target(value.target, metric).limit if value.target else None
    band = (limits.lower, limits.upper) if limits else None
    return sparkline([week.value for week in weeks], titles, limit, label, band)


def _declared(values: Iterable[Value]) -> list[Value]:
    order = {metric: at for at, metric in enumerate(metrics())}
    return sorted(values, key=lambda value: order[value.metric])


def exists(value: Value) -> bool:
    """Whether there is such a number for the value's scope: people are asked by team."""
    return value.scope in ("organisation", "team") or metrics()[value.metric].fact != "responses"


def summary(current: Sequence[Value]) -> str:
    """The view in one sentence: "2 of 6 targets met, 3 missed, 1 not judged"."""
    aimed = [value for value in current if value.target and exists(value)]
    met, missed = (sum(value.status == status for value in aimed) for status in ("met", "missed"))
    rest = len(aimed) - met - missed
    parts = [f"{met} of {len(aimed)} targets met", f"{missed} missed" if missed else ""]
    return ", ".join(part for part in [*parts, f"{rest} not judged" if rest else ""] if part)


def scope_name(filters: Filters, organization: str) -> str:
    """What the view's own numbers are of: "acme", "team payments", "service checkout of team payments"."""
    chosen = [
        f"{scope} {filters.where[scope]}" for scope in ("service", "team", "system") if scope in filters.where
    ]
    return " of ".join(chosen) or organization


def compared(view: Filters, today: date) -> str:
    """The days that the view's own are compared with: "compared with 21 Sep – 18 Oct 2026"; empty without any."""
    before = days_before(view, today)
    return f"compared with {formats.days(*before)}" if before else ""


def within(values: Sequence[Value]) -> tuple[str, bool]:
    """(the days that the values are of, whether the period is still running)."""
    if not values:
        return "", False
    start, end = min(v.period_start for v in values), max(v.period_end for v in values)
    return formats.days(start, end), any(value.partial for value in values)


def distinct(values: Iterable[Value]) -> list[Value]:
    """The values without those that stand there already, in order."""
    return list(dict.fromkeys(values))


def warnings(state: State, unknown: Sequence[str]) -> list[Notice]:
    """What a reader has to know before believing the numbers, the worst first."""
    found = []
    if state.failed:
        lines = [
            f"{run.source}, {formats.instant(run.started_at, state.timezone)}: {run.error or 'no reason was recorded'}"
            for run in state.failed
        ]
        found.append(
            Notice("Not all sources could be read; numbers may be incomplete", tuple(lines), bad=True)
        )
    if state.warning:
        found.append(Notice("These are not the newest facts", (state.warning,), bad=True))
    if unknown:
        found.append(Notice(f"Not found, so not applied: {', '.join(unknown)}"))
    return found


def csv_name(organization: str, values: Sequence[Value]) -> str:
    """A file name that says what is inside: `acme-metrics-2026-10-19-2026-11-15.csv`; there is a value."""
    first, after = min(v.period_start for v in values), max(v.period_end for v in values)
    return formats.file_name([organization, "metrics"], first, after, "csv")


def names(state: State, filters: Filters) -> Mapping[str, list[str]]:
    """The systems, teams and services to choose from: those that the wider restrictions leave."""
    within = [s for s in state.services if filters.system in (None, s.system)]
    teams = {s.team for s in within if s.team} if filters.system else set(state.teams)
    return {
        "system": sorted(state.systems, key=str.casefold),
        "team": sorted(teams, key=str.casefold),
        "service": sorted((s.name for s in within if filters.team in (None, s.team)), key=str.casefold),
    }
