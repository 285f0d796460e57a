"""Teams, systems and services against the targets: a row each, shaded by how far each number is from its target."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.metrics import keys, metrics
from dashboards.frame.value_cells import ValueCell, exists, value_cell
from dashboards.frame.view import ROWS, Filters, link, narrowed_to, scope_page
from warehouse.metrics.values import Scope, Value
from warehouse.trust.ownership import Service
from warehouse.trust.unwatched import Unwatched

# with more services than this nobody finds their way among all of them below their teams
MOST_BELOW_TEAMS = 40


@dataclass(frozen=True)
class HeatMapRow:
    """A team, system or service against the targets; `level` 1 is a service below its team.

    The scope `group` is a heading without numbers of its own.
    """

    scope: str
    name: str
    level: int
    mapped: bool
    cells: tuple[ValueCell | None, ...]
    address: str

    @property
    def missed(self) -> int:
        """How many targets are missed."""
        return sum(cell is not None and cell.value.status == "missed" for cell in self.cells)


def usual_targets(rows: Sequence[HeatMapRow]) -> dict[str, str | None]:
    """By metric the target that holds for most of the rows, None where most have none."""
    of_metrics: dict[str, list[str | None]] = {metric: [] for metric in keys()}
    for row in rows:
        for cell in row.cells:
            if cell is not None and exists(cell.value):
                of_metrics[cell.metric.id].append(cell.value.target)
    return {
        metric: Counter(targets).most_common(1)[0][0] if targets else None
        for metric, targets in of_metrics.items()
    }


def rows_offered(services: int, groups: int = 0) -> dict[str, str]:
    """What the rows can be, as in `ROWS`: teams and services together where those are few, groups where any are."""
    fits = {"both": services <= MOST_BELOW_TEAMS, "group": groups > 0}
    return {rows: name for rows, name in ROWS.items() if fits.get(rows, True)}


def heat_map_rows(
    values: Iterable[Value],
    services: Sequence[Service],
    filters: Filters,
    blind: Mapping[tuple[Scope, str], Unwatched] | None = None,
    only: Scope | None = None,
) -> list[HeatMapRow]:
    """A row for each scope among `values` that `filters.rows` shows, or `only` of one; services stand below their team
    where both do.

    `blind` is by scope and name.
    """
    cells: dict[tuple[Scope, str], dict[str, ValueCell]] = {}
    for value in values:
        key = (value.scope, value.name)
        cells.setdefault(key, {})[value.metric] = value_cell(value, filters, (blind or {}).get(key))
    mapped = {service.name: service.mapped for service in services}

    def row(scope: Scope, name: str, level: int = 0) -> HeatMapRow:
        found = cells[scope, name]
        return HeatMapRow(
            scope,
            name,
            level,
            mapped.get(name, True) if scope == "service" else True,
            tuple(found.get(metric) for metric in keys()),
            link(scope_page(scope), narrowed_to(filters, scope, name)),
        )

    if only or filters.rows != "both":
        return _sorted((row(*key) for key in cells if key[0] == (only or filters.rows)), filters.sort)
    rows: list[HeatMapRow] = []
    owned = {service.name: service.team for service in services}
    below = [row("service", name, 1) for scope, name in cells if scope == "service"]
    for team in _sorted((row(*key) for key in cells if key[0] == "team"), filters.sort):
        rows += [team, *_sorted((r for r in below if owned.get(r.name) == team.name), filters.sort)]
    shown = {r.name for r in rows if r.scope == "service"}
    rest = _sorted((r for r in below if r.name not in shown), filters.sort)
    # the rows of a service stay with the team that owned it at their time, so its owner now may not be in the view,
    # nor the service among those that a limited person sees
    for title, is_unowned in (("Owned by another team now", False), ("Owned by no team", True)):
        if group := [r for r in rest if (r.name in owned and not owned[r.name]) is is_unowned]:
            rows += [HeatMapRow("heading", title, 0, True, (), ""), *group]
    return rows


def _sorted(rows: Iterable[HeatMapRow], by: str) -> list[HeatMapRow]:
    """By name, by targets missed, or by one metric with the worst first; what has no value comes last."""
    rows = sorted(rows, key=lambda row: row.name.casefold())
    if by == "missed":
        return sorted(rows, key=lambda row: -row.missed)
    if by not in keys():
        return rows
    at, sign = list(keys()).index(by), -1 if metrics()[by].better == "lower" else 1

    def worst(row: HeatMapRow) -> tuple[bool, float]:
        found = row.cells[at]
        value = found.value.value if found else None
        return value is None, sign * (value or 0.0)

    return sorted(rows, key=worst)
