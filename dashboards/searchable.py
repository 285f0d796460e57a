"""A searchable table with pages, whatever it lists: search, filters, rows that open, CSV of all that matches."""

import streamlit as st

from dashboards import choices, downloads, listed, listing, overview, pages
from dashboards.filters import Filters, days
from dashboards.listing import PAGE_ROWS, Kind, Page
from dashboards.loading import State
from dashboards.markup import part
from dashboards.overview import Notice
from dashboards.published import Published
from dashboards.top import notices, top
from dashboards.trust import within


def show(kind: Kind, published: Published, state: State) -> None:
    """Draws the list for the view in the address."""
    view, unknown = pages.view(state)
    heading = top(view, unknown, state, published)
    page = _page(published, kind.page, kind, view, state.timezone)
    name = overview.scope_name(view, state.organization)
    span = "" if view.row else within(*days(view, state.today))
    heading.html(part("header", name, kind.summary(page.counts), span, False))
    if view.row:
        _alone(kind, view)
    else:
        _choices(kind, view, page)
    _table(kind, view, page, state, published)


@st.cache_data(max_entries=100, show_spinner=False)
def _page(published: Published, name: str, _kind: Kind, view: Filters, timezone: str) -> Page:
    return listed.page(published.warehouse, _kind, view, timezone)


def _alone(kind: Kind, view: Filters) -> None:
    notices([Notice(f"One {kind.noun} is shown alone, whatever the period")])
    choices.only(view, f"Show all {kind.noun}s")


def _choices(kind: Kind, view: Filters, page: Page) -> None:
    with st.container(key="list-choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        choices.search(view, kind.searched)
        if page.environments:
            names = {"": "All environments"} | {name: name for name in page.environments}
            if view.environment and view.environment not in names:
                names[view.environment] = view.environment
            choices.select("environment", "Environment", names, view.environment or "", view, width=190)
        states = listing.states(kind, page.counts, view.state)
        choices.select("state", "State", states, view.state or "", view, width=230)
        order = listing.orders(kind, view.listed)
        choices.select("listed", "Order", kind.orders, order, view, width=190)


def _table(kind: Kind, view: Filters, page: Page, state: State, published: Published) -> None:
    total = page.counts.total
    span = listing.span(page.number, total, kind.noun if total == page.counts.entities else "row")
    turned = listing.at(view, page.number)
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", span), width="stretch")
        if page.pages > 1:
            choices.turn(turned, page.pages, "above")
        if total:
            name = listing.csv_name(state.organization, kind, view, state.today)
            downloads.csv(name, "csv", lambda: listed.all_rows(published.warehouse, kind, view))
    if not total:
        notices([listing.nothing(kind, view)])
        return
    st.html(part("table", kind.headings, page.lines, span, bool(view.row), of="listing"))
    if page.pages > 1 and len(page.lines) > PAGE_ROWS // 2:
        choices.turn(turned, page.pages, "below")
    st.html(part("remark", listing.remark(kind, total), of="listing"))
