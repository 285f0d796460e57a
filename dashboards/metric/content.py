"""A number and its rows as people read them, made from an explanation; no Streamlit, no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.metrics import Metric, metrics
from dashboards.figures import formats
from dashboards.figures.fact_cells import Cell, Heading, cells, headings
from dashboards.frame.state import State
from dashboards.frame.view import Filters
from warehouse.metrics.values import Value
from warehouse.rows.explain import Explanation
from warehouse.rows.reasons import FactRow, in_common


@dataclass(frozen=True)
class LeftOutGroup:
    """The rows left out for one reason: how many, and the first of them."""

    reason: str
    n: int
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Score:
    """A bar of the histogram: `width` is its share of the longest in percent."""

    score: str
    n: int
    width: float


@dataclass(frozen=True)
class Shown:
    """What the page shows of an explanation: the arithmetic, the first rows, the reasons, or a histogram."""

    arithmetic: str
    headings: tuple[Heading, ...]
    counted: int
    rows: tuple[tuple[Cell, ...], ...]
    headings_left_out: tuple[Heading, ...]
    left_out: int
    groups: tuple[LeftOutGroup, ...]
    scores: tuple[Score, ...]


def shown_rows(found: Explanation, timezone: str) -> Shown:
    """The rows that were read, in their order, and the numbers of all."""
    metric = metrics()[found.metric]
    if metric.fact == "responses":
        return Shown(arithmetic(found), (), found.n, (), (), 0, (), _scores(found.rows))
    within = [row for row in found.rows if row["excluded_because"] is None]
    by_reason: dict[str, list[FactRow]] = {reason: [] for reason in found.left_out}
    for row in found.rows:
        if row["excluded_because"] is not None:
            by_reason[in_common(row["excluded_because"])].append(row)
    return Shown(
        arithmetic=arithmetic(found),
        headings=headings(metric, counts=True),
        counted=found.n,
        rows=_cells(metric, within, timezone),
        headings_left_out=headings(metric, counts=False),
        left_out=sum(found.left_out.values()),
        groups=tuple(
            LeftOutGroup(reason, found.left_out[reason], _cells(metric, rows, timezone))
            for reason, rows in by_reason.items()
        ),
        scores=(),
    )


def _cells(metric: Metric, rows: Iterable[FactRow], timezone: str) -> tuple[tuple[Cell, ...], ...]:
    return tuple(cells(metric, row, timezone) for row in rows)


def arithmetic(found: Explanation) -> str:
    """How the rows became the number, in a sentence; empty where there is none."""
    metric = metrics()[found.metric]
    if found.value is None:
        return ""
    rows = formats.counted(found.n, metric.fact)
    if found.covered_days is not None:
        return f"{rows} ÷ {formats.plural(found.covered_days, 'covered day')}"
    if metric.fact == "responses":
        rounds = sorted({str(row["round"]) for row in found.rows})
        return f"the mean of {rows}" + (f", round {rounds[0]}" if rounds else "")
    if metric.statistic == "share":
        count = round(found.value * found.n)
        what, of = _SHARES[metric.id]
        return f"{count:,} {what} of {found.n:,} {of}"
    return f"the {metric.statistic} of {rows}"


_SHARES = {
    "change_failure_rate": ("failed", "counted deployments"),
    "deployment_rework_rate": ("rework", "counted deployments and rollbacks"),
}


def _scores(rows: Sequence[FactRow]) -> tuple[Score, ...]:
    longest = max((row["n"] for row in rows), default=1)
    return tuple(Score(f"{row['score']:.3g}", row["n"], 100 * row["n"] / longest) for row in rows)


def csv_name(state: State, filters: Filters, value: Value) -> str:
    """A file name that says what is inside: `acme-mttr-payments-2026-10-19-2026-11-15.csv`."""
    parts = [state.organization, value.metric, *filters.where.values()]
    return formats.file_name(parts, value.period_start, value.period_end, "csv")


def nothing(value: Value, filters: Filters) -> str:
    """Why there is not even a row to show."""
    if metrics()[value.metric].fact == "responses" and filters.scope in ("service", "system"):
        return "People are asked by team: there is no satisfaction of a service or a system."
    return formats.STATUSES[value.status].meaning
