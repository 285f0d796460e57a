"""One metric: its number, how it went, how it is spread, whose it is, and the rows that made it and were left out."""

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from config.metrics import metrics
from config.settings import Settings
from dashboards.figures import charts, formats
from dashboards.figures.event_marks import event_marks
from dashboards.figures.goal_words import goal_words
from dashboards.figures.tables import as_rows_of
from dashboards.figures.verdicts import change
from dashboards.frame import downloads, navigation, widgets
from dashboards.frame.header import top
from dashboards.frame.loading import verdicts_on
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice
from dashboards.frame.published import Published, read_once
from dashboards.frame.state import State
from dashboards.frame.value_cells import days_of, last_known_words, value_cell
from dashboards.frame.view import ORDERS, SERIES_STEPS, Filters, compared, scope_name, view_days
from dashboards.metric import beside, breakdown, content, distribution_charts, dora_levels, holding_back
from dashboards.metric.content import Shown
from dashboards.metric.loading import (
    Assistance,
    MetricContent,
    Spread,
    assistance,
    explained_rows,
    metric_content,
    rows_behind,
    spread,
)
from warehouse.metrics.events import KnownEvent, anew_since
from warehouse.metrics.values import Value, as_rows
from warehouse.rows.distribution import Bin, Weekday
from warehouse.signals.limits import limits_before
from warehouse.signals.verdicts import Verdict


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = navigation.permitted_view(state)
    left, right = top(view, unknown, state, published).columns([2, 1])
    names = {metric.id: metric.name for metric in metrics().values()}
    with right:
        widgets.select("metric", "Metric", names, view.metric, view, width="stretch")
    found = read_once(metric_content, published, settings, view)
    value, explanation = found.current, found.explanation
    days = days_of([value] if value else [])
    name = scope_name(view, state.organization)
    left.html(part("header", name, names[view.metric], *days, compared(view, state.today, found.events)))
    if value is None or explanation is None:
        st.html(part("notice", Notice("Nothing matches all of these filters")))
        return
    levels = dora_levels.levels(value.metric) if settings.dashboard.dora_levels else ()
    verdicts = verdicts_on(published, settings, found.judged, (value.period_start, value.period_end))
    _number(found, value, verdicts.get(value.metric), content.arithmetic(explanation))
    holding_back.show_held_back(settings, published, view, [value])
    about = (metrics()[value.metric], levels, dora_levels.DORA_SOURCE, dora_levels.YEAR)
    st.html(part("definition", *about, of="metric"))
    if metrics()[value.metric].fact == "changes":
        holding_back.show_hours(settings, published, state, view)
    _series(state, view, found, value)
    made_of = read_once(spread, published, settings, view)
    _spread(state, view, made_of, value)
    _below(state, view, made_of, value)
    _beside(state, view, read_once(assistance, published, settings, view), value, found.events)
    shown = content.shown_rows(read_once(rows_behind, published, settings, view), state.timezone)
    if metrics()[value.metric].fact == "responses":
        _scores(settings, published, state, view, value, shown)
    else:
        _rows(settings, published, state, view, value, shown)


def _number(found: MetricContent, value: Value, verdict: Verdict | None, arithmetic: str) -> None:
    cell = value_cell(value, None, found.unwatched)
    percentiles = formats.percentiles(value.p75, value.p90, value.unit)
    changed = change(value, verdict)
    goal = goal_words(found.goal, value.metric) if found.goal else None
    past = last_known_words(found.last_known) if found.last_known else None
    st.html(part("number", cell, arithmetic, percentiles, changed, goal, past, of="metric"))


def _series(state: State, view: Filters, found: MetricContent, value: Value) -> None:
    name = metrics()[value.metric].name
    with st.container(key="series-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", f"By {view.step}"), width="stretch")
        widgets.select("step", "Step", SERIES_STEPS, view.step, view, width=130)
        named = _named(state, view, value, view.step, "csv")
        downloads.csv(named, "series-csv", lambda: as_rows(found.series))
    if all(each.value is None for each in found.series):
        st.html(part("notice", Notice(f"There is no {name} in these {SERIES_STEPS[view.step].lower()}")))
        return
    anew = anew_since(found.events, value.period_start)
    limits = limits_before(found.weeks, value.period_start, anew) if view.step == "week" else None
    start = view_days(view, state.today)[0] if view.step == "week" else None
    days = min(each.period_start for each in found.series), max(each.period_end for each in found.series)
    marks, more = event_marks(found.events, *days)
    figure = charts.series(found.series, st.context.theme.type == "dark", limits, start, marks)
    downloads.chart_card(
        figure,
        _named(state, view, value, view.step, "png"),
        "series",
        f"{name} by {view.step}, with its target",
        f"{name} by {view.step}",
        downloads.seen_in(state, view, found.series[0].period_start, found.series[-1].period_end),
        marks,
        more,
    )
    if view.step == "week":
        st.html(part("limits", limits, value.unit, value.period_start, anew, of="metric"))


