"""The page of a service, team or group: its numbers, what happened to it, what failed, what is open, what covers it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import streamlit as st

from config.metrics import keys
from config.settings import Settings
from dashboards.deployments_and_incidents import deployment_rows, incident_rows
from dashboards.deployments_and_incidents.content import ListKind, ListPage
from dashboards.figures import formats
from dashboards.figures.event_marks import event_marks
from dashboards.figures.tables import as_rows_of
from dashboards.frame import downloads, navigation, trust_sentences
from dashboards.frame.header import FILTER_SCOPES, show_notices, top
from dashboards.frame.loading import verdicts_on
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice
from dashboards.frame.published import Published, read_once
from dashboards.frame.state import State
from dashboards.frame.value_cells import days_of, exists
from dashboards.frame.view import SORTS, Filters, csv_name_of_view, link, scope_page
from dashboards.metric import holding_back
from dashboards.overview import content as overview
from dashboards.overview import heat_map
from dashboards.platform_use import missing
from dashboards.team_and_service import content, loading, timeline_chart
from dashboards.team_and_service.loading import Basis, Profile
from dashboards.trust import content as trust
from warehouse.metrics.attainment import standing
from warehouse.metrics.events import KnownEvent
from warehouse.metrics.values import as_rows
from warehouse.rows.timeline import Timeline

ProfileScope = Literal["service", "team", "group"]


def show(page: Literal["service", "team"], settings: Settings, published: Published, state: State) -> None:
    """Draws the page of the service, team or group in the address, or the list of them to choose from.

    What else narrows the view stays in force: leaving it out would show more than the address was allowed to.
    """
    view, unknown = navigation.permitted_view(state)
    scope = view.scope
    if scope not in ("service", "team", "group"):
        _choose(page, state, view, published, unknown)
        return
    chosen = [key for key in FILTER_SCOPES if key == scope or key in view.where]
    heading = top(view, unknown, state, published, chosen)
    found = read_once(loading.profile, published, settings, view)
    numbers = found.content
    span, running = days_of(numbers.current)
    summed = f"{standing(map(vars, numbers.current)).text} · {span}" if numbers.current else span
    heading.html(part("header", scope, view.where[scope], summed, running))
    if not numbers.current:
        st.html(part("notice", Notice("Nothing matches all of these filters")))
        return
    described = content.of_team(found.entries, view, found.described, state.groups)
    if scope == "service" and found.entries:
        described = content.of_service(found.entries[0], settings.golden_paths, view)
    elif scope == "group":
        described = content.of_group(found.described, state.groups, view)
    st.html(part("details", described, of="team_and_service"))
    current = [value for value in numbers.current if exists(value)]
    holding_back.show_held_back(settings, published, view, current)
    blind = {name: found for (by, name), found in numbers.blind.items() if by == scope}
    shown = numbers.current[0]
    verdicts = verdicts_on(published, settings, numbers.judged, (shown.period_start, shown.period_end))
    st.html(
        part(
            "tiles",
            overview.tiles(
                current, verdicts, numbers.history, view, blind, numbers.events, numbers.last_known
            ),
            of="overview",
        )
    )
    if told := trust_sentences.trust_sentences(numbers.doubts):
        st.html(part("doubts", told, link("trust", view)))
    holding_back.show_hours(settings, published, state, view)
    _missing(settings, published, state, view, found)
    unresolved = read_once(loading.unresolved, published, settings, view, state.timezone)
    if unresolved.counts.total:
        _list(incident_rows.INCIDENT_LIST, "open incident", unresolved, loading.open_ones(view))
    _timeline(scope, view, *read_once(loading.happened, published, settings, view), state)
    _failures(read_once(loading.failed, published, settings, view, state.timezone), view)
    if scope != "service":
        _below(scope, state, view, found)
    basis = read_once(loading.basis, published, settings, view)
    _rounds(basis, view, state)
    _coverage(scope, basis, view, state)


def _choose(
    scope: Literal["service", "team"], state: State, view: Filters, published: Published, unknown: list[str]
) -> None:
    heading = top(view, (), state, published, scopes=None)
    heading.html(part("header", state.organization, f"Choose a {scope}", "", False))
    about = ("group ", "team ") if scope == "team" else ("service ",)
    show_notices(Notice(f"There is no {name}", bad=True) for name in unknown if name.startswith(about))
    if found := content.choices(scope, state, view):
        st.html(part("choices", found, of="team_and_service"))
    else:
        st.html(part("notice", Notice(f"There is no {scope} yet", (_NONE[scope],))))


_NONE = {
    "team": "Teams come from the owners in the service catalogue, or from the survey's answers.",
    "service": "Services come from the service catalogue, from repositories, or from imports.",
}


def _list(kind: ListKind, noun: str, page: ListPage, listed: Filters) -> None:
    """The first rows of a list, each of which opens, and where all of them are."""
    total, cut = page.counts.entities, page.counts.total > len(page.lines)
    title = formats.plural(total, noun)
    st.html(part("section", title))
    st.html(part("table", kind.headings, page.lines, title, False, of="deployments_and_incidents"))
    name = f"All {total:,} {noun}s" if cut else f"Search all {kind.noun}s"
    shown = listed if cut else replace(listed, state=None, listed="newest")
    st.html(part("elsewhere", name, link(kind.page, shown), of="team_and_service"))


def _missing(settings: Settings, published: Published, state: State, view: Filters, found: Profile) -> None:
    table = missing.what_is_missing(
        read_once(missing.rows_of_view, published, settings, view), found.entries, view
    )
    if table.total:
        title = f"To do on the platform: {table.total:,}"
        name = csv_name_of_view([state.organization, "to-do"], view, state.today)
        downloads.section_with_csv(title, name, "to-do", lambda: table.as_csv)
        st.html(part("list", table.beginning, "To do on the platform", of="platform_use"))
        st.html(part("elsewhere", "The page of the platform", link("platform", view), of="team_and_service"))


def _timeline(
    scope: ProfileScope, view: Filters, of: Timeline, events: Sequence[KnownEvent], state: State
) -> None:
    name = view.where[scope]
    by: timeline_chart.By = "environment" if scope == "service" else "service"
    title = "Deployments, incidents and recoveries"
    if not timeline_chart.lanes(of, by):
        st.html(part("section", title))
        st.html(part("notice", Notice("Nothing was deployed and nothing broke in this period")))
        return
    named = formats.file_name([state.organization, "timeline", name], of.start, of.end, "csv")
    downloads.section_with_csv(title, named, "timeline", lambda: timeline_chart.point_rows(of))
    dark = st.context.theme.type == "dark"
    marks, more = event_marks(events, of.start, of.end)
    figure = timeline_chart.timeline_chart(of, by, state.timezone, state.as_of, dark, marks)
    alt = timeline_chart.described(of)
    st.html(part("timeline_key", timeline_chart.KEY, of="team_and_service"))
    about = downloads.seen_in(state, view, of.start, of.end)
    downloads.chart_card(figure, named.replace(".csv", ".png"), "timeline", alt, title, about, marks, more)
    if told := timeline_chart.left_undrawn(of, by):
        st.html(part("remark", told, of="team_and_service"))


def _failures(failed: ListPage, view: Filters) -> None:
    if failed.counts.total:
        _list(deployment_rows.DEPLOYMENT_LIST, "failed deployment", failed, loading.failed_ones(view))
        return
    st.html(part("section", "Failed deployments"))
    st.html(part("notice", Notice("No deployment of this period is known to have failed")))
    st.html(part("elsewhere", "Search all deployments", link("deployments", view), of="team_and_service"))


def _below(scope: ProfileScope, state: State, view: Filters, found: Profile) -> None:
    shown = replace(view, rows="both" if scope == "group" else "service")
    rows = heat_map.heat_map_rows(found.content.below, state.services, shown, found.content.blind)
    what = "Teams and services" if scope == "group" else "Services"
    title = f"{what} against the targets"
    if not rows:
        st.html(part("section", title))
        st.html(part("notice", Notice(f"This {scope} owns no service")))
        return
    named = overview.csv_name(state.organization, found.content.below)
    downloads.section_with_csv(title, named, "services", lambda: as_rows(found.content.below))
    targets = heat_map.usual_targets(rows)
    sorts = {by: link(scope_page(scope), replace(view, sort=by)) for by in SORTS}
    st.html(part("table", rows, list(keys().values()), targets, what, sorts, view.sort, of="overview"))


def _rounds(found: Basis, view: Filters, state: State) -> None:
    if found.rounds:
        title = "Satisfaction by survey round"
        named = csv_name_of_view([state.organization, "rounds"], view, state.today)
        downloads.section_with_csv(title, named, "rounds", lambda: as_rows_of(found.rounds))
        st.html(part("table", content.ROUNDS, content.round_rows(found.rounds), title, of="metric"))


def _coverage(scope: ProfileScope, found: Basis, view: Filters, state: State) -> None:
    title, covered = "What these numbers rest on", found.coverage
    if covered is None:
        st.html(part("section", title))
        st.html(part("notice", Notice(f"No source covers this {scope}")))
        return
    named = csv_name_of_view([state.organization, "coverage"], view, state.today)
    downloads.section_with_csv(title, named, "coverage", lambda: trust.service_rows([covered]))
    st.html(part("shares", trust.shares(covered), of="trust"))
    if covered.freshness:
        st.html(
            part(
                "table",
                content.COVERAGE,
                content.coverage_lines(covered, state.timezone),
                "Sources",
                of="metric",
            )
        )
    gaps = trust.gaps([covered], state.timezone)
    if gaps:
        st.html(part("section", "Not read between"))
        st.html(part("gaps", gaps, of="trust"))
