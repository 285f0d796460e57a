"""Satisfaction: scores by survey round against the target, and how they spread, as far as they may be shown."""

from datetime import timedelta

import streamlit as st

from config.settings import Settings
from dashboards.figures import charts
from dashboards.figures.event_marks import event_marks
from dashboards.frame import downloads, navigation, widgets
from dashboards.frame.header import show_notices, top
from dashboards.frame.markup import part
from dashboards.frame.published import Published, read_once
from dashboards.frame.state import State
from dashboards.frame.view import Filters, csv_name_of_view, days_in_words, scope_name, view_days
from dashboards.satisfaction import content
from dashboards.satisfaction.loading import Surveyed, surveyed
from warehouse.metrics.values import Value


def show(settings: Settings, published: Published, state: State) -> None:
    """Draws the page for the view in the address."""
    view, unknown = navigation.permitted_view(state)
    heading = top(view, unknown, state, published)
    found = read_once(surveyed, published, settings, view)
    _, end = view_days(view, state.today)
    closed = f"Rounds that closed {days_in_words(None, end)}" if end else "All rounds"
    name = scope_name(view, state.organization)
    heading.html(part("header", name, content.headline(found), closed, False))
    show_notices([*content.round_notices(found, view.round), *content.running_rounds(found, state.timezone)])
    values, names = content.trend(found)
    if not values:
        st.html(part("notice", content.nothing(view, found)))
        _drivers(state, view, found)
        return
    _rounds(state, view, found)
    if any(value.value is not None for value in values):
        _trend(state, view, found, values, names)
    _drivers(state, view, found)
    _spread(state, view, found, names)
    _comments(found)
    st.html(part("why", content.why_withheld(), of="satisfaction"))


def _trend(state: State, view: Filters, found: Surveyed, values: list[Value], names: list[str]) -> None:
    st.html(part("section", "Round by round"))
    marks, more = event_marks(found.events, values[0].period_start, values[-1].period_end)
    figure = charts.rounds_chart(values, names, st.context.theme.type == "dark", marks)
    name = content.csv_name(state.organization, view, found.rounds).replace(".csv", ".png")
    title = "Satisfaction by survey round"
    first, last = values[0].period_start, values[-1].period_start
    about = downloads.seen_in(state, view, first, last + timedelta(days=1))
    downloads.chart_card(figure, name, "rounds", f"{title}, with its target", title, about, marks, more)


def _rounds(state: State, view: Filters, found: Surveyed) -> None:
    name = content.csv_name(state.organization, view, found.rounds)
    downloads.section_with_csv("Against the target", name, "table", lambda: content.csv_rows(found))
    st.html(part("rounds", content.rounds_table(found), of="satisfaction"))


def _drivers(state: State, view: Filters, found: Surveyed) -> None:
    table = content.drivers_table(found, view.team)
    if table is None:
        return
    name = csv_name_of_view([state.organization, "drivers"], view, state.today)
    rows = lambda: content.driver_rows(found, view, state.organization)  # noqa: E731
    downloads.section_with_csv("Drivers: what else was asked", name, "drivers", rows)
    st.html(part("drivers", table, of="satisfaction"))


def _comments(found: Surveyed) -> None:
    if not found.comments and not found.withheld_comments:
        return
    st.html(part("section", f"What people wrote in round {found.chosen}"))
    shown, more = found.comments[: content.MOST_COMMENTS], found.comments[content.MOST_COMMENTS :]
    st.html(part("comments", shown, more, content.withheld_comments(found), of="satisfaction"))


def _spread(state: State, view: Filters, found: Surveyed, names: list[str]) -> None:
    chosen = found.chosen or ""
    with st.container(key="round-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", "How many gave which score"), width="stretch")
        options = {name: name for name in reversed([*dict.fromkeys((*names, chosen))])}
        widgets.select("round", "Round", options, chosen, view, width=190)
        if scores := found.scores:
            rows = [{"round": chosen, "score": score, "respondents": n} for score, n in scores.items()]
            named = csv_name_of_view([state.organization, "scores", chosen], view, state.today)
            downloads.csv(named, "scores-csv", lambda: rows)
    if found.scores:
        st.html(part("histogram", content.score_bars(found.scores), of="metric"))
    else:
        st.html(part("notice", content.without_scores(found, view)))


if __name__ == "__main__":
    show(*navigation.given())