def _spread(state: State, view: Filters, found: Spread, value: Value) -> None:
    name, dark = metrics()[value.metric].name, st.context.theme.type == "dark"
    if not found.bins and not found.weekdays:
        return
    title = "How long each took" if found.bins else "By day of the week"
    rows: list[Bin | Weekday] = [*found.bins, *found.weekdays]
    named = _named(state, view, value, "distribution", "csv")
    downloads.section_with_csv(title, named, "spread", lambda: as_rows_of(rows))
    if found.bins:
        figure = distribution_charts.durations_chart(found.bins, value, dark)
        said = distribution_charts.sentence(found.bins, value)
    else:
        figure, said = distribution_charts.weekdays_chart(found.weekdays, value, dark), ""
    downloads.chart_card(
        figure,
        _named(state, view, value, "distribution", "png"),
        "spread",
        f"{name}: {title.lower()}",
        f"{name}: {title.lower()}",
        downloads.seen_in(state, view, value.period_start, value.period_end),
    )
    if said:
        st.html(part("remark", said, of="metric"))


def _below(state: State, view: Filters, found: Spread, value: Value) -> None:
    ranked = {
        breakdown.TITLES[by]: breakdown.ranked(values, view, found.unwatched.get(by, {}))
        for by, values in found.below.items()
        if values
    }
    if not ranked:
        return
    title = "By team, system and service, the worst first"
    rows = [each for values in found.below.values() for each in values]
    downloads.section_with_csv(
        title, _named(state, view, value, "breakdown", "csv"), "below", lambda: as_rows(rows)
    )
    st.html(part("ranked", ranked, breakdown.MOST_RANKED, value.unit == "seconds", of="metric"))


def _beside(
    state: State, view: Filters, found: Assistance, value: Value, events: Sequence[KnownEvent]
) -> None:
    if not found.measures:
        return
    title, about = "With an agent beside without", metrics()[value.metric]
    if not any(week.assisted for week in found.weeks) and not found.measures[0].assisted.n:
        st.html(part("section", title))
        st.html(
            part("notice", Notice(f"No agent helped with any of these {about.fact}, as far as git tells"))
        )
        return
    named = _named(state, view, value, "assistance", "csv")
    downloads.section_with_csv(title, named, "beside", lambda: beside.beside_rows(found.measures))
    measures = beside.placed(found.measures, about)
    st.html(part("beside", measures, beside.NO_CAUSE, beside.method(about), of="metric"))
    if found.weeks:
        after = found.weeks[-1].monday + timedelta(weeks=1)
        marks, more = event_marks(events, found.weeks[0].monday, after)
        figure = beside.share_of_weeks(found.weeks, about, st.context.theme.type == "dark", marks)
        downloads.chart_card(
            figure,
            _named(state, view, value, "assistance", "png"),
            "beside",
            f"{title}: the share by week",
            f"{about.name}: the share that an agent helped with, by week",
            downloads.seen_in(state, view, found.weeks[0].monday, value.period_end),
            marks,
            more,
        )
        st.html(
            part(
                "remark",
                f"The share of {about.fact} by week. Hollow weeks have fewer than five.",
                of="metric",
            )
        )


def _rows(
    settings: Settings, published: Published, state: State, view: Filters, value: Value, shown: Shown
) -> None:
    fact = metrics()[value.metric].fact
    counts = f"What counts: {formats.counted(shown.counted, fact)}"
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", counts), width="stretch")
        widgets.select("order", "Order", ORDERS, view.order, view, width=170)
        downloads.csv(content.csv_name(state, view, value), "csv", _all_rows(settings, published, view))
    if shown.rows:
        st.html(part("counted", shown, counts, of="metric"))
    else:
        st.html(part("notice", Notice("No row counts", (content.nothing(value, view),))))
    st.html(part("section", f"What was left out: {formats.counted(shown.left_out, fact)}"))
    if shown.groups:
        st.html(part("left_out", shown, of="metric"))
    else:
        st.html(part("notice", Notice("Every row of this period counts")))


def _scores(
    settings: Settings, published: Published, state: State, view: Filters, value: Value, shown: Shown
) -> None:
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", "How many gave which score"), width="stretch")
        downloads.csv(content.csv_name(state, view, value), "csv", _all_rows(settings, published, view))
    if shown.scores:
        st.html(part("histogram", shown.scores, of="metric"))
    else:
        title = "Withheld" if value.status == "withheld" else "No scores"
        st.html(part("notice", Notice(title, (content.nothing(value, view),))))


def _named(state: State, view: Filters, value: Value, what: str, ending: str) -> str:
    parts = [state.organization, value.metric, *view.where.values(), what]
    return formats.file_name(parts, value.period_start, value.period_end, ending)


def _all_rows(settings: Settings, published: Published, view: Filters) -> downloads.RowsLater:
    """What `sixkeys explain --format csv` writes."""
    return lambda: explained_rows(published.warehouse, settings, view)


if __name__ == "__main__":
    show(*navigation.given())
