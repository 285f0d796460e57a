"""The overview: the keys as tiles, teams and services against the targets, and what changed this week."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import streamlit as st

from config.metrics import keys
from config.settings import Settings
from dashboards.figures import formats
from dashboards.frame import (
    downloads,
    navigation,
    trust_sentences,
    widgets,
)
from dashboards.frame.header import top
from dashboards.frame.loading import signals_of_days, verdicts_on
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice
from dashboards.frame.published import Published, read_once
from dashboards.frame.state import State, names
from dashboards.frame.value_cells import days_of, exists
from dashboards.frame.view import ROWS, SORTS, Filters, compared, link, scope_name
from dashboards.overview import content, heat_map, loading
from dashboards.overview.loading import Numbers
from dashboards.overview.this_week import is_told_to, seen, this_week, told_week, week_as_a_whole
from warehouse.metrics.attainment import standing
from warehouse.metrics.values import as_rows
from warehouse.scorecards.sentences import Sentence
from warehouse.signals.wording import signal_rows


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = navigation.permitted_view(state)
    offered = heat_map.rows_offered(len(names(state, view)["service"]), len(state.groups))
    if view.rows not in offered:
        view = replace(view, rows="team")
    heading = top(view, unknown, state, published)
    found = read_once(loading.numbers, published, settings, view)
    name = scope_name(view, state.organization)
    days = (*days_of(found.current), compared(view, state.today, found.events))
    heading.html(part("header", name, standing(map(vars, found.current)).text, *days))
    if not found.current:
        st.html(part("notice", Notice("Nothing matches all of these filters")))
        return
    blind = {name: unseen for (scope, name), unseen in found.blind.items() if scope == view.scope}
    shown = [value for value in found.current if exists(value)]
    first = found.current[0]
    verdicts = verdicts_on(published, settings, found.judged, (first.period_start, first.period_end))
    st.html(
        part(
            "tiles",
            content.tiles(shown, verdicts, found.history, view, blind, found.events, found.last_known),
            of="overview",
        )
    )
    if doubts := trust_sentences.trust_sentences(found.doubts):
        st.html(part("doubts", doubts, link("trust", view)))
    _week(settings, published, state, view)
    _table(state, view, found, offered)


def _week(settings: Settings, published: Published, state: State, view: Filters) -> None:
    """What changed in the view's week, else in the last completed one; the rows of others stay theirs."""
    monday, scope = told_week(view, state.today)
    signals = read_once(signals_of_days, published, settings, monday, monday + timedelta(weeks=1))
    own = navigation.own_teams()
    scopes = names(state, view)
    shown = (
        {**scopes, "organisation": [state.organization]}
        if own is None
        else {**scopes, "group": [], "system": []}
    )
    found = seen(signals.found, shown, view)
    told: tuple[Sentence, ...] = ()
    if is_told_to(view, own, scopes["service"]):
        told = read_once(week_as_a_whole, published, settings, scope, monday, signals.highest_chance)
    week = this_week(scope, monday, found, told)
    named = formats.file_name([state.organization, "signals"], monday, monday + timedelta(weeks=1), "csv")
    downloads.section_with_csv(
        f"What changed in the week of {week.days}", named, "signals", lambda: signal_rows(found)
    )
    st.html(part("week", week, of="overview"))


def _table(state: State, view: Filters, found: Numbers, offered: Mapping[str, str]) -> None:
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", "Against the targets"), width="stretch")
        widgets.select("rows", "Rows", offered, view.rows, view, width=190)
        widgets.select("sort", "Sort by", SORTS, view.sort, view, width=240)
        shown = content.distinct([*found.current, *found.below])
        downloads.csv(content.csv_name(state.organization, shown), "csv", lambda: as_rows(shown))
    rows = heat_map.heat_map_rows(found.below, state.services, view, found.blind)
    targets = heat_map.usual_targets(rows)
    sorts = {by: link(".", replace(view, sort=by)) for by in SORTS}
    st.html(
        part("table", rows, list(keys().values()), targets, ROWS[view.rows], sorts, view.sort, of="overview")
    )


if __name__ == "__main__":
    show(*navigation.given())
