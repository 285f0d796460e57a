"""Targets: each target over the weeks, for the organisation and by team, and the golden paths."""

from dataclasses import replace

import streamlit as st

from collectors.files.events import event_inbox, withdrawn
from config.metrics import metrics
from config.settings import Settings
from dashboards.figures import formats
from dashboards.figures.tables import as_rows_of
from dashboards.frame import downloads, navigation, widgets
from dashboards.frame.header import top
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice
from dashboards.frame.published import Published, read_once
from dashboards.frame.state import State, names
from dashboards.frame.value_cells import days_of
from dashboards.frame.view import BY, RANKS, SHOWN_ROWS, Filters, link, scope_name
from dashboards.targets import content, events, golden_paths, loading
from dashboards.targets.content import Attained, Goals, TargetLine
from dashboards.targets.event_form import event_form
from dashboards.targets.loading import Targets
from warehouse.metrics.events import EventBook


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = navigation.permitted_view(state)
    heading = top(view, unknown, state, published)
    narrower = tuple(content.own_targets(settings, state, view))
    whenever = replace(view, period=Filters.period, start=None, end=None)
    attained = read_once(loading.attained, published, settings, whenever, narrower)
    found = read_once(loading.targets, published, settings, view, narrower)
    goals = read_once(loading.on_the_way, published, settings, whenever, narrower)
    book = read_once(loading.all_events, published, settings)
    lines = content.own_lines(found.own, attained, found.blind, view, goals, book)
    own = content.with_last_known(lines, found.last_known)
    name = scope_name(view, state.organization)
    heading.html(part("header", name, content.headline(found.own, view), *days_of(found.own)))
    if not found.own and not found.entries:
        st.html(part("notice", Notice("Nothing matches all of these filters")))
        return
    if own:
        st.html(part("lines", own, "Metric", True, "The targets", of="targets"))
    else:
        hint = "Set them under metrics in the configuration."
        st.html(part("notice", Notice("No targets are set", (hint,))))
    _below(state, view, found, attained, goals, own, book)
    _events(settings, published, state, view, book)
    _paths(settings, published, state, view, found)


def _below(
    state: State,
    view: Filters,
    found: Targets,
    attained: Attained,
    goals: Goals,
    own: list[TargetLine],
    book: EventBook,
) -> None:
    below = content.below(found.below, attained, view)
    titles = {metric.id: metric.name for metric in metrics().values()}
    aimed = {"": "All metrics"} | {line.cell.metric.id: line.cell.metric.name for line in own}
    if view.target:
        aimed[view.target] = titles[view.target]
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", f"By {view.by}"), width="stretch")
        widgets.select("by", "By", BY, view.by, view, width=130)
        widgets.select("target", "Metric", aimed, view.target or "", view, width=220)
        widgets.select("rank", "Sort by", RANKS, view.rank, view, width=215)
        named = formats.file_name([state.organization, "targets"], found.start, found.end, "csv")
        everything = [*(line.cell.value for line in own), *below]
        downloads.csv(named, "csv", lambda: content.attained_rows(everything, attained, goals))
    if below:
        lines = content.target_lines(below[:SHOWN_ROWS], attained, found.blind, view, goals, book)
        shown = content.with_last_known(lines, found.last_known)
        st.html(part("lines", shown, BY[view.by][:-1], False, f"The targets by {view.by}", of="targets"))
        st.html(part("key", len(shown), len(below), of="targets"))
    else:
        st.html(part("notice", Notice(f"No {view.by} has a target here")))


def _events(settings: Settings, published: Published, state: State, view: Filters, book: EventBook) -> None:
    # what is beside what an event touched is of everybody
    is_for_all = navigation.own_teams() is None
    everything, folder = names(state, Filters()), event_inbox(published.warehouse)
    listed = events.within_view(book, names(state, view), view)
    nobody_s = events.of_nobody(book, everything) if is_for_all and not view.where else []
    listed = sorted([*listed, *nobody_s], key=lambda event: (event.at, event.id), reverse=True)
    st.html(part("section", f"Events: {len(listed):,}" if listed else "Events"))
    if listed:
        taken_back = withdrawn(folder, [event.id for event in listed]) if is_for_all else ()
        shown = listed[: events.MOST_LISTED]
        lines = events.event_lines(shown, nobody_s, taken_back, view, state.today, is_for_all)
        st.html(part("event_list", lines, of="targets"))
        if len(listed) > len(shown):
            st.html(part("cut", len(shown), len(listed)))
    else:
        st.html(
            part("notice", Notice("Nothing was told of: freezes, reorganisations, roll-outs, golden paths"))
        )
    if is_for_all:
        if view.row:
            _around(settings, published, state, view)
        event_form(folder, everything, state.timezone, {event.id for event in book.events})


def _around(settings: Settings, published: Published, state: State, view: Filters) -> None:
    found = read_once(loading.comparison_around, published, settings, view.row or "")
    if found is None:
        st.html(part("notice", Notice("There is no such event", ("It may have been taken back.",))))
        return
    days = (
        (found.before or found.after or (state.today, state.today))[0],
        (found.after or (0, state.today))[1],
    )
    name = formats.file_name([state.organization, "around", found.event.title], *days, "csv")
    title = f"Before and after: {found.event.title}"
    downloads.section_with_csv(title, name, "around", lambda: events.around_rows(found))
    told = events.windows(found), events.around_metrics(found), events.NO_CAUSE, events.METHOD
    st.html(part("around", *told, link("targets", replace(view, row=None)), of="targets"))


def _paths(settings: Settings, published: Published, state: State, view: Filters, found: Targets) -> None:
    paths = golden_paths.paths(settings.golden_paths, found.entries, view)
    if not paths:
        st.html(part("section", "Golden paths"))
        hints = (
            "List them under golden_paths in the configuration;"
            " a service names its own in the annotation sixkeys.dev/golden-path of its catalogue entry.",
        )
        st.html(part("notice", Notice("No golden paths are described", hints)))
        return
    name = formats.file_name([state.organization, "golden-paths"], found.start, found.end, "csv")
    downloads.section_with_csv("Golden paths", name, "paths", lambda: golden_paths.path_rows(found.entries))
    st.html(part("paths", paths, of="targets"))
    st.html(part("section", "Adoption by team"))
    st.html(part("adoption", golden_paths.adoption(found.entries, paths, view), paths, of="targets"))
    on_paths = read_once(loading.on_paths, published, settings, view)
    columns, compared = golden_paths.comparison(on_paths, paths)
    if compared:
        name = formats.file_name([state.organization, "on-and-off-paths"], found.start, found.end, "csv")
        downloads.section_with_csv("On a path and off it", name, "comparison", lambda: as_rows_of(on_paths))
        st.html(part("comparison", columns, compared, of="targets"))
    off = golden_paths.off_path(found.entries, view)
    unmapped = sum(not entry.mapped for entry in found.entries)
    told = formats.plural(unmapped, "service") if unmapped else ""
    if off or told:
        st.html(part("section", f"On no path: {formats.plural(len(off), 'service')}"))
        st.html(part("off", off, told, of="targets"))


if __name__ == "__main__":
    show(*navigation.given())
