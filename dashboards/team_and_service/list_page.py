"""The list of teams or of services: their numbers against the targets, searched, sorted, a page at a time."""

from dataclasses import replace
from typing import Literal

import streamlit as st

from config.metrics import keys
from config.settings import Settings
from dashboards.deployments_and_incidents.content import rows_on_page, turned_to
from dashboards.frame import downloads, navigation, widgets
from dashboards.frame.header import FILTER_SCOPES, show_notices, top
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice
from dashboards.frame.published import Published, read_once
from dashboards.frame.state import State
from dashboards.frame.value_cells import days_of
from dashboards.frame.view import SHOWN_ROWS, SORTS, Filters, csv_name_of_view, link, scope_name
from dashboards.overview import heat_map
from dashboards.overview.heat_map import HeatMapRow
from dashboards.team_and_service import list_rows
from dashboards.team_and_service.list_loading import ListedNumbers, listed_numbers
from warehouse.metrics.values import as_rows

_SEARCHED = {"team": "A team's name", "service": "Service, team, system"}


def show_list(
    scope: Literal["team", "service"], settings: Settings, published: Published, state: State
) -> None:
    """Draws the list of those that may be seen, for the view in the address."""
    view, unknown = navigation.permitted_view(state)
    view = list_rows.listed_view(scope, view)
    heading = top(
        view, unknown, state, published, [by for by in FILTER_SCOPES if scope == "service" or by != "service"]
    )
    whole = Filters(period=view.period, start=view.start, end=view.end, **view.where)  # type: ignore[arg-type]
    found = read_once(listed_numbers, published, settings, whole, scope)
    # what is gone from the catalogue is named to those who see everything
    visible = {"team": set(state.teams), "service": {service.name for service in state.services}}
    names = None if navigation.own_teams() is None else visible[scope]
    rows = list_rows.of_those(
        heat_map.heat_map_rows(found.values, state.services, view, found.blind, scope), names
    )
    days, running = days_of(found.values)
    headline = list_rows.list_headline(rows, scope)
    heading.html(part("header", scope_name(view, state.organization), headline, days, running))
    with st.container(key="list-choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        widgets.search_field(view, _SEARCHED[scope])
        widgets.select("sort", "Sort by", SORTS, view.sort, view, width=240)
    _table(scope, state, view, found, rows)


def _table(
    scope: Literal["team", "service"],
    state: State,
    view: Filters,
    found: ListedNumbers,
    rows: list[HeatMapRow],
) -> None:
    listed = list_rows.matching(rows, state.services, view.search)
    page, pages = turned_to(view.page, len(listed))
    span = rows_on_page(page, len(listed), scope)
    turned = replace(view, page=page)
    named = csv_name_of_view([state.organization, f"{scope}s"], view, state.today, [view.search or ""])
    among = {row.name for row in listed}
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", span), width="stretch")
        if pages > 1:
            widgets.turn(turned, pages, "above")
        downloads.csv(named, "csv", lambda: as_rows(value for value in found.values if value.name in among))
    if not listed:
        hint = "Search for fewer words, or choose all teams and systems."
        show_notices(
            [Notice(f"No {scope} matches", (hint,)) if rows else Notice(f"There is no {scope} here")]
        )
        return
    sorts = {by: link(f"{scope}s", replace(view, sort=by, page=1)) for by in SORTS}
    shown = listed[(page - 1) * SHOWN_ROWS : page * SHOWN_ROWS]
    targets = heat_map.usual_targets(rows)
    title = f"{scope.capitalize()}s"
    st.html(part("table", shown, list(keys().values()), targets, title, sorts, view.sort, of="overview"))
    if len(shown) > SHOWN_ROWS // 2 and pages > 1:
        widgets.turn(turned, pages, "below")
