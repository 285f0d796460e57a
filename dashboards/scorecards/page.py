"""Scorecards: the archive of what was published, each as it was, and what was said later of its numbers."""

from datetime import timedelta

import streamlit as st

from config.settings import Settings
from dashboards.figures import formats
from dashboards.figures.tables import as_rows_of
from dashboards.frame import downloads, navigation
from dashboards.frame.header import top
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice
from dashboards.frame.published import Published
from dashboards.frame.state import State
from dashboards.frame.view import Filters
from dashboards.scorecards import content, loading
from dashboards.scorecards.loading import Archive
from warehouse.metrics.periods import parse_week
from warehouse.scorecards.archive import ArchivedScorecard


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = navigation.permitted_view(state)
    heading = top(view, unknown, state, published, scopes=None)
    found = _archive(published, settings.schedule.scorecard, view, navigation.own_teams())
    heading.html(_header(state, found))
    if found.first:
        st.html(part("notice", Notice(f"{content.announcement(found.first)}.")))
    if not found.entries:
        st.html(part("never", of="scorecards"))
        return
    mondays = [parse_week(entry.week) for entry in found.entries]
    after = max(mondays) + timedelta(weeks=1)
    name = formats.file_name([state.organization, "scorecards"], min(mondays), after, "csv")
    downloads.section_with_csv("All that were published", name, "archive", lambda: as_rows_of(found.entries))
    st.html(part("grid", *content.grid(found.entries, view, found.entry, state.timezone), of="scorecards"))
    if found.entry is None:
        st.html(part("notice", Notice("None was published for this week and scope", ("Choose one above.",))))
        return
    _open(found.entry, found, view, state)


@st.cache_data(max_entries=50, show_spinner=False)
def _archive(published: Published, cron: str, view: Filters, teams: frozenset[str] | None) -> Archive:
    return loading.archive(published.warehouse, cron, view, teams)


def _header(state: State, found: Archive) -> str:
    entry = found.entry
    title = f"{entry.name}, week {entry.week}" if entry else state.organization
    said = (
        f"Published {formats.instant(entry.published_at, state.timezone)}; nothing in it has changed since"
        if entry
        else "Published scorecards"
    )
    return part("header", title, "Scorecards", said, False)


def _open(entry: ArchivedScorecard, found: Archive, view: Filters, state: State) -> None:
    with st.container(key="forms", horizontal=True, gap="small"):
        for form, (label, mime) in content.FORMS.items():
            st.download_button(
                label,
                found.forms[form],
                content.form_file_name(entry, form),
                mime,
                key=f"download_{form}",
                icon=":material/download:",
                on_click="ignore",
                help="Print it from the browser for a PDF." if form == "html" else None,
            )
    if found.restated:
        st.html(part("section", "What was said later of these numbers"))
        later = content.changes(found.restated, entry, view)
        st.html(part("changes", later, of="scorecards"))
    st.html(content.body_of_page(found.forms["html"]))


if __name__ == "__main__":
    show(*navigation.given())
