"""The page of one service or one team: its numbers, what happened to it, what failed, what is open, what covers it."""

from dataclasses import replace
from typing import Literal

import streamlit as st

from config.metrics import metrics
from config.settings import Settings
from dashboards import (
    choices,
    deployment_rows,
    doubts,
    downloads,
    formats,
    heat_map,
    incident_rows,
    overview,
    pages,
    profile,
    profile_loading,
    timeline_chart,
    trust,
)
from dashboards.fact_rows import Heading
from dashboards.filters import SORTS, Filters, link
from dashboards.listing import Kind, Page
from dashboards.loading import State
from dashboards.markup import part
from dashboards.overview import Notice
from dashboards.profile import Cells
from dashboards.profile_loading import Profile
from dashboards.published import Published, freshness

Scope = Literal["service", "team"]


def show(page: Scope, settings: Settings, published: Published, state: State) -> None:
    """Draws the page of the service or team in the address, or the list of them to choose from.

    What else narrows the view stays in force: leaving it out would show more than the address was allowed to.
    """
    view, unknown = pages.view(state)
    pages.links(view)
    scope = view.scope
    if scope not in ("service", "team"):
        _choose(page, state, view, published, unknown)
        return
    found = _profile(published, settings, view, state.timezone)
    _header(scope, view, found, published, state)
    shown = [key for key in ("system", "team", "service") if key == scope or key in view.where]
    choices.filters(view, state, overview.names(state, view), shown)
    for warning in overview.warnings(state, unknown):
        st.html(part("notice", warning))
    content = found.content
    if not content.current:
        st.html(part("notice", Notice("Nothing matches all of these filters")))
        return
    described = (
        profile.of_service(found.entries[0], settings.golden_paths, view)
        if scope == "service" and found.entries
        else profile.of_team(found.entries, view)
    )
    st.html(part("details", described, of="profile"))
    current = [value for value in content.current if overview.exists(value)]
    blind = {name: found for (by, name), found in content.blind.items() if by == scope}
    st.html(part("tiles", overview.tiles(current, content.previous, content.history, view, blind)))
    if told := doubts.sentences(content.doubts):
        st.html(part("doubts", told, link("trust", view)))
    if found.unresolved.counts.total:
        _list(incident_rows.KIND, "open incident", found.unresolved, profile_loading.open_ones(view))
    _timeline(scope, view.where[scope], found, state)
    _failures(found, view)
    if scope == "team":
        _services(settings, state, view, found)
        _rounds(found)
    _coverage(scope, found, state)


@st.cache_data(max_entries=100, show_spinner=False)
def _profile(published: Published, _settings: Settings, view: Filters, timezone: str) -> Profile:
    return profile_loading.profile(published.warehouse, _settings, view, timezone)


def _choose(scope: Scope, state: State, view: Filters, published: Published, unknown: list[str]) -> None:
    left, right = st.columns([3, 1])
    left.html(part("header", state.organization, f"Choose a {scope}", "", False))
    with right:
        freshness(published, state)
    notices = [Notice(f"There is no {name}", bad=True) for name in unknown if name.startswith(scope)]
    for notice in (*notices, *overview.warnings(state, ())):
        st.html(part("notice", notice))
    if found := profile.choices(scope, state, view):
        st.html(part("choices", found, of="profile"))
    else:
        st.html(part("notice", Notice(f"There is no {scope} yet", (_NONE[scope],))))


_NONE = {
    "team": "Teams come from the owners in the service catalogue, or from the survey's answers.",
    "service": "Services come from the service catalogue, from repositories, or from imports.",
}


def _header(scope: Scope, view: Filters, found: Profile, published: Published, state: State) -> None:
    left, right = st.columns([3, 1])
    current = found.content.current
    days, running = overview.within(current)
    told = f"{overview.summary(current)} · {days}" if current else days
    left.html(part("header", scope, view.where[scope], told, running))
    with right:
        freshness(published, state)


def _list(kind: Kind, noun: str, page: Page, listed: Filters) -> None:
    """The first rows of a list, each of which opens, and where all of them are."""
    total, cut = page.counts.entities, page.counts.total > len(page.lines)
    title = formats.plural(total, noun)
    st.html(part("section", title))
    st.html(part("table", kind.headings, page.lines, title, False, of="listing"))
    name = f"All {total:,} {noun}s" if cut else f"Search all {kind.noun}s"
    shown = listed if cut else replace(listed, state=None, listed="newest")
    st.html(part("elsewhere", name, link(kind.page, shown), of="profile"))


def _timeline(scope: Scope, name: str, found: Profile, state: State) -> None:
    by: timeline_chart.By = "environment" if scope == "service" else "service"
    st.html(part("section", "Deployments, incidents and recoveries"))
    if not timeline_chart.lanes(found.timeline, by):
        st.html(part("notice", Notice("Nothing was deployed and nothing broke in this period")))
        return
    dark = st.context.theme.type == "dark"
    figure = timeline_chart.chart(found.timeline, by, state.timezone, found.as_of, dark)
    alt = timeline_chart.described(found.timeline)
    st.html(part("timeline_key", timeline_chart.KEY, of="profile"))
    name = formats.file_name(
        [state.organization, "timeline", name], found.timeline.start, found.timeline.end, "png"
    )
    downloads.chart(figure, name, "timeline", alt)
    if told := timeline_chart.left_undrawn(found.timeline, by):
        st.html(part("remark", told, of="profile"))


def _failures(found: Profile, view: Filters) -> None:
    if found.failed.counts.total:
        _list(deployment_rows.KIND, "failed deployment", found.failed, profile_loading.failed_ones(view))
        return
    st.html(part("section", "Failed deployments"))
    st.html(part("notice", Notice("No deployment of this period is known to have failed")))
    st.html(part("elsewhere", "Search all deployments", link("deployments", view), of="profile"))


def _services(settings: Settings, state: State, view: Filters, found: Profile) -> None:
    shown = replace(view, rows="service")
    rows = heat_map.table(found.content.below, state.services, shown, found.content.blind)
    st.html(part("section", "Services against the targets"))
    if not rows:
        st.html(part("notice", Notice("This team owns no service")))
        return
    targets = {metric: target.text if (target := settings.target(metric)) else None for metric in metrics()}
    sorts = {by: link("team", replace(view, sort=by)) for by in SORTS}
    st.html(part("table", rows, list(metrics().values()), targets, "Services", sorts, view.sort))


def _rounds(found: Profile) -> None:
    if found.rounds:
        _rows("Satisfaction by survey round", profile.ROUNDS, profile.rounds(found.rounds))


def _coverage(scope: Scope, found: Profile, state: State) -> None:
    st.html(part("section", "What these numbers rest on"))
    if found.coverage is None:
        st.html(part("notice", Notice(f"No source covers this {scope}")))
        return
    st.html(part("shares", trust.shares(found.coverage), of="trust"))
    if found.coverage.freshness:
        st.html(
            part(
                "table",
                profile.COVERAGE,
                profile.coverage(found.coverage, state.timezone),
                "Sources",
                of="metric",
            )
        )
    gaps = trust.gaps([found.coverage], state.timezone)
    if gaps:
        st.html(part("section", "Not read between"))
        st.html(part("gaps", gaps, of="trust"))


def _rows(title: str, headings: tuple[Heading, ...], rows: Cells) -> None:
    st.html(part("section", title))
    st.html(part("table", headings, rows, title, of="metric"))
