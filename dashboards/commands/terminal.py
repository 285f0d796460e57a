"""Numbers and their rows as text: tables for people, JSON and CSV for programs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from config.metrics import metrics
from config.text.legible import one_line
from dashboards.commands.long_tables import MOST_DRAWN, ColumnHead, LongTable
from dashboards.figures.formats import (
    MISSING,
    STATUSES,
    counted,
    days,
    figure,
    figure_against,
    local_times,
    plural,
)
from dashboards.figures.tables import write_data

if TYPE_CHECKING:
    from collectors.connections import Connection
    from config.summary import Setting
    from warehouse.metrics.values import Value
    from warehouse.rows.explain import Explanation, ReadRows
    from warehouse.rows.stages import StagesExplained
    from warehouse.signals.verdicts import Verdict
    from warehouse.trust.matching import MatchReport

_STYLES = {
    "met": "green",
    "missed": "red",
    "insufficient": "dim",
    "withheld": "dim",
    "unwatched": "dim",
    "not applicable": "dim",
    "no data": "dim",
    "none": "dim",
}
# a text and how it looks
_Styled = tuple[str, str]
# what identifies a row of each fact table, and what is good to know of it
_COLUMNS = {
    "repositories": ("repo", "created_at", "first_commit_at"),
    "deployments": ("at", "service", "environment", "kind", "sha", "source", "id"),
    "changes": ("at", "service", "sha", "subject", "authored_at"),
    "incidents": ("at", "service", "title", "opened_at", "resolved_at"),
    "recoveries": ("at", "service", "source", "id", "finished_at", "recovered_by"),
    "path_services": ("day", "service", "team", "path"),
    "requests": ("opened_at", "kind", "name", "team", "merged_at", "ready_at", "status"),
    "paved_services": ("day", "service", "team", "on_road"),
    "path_deployments": ("at", "service", "path", "missed_step", "source", "id", "run_url", "job_url"),
    "first_deployments": ("repo", "service", "created_at", "deployed_at"),
    "guarded_services": ("day", "service", "team"),
}
_ENDS = ("value", "rule", "excluded_because", "url")
_SHA_LENGTH = 10
MOST_LONGEST = 3
_REMEMBERED = 10_000


def console(stream: Any) -> Console:
    """A console on `stream`; away from a terminal as wide as its tables, and without colours."""
    found = Console(file=stream, highlight=False)
    return found if found.is_terminal else Console(file=stream, highlight=False, width=400)


def write(stream: Any, format: str, content: Any, table: RenderableType) -> None:
    """`content` as JSON, its rows as CSV, or the `table` made of it, on `stream`."""
    if format == "table":
        show(stream, table)
    else:
        write_data(stream, format, content)


def show(stream: Any, table: RenderableType) -> None:
    """Draws `table` on `stream`, of a long one batch after batch."""
    out = console(stream)
    for part in table.renderables if isinstance(table, Group) else (table,):
        for piece in part.batches(out.width) if isinstance(part, LongTable) else (part,):
            out.print(piece, crop=False)


def settings_table(entries: Sequence["Setting"]) -> Table:
    """Each setting, its value and where that comes from; what was not said is dim."""
    table = _table()
    for heading in ("Setting", "Value", "From"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        table.add_row(entry.key, entry.value, entry.origin, style="dim" if entry.origin == "default" else "")
    return table


def planned_table(messages: Sequence[Mapping[str, Any]]) -> Table:
    """What would be sent, a row for each message, without its content."""
    table = _table()
    for heading in ("Of", "Channel", "To", "Subject", "Bytes"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "Bytes" else "left")
    for one in messages:
        of = f"{one['scope']} {one['name']}"
        table.add_row(of, one["channel"], one["to"], one["subject"], f"{one['bytes']:,}")
    return table


def connection_line(found: "Connection") -> Text:
    """Whether a source answers, and what it said."""
    if found.works:
        return Text.assemble(("✓", "green"), " ", _text(f"{found.source}: {found.detail}"))
    # the detail begins with the source, as every error
    return Text.assemble(("✗", "red"), " ", _text(found.detail))


def match_table(found: "MatchReport") -> RenderableType:
    """One part of the dry run: what was collected, what it matches, and what to do about what matches nothing."""
    table = _table()
    for heading in found.columns:
        table.add_column(heading, overflow="fold")
    for row in found.rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    advice = [Text.assemble(_text(found.advice, "dim"), "\n")] if found.advice else []
    return Group(_text(found.title, "bold"), table, *advice)


def signals_table(found: Sequence["Verdict"], monday: date, judged: int) -> RenderableType:
    """The signals of the week from `monday`, a row each, or that there is none among the numbers `judged`."""
    from warehouse.signals.wording import better_or_worse, compared_numbers, extent

    week = days(monday, monday + timedelta(weeks=1))
    if not found:
        return Text(
            f"No signal in {week}: of {judged:,} numbers that can be judged, none changed by more than chance."
        )
    table = _table()
    for heading in ("Of", "Metric", "", "Numbers", "How much that is"):
        table.add_column(heading, overflow="fold")
    for one in found:
        of = one.judged
        is_better = better_or_worse(one)
        table.add_row(
            _text(f"{of.name} ({of.scope})"),
            metrics()[of.metric].name,
            Text(is_better, "green" if one.is_better else "red"),
            compared_numbers(of),
            extent(of),
        )
    return table


def values_table(values: Sequence["Value"]) -> RenderableType:
    """One scope and period: a row a metric with all that is known; several: a row a scope and period."""
    if not values:
        return Text("There are no numbers: nothing matches. See the names with: sixkeys metrics --by service")
    rows: dict[tuple[str, date, date], dict[str, Value]] = {}
    for value in values:
        rows.setdefault((value.name, value.period_start, value.period_end), {})[value.metric] = value
    return _one(list(values)) if len(rows) == 1 else _several(values[0].scope, rows)


def _one(values: list["Value"]) -> RenderableType:
    first = values[0]
    span = days(first.period_start, first.period_end) + (", still running" if first.partial else "")
    table = _table()
    table.add_column("Metric")
    for heading in ("Value", "p75", "p90", "Target"):
        table.add_column(heading, justify="right")
    table.add_column("Status")
    table.add_column("From", justify="right")
    for value in values:
        metric, status = metrics()[value.metric], STATUSES[value.status]
        table.add_row(
            metric.name,
            _text(
                figure_against(value.metric, value.value, value.unit, value.target),
                _STYLES.get(value.status, ""),
            ),
            figure(value.p75, value.unit) if value.p75 is not None else "",
            figure(value.p90, value.unit) if value.p90 is not None else "",
            value.target or "",
            _text(f"{status.symbol} {status.word}", _STYLES.get(value.status, "")),
            counted(value.n, metric.fact),
        )
    return Group(_text(f"{first.name}, {span}", "bold"), table)


def _several(scope: str, rows: Mapping[tuple[str, date, date], Mapping[str, "Value"]]) -> RenderableType:
    present = {metric for row in rows.values() for metric in row}
    shown = [metric for metric in metrics().values() if metric.id in present]
    headings = [
        ColumnHead(scope.capitalize()),
        ColumnHead("Period"),
        *(ColumnHead(metric.short, is_number=True) for metric in shown),
    ]
    periods = {(start, end): days(start, end) for _, start, end in rows}
    cells = (
        [
            (one_line(name), ""),
            (periods[start, end] + (" (running)" if _is_running(row) else ""), ""),
            *(_cell(row.get(metric.id)) for metric in shown),
        ]
        for (name, start, end), row in rows.items()
    )
    legend = "   ".join(f"{s.symbol} {s.word}" for s in STATUSES.values() if s.symbol)
    return Group(_drawn(headings, cells, len(rows)), Text(legend, "dim"))


def _is_running(row: Mapping[str, "Value"]) -> bool:
    return any(value.partial for value in row.values())


def _cell(value: "Value | None") -> _Styled:
    if value is None:
        return MISSING, "dim"
    status = STATUSES[value.status]
    if value.value is None:
        return status.word, _STYLES.get(value.status, "")
    shown = figure_against(value.metric, value.value, value.unit, value.target)
    return f"{shown} {status.symbol}".rstrip(), _STYLES.get(value.status, "")


def _drawn(headings: Sequence[ColumnHead], rows: Iterable[Sequence[_Styled]], n: int) -> RenderableType:
    """A table of `n` rows, with its styles where it is short."""
    if n > MOST_DRAWN:
        return LongTable(headings, ([text for text, _ in row] for row in rows))
    table = _table()
    for heading in headings:
        justify: JustifyMethod = "right" if heading.is_number else "left"
        table.add_column(heading.text, justify=justify, overflow="fold", max_width=heading.most)
    for row in rows:
        table.add_row(*(Text(text, style) for text, style in row))
    return table


def explanation(
    found: "Explanation", timezone: str, rows: "tuple[ReadRows, ReadRows] | None" = None
) -> RenderableType:
    """The number and its definition, then the rows that made it and those left out, each with its reason.

    They are those of the explanation unless they come apart from it. Instants are told in the local time of `timezone`,
    as pages do.
    """
    from warehouse.rows.explain import rows_of

    metric, status = metrics()[found.metric], STATUSES[found.status]
    within, left_out = rows or rows_of(found)
    span = days(found.period_start, found.period_end)
    parts: list[RenderableType] = [
        Text.assemble(
            (metric.name, "bold"),
            " ",
            _text(f"of {found.name}, {span}:"),
            " ",
            (figure(found.value, found.unit), "bold"),
        ),
        Text.assemble(_text(f"{found.rule} {status.meaning} Times are {timezone}."), "\n"),
        *_rows(f"Counted: {counted(found.n, metric.fact)}", within, found, timezone),
    ]
    if left_out.n:
        reasons = "\n".join(f"{n:>7,}  {one_line(reason)}" for reason, n in found.left_out.items())
        parts += [
            Text(f"\nLeft out, by reason:\n{reasons}\n"),
            *_rows(f"Left out: {left_out.n:,}", left_out, found, timezone, are_counted=False),
        ]
    return Group(*parts)


def stages_table(found: "StagesExplained") -> RenderableType:
    """Where the hours lie: a row a stage, with the few services and pull requests that hold most of it."""
    from warehouse.rows.stages import fewest_that_hold, item_of

    head = Text.assemble(
        ("Where the time goes", "bold"),
        " ",
        _text(f"of {found.name}, {days(found.period_start, found.period_end)}:"),
        " ",
        (f"{found.seconds / 3600:,.1f} hours to production", "bold"),
    )
    if not found.stages:
        return Group(head, _text("Nothing that counts was brought to production in these days.", "dim"))
    table = _table()
    for heading in ("Stage", "Share", "Hours", "Mean", "Median", "p90", "From"):
        table.add_column(heading, justify="left" if heading == "Stage" else "right")
    for heading in ("Services with most of it", "The longest"):
        table.add_column(heading, overflow="fold", max_width=60)
    for stage in found.stages:
        durations = (figure(seconds, "seconds") for seconds in (stage.mean, stage.median, stage.p90))
        services = (f"{one.name} {100 * one.share:.0f} %" for one in fewest_that_hold(stage.services))
        longest = (
            f"{one.name} {figure(one.amount, 'seconds')}" for one in stage.pull_requests[:MOST_LONGEST]
        )
        table.add_row(
            stage.name,
            MISSING if stage.share is None else f"{100 * stage.share:.0f} %",
            f"{stage.seconds / 3600:,.1f}",
            *durations,
            plural(stage.n, item_of(stage)),
            ", ".join(services),
            ", ".join(longest),
        )
    return Group(head, table)


def _rows(
    title: str, of: "ReadRows", found: "Explanation", timezone: str, are_counted: bool = True
) -> Iterator[RenderableType]:
    yield Text(title, "bold")
    if not of.n:
        return
    known = _COLUMNS.get(metrics()[found.metric].fact) or [one for one in of.columns if one not in _ENDS]
    shown = [column for column in known if column in of.columns]
    headings = [ColumnHead(column.replace("_", " "), most=50) for column in shown]
    reason = "rule" if are_counted else "excluded_because"

    def cells(row: Mapping[str, Any]) -> Iterator[_Styled]:
        for column in shown:
            yield _plain(column, row.get(column), timezone), ""
        if are_counted:
            yield _row_value(row.get("value"), found.unit), ""
        yield _why(str(row[reason]), timezone), ""

    if are_counted:
        headings.append(ColumnHead("value", is_number=True))
    yield _drawn([*headings, ColumnHead("why")], ([*cells(row)] for row in of.rows), of.n)


def _row_value(value: float | None, unit: str) -> str:
    """What a row brought into the statistic: a time, a score, or 0 or 1 of a share."""
    if value is None:
        return MISSING
    return figure(value, unit) if unit in ("seconds", "points") else f"{value:g}"


def _plain(column: str, value: Any, timezone: str) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _minute(value, timezone)
    return _legible(str(value)[:_SHA_LENGTH] if column == "sha" else str(value))


# rows have many words and instants in common
_legible = lru_cache(_REMEMBERED)(one_line)


@lru_cache(_REMEMBERED)
def _minute(at: datetime, timezone: str) -> str:
    return f"{at.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"


@lru_cache(_REMEMBERED)
def _why(told: str, timezone: str) -> str:
    return one_line(local_times(told, timezone))


def _text(told: str, style: str = "") -> Text:
    """Text from data: no markup, and nothing that steers the terminal."""
    return Text(one_line(told), style)


class _Table(Table):
    """A table whose cells are text from data."""

    def add_row(self, *cells: RenderableType | None, **more: Any) -> None:
        """Adds a row."""
        super().add_row(*(_text(cell) if isinstance(cell, str) else cell for cell in cells), **more)


def _table() -> Table:
    return _Table(box=box.SIMPLE_HEAD, pad_edge=False)
