"""The overview's content: tiles and the table of teams and services, made from values; no Streamlit, no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from config.metrics import Metric, metrics
from config.targets import parse_target
from dashboards import formats
from dashboards.filters import Filters, link
from dashboards.loading import State
from dashboards.sparklines import Sparkline, sparkline
from warehouse.reading import Service
from warehouse.values import Value


@dataclass(frozen=True)
class Cell:
    """One number as people see it: figure, status in symbol and word, tooltip, and where it is explained."""

    value: Value
    metric: Metric
    status: formats.Status
    figure: str
    detail: str
    address: str = ""

    @property
    def tone(self) -> str:
        """Which of the three colours it has: `met`, `missed` or `quiet`."""
        return self.value.status if self.value.status in ("met", "missed") else "quiet"


@dataclass(frozen=True)
class Tile:
    """A key metric with its last twelve completed weeks and its change since the period before."""

    cell: Cell
    counted: str
    percentiles: str
    change: str
    previous: str
    line: Sparkline


@dataclass(frozen=True)
class Row:
    """A team, system or service against the targets; `level` 1 is a service below its team.

    The scope `group` is a heading without numbers of its own.
    """

    scope: str
    name: str
    level: int
    mapped: bool
    cells: tuple[Cell | None, ...]
    address: str

    @property
    def missed(self) -> int:
        """How many targets are missed."""
        return sum(cell is not None and cell.value.status == "missed" for cell in self.cells)


@dataclass(frozen=True)
class Notice:
    """Something to be said above the numbers; `bad` where they may be wrong."""

    title: str
    lines: tuple[str, ...] = ()
    bad: bool = False


def cell(value: Value, view: Filters | None = None) -> Cell:
    """A value with its figure, its tooltip, and where it is explained: `view`, narrowed to its scope."""
    metric, status = metrics()[value.metric], formats.STATUSES[value.status]
    shown = formats.figure_against(value.metric, value.value, value.unit, value.target)
    known = [formats.exact(value.value, value.unit)] if value.value is not None else []
    known += [formats.counted(value.n, metric.fact)]
    known += [f"target {value.target}"] if value.target else []
    known += [status.meaning]
    return Cell(value, metric, status, shown, " · ".join(known), _explained(value, view) if view else "")


def _explained(value: Value, view: Filters) -> str:
    narrowed: dict[str, Any] = {} if value.scope == "organisation" else {value.scope: value.name}
    return link("explain", replace(view, metric=value.metric, **narrowed))


def tiles(
    current: Sequence[Value], previous: Sequence[Value], history: Sequence[Value], view: Filters
) -> list[Tile]:
    """A tile for each value of `current`, in the order in which metrics are declared."""
    before = {value.metric: value for value in previous}
    weeks: dict[str, list[Value]] = {}
    for value in history:
        weeks.setdefault(value.metric, []).append(value)
    return [
        _tile(value, before.get(value.metric), weeks.get(value.metric, []), view)
        for value in _declared(current)
    ]


def _tile(value: Value, before: Value | None, weeks: list[Value], view: Filters) -> Tile:
    metric = metrics()[value.metric]
    comparable = before is not None and min(value.n, before.n) >= metric.floor and not value.partial
    return Tile(
        cell=cell(value, view),
        counted=formats.counted(value.n, metric.fact),
        percentiles=formats.percentiles(value.p75, value.p90, value.unit),
        change=formats.change_from(value.value, before.value, value.unit) if before and comparable else "",
        previous=formats.figure(before.value, before.unit) if before else "",
        line=_line(value, sorted(weeks, key=lambda week: week.period_start)[-12:]),
    )


def _line(value: Value, weeks: Sequence[Value]) -> Sparkline:
    metric = metrics()[value.metric]
    cells = [cell(week) for week in weeks]
    titles = [
        f"{formats.days(c.value.period_start, c.value.period_end)}: {c.figure} {c.status.word}" for c in cells
    ]
    label = f"{metric.name} by week, oldest first: {', '.join(c.figure for c in cells)}"
    limit = parse_target(value.target, metric).limit if value.target else None
    return sparkline([week.value for week in weeks], titles, limit, label)


def table(values: Iterable[Value], services: Sequence[Service], filters: Filters) -> list[Row]:
    """A row for each scope among `values` that `filters.rows` shows; services stand below their team where both do."""
    cells: dict[tuple[str, str], dict[str, Cell]] = {}
    for value in values:
        cells.setdefault((value.scope, value.name), {})[value.metric] = cell(value, filters)
    mapped = {service.name: service.mapped for service in services}

    def row(scope: str, name: str, level: int = 0) -> Row:
        found = cells[scope, name]
        narrowed: dict[str, Any] = {"system": None, "team": None, "service": None, scope: name}
        return Row(
            scope,
            name,
            level,
            mapped.get(name, True) if scope == "service" else True,
            tuple(found.get(metric) for metric in metrics()),
            link(".", replace(filters, **narrowed)),
        )

    if filters.rows != "both":
        return _sorted((row(*key) for key in cells if key[0] == filters.rows), filters.sort)
    rows: list[Row] = []
    owned = {service.name: service.team for service in services}
    below = [row("service", name, 1) for scope, name in cells if scope == "service"]
    for team in _sorted((row(*key) for key in cells if key[0] == "team"), filters.sort):
        rows += [team, *_sorted((r for r in below if owned.get(r.name) == team.name), filters.sort)]
    shown = {r.name for r in rows if r.scope == "service"}
    rest = _sorted((r for r in below if r.name not in shown), filters.sort)
    return [*rows, Row("group", "Owned by no team", 0, True, (), ""), *rest] if rest else rows


def _sorted(rows: Iterable[Row], by: str) -> list[Row]:
    """By name, by targets missed, or by one metric with the worst first; what has no value comes last."""
    rows = sorted(rows, key=lambda row: row.name.casefold())
    if by == "missed":
        return sorted(rows, key=lambda row: -row.missed)
    if by not in metrics():
        return rows
    at, sign = list(metrics()).index(by), -1 if metrics()[by].better == "lower" else 1

    def worst(row: Row) -> tuple[bool, float]:
        found = row.cells[at]
        value = found.value.value if found else None
        return value is None, sign * (value or 0.0)

    return sorted(rows, key=worst)


def _declared(values: Iterable[Value]) -> list[Value]:
    order = {metric: at for at, metric in enumerate(metrics())}
    return sorted(values, key=lambda value: order[value.metric])


def summary(current: Sequence[Value]) -> str:
    """The view in one sentence: "2 of 6 targets met, 3 missed, 1 not judged"."""
    aimed = [value for value in current if value.target]
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
