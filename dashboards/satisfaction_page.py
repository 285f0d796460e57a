"""Satisfaction: scores by survey round against the target, and how they spread, as far as they may be shown."""

import streamlit as st

from config.settings import Settings
from dashboards import charts, choices, overview, pages, satisfaction
from dashboards.filters import Filters, days
from dashboards.loading import State
from dashboards.markup import part
from dashboards.published import Published, freshness
from dashboards.surveyed import Surveyed, surveyed
from dashboards.terminal import as_csv
from dashboards.trust import within
from warehouse.values import Value


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = pages.view(state)
    found = _surveyed(published, settings, view)
    pages.links(view)
    _header(state, view, found, published)
    choices.filters(view, state, overview.names(state, view))
    for notice in (*overview.warnings(state, unknown), *satisfaction.running(found, state.timezone)):
        st.html(part("notice", notice))
    values, names = satisfaction.trend(found)
    if not values:
        st.html(part("notice", satisfaction.nothing(view)))
        return
    _rounds(state, view, found)
    if any(value.value is not None for value in values):
        _trend(values, names)
    _spread(view, found, names)
    st.html(part("why", satisfaction.why_withheld(), of="satisfaction"))


def _trend(values: list[Value], names: list[str]) -> None:
    st.html(part("section", "Round by round"))
    with st.container(border=True, key="chart-card"):
        figure = charts.rounds(values, names, dark=st.context.theme.type == "dark")
        alt = "Satisfaction by survey round, with its target"
        st.plotly_chart(figure, theme=None, config={"displaylogo": False}, alt=alt, key="chart")


@st.cache_data(max_entries=50, show_spinner=False)
def _surveyed(published: Published, _settings: Settings, view: Filters) -> Surveyed:
    return surveyed(published.warehouse, _settings, view)


def _header(state: State, view: Filters, found: Surveyed, published: Published) -> None:
    name = overview.scope_name(view, state.organization)
    _, end = days(view, state.today)
    left, right = st.columns([3, 1])
    closed = f"Rounds that closed {within(None, end)}" if end else "All rounds"
    left.html(part("header", name, satisfaction.headline(found), closed, False))
    with right:
        freshness(published, state)


def _rounds(state: State, view: Filters, found: Surveyed) -> None:
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", "Against the target"), width="stretch")
        st.download_button(
            "Download CSV",
            as_csv(satisfaction.csv_rows(found)),
            satisfaction.csv_name(state.organization, view, found.rounds),
            "text/csv",
            key="csv",
            on_click="ignore",
            icon=":material/download:",
        )
    st.html(part("rounds", satisfaction.table(found), of="satisfaction"))


def _spread(view: Filters, found: Surveyed, names: list[str]) -> None:
    chosen = found.chosen or ""
    with st.container(key="round-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", "How many gave which score"), width="stretch")
        options = {name: name for name in reversed([*dict.fromkeys((*names, chosen))])}
        choices.select("round", "Round", options, chosen, view, width=190)
    if found.scores:
        st.html(part("histogram", satisfaction.bars(found.scores), of="metric"))
    else:
        st.html(part("notice", satisfaction.without_scores(found)))


if __name__ == "__main__":
    show(*pages.given())
