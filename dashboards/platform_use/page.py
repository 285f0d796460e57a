"""The platform: is it used, followed, safe, fast and worth it, and each miss that the answers are made of."""

import streamlit as st

from config.metrics import metrics
from config.settings import Settings
from dashboards.figures import formats
from dashboards.figures.tables import as_rows_of
from dashboards.frame import downloads, navigation
from dashboards.frame.header import top
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice
from dashboards.frame.published import Published, read_once
from dashboards.frame.state import State
from dashboards.frame.view import Filters, scope_name
from dashboards.platform_use import content, golden_paths, loading
from dashboards.platform_use.content import MissList
from dashboards.platform_use.loading import PlatformNumbers
from warehouse.metrics.values import as_rows


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = navigation.permitted_view(state)
    heading = top(view, unknown, state, published)
    found = read_once(loading.platform_numbers, published, settings, view)
    name = scope_name(view, state.organization)
    days = formats.days(found.start, found.end)
    heading.html(part("header", name, content.headline(found), days, False))
    answers = content.answers(found, view)
    if not answers:
        hints = (
            "Name the platform team’s own files under platform.files in the configuration;"
            " a service names its golden path in the annotation sixkeys.dev/golden-path of its catalogue entry.",
        )
        with st.container(key="no-platform"):
            st.html(part("notice", Notice("Nothing is known of the platform yet", hints)))
        return
    st.html(part("answers", answers, of="platform_use"))
    on_paths = read_once(loading.on_paths, published, settings, view)
    moved = content.since_moves(read_once(loading.moved_to_paths, published, settings, view), view)
    if (said := content.worth_it(on_paths)) or moved:
        st.html(part("worth", said, moved, of="platform_use"))
    _teams(state, view, found)
    _followed(state, view, found)
    _safe(state, view, found)
    _fast(state, view, found)
    _paved(state, view, found)
    _paths(settings, state, view, found)
    _compared(state, found, golden_paths.paths(settings.golden_paths, found.entries, view), on_paths)


def _teams(state: State, view: Filters, found: PlatformNumbers) -> None:
    shown, rows = content.team_rows(found, view)
    if rows:
        _with_csv(state, found, "Team by team", "teams", lambda: as_rows(found.by_team))
        st.html(part("teams", [metrics()[id] for id in shown], rows, of="platform_use"))


def _followed(state: State, view: Filters, found: PlatformNumbers) -> None:
    rows = found.rows
    _place("golden-path-conformance")
    _listed(state, found, "Steps of the golden paths", "steps", content.steps(found), rows.steps)
    title, table = (
        f"Steps that were missed: {len(rows.missed):,}",
        content.missed(found, view, state.timezone),
    )
    _listed(state, found, title, "missed-steps", table, rows.missed)
    _place("golden-path-adoption")
    _listed(state, found, "Who moved", "moves", content.moves(found, view, state.timezone), rows.moves)


def _safe(state: State, view: Filters, found: PlatformNumbers) -> None:
    rows = found.rows
    _place("guardrail-compliance")
    _listed(state, found, "Guardrails", "guardrails", content.rules(found), rows.rules)
    title = f"Guardrails that are broken: {len(rows.broken):,}"
    _listed(state, found, title, "broken", content.broken(found, view), rows.broken)


def _fast(state: State, view: Filters, found: PlatformNumbers) -> None:
    rows = found.rows
    _place("self-service-time")
    _place("time-to-first-deployment")
    _listed(state, found, "Requests to the platform", "requests", content.requests(found), rows.requests)
    title = f"Requests that wait or failed: {len(rows.open_requests):,}"
    table = content.open_requests(found, view, state.timezone)
    _listed(state, found, title, "open-requests", table, rows.open_requests)


def _paved(state: State, view: Filters, found: PlatformNumbers) -> None:
    rows = found.rows
    _place("paved-road-share")
    _listed(state, found, "The paved road", "road", content.aspects(found), rows.aspects)
    title = f"Off the paved road: {len(rows.off_road):,}"
    _listed(state, found, title, "off-road", content.off_road(found, view), rows.off_road)


def _paths(settings: Settings, state: State, view: Filters, found: PlatformNumbers) -> None:
    paths = golden_paths.paths(settings.golden_paths, found.entries, view)
    if not paths:
        return
    _with_csv(state, found, "Golden paths", "paths", lambda: golden_paths.path_rows(found.entries))
    st.html(part("paths", paths, of="platform_use"))
    st.html(part("section", "Adoption by team"))
    st.html(part("adoption", golden_paths.adoption(found.entries, paths, view), paths, of="platform_use"))
    off = golden_paths.off_path(found.entries, view)
    unmapped = sum(not entry.mapped for entry in found.entries)
    told = formats.plural(unmapped, "service") if unmapped else ""
    if off or told:
        st.html(part("section", f"On no path: {formats.plural(len(off), 'service')}"))
        st.html(part("off", off, told, of="platform_use"))


def _compared(
    state: State,
    found: PlatformNumbers,
    paths: list[golden_paths.Path],
    on_paths: tuple[golden_paths.PathValue, ...],
) -> None:
    columns, compared = golden_paths.comparison(on_paths, paths)
    if compared:
        _with_csv(state, found, "On a path and off it", "comparison", lambda: as_rows_of(on_paths))
        st.html(part("comparison", columns, compared, of="platform_use"))


def _place(name: str) -> None:
    """Where the tile of a metric leads."""
    st.html(part("place", name, of="platform_use"))


def _listed(
    state: State, found: PlatformNumbers, title: str, key: str, table: MissList, rows: tuple[object, ...]
) -> None:
    """The list with its heading and its CSV; nothing where there are no rows."""
    if rows:
        _with_csv(state, found, title, key, lambda: content.listed_rows(rows))
        st.html(part("list", table, title, of="platform_use"))


def _with_csv(state: State, found: PlatformNumbers, title: str, key: str, rows: downloads.RowsLater) -> None:
    name = formats.file_name([state.organization, "platform", key], found.start, found.end, "csv")
    downloads.section_with_csv(title, name, key, rows)


if __name__ == "__main__":
    show(*navigation.given())
