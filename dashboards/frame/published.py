"""Which facts a page shows, and noticing when newer ones are published."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

import streamlit as st

from config.errors import DamagedError, SixkeysError
from config.settings import Settings
from dashboards.figures import formats
from dashboards.frame.markup import part
from dashboards.frame.notices import as_of, reading_lines
from dashboards.frame.state import State
from warehouse.metrics.published_facts import current_facts, held_open
from warehouse.progress import progress_of
from warehouse.trust.readings import Readings

T = TypeVar("T")
_Asked = TypeVarTuple("_Asked")
EVERY_SECONDS = 15
SOON_SECONDS = 5
# a collection that tells nothing for longer may have been killed
SILENT = timedelta(minutes=5)
# what is read of open facts stays in memory as long as there is room
_MOST_MEMORY = "2GB"


@dataclass(frozen=True)
class Published:
    """What a page's content depends on, and so the key of what is cached: a facts file is never written twice."""

    warehouse: Path
    facts: str
    settings: str


def facts_now(warehouse: Path) -> str | None:
    """The published facts file's path, or None where nothing was built yet."""
    try:
        return str(current_facts(warehouse))
    except SixkeysError:
        return None


def read_once(
    load: Callable[[Path, Settings, *_Asked], T], published: Published, settings: Settings, *asked: *_Asked
) -> T:
    """What `load` reads of the facts for what is asked: read once, and the same object for all who ask the same.

    Nobody may change it. (What Streamlit gives as data it copies each time, which takes longer than most of our reads.)
    """
    return _read(published, f"{load.__module__}.{load.__qualname__}", asked, _load=load, _settings=settings)


@st.cache_resource(max_entries=200, show_spinner=False)
def _read(
    published: Published, name: str, asked: tuple[Any, ...], _load: Callable[..., Any], _settings: Settings
) -> Any:
    while True:
        try:
            return _load(published.warehouse, _settings, *asked)
        except DamagedError:  # what was built before stands in, and the page says so
            continue


@st.cache_resource(max_entries=1, show_spinner=False)
def keep_open(facts: str) -> Any:
    """Holds the file `facts` open while it is the newest, so that opening it again takes no time."""
    return held_open(Path(facts), _MOST_MEMORY)


@st.fragment(run_every=EVERY_SECONDS)
def freshness(published: Published, state: State, found: Readings, kinds: Sequence[str]) -> None:
    """Says how old what the page shows is, and draws the whole page anew once other facts are published."""
    if facts_now(published.warehouse) != published.facts:
        st.rerun(scope="app")
    running = progress_of(published.warehouse)
    if running and running.is_first:
        st.html(part("reading", [line for line in reading_lines(running) if line.is_read_now]))
    st.html(part("freshness", *as_of(found, kinds, state.as_of, datetime.now(UTC), state.timezone)))


@st.fragment(run_every=SOON_SECONDS)
def await_first_facts(warehouse: Path, organization: str, config: Path, timezone: str) -> None:
    """Says what to run, or what runs and how far it is, and draws the whole page anew once there are facts."""
    if facts_now(warehouse) is not None:
        st.rerun(scope="app")
    running = progress_of(warehouse)
    if running is None:
        st.html(part("empty", organization, str(config)))
        return
    since, heard = (
        formats.spoken(at, datetime.now(UTC), timezone) for at in (running.started_at, running.told_at)
    )
    is_silent = datetime.now(UTC) - running.told_at > SILENT
    st.html(part("collecting", organization, since, heard if is_silent else "", reading_lines(running)))


@st.fragment(run_every=EVERY_SECONDS)
def wait_for_facts(warehouse: Path, found: str | None) -> None:
    """Draws the page anew once facts other than `found` are published."""
    if facts_now(warehouse) != found:
        st.rerun(scope="app")
