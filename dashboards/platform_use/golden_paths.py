"""The golden paths as the platform team reads them: who follows which, and the numbers on and off them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from config.metrics import Metric, keys
from config.settings import GoldenPath
from dashboards.figures import formats
from dashboards.figures.fact_cells import followable
from dashboards.frame.view import Filters, link
from warehouse.metrics.golden_paths import PathValue
from warehouse.rows.catalogue_entries import CatalogueEntry

OFF = "No path"


@dataclass(frozen=True)
class Named:
    """A service, its team and where its page is."""

    name: str
    team: str
    address: str


@dataclass(frozen=True)
class Path:
    """A golden path and the services that follow it; not `known`: services name it and the configuration does not."""

    name: str
    description: str
    url: str
    known: bool
    adopted: str
    percent: float
    services: tuple[Named, ...]


@dataclass(frozen=True)
class Adoption:
    """How many of a team's services follow each path, in the order of the paths, and any of them."""

    team: str
    address: str
    adopted: str
    percent: float
    each: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """A metric on each path and off them, in words; `few`: too few rows to judge."""

    metric: Metric
    cells: tuple[tuple[str, str, bool], ...]


def paths(configured: Sequence[GoldenPath], entries: Sequence[CatalogueEntry], view: Filters) -> list[Path]:
    """The configured paths in their order, then those that only services name; of the services of the catalogue."""
    mapped = [entry for entry in entries if entry.mapped]
    named = {entry.golden_path for entry in mapped if entry.golden_path} - {path.name for path in configured}
    unknown = [GoldenPath(name=name) for name in sorted(named, key=str.casefold)]
    return [
        _path(path, [entry for entry in mapped if entry.golden_path == path.name], len(mapped), known, view)
        for known, of in ((True, configured), (False, unknown))
        for path in of
    ]


def _path(path: GoldenPath, on: Sequence[CatalogueEntry], whole: int, known: bool, view: Filters) -> Path:
    return Path(
        path.name,
        path.description,
        followable(path.url),
        known,
        f"{len(on)} of {formats.plural(whole, 'service')}",
        100 * len(on) / whole if whole else 0.0,
        tuple(_named(entry, view) for entry in on),
    )


def _named(entry: CatalogueEntry, view: Filters) -> Named:
    narrowed = Filters(period=view.period, start=view.start, end=view.end, service=entry.name)
    return Named(entry.name, entry.team or "", link("service", narrowed))


def off_path(entries: Iterable[CatalogueEntry], view: Filters) -> list[Named]:
    """The catalogue's services that follow no path."""
    return [_named(entry, view) for entry in entries if entry.mapped and not entry.golden_path]


def adoption(entries: Iterable[CatalogueEntry], found: Sequence[Path], view: Filters) -> list[Adoption]:
    """A line for each team that owns a service, those with the lowest share first."""
    by_team: dict[str, list[CatalogueEntry]] = {}
    for entry in entries:
        if entry.mapped:
            by_team.setdefault(entry.team or "", []).append(entry)
    made = [
        _adoption(team, owned, found, view)
        for team, owned in sorted(by_team.items(), key=lambda item: item[0].casefold())
    ]
    return sorted(made, key=lambda line: line.percent)


def _adoption(team: str, owned: Sequence[CatalogueEntry], found: Sequence[Path], view: Filters) -> Adoption:
    on = sum(bool(entry.golden_path) for entry in owned)
    narrowed = Filters(period=view.period, start=view.start, end=view.end, team=team)
    return Adoption(
        team or "owned by no team",
        link("team", narrowed) if team else "",
        f"{on} of {formats.plural(len(owned), 'service')}",
        100 * on / len(owned),
        tuple(str(sum(entry.golden_path == path.name for entry in owned)) for path in found),
    )


def comparison(values: Sequence[PathValue], found: Sequence[Path]) -> tuple[list[str], list[Comparison]]:
    """(the columns: the paths that are followed, then none; the metrics that have a row in any of them)."""
    measured = {value.path for value in values}
    columns = [path for path in (*(path.name for path in found), None) if path in measured]
    of = {(value.path, value.metric): value for value in values}
    rows = [
        Comparison(metric, tuple(_told(of[path, metric.id], metric) for path in columns))
        for metric in keys().values()
        if any(value.metric == metric.id and value.value is not None for value in values)
    ]
    return [path or OFF for path in columns], rows


def _told(value: PathValue, metric: Metric) -> tuple[str, str, bool]:
    figure = formats.figure(value.value, metric.unit)
    n = formats.counted(value.n, metric.fact)
    spread = formats.percentiles(value.p75, value.p90, metric.unit)
    shown = f"{n} · {spread}" if spread and value.is_enough else n
    return figure, shown, not value.is_enough


def path_rows(entries: Iterable[CatalogueEntry]) -> list[dict[str, Any]]:
    """Which service follows which path, as a CSV has it."""
    return [
        {
            "service": entry.name,
            "team": entry.team,
            "system": entry.system,
            "golden_path": entry.golden_path,
            "in_catalogue": entry.mapped,
        }
        for entry in entries
    ]
