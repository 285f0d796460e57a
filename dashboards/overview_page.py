"""The overview: the key metrics as tiles, teams and services against the targets, one metric by week."""

import streamlit as st

from config.metrics import metrics
from config.settings import Settings
from dashboards import charts, choices, doubts, loading, overview, pages
from dashboards.filters import ROWS, SORTS, Filters, link
from dashboards.loading import Content, State
from dashboards.markup import part
from dashboards.published import Published, freshness
from dashboards.terminal import as_csv
from warehouse.values import Value, as_rows


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = pages.view(state)
    content = _overview(published, settings, view)
    pages.links(view)
    _header(state, view, content, published)
    choices.filters(view, state, overview.names(state, view))
    for warning in overview.warnings(state, unknown):
        st.html(part("notice", warning))
    if not content.current:
        st.html(part("notice", overview.Notice("Nothing matches all of these filters")))
        return
    tiles = overview.tiles(content.current, content.previous, content.history, view)
    st.html(part("tiles", tiles))
    if found := doubts.sentences(content.doubts):
        st.html(part("doubts", found, link("trust", view)))
    _table(settings, state, view, content)
    _weeks(state, view, content)


@st.cache_data(max_entries=200, show_spinner=False)
def _overview(published: Published, _settings: Settings, view: Filters) -> Content:
    return loading.content(published.warehouse, _settings, view)


def _header(state: State, view: Filters, content: Content, published: Published) -> None:
    name = overview.scope_name(view, state.organization)
    left, right = st.columns([3, 1])
    left.html(part("header", name, overview.summary(content.current), *overview.within(content.current)))
    with right:
        freshness(published, state)


def _table(settings: Settings, state: State, view: Filters, content: Content) -> None:
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", "Against the targets"), width="stretch")
        choices.select("rows", "Rows", ROWS, view.rows, view, width=190)
        choices.select("sort", "Sort by", SORTS, view.sort, view, width=240)
        _download("Download CSV", "csv", overview.distinct([*content.current, *content.below]), state)
    targets = {metric: target.text if (target := settings.target(metric)) else None for metric in metrics()}
    rows = overview.table(content.below, state.services, view)
    st.html(part("table", rows, list(metrics().values()), targets, ROWS[view.rows]))


def _weeks(state: State, view: Filters, content: Content) -> None:
    weeks = [value for value in content.history if value.metric == view.metric]
    names = {metric.id: metric.name for metric in metrics().values()}
    with st.container(key="week-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", f"{names[view.metric]} by week"), width="stretch")
        choices.select("metric", "Metric", names, view.metric, view, width=290)
        _download("Download weeks", "weeks-csv", weeks, state)
    if any(week.value is not None for week in weeks):
        figure = charts.series(weeks, dark=st.context.theme.type == "dark")
        alt = f"{names[view.metric]} by week, with its target"
        with st.container(border=True, key="chart-card"):
            st.plotly_chart(figure, theme=None, config={"displaylogo": False}, alt=alt, key="chart")
    else:
        st.html(part("notice", overview.Notice(f"There is no {names[view.metric]} in these weeks")))


def _download(label: str, key: str, values: list[Value], state: State) -> None:
    st.download_button(
        label,
        as_csv(as_rows(values)),
        overview.csv_name(state.organization, values),
        "text/csv",
        key=key,
        on_click="ignore",
        icon=":material/download:",
    )


if __name__ == "__main__":
    show(*pages.given())
