"""What a reader takes along: a table or a chart's values as CSV, a chart as PNG; neither asks the network."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from config.text.legible import one_line
from dashboards.figures import charts, formats
from dashboards.figures.event_marks import EventMark
from dashboards.figures.tables import as_csv
from dashboards.frame.markup import part
from dashboards.frame.state import State
from dashboards.frame.view import Filters, scope_name

# makes the rows of a file once it is asked for
RowsLater = Callable[[], Iterable[Mapping[str, Any]]]
# the browser draws the picture itself, at twice the size for a slide
_SCALE = 2
_UNUSED = ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale", "resetScale"]


def csv(
    name: str,
    key: str,
    rows: RowsLater,
    label: str = "Download CSV",
) -> None:
    """A button that gives `rows` as the file `name`."""
    st.download_button(
        label,
        lambda: as_csv(rows()),
        name,
        "text/csv",
        key=key,
        on_click="ignore",
        icon=":material/download:",
    )


def section_with_csv(title: str, name: str, key: str, rows: RowsLater) -> None:
    """A heading, and beside it the button that gives what stands below it as the file `name`."""
    with st.container(key=f"{key}-controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.html(part("section", title), width="stretch")
        csv(name, f"{key}-csv", rows)


def seen_in(state: State, view: Filters, first: date, after: date) -> str:
    """What a picture of a view is of: "team payments, acme · 19 Oct – 15 Nov 2026 · data as of Mon 16 Nov 2026, …"."""
    scope = scope_name(view, state.organization)
    whose = scope if scope == state.organization else f"{scope}, {state.organization}"
    as_of = formats.instant(state.as_of, state.timezone)
    return f"{whose} · {formats.days(first, after)} · data as of {as_of}"


def chart_card(
    figure: go.Figure,
    name: str,
    key: str,
    alt: str,
    title: str,
    about: str,
    events: Sequence[EventMark] = (),
    more: int = 0,
) -> None:
    """The figure on a card, and its events in words; the button in its corner gives it as the PNG `name`.

    The picture has the page's colours, and above the chart `title`, what it is `about` and the events, which the page
    says around it; `more` events are not among its marks.
    """
    lines = [f"{event.number} · {event.told}" for event in events]
    lines += [f"and {formats.plural(more, 'earlier event')}"] if more else []
    headed = charts.headed(figure, title, about, lines)
    options = {
        "format": "png",
        "filename": name.removesuffix(".png"),
        "scale": _SCALE,
        "width": charts.PICTURE_WIDTH,
        "height": headed.layout.height,
    }
    config = {
        "displaylogo": False,
        "displayModeBar": True,
        "modeBarButtonsToRemove": _UNUSED,
        "toImageButtonOptions": options,
    }
    with st.container(border=True, key=f"chart-card-{key}"):
        st.plotly_chart(headed, theme=None, config=config, alt=one_line(alt), key=key)
        if events:
            st.html(part("events", events, more, f"chart-card-{key}", charts.heading_height(lines)))
