"""One metric: its number, how it went, how it is spread, whose it is, and the rows that made it and were left out."""

from collections.abc import Callable

import streamlit as st

from config.metrics import metrics
from config.settings import Settings
from dashboards import (
    breakdown,
    charts,
    choices,
    distribution_charts,
    downloads,
    explained,
    filters,
    formats,
    loading,
    overview,
    pages,
)
from dashboards import levels as dora
from dashboards.explained import Shown
from dashboards.filters import ORDERS, STEPS, Filters
from dashboards.loading import State
from dashboards.markup import part
from dashboards.metric_content import MetricContent, metric_content
from dashboards.overview import Notice
from dashboards.published import Published, freshness
from dashboards.terminal import as_csv
from dashboards.verdicts import change
from warehouse.signals import limits_before
from warehouse.values import Value, as_rows


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = pages.view(state)
    content = _content(published, settings, view)
    pages.links(view)
    _header(state, view, content, published)
    choices.filters(view, state, overview.names(state, view))
    for warning in overview.warnings(state, unknown):
        st.html(part("notice", warning))
    value = content.current
    _, shown = _explained(published, settings, view, state.timezone)
    if value is None or shown is None:
        st.html(part("notice", Notice("Nothing matches all of these filters")))
        return
    _number(view, content, value, shown)
    _series(state, view, content, value)
    _spread(state, view, content, value)
    _below(state, view, content, value)
    if metrics()[value.metric].fact == "responses":
        _scores(settings, published, state, view, value, shown)
    else:
        _rows(settings, published, state, view, value, shown)


@st.cache_data(max_entries=200, show_spinner=False)
def _content(published: Published, _settings: Settings, view: Filters) -> MetricContent:
    return metric_content(published.warehouse, _settings, view)


@st.cache_data(max_entries=50, show_spinner="Reading the rows …")
def _explained(
    published: Published, _settings: Settings, view: Filters, timezone: str
) -> tuple[Value | None, Shown | None]:
    value, explanation = loading.explanation(published.warehouse, _settings, view)
    return value, explained.shown(explanation, timezone) if explanation else None


def _header(state: State, view: Filters, content: MetricContent, published: Published) -> None:
    name = overview.scope_name(view, state.organization)
    names = {metric.id: metric.name for metric in metrics().values()}
    left, middle, right = st.columns([2, 1, 1])
    shown = [content.current] if content.current else []
    left.html(
        part(
            "header", name, names[view.metric], *overview.within(shown), overview.compared(view, state.today)
        )
    )
    with middle:
        choices.select("metric", "Metric", names, view.metric, view, width="stretch")
    with right:
        freshness(published, state)


def _number(view: Filters, content: MetricContent, value: Value, shown: Shown) -> None:
    cell = overview.cell(value, None, content.unwatched.get(view.scope, {}).get(value.name))
    percentiles = formats.percentiles(value.p75, value.p90, value.unit)
    changed = change(value, content.previous, content.weeks)
    st.html(part("number", cell, shown.arithmetic, percentiles, changed, of="metric"))
    st.html(part("definition", cell.metric, dora.levels(value.metric), dora.SOURCE, dora.YEAR, of="metric"))


def _series(state: State, view: Filters, content: MetricContent, value: Value) -> None:
    name = metrics()[value.metric].name
    with st.container(key="series-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", f"By {view.step}"), width="stretch")
        choices.select("step", "Step", STEPS, view.step, view, width=130)
        downloads.csv(_named(state, view, value, view.step, "csv"), "series-csv", as_rows(content.series))
    if all(each.value is None for each in content.series):
        st.html(part("notice", Notice(f"There is no {name} in these {STEPS[view.step].lower()}")))
        return
    limits = limits_before(content.weeks, value.period_start) if view.step == "week" else None
    start = filters.days(view, state.today)[0] if view.step == "week" else None
    figure = charts.series(content.series, st.context.theme.type == "dark", limits, start)
    downloads.chart(
        figure,
        _named(state, view, value, view.step, "png"),
        "series",
        f"{name} by {view.step}, with its target",
    )
    if view.step == "week":
        st.html(part("limits", limits, value.unit, value.period_start, of="metric"))


def _spread(state: State, view: Filters, content: MetricContent, value: Value) -> None:
    name, dark = metrics()[value.metric].name, st.context.theme.type == "dark"
    if content.stages:
        with st.container(key="stages-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
            st.html(part("section", "Where the time goes"), width="stretch")
            downloads.csv(
                _named(state, view, value, "stages", "csv"),
                "stages-csv",
                breakdown.stage_rows(content.stages),
            )
        st.html(part("stages", breakdown.bars(content.stages), of="metric"))
    if not content.bins and not content.weekdays:
        return
    title = "How long each took" if content.bins else "By day of the week"
    with st.container(key="spread-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", title), width="stretch")
        rows = breakdown.spread_rows([*content.bins, *content.weekdays])
        downloads.csv(_named(state, view, value, "distribution", "csv"), "spread-csv", rows)
    if content.bins:
        figure = distribution_charts.durations(content.bins, value, dark)
        said = distribution_charts.sentence(content.bins, value)
    else:
        figure, said = distribution_charts.weekdays(content.weekdays, value, dark), ""
    downloads.chart(
        figure, _named(state, view, value, "distribution", "png"), "spread", f"{name}: {title.lower()}"
    )
    if said:
        st.html(part("remark", said, of="metric"))


def _below(state: State, view: Filters, content: MetricContent, value: Value) -> None:
    ranked = {
        breakdown.TITLES[by]: breakdown.ranked(values, view, content.unwatched.get(by, {}))
        for by, values in content.below.items()
        if values
    }
    if not ranked:
        return
    with st.container(key="below-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", "By team, system and service, the worst first"), width="stretch")
        rows = as_rows(each for values in content.below.values() for each in values)
        downloads.csv(_named(state, view, value, "breakdown", "csv"), "below-csv", rows)
    st.html(part("ranked", ranked, breakdown.MOST_RANKED, value.unit == "seconds", of="metric"))


def _rows(
    settings: Settings, published: Published, state: State, view: Filters, value: Value, shown: Shown
) -> None:
    fact = metrics()[value.metric].fact
    counts = f"What counts: {formats.counted(shown.counted, fact)}"
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", counts), width="stretch")
        choices.select("order", "Order", ORDERS, view.order, view, width=170)
        downloads.csv(explained.csv_name(state, view, value), "csv", _csv(settings, published, view))
    if shown.rows:
        st.html(part("counted", shown, counts, of="metric"))
    else:
        st.html(part("notice", Notice("No row counts", (explained.nothing(value, view),))))
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
        downloads.csv(explained.csv_name(state, view, value), "csv", _csv(settings, published, view))
    if shown.scores:
        st.html(part("histogram", shown.scores, of="metric"))
    else:
        title = "Withheld" if value.status == "withheld" else "No scores"
        st.html(part("notice", Notice(title, (explained.nothing(value, view),))))


def _named(state: State, view: Filters, value: Value, what: str, ending: str) -> str:
    parts = [state.organization, value.metric, *view.where.values(), what]
    return formats.file_name(parts, value.period_start, value.period_end, ending)


def _csv(settings: Settings, published: Published, view: Filters) -> Callable[[], str]:
    """Makes what `sixkeys explain --format csv` writes, once it is asked for."""

    def rows() -> str:
        return as_csv(loading.explained_rows(published.warehouse, settings, view))

    return rows


if __name__ == "__main__":
    show(*pages.given())
