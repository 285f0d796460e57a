"""Targets: each target over the weeks, for the organisation and by team, and the golden paths."""

from typing import Any

import streamlit as st

from config.metrics import metrics
from config.settings import Settings
from dashboards import choices, downloads, formats, golden_paths, overview, pages, targets, targets_loading
from dashboards.filters import BY, RANKS, Filters
from dashboards.loading import State
from dashboards.markup import part
from dashboards.overview import Notice
from dashboards.published import Published, freshness
from dashboards.targets import Line
from dashboards.targets_loading import Targets
from warehouse.values import Scope


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = pages.view(state)
    found = _targets(published, settings, view, tuple(targets.own_targets(settings, state, view)))
    own = targets.own_lines(found.own, found.attained, found.blind, view)
    pages.links(view)
    name = overview.scope_name(view, state.organization)
    left, right = st.columns([3, 1])
    left.html(part("header", name, targets.headline(own), *overview.within(found.own)))
    with right:
        freshness(published, state)
    choices.filters(view, state, overview.names(state, view))
    for warning in overview.warnings(state, unknown):
        st.html(part("notice", warning))
    if not found.own and not found.entries:
        st.html(part("notice", Notice("Nothing matches all of these filters")))
        return
    if own:
        st.html(part("lines", own, "Metric", True, "The targets", of="targets"))
    else:
        hint = "Set them under metrics in the configuration."
        st.html(part("notice", Notice("No targets are set", (hint,))))
    _below(state, view, found, own)
    _paths(settings, state, view, found)


@st.cache_data(max_entries=50, show_spinner="Reading the weeks …")
def _targets(
    published: Published, _settings: Settings, view: Filters, own: tuple[tuple[str, Scope, str], ...]
) -> Targets:
    return targets_loading.targets(published.warehouse, _settings, view, own)


def _below(state: State, view: Filters, found: Targets, own: list[Line]) -> None:
    lines = targets.lines(found.below, found.attained, found.blind, view)
    names = {metric.id: metric.name for metric in metrics().values()}
    aimed = {"": "All metrics"} | {line.cell.metric.id: line.cell.metric.name for line in own}
    if view.target:
        aimed[view.target] = names[view.target]
    with st.container(key="table-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", f"By {view.by}"), width="stretch")
        choices.select("by", "By", BY, view.by, view, width=130)
        choices.select("target", "Metric", aimed, view.target or "", view, width=220)
        choices.select("rank", "Sort by", RANKS, view.rank, view, width=215)
        _csv("Download CSV", "csv", targets.as_rows([*own, *lines]), "targets", state, found)
    if lines:
        st.html(part("lines", lines, BY[view.by][:-1], False, f"The targets by {view.by}", of="targets"))
        st.html(part("key", of="targets"))
    else:
        st.html(part("notice", Notice(f"No {view.by} has a target here")))


def _paths(settings: Settings, state: State, view: Filters, found: Targets) -> None:
    paths = golden_paths.paths(settings.golden_paths, found.entries, view)
    with st.container(key="path-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", "Golden paths"), width="stretch")
        if paths:
            rows = golden_paths.as_rows(found.entries)
            _csv("Download paths", "paths-csv", rows, "golden-paths", state, found)
    if not paths:
        hints = (
            "List them under golden_paths in the configuration;"
            " a service names its own in the annotation sixkeys.dev/golden-path of its catalogue entry.",
        )
        st.html(part("notice", Notice("No golden paths are described", hints)))
        return
    st.html(part("paths", paths, of="targets"))
    st.html(part("section", "Adoption by team"))
    st.html(part("adoption", golden_paths.adoption(found.entries, paths, view), paths, of="targets"))
    columns, compared = golden_paths.comparison(found.on_paths, paths)
    if compared:
        st.html(part("section", "On a path and off it"))
        st.html(part("comparison", columns, compared, of="targets"))
    off = golden_paths.off_path(found.entries, view)
    unmapped = sum(not entry.mapped for entry in found.entries)
    told = formats.plural(unmapped, "service") if unmapped else ""
    if off or told:
        st.html(part("section", f"On no path: {formats.plural(len(off), 'service')}"))
        st.html(part("off", off, told, of="targets"))


def _csv(label: str, key: str, rows: list[dict[str, Any]], what: str, state: State, found: Targets) -> None:
    name = formats.file_name([state.organization, what], found.start, found.end, "csv")
    downloads.csv(name, key, rows, label)


if __name__ == "__main__":
    show(*pages.given())
