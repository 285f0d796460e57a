"""Can I trust this? What the numbers rest on: coverage by service, the sources' runs, what is missing or unmapped."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from config.settings import Settings
from dashboards.figures.formats import moment
from dashboards.figures.tables import as_rows_of
from dashboards.frame import downloads, navigation
from dashboards.frame.header import top
from dashboards.frame.loading import rests_on
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice, failures
from dashboards.frame.published import Published, read_once
from dashboards.frame.state import State
from dashboards.frame.view import SHOWN_ROWS, Filters, csv_name_of_view, days_in_words, scope_name, view_days
from dashboards.trust import content, history, loading
from dashboards.trust.loading import Trust
from warehouse.trust.coverage import ServiceCoverage


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = navigation.permitted_view(state)
    heading = top(view, unknown, state, published, lists_failures=True)
    found = read_once(loading.trust, published, settings, view)
    rest = read_once(rests_on, published, settings, tuple(view.where.items()))
    name = scope_name(view, state.organization)
    span = days_in_words(*view_days(view, state.today))
    unread = failures(rest.sources, navigation.shown_kinds(view), datetime.now(UTC), state.timezone)
    known = content.to_know(found, unread)
    heading.html(part("header", name, content.headline(known), span, False))
    if found.whole is None or not found.services:
        st.html(part("notice", Notice("Nothing matches all of these filters")))
        return
    st.html(part("doubts", known, of="trust"))
    st.html(part("shares", content.shares(found.whole), of="trust"))
    _tables(settings, state, view, found, found.whole)


def _tables(settings: Settings, state: State, view: Filters, found: Trust, whole: ServiceCoverage) -> None:
    zone = state.timezone

    def section(title: str, name: str, shown: Sequence[Any], rows: downloads.RowsLater, *more: Any) -> None:
        """A heading and its table, or nothing where there is nothing to tell."""
        if shown:
            named = csv_name_of_view([state.organization, name.replace("_", "-")], view, state.today)
            downloads.section_with_csv(title, named, name, rows)
            st.html(part(name, shown, *more, of="trust"))

    services = content.service_lines(found, view, zone)
    section(
        "By service",
        "services",
        services[:SHOWN_ROWS],
        lambda: content.service_rows(found.services),
        len(services),
    )
    section(
        "The sources' last runs",
        "sources",
        content.source_lines(state.runs, zone),
        lambda: as_rows_of(state.runs),
    )
    histories = history.histories(found.runs, zone)
    section("Each source's last ten runs", "histories", histories, lambda: as_rows_of(found.runs))
    named, shares = history.weekly(found.weeks)
    section("Coverage by week", "weekly", shares, lambda: as_rows_of(found.weeks), named)
    undelivered = content.undelivered_cells(found.undelivered, zone)
    section("Did not arrive", "undelivered", undelivered, lambda: as_rows_of(found.undelivered))
    section("Not read between", "gaps", content.gaps([whole], zone), lambda: as_rows_of(whole.gaps))
    silenced = content.silenced_cells(found.silenced)
    section(
        "Left out, since another source tells of the service",
        "silenced",
        silenced[:SHOWN_ROWS],
        lambda: as_rows_of(found.silenced),
        len(silenced),
    )
    catalogue = settings.sources.catalog
    unmapped = content.unmapped(whole.unmapped, catalogue is not None and catalogue.from_github)
    section("In no catalogue", "unmapped", unmapped, lambda: as_rows_of(whole.unmapped))
    strangers = found.unknown_teams
    section("Teams of survey answers in no catalogue", "teams", strangers, lambda: as_rows_of(strangers))
    unclear = found.unclear_groups
    section("Groups whose place is not clear", "groups", unclear, lambda: as_rows_of(unclear))
    aside = [(item, moment(item.seen_at, zone)) for item in found.set_aside]
    section("Could not be read and were set aside", "set_aside", aside, lambda: as_rows_of(found.set_aside))


if __name__ == "__main__":
    show(*navigation.given())
