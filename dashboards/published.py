"""Which facts a page shows, and noticing when newer ones are published."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import streamlit as st

from config.errors import SixkeysError
from dashboards import formats
from dashboards.loading import State
from dashboards.markup import part
from warehouse.facts import current

EVERY_SECONDS = 15
OLD = timedelta(hours=24)


@dataclass(frozen=True)
class Published:
    """What a page's content depends on, and so the key of what is cached: a facts file is never written twice."""

    warehouse: Path
    facts: str
    settings: str


def facts_now(warehouse: Path) -> str | None:
    """The published facts file's path, or None where nothing was built yet."""
    try:
        return str(current(warehouse))
    except SixkeysError:
        return None


@st.fragment(run_every=EVERY_SECONDS)
def freshness(published: Published, state: State) -> None:
    """Says how old the facts are, and draws the whole page anew once others are published."""
    if facts_now(published.warehouse) != published.facts:
        st.rerun(scope="app")
    elapsed = datetime.now(UTC) - state.as_of
    as_of = formats.instant(state.as_of, state.timezone)
    st.html(part("freshness", as_of, formats.age(elapsed), elapsed > OLD))


@st.fragment(run_every=EVERY_SECONDS)
def wait_for_facts(warehouse: Path, found: str | None) -> None:
    """Draws the page anew once facts other than `found` are published."""
    if facts_now(warehouse) != found:
        st.rerun(scope="app")
