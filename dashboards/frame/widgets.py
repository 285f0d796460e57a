"""A page's filters as widgets: each shows what the address says, and a choice goes to the address.

The address is the only place that keeps the view, so that a link, the back button and a reload all show it.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import streamlit as st

from config.text.legible import one_line
from dashboards.frame.markup import part
from dashboards.frame.state import State
from dashboards.frame.view import EARLIEST, LATEST, PERIODS, Filters, to_address, view_days

LONGEST_SEARCH = 200
_ALL = {"system": "All systems", "group": "All groups", "team": "All teams", "service": "All services"}


def filters(
    view: Filters,
    state: State,
    names: Mapping[str, list[str]],
    scopes: Collection[str] = tuple(_ALL),
) -> None:
    """The row of filters: the period, and those of `scopes`; most organisations have no groups of teams."""
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom", gap="small"):
        _shows("period", view.period)
        st.segmented_control(
            "Period",
            list(PERIODS),
            format_func=PERIODS.__getitem__,
            key="period",
            on_change=_period_chosen,
            args=(view, state),
        )
        if view.period == "custom":
            _dates(view, state)
        for scope in scopes:
            everything = _ALL[scope]
            chosen = getattr(view, scope) or ""
            if scope == "group" and not names[scope] and not chosen:
                continue
            options = {"": everything} | {name: name for name in (*names[scope], chosen) if name}
            select(scope, scope.capitalize(), options, chosen, view, width=118)
        st.html(part("content"))


def select(
    key: str,
    label: str,
    options: Mapping[str, str],
    chosen: str,
    view: Filters,
    width: int | Literal["stretch"],
) -> None:
    """A choice among `options` (as kept in the address: as people read it) for the field `key` of the view."""
    _shows(key, chosen)
    st.selectbox(
        label,
        list(options),
        format_func=lambda option: one_line(options[option]),
        key=key,
        on_change=_chosen,
        args=(view, key),
        width=width,
    )


def search_field(view: Filters, placeholder: str) -> None:
    """A field for the words that rows are searched for."""
    _shows("search", view.search or "")
    st.text_input(
        "Search",
        key="search",
        max_chars=LONGEST_SEARCH,
        placeholder=placeholder,
        icon=":material/search:",
        on_change=_chosen,
        args=(view, "search"),
        width=300,
    )


def turn(view: Filters, pages: int, place: str) -> None:
    """Buttons to the pages before and after the view's; `place` tells them from those elsewhere on the page."""
    steps = {
        "First": (1, ":material/first_page:"),
        "Previous": (view.page - 1, ":material/chevron_left:"),
        "Next": (view.page + 1, ":material/chevron_right:"),
        "Last": (pages, ":material/last_page:"),
    }
    with st.container(
        key=f"turn-{place}", horizontal=True, vertical_alignment="center", gap="small", width="content"
    ):
        for label, (page, icon) in steps.items():
            is_there = 1 <= page <= pages and page != view.page
            st.button(
                label,
                key=f"{place} {label}",
                icon=icon,
                disabled=not is_there,
                on_click=_goes,
                args=(replace(view, page=page),),
            )


def only(view: Filters, label: str) -> None:
    """A button that leads from the one row that is shown alone to all of the view."""
    st.button(label, key="all-rows", on_click=_goes, args=(replace(view, row=None),))


def _dates(view: Filters, state: State) -> None:
    start, end = view_days(view, state.today)
    _shows("start", start)
    _shows("end", end - timedelta(days=1) if end else None)
    for key, label in (("start", "First day"), ("end", "Last day")):
        st.date_input(
            label,
            None,
            # the last day of what ends with the earliest day is the one before it
            EARLIEST - timedelta(days=1),
            LATEST,
            key=key,
            on_change=_dates_chosen,
            args=(view,),
            format="YYYY-MM-DD",
            width=175,
        )


def _shows(key: str, value: Any) -> None:
    st.session_state[key] = value


def _goes(view: Filters) -> None:
    st.query_params.from_dict(to_address(view))


def _chosen(view: Filters, key: str) -> None:
    chosen: dict[str, Any] = {key: st.session_state[key] or None}
    _goes(_from_the_start(replace(view, **chosen)))


def _period_chosen(view: Filters, state: State) -> None:
    period = st.session_state["period"] or view.period
    start, end = view_days(view, state.today) if period == "custom" else (None, None)
    if period == "custom":  # from what was shown on, which all that there is says nowhere
        start, end = start or state.first_day, end or state.today + timedelta(days=1)
    _goes(_from_the_start(replace(view, period=period, start=start, end=end)))


def _dates_chosen(view: Filters) -> None:
    last = st.session_state["end"]
    after = last + timedelta(days=1) if last else None
    _goes(_from_the_start(replace(view, start=st.session_state["start"], end=after)))


def _from_the_start(view: Filters) -> Filters:
    """Another choice has other rows: from their first page on."""
    return replace(view, page=1, row=None)
