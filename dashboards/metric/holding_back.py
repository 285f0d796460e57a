"""What holds back the missed targets of a view, and where the hours of its changes lie: first on several pages."""

from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from config.metrics import metrics
from config.settings import Settings
from dashboards.frame import downloads
from dashboards.frame import view as periods
from dashboards.frame.markup import part
from dashboards.frame.published import Published, read_once
from dashboards.frame.state import State
from dashboards.frame.view import Filters, csv_name_of_view
from dashboards.metric import breakdown
from warehouse.metrics.periods import full_range, today
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import Value
from warehouse.rows.stages import Stage, stage_rows, stages
from warehouse.scorecards.held_back_sentences import holding_back
from warehouse.scorecards.sentences import Sentence


def show_held_back(settings: Settings, published: Published, view: Filters, values: Iterable[Value]) -> None:
    """Draws a sentence for each missed one of `values`, the numbers of `view`; nothing where none is missed."""
    missed = tuple(value for value in values if value.status == "missed")
    if not missed:
        return
    found = read_once(held_back_of, published, settings, view, missed)
    said = [sentence for _, sentence in found if sentence]
    unsaid = [metrics()[value.metric].name for value, sentence in found if not sentence]
    st.html(part("held_back", said, unsaid, view, of="metric"))


def show_hours(settings: Settings, published: Published, state: State, view: Filters) -> None:
    """Draws where the hours of the changes of `view` lie, stage by stage; nothing where nothing was changed."""
    found = read_once(hours_of, published, settings, view)
    if found:
        named = csv_name_of_view([state.organization, "stages"], view, state.today)
        downloads.section_with_csv("Where the time goes", named, "stages", lambda: stage_rows(found))
        st.html(part("stages", breakdown.stage_bars(found, view), of="metric"))


def held_back_of(
    warehouse: Path, settings: Settings, view: Filters, missed: tuple[Value, ...]
) -> list[tuple[Value, Sentence | None]]:
    """The missed values with their sentences; None where there are too few rows for one."""
    with open_facts(warehouse) as facts:
        return holding_back(facts, missed, view.where)


def hours_of(warehouse: Path, settings: Settings, view: Filters) -> list[Stage]:
    """The stages of what the view's days brought to production."""
    with open_facts(warehouse) as facts:
        return stages(facts, view.where, *full_range(facts, *periods.view_days(view, today(facts))))
