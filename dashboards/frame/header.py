"""What stands above every page's own content: the other pages, its heading, the facts' age, filters, warnings."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboards.frame import loading, navigation, widgets
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice, failure_notices, warnings
from dashboards.frame.published import Published, freshness, read_once
from dashboards.frame.state import State, names
from dashboards.frame.view import Filters

FILTER_SCOPES = ("system", "group", "team", "service")


def top(
    view: Filters,
    unknown: Sequence[str],
    state: State,
    published: Published,
    scopes: Collection[str] | None = FILTER_SCOPES,
    lists_failures: bool = False,
) -> DeltaGenerator:
    """Draws all of it but the heading, and returns its place; `scopes` are those to filter by, None: no filters.

    A page that `lists_failures` of sources itself is not told of them. None of it waits for the numbers, so the
    browser draws it while they are read.
    """
    navigation.page_links(view)
    kinds = navigation.shown_kinds(view)
    where = tuple(view.where.items())
    found = read_once(loading.rests_on, published, navigation.given().settings, where)
    heading, right = st.columns([3, 1])
    with right:
        freshness(published, state, found, kinds)
    if scopes is not None:
        widgets.filters(view, state, names(state, view), scopes)
    now = datetime.now(UTC)
    if not lists_failures:
        show_notices(failure_notices(found, kinds, view, state.timezone, now))
    show_notices(warnings(state, found, kinds, view, unknown))
    return heading


def show_notices(found: Iterable[Notice]) -> None:
    """Draws each of them."""
    for notice in found:
        st.html(part("notice", notice))
