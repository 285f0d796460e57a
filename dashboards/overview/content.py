"""The overview's content: tiles and the table of teams and services, made from values; no Streamlit, no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.metrics import metrics
from config.targets import parse_target
from dashboards.figures import formats
from dashboards.figures.sparklines import Sparkline, sparkline
from dashboards.figures.verdicts import Change, change
from dashboards.frame.value_cells import ValueCell, last_known_words, value_cell
from dashboards.frame.view import Filters
from warehouse.metrics.events import KnownEvent, anew_since, in_days
from warehouse.metrics.values import Value
from warehouse.signals.limits import Limits, limits_before
from warehouse.signals.verdicts import Verdict
from warehouse.trust.unwatched import Unwatched


@dataclass(frozen=True)
class Tile:
    """A key metric with its last twelve completed weeks and its change since the period before.

    `last_known` is (its figure, of when) where the period has none.
    """

    cell: ValueCell
    counted: str
    percentiles: str
    change: Change
    line: Sparkline
    last_known: tuple[str, str] | None = None


def tiles(
    current: Sequence[Value],
    verdicts: Mapping[str, Verdict],
    history: Sequence[Value],
    view: Filters,
    blind: Mapping[str, Unwatched] | None = None,
    events: Sequence[KnownEvent] = (),
    last_known: Value | None = None,
) -> list[Tile]:
    """A tile for each value of `current`, in the order in which metrics are declared.

    `verdicts` are by metric, `blind` by name; `events` are those that the view is seen with.
    """
    weeks: dict[str, list[Value]] = {}
    for value in history:
        weeks.setdefault(value.metric, []).append(value)
    return [
        _tile(
            value_cell(value, view, (blind or {}).get(value.name)),
            verdicts.get(value.metric),
            weeks.get(value.metric, []),
            events,
            last_known if last_known and last_known.metric == value.metric else None,
        )
        for value in _declared(current)
    ]


def _tile(
    shown: ValueCell,
    found: Verdict | None,
    weeks: list[Value],
    events: Sequence[KnownEvent],
    last_known: Value | None,
) -> Tile:
    value = shown.value
    return Tile(
        cell=shown,
        counted=formats.counted(value.n, shown.metric.fact),
        percentiles=formats.percentiles(value.p75, value.p90, value.unit),
        change=change(value, found),
        line=_line(
            value,
            sorted(weeks, key=lambda week: week.period_start)[-12:],
            limits_before(weeks, value.period_start, anew_since(events, value.period_start)),
            events,
        ),
        last_known=last_known_words(last_known) if last_known else None,
    )


def _line(
    value: Value, weeks: Sequence[Value], limits: Limits | None, events: Sequence[KnownEvent]
) -> Sparkline:
    metric = metrics()[value.metric]
    cells = [value_cell(week) for week in weeks]
    titles = [
        "; ".join(
            [
                f"{formats.days(c.value.period_start, c.value.period_end)}: {c.figure} {c.status.word}",
                *(event.title for event in in_days(events, c.value.period_start, c.value.period_end)),
            ]
        )
        for c in cells
    ]
    label = f"{metric.name} by week, oldest first: {', '.join(c.figure for c in cells)}"
    limit = parse_target(value.target, metric).limit if value.target else None
    band = (limits.lower, limits.upper) if limits else None
    return sparkline([week.value for week in weeks], titles, limit, label, band)


def _declared(values: Iterable[Value]) -> list[Value]:
    order = {metric: at for at, metric in enumerate(metrics())}
    return sorted(values, key=lambda value: order[value.metric])


def distinct(values: Iterable[Value]) -> list[Value]:
    """The values without those that stand there already, in order."""
    return list(dict.fromkeys(values))


def csv_name(organization: str, values: Sequence[Value]) -> str:
    """A file name that says what is inside: `acme-metrics-2026-10-19-2026-11-15.csv`; there is a value."""
    first, after = min(v.period_start for v in values), max(v.period_end for v in values)
    return formats.file_name([organization, "metrics"], first, after, "csv")
