"""Can I trust this? What the numbers rest on: coverage by service, the sources' runs, what is missing or unmapped."""

import streamlit as st

from config.settings import Settings
from dashboards import choices, loading, overview, pages, trust, trust_history
from dashboards.doubts import sentences
from dashboards.filters import Filters, days
from dashboards.formats import moment
from dashboards.loading import State, Trust
from dashboards.markup import part
from dashboards.overview import Notice
from dashboards.published import Published, freshness


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = pages.view(state)
    found = _trust(published, settings, view)
    pages.links(view)
    _header(state, view, found, published)
    choices.filters(view, state, overview.names(state, view))
    for warning in overview.warnings(state, unknown):
        st.html(part("notice", warning))
    if found.whole is None or not found.services:
        st.html(part("notice", Notice("Nothing matches all of these filters")))
        return
    st.html(part("doubts", sentences(found.doubts), of="trust"))
    st.html(part("shares", trust.shares(found.whole), of="trust"))
    _section("By service", "services", trust.lines(found, view, state.timezone))
    _section("The sources' last runs", "sources", trust.sources(state.runs, state.timezone))
    _section("Each source's last ten runs", "histories", trust_history.histories(found.runs, state.timezone))
    named, shares = trust_history.weekly(found.weeks)
    if shares:
        st.html(part("section", "Coverage by week"))
        st.html(part("weekly", named, shares, of="trust"))
    _section("Did not arrive", "undelivered", trust.undelivered(found.undelivered, state.timezone))
    _section("Not read between", "gaps", trust.gaps([found.whole], state.timezone))
    catalogue = settings.sources.catalog
    from_github = catalogue is not None and catalogue.from_github
    _section("In no catalogue", "unmapped", trust.unmapped(found.whole.unmapped, from_github))
    aside = [(item, moment(item.seen_at, state.timezone)) for item in found.set_aside]
    _section("Could not be read and were set aside", "set_aside", aside)


@st.cache_data(max_entries=50, show_spinner=False)
def _trust(published: Published, _settings: Settings, view: Filters) -> Trust:
    return loading.trust(published.warehouse, _settings, view)


def _header(state: State, view: Filters, found: Trust, published: Published) -> None:
    name = overview.scope_name(view, state.organization)
    left, right = st.columns([3, 1])
    left.html(part("header", name, trust.headline(found), trust.within(*days(view, state.today)), False))
    with right:
        freshness(published, state)


def _section(title: str, name: str, content: list) -> None:
    """A heading and its table, or nothing where there is nothing to tell."""
    if content:
        st.html(part("section", title))
        st.html(part(name, content, of="trust"))


if __name__ == "__main__":
    show(*pages.given())
