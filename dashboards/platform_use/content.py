"""What the page of the platform says, made from values and rows; no Streamlit, no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from config.metrics import metrics
from dashboards.figures import formats
from dashboards.figures.fact_cells import followable
from dashboards.frame.value_cells import ValueCell, value_cell
from dashboards.frame.view import Filters, link
from dashboards.overview.content import Tile, tiles
from warehouse.metrics.golden_paths import PathValue
from warehouse.metrics.values import Value
from warehouse.rows.assistance import AssistanceSide
from warehouse.rows.before_and_after import EventComparison, MetricBesideOthers

if TYPE_CHECKING:
    from dashboards.platform_use.loading import PlatformNumbers

MOST_LISTED = 20
# what each metric answers of the platform, in the order in which people ask
QUESTIONS = {
    "golden_path_adoption": "Is it used?",
    "golden_path_conformance": "Is it followed?",
    "guardrail_compliance": "Is it safe?",
    "self_service_time": "Is it fast?",
    "time_to_first_deployment": "Does it start fast?",
    "paved_road_share": "Is it the paved road?",
}
_OUTCOMES = {
    "missing": "not run",
    "failed": "failed",
    "skipped": "skipped",
    "too long": "too long",
    "late": "after the deployment",
    "out of order": "out of order",
    "approved by hand": "approved by hand",
}


@dataclass(frozen=True)
class PlatformAnswer:
    """One question and the tile that answers it; `place` is where on the page its misses are."""

    question: str
    place: str
    tile: Tile


@dataclass(frozen=True)
class ListedCell:
    """A cell of a list: text, where it leads, and whether that is elsewhere."""

    text: str
    address: str = ""
    is_elsewhere: bool = False


@dataclass(frozen=True)
class MissList:
    """A list: its headings, its rows as shown, and how many there are."""

    headings: tuple[str, ...]
    rows: tuple[tuple[ListedCell, ...], ...]
    total: int

    @property
    def beginning(self) -> "MissList":
        """The rows that a page has room for."""
        return replace(self, rows=self.rows[:MOST_LISTED])

    @property
    def as_csv(self) -> list[Mapping[str, Any]]:
        """The rows as a CSV has them: texts by their heading, and where the reason leads."""
        return [
            {
                **{heading: one.text for heading, one in zip(self.headings, row, strict=True)},
                "Link": next((one.address for one in row if one.is_elsewhere), ""),
            }
            for row in self.rows
        ]


def answers(found: "PlatformNumbers", view: Filters) -> list[PlatformAnswer]:
    """A tile for each question to which there is an answer or a target."""
    known_now = {value.metric for value in found.now if value.value is not None}
    told = [v for v in found.current if v.value is not None or v.target or v.n or v.metric in known_now]
    made = {tile.cell.metric.id: tile for tile in tiles(told, {}, found.history, view, None, found.events)}
    return [
        PlatformAnswer(question, metric.replace("_", "-"), _with_now(made[metric], found.now))
        for metric, question in QUESTIONS.items()
        if metric in made
    ]


def _with_now(tile: Tile, now: Sequence[Value]) -> Tile:
    """The tile with what holds today, where the period ended before anything was known."""
    if tile.cell.value.value is not None:
        return tile
    for value in now:
        if value.metric == tile.cell.metric.id and value.value is not None:
            figure = formats.figure_against(value.metric, value.value, value.unit, value.target)
            return replace(
                tile, last_known=(figure, f"today, of {formats.counted(value.n, tile.cell.metric.fact)}")
            )
    return tile


def headline(found: "PlatformNumbers") -> str:
    """How many services are on a path and what their deployments follow, in one line."""
    of = {value.metric: value for value in found.current}
    adopted, followed = of.get("golden_path_adoption"), of.get("golden_path_conformance")
    if adopted is None or adopted.value is None:
        return "No service is known to follow a golden path"
    on = f"{round(adopted.value * adopted.n):,} of {formats.plural(adopted.n, 'service')} on a golden path"
    if followed is None or followed.value is None:
        return on
    return f"{on}; {formats.figure(followed.value, 'fraction')} of their deployments followed it"


def worth_it(values: Sequence[PathValue]) -> list[str]:
    """Each key on the paths beside off them, where there are enough rows: "MTTR: 2 h on Web, 9 h off the paths"."""
    said = []
    for metric in dict.fromkeys(value.metric for value in values):
        told = [value for value in values if value.metric == metric and value.is_enough]
        on, off = [v for v in told if v.path is not None], [v for v in told if v.path is None]
        if on and off:
            unit = metrics()[metric].unit
            sides = [f"{formats.figure(one.value, unit)} on {one.path}" for one in on]
            said.append(
                f"{metrics()[metric].name}: {', '.join(sides)}, {formats.figure(off[0].value, unit)} off the paths"
            )
    return said


def since_moves(found: Iterable[EventComparison], view: Filters) -> list[tuple[ListedCell, str]]:
    """(a move that has enough rows on both sides, which leads to the intervals, and each key before it and since)."""
    lines = []
    for one in found:
        told = [
            f"{metrics()[of.metric].name} {_key(of, of.touched.before)}, then {_key(of, of.touched.after)}"
            for of in one.metrics
            if of.touched.change
        ]
        if told:
            day = formats.day(one.event.day)
            moved = f"{one.event.name} in the weeks before it moved on {day} and since"
            lines.append(
                (ListedCell(moved, link("targets", replace(view, row=one.event.id))), "; ".join(told))
            )
    return lines


def _key(of: MetricBesideOthers, side: AssistanceSide) -> str:
    return formats.figure(side.middle, metrics()[of.metric].unit)


def team_rows(
    found: "PlatformNumbers", view: Filters
) -> tuple[list[str], list[tuple[ListedCell, list[ValueCell]]]]:
    """(the metrics that any team has, a row a team: its name and its cells)."""
    shown = [id for id in QUESTIONS if any(v.metric == id and v.value is not None for v in found.by_team)]
    by_name: dict[str, dict[str, Value]] = {}
    for value in found.by_team:
        by_name.setdefault(value.name, {})[value.metric] = value
    rows = [
        (
            ListedCell(
                name, link("team", Filters(period=view.period, start=view.start, end=view.end, team=name))
            ),
            [value_cell(of[id], view) for id in shown],
        )
        for name, of in by_name.items()
        if any(of[id].value is not None for id in shown)
    ]
    return shown, rows


def steps(found: "PlatformNumbers") -> MissList:
    """Each step with how many deployments followed it."""
    rows = tuple(
        (
            ListedCell(step.path),
            ListedCell(step.step + ("" if step.is_required else " (not required)")),
            ListedCell(f"{step.followed:,}"),
            ListedCell(f"{step.missed:,}"),
            ListedCell(f"{step.unknown:,}"),
        )
        for step in found.rows.steps
    )
    return MissList(("Path", "Step", "Followed", "Missed", "Unknown"), rows, len(rows))


def missed(found: "PlatformNumbers", view: Filters, timezone: str) -> MissList:
    """The newest steps that were missed, each with its reason and the run that tells it."""
    rows = tuple(
        (
            service_cell(one.service, view),
            ListedCell(formats.instant(one.at, timezone)),
            ListedCell(one.step),
            ListedCell(_OUTCOMES.get(one.outcome, one.outcome)),
            leads_out(one.reason, one.url),
        )
        for one in found.rows.missed[:MOST_LISTED]
    )
    return MissList(("Service", "Deployed", "Step", "What", "Why"), rows, len(found.rows.missed))


def moves(found: "PlatformNumbers", view: Filters, timezone: str) -> MissList:
    """Who moved on to a path or off it, the newest first."""
    rows = tuple(
        (
            service_cell(one.service, view),
            ListedCell(formats.instant(one.at, timezone)),
            ListedCell(one.from_path or "no path"),
            ListedCell(one.to_path or "no path"),
        )
        for one in found.rows.moves[:MOST_LISTED]
    )
    return MissList(("Service", "Moved", "From", "To"), rows, len(found.rows.moves))


def rules(found: "PlatformNumbers") -> MissList:
    """Each guardrail with how many services hold it."""
    rows = tuple(
        (
            ListedCell(one.rule),
            ListedCell(f"{one.held:,}"),
            ListedCell(f"{one.broken:,}"),
            ListedCell(f"{one.unknown:,}"),
        )
        for one in found.rows.rules
    )
    return MissList(("Guardrail", "Services that hold it", "Break it", "Unknown"), rows, len(rows))


def broken(found: "PlatformNumbers", view: Filters) -> MissList:
    """The objects that break a guardrail."""
    rows = tuple(
        (
            service_cell(one.service, view),
            ListedCell(one.rule),
            ListedCell(one.object),
            leads_out(one.reason, one.url),
        )
        for one in found.rows.broken[:MOST_LISTED]
    )
    return MissList(("Service", "Guardrail", "Object", "Why"), rows, len(found.rows.broken))


def requests(found: "PlatformNumbers") -> MissList:
    """How long requests of each kind take, self-service beside tickets."""
    rows = tuple(
        (
            ListedCell(one.kind),
            ListedCell(one.way),
            ListedCell(f"{one.n:,}"),
            ListedCell(formats.figure(one.median, "seconds")),
            ListedCell(formats.figure(one.p90, "seconds")),
            ListedCell(f"{one.waiting:,}"),
            ListedCell(f"{one.failed:,}"),
            ListedCell(f"{one.withdrawn:,}"),
        )
        for one in found.rows.requests
    )
    headings = ("What", "Way", "Ready", "Median time", "p90", "Waiting", "Failed", "Withdrawn")
    return MissList(headings, rows, len(rows))


def open_requests(found: "PlatformNumbers", view: Filters, timezone: str) -> MissList:
    """The requests that wait or failed, the failed ones and the oldest first."""
    rows = tuple(
        (
            leads_out(one.name, one.url),
            ListedCell(one.kind),
            ListedCell(one.team or "nobody’s"),
            ListedCell(one.status),
            ListedCell(formats.instant(one.opened_at, timezone)),
        )
        for one in found.rows.open_requests[:MOST_LISTED]
    )
    return MissList(("Request", "What", "Team", "State", "Opened"), rows, len(found.rows.open_requests))


def aspects(found: "PlatformNumbers") -> MissList:
    """What the platform offers, and how many services take it."""
    rows = tuple(
        (
            ListedCell(one.aspect),
            ListedCell(f"{one.on_road:,}"),
            ListedCell(f"{one.off_road:,}"),
            ListedCell(f"{one.unknown:,}"),
        )
        for one in found.rows.aspects
    )
    return MissList(("What", "Services on the road", "Off it", "Unknown"), rows, len(rows))


def off_road(found: "PlatformNumbers", view: Filters) -> MissList:
    """What services take in place of what the platform offers."""
    rows = tuple(
        (
            service_cell(one.service, view),
            ListedCell(one.aspect),
            ListedCell(one.found),
            ListedCell(one.allowed),
        )
        for one in found.rows.off_road[:MOST_LISTED]
    )
    return MissList(("Service", "What", "Takes", "The platform offers"), rows, len(found.rows.off_road))


def service_cell(name: str, view: Filters) -> ListedCell:
    """A cell that leads to a service in the period of `view`."""
    narrowed = Filters(period=view.period, start=view.start, end=view.end, service=name)
    return ListedCell(name, link("service", narrowed))


def leads_out(text: str, url: str | None) -> ListedCell:
    """A cell that leads out of the dashboard, where the address may be followed."""
    address = followable(url)
    return ListedCell(text, address, bool(address))


def listed_rows(rows: Iterable[Any]) -> list[Mapping[str, Any]]:
    """Rows of a list as a CSV has them."""
    return [vars(row) for row in rows]
