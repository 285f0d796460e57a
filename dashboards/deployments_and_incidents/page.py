"""A searchable table with pages, whatever it lists: search, filters, rows that open, CSV of all that matches."""

import streamlit as st

from dashboards.deployments_and_incidents import content, loading
from dashboards.deployments_and_incidents.content import PAGE_ROWS, ListKind, ListPage
from dashboards.frame import downloads, navigation, widgets
from dashboards.frame.header import show_notices, top
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice
from dashboards.frame.published import Published
from dashboards.frame.state import State
from dashboards.frame.view import Filters, days_in_words, scope_name, view_days


def show(kind: ListKind, published: Published, state: State) -> None:
    """Draws the list for the view in the address."""
    view, unknown = navigation.permitted_view(state)
    heading = top(view, unknown, state, published)
    page = _page(published, kind.page, kind, view, state.timezone)
    name = scope_name(view, state.organization)
    span = "" if view.row else days_in_words(*view_days(view, state.today))
    heading.html(part("header", name, kind.summary(page.counts), span, False))
    if view.row:
        _alone(kind, view)
    else:
        _choices(kind, view, page)
    _table(kind, view, page, state, published)


@st.cache_data(max_entries=100, show_spinner=False)
def _page(published: Published, name: str, _kind: ListKind, view: Filters, timezone: str) -> ListPage:
    return loading.page(published.warehouse, _kind, view, timezone)


def _alone(kind: ListKind, view: Filters) -> None:
    show_notices([Notice(f"One {kind.noun} is shown alone, whatever the period")])
    widgets.only(view, f"Show all {kind.noun}s")


def _choices(kind: ListKind, view: Filters, page: ListPage) -> None:
    with st.container(key="list-choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        widgets.search_field(view, kind.searched)
        if page.environments:
            names = {"": "All environments"} | {name: name for name in page.environments}
            if view.environment and view.environment not in names:
                names[view.environment] = view.environment
            widgets.select("environment", "Environment", names, view.environment or "", view, width=190)
        states = content.states(kind, page.counts, view.state)
        widgets.select("state", "State", states, view.state or "", view, width=230)
        order = content.orders(kind, view.listed)
        widgets.select("listed", "Order", kind.orders, order, view, width=190)


def _table(kind: ListKind, view: Filters, page: ListPage, state: State, published: Published) -> None:
    total = page.counts.total
    span = content.rows_on_page(page.number, total, kind.noun if total == page.counts.entities else "row")
    turned = content.at(view, page.number)
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", span), width="stretch")
        if page.pages > 1:
            widgets.turn(turned, page.pages, "above")
        if total:
            name = content.csv_name(state.organization, kind, view, state.today)
            downloads.csv(name, "csv", lambda: loading.all_listed_rows(published.warehouse, kind, view))
    if not total:
        show_notices([content.nothing(kind, view)])
        return
    st.html(part("table", kind.headings, page.lines, span, bool(view.row), of="deployments_and_incidents"))
    if page.pages > 1 and len(page.lines) > PAGE_ROWS // 2:
        widgets.turn(turned, page.pages, "below")
    st.html(part("remark", content.remark(kind, total), of="deployments_and_incidents"))
