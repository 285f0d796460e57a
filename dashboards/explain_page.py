"""Numbers explained: one number, its definition, the rows that made it, and those left out, each with the reason."""

from collections.abc import Callable

import streamlit as st

from config.metrics import metrics
from config.settings import Settings
from dashboards import choices, explained, formats, loading, overview, pages
from dashboards.explained import Shown
from dashboards.filters import ORDERS, Filters
from dashboards.loading import State
from dashboards.markup import part
from dashboards.overview import Notice
from dashboards.published import Published, freshness
from dashboards.terminal import as_csv
from warehouse.values import Value


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = pages.view(state)
    value, shown = _explained(published, settings, view, state.timezone)
    pages.links(view)
    _header(state, view, value, published)
    choices.filters(view, state, overview.names(state, view))
    for warning in overview.warnings(state, unknown):
        st.html(part("notice", warning))
    if value is None or shown is None:
        st.html(part("notice", Notice("Nothing matches all of these filters")))
        return
    cell = overview.cell(value)
    percentiles = formats.percentiles(value.p75, value.p90, value.unit)
    st.html(part("number", cell, shown.arithmetic, percentiles, of="explain"))
    if metrics()[value.metric].fact == "responses":
        _scores(settings, published, state, view, value, shown)
    else:
        _rows(settings, published, state, view, value, shown)


@st.cache_data(max_entries=50, show_spinner="Reading the rows …")
def _explained(
    published: Published, _settings: Settings, view: Filters, timezone: str
) -> tuple[Value | None, Shown | None]:
    value, explanation = loading.explanation(published.warehouse, _settings, view)
    return value, explained.shown(explanation, timezone) if explanation else None


def _header(state: State, view: Filters, value: Value | None, published: Published) -> None:
    name = overview.scope_name(view, state.organization)
    names = {metric.id: metric.name for metric in metrics().values()}
    left, middle, right = st.columns([2, 1, 1])
    left.html(part("header", name, names[view.metric], *overview.within([value] if value else [])))
    with middle:
        choices.select("metric", "Metric", names, view.metric, view, width="stretch")
    with right:
        freshness(published, state)


def _rows(
    settings: Settings, published: Published, state: State, view: Filters, value: Value, shown: Shown
) -> None:
    fact = metrics()[value.metric].fact
    counts = f"What counts: {formats.counted(shown.counted, fact)}"
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", counts), width="stretch")
        choices.select("order", "Order", ORDERS, view.order, view, width=170)
        _download(settings, published, state, view, value)
    if shown.rows:
        st.html(part("counted", shown, counts, of="explain"))
    else:
        st.html(part("notice", Notice("No row counts", (explained.nothing(value, view),))))
    st.html(part("section", f"What was left out: {formats.counted(shown.left_out, fact)}"))
    if shown.groups:
        st.html(part("left_out", shown, of="explain"))
    else:
        st.html(part("notice", Notice("Every row of this period counts")))


def _scores(
    settings: Settings, published: Published, state: State, view: Filters, value: Value, shown: Shown
) -> None:
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", "How many gave which score"), width="stretch")
        _download(settings, published, state, view, value)
    if shown.scores:
        st.html(part("histogram", shown.scores, of="explain"))
    else:
        title = "Withheld" if value.status == "withheld" else "No scores"
        st.html(part("notice", Notice(title, (explained.nothing(value, view),))))


def _download(settings: Settings, published: Published, state: State, view: Filters, value: Value) -> None:
    st.download_button(
        "Download CSV",
        _csv(settings, published, view),
        explained.csv_name(state, view, value),
        "text/csv",
        key="csv",
        on_click="ignore",
        icon=":material/download:",
    )


def _csv(settings: Settings, published: Published, view: Filters) -> Callable[[], str]:
    """Makes what `sixkeys explain --format csv` writes, once it is asked for."""

    def rows() -> str:
        return as_csv(loading.explained_rows(published.warehouse, settings, view))

    return rows


if __name__ == "__main__":
    show(*pages.given())
