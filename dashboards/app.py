"""The dashboard: `streamlit run dashboards/app.py -- --config FILE [--warehouse FILE]`."""

import logging
import sys
from pathlib import Path

import streamlit as st

from dashboards.frame import loading

# Streamlit puts this file's folder on the path, not the one that holds the packages
if (_packages := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _packages)

from config.errors import SixkeysError
from config.settings import Settings, load_settings
from dashboards.frame import navigation
from dashboards.frame.access import Access
from dashboards.frame.markup import DASHBOARDS, part, style
from dashboards.frame.notices import Notice
from dashboards.frame.published import Published, await_first_facts, facts_now, keep_open, wait_for_facts
from dashboards.frame.state import State
from dashboards.satisfaction import survey_page
from dashboards.server import login
from dashboards.server.launch import arguments

log = logging.getLogger("sixkeys.dashboard")


def main(config: Path, warehouse: Path | None = None, host: str | None = "127.0.0.1") -> None:
    """Draws the page, or says in place of it what is missing or broken and what to do.

    `host` is the address that the server listens at, None where that is every one.
    """
    if survey_page.is_asked():
        survey_page.run_survey_page(config, warehouse)
        return
    st.set_page_config(
        "Sixkeys", str(DASHBOARDS / "icon.svg"), layout="wide", initial_sidebar_state="collapsed"
    )
    page = navigation.chosen_page()
    st.html(style())
    try:
        settings = _settings(_stamp(config), config)
    except SixkeysError as error:
        st.html(part("notice", Notice("The configuration cannot be used", (str(error),), bad=True)))
        return
    access = login.admitted(settings.dashboard, settings.organization, host)
    if access is not None:
        show_page(page, config, settings, warehouse or settings.warehouse, access)


def show_page(page: st.Page, config: Path, settings: Settings, warehouse: Path, access: Access) -> None:
    """Draws what may be seen of `page`, which is given the facts of `warehouse`."""
    facts = facts_now(warehouse)
    if facts is None:
        await_first_facts(warehouse, settings.organization, config, settings.timezone)
        return
    keep_open(facts)
    try:
        published = Published(warehouse, facts, _stamp(config))
        navigation.run_page(page, navigation.Given(settings, published, _state(published)), access)
    except SixkeysError as error:
        _unreadable(str(error), warehouse, facts)
    except Exception as error:  # the last border before a person: told in one line, and in full to the log
        log.exception("%s cannot be shown", facts)
        told = f'{facts}: cannot be shown ({type(error).__name__}); run "sixkeys build --full"'
        _unreadable(told, warehouse, facts)


def _unreadable(told: str, warehouse: Path, facts: str) -> None:
    lines = (told, "This page notices by itself when there are new facts.")
    st.html(part("notice", Notice("The numbers cannot be read", lines, bad=True)))
    wait_for_facts(warehouse, facts)


def _stamp(config: Path) -> str:
    """The file in its present state: another text once it was changed."""
    return f"{config} {config.stat().st_mtime_ns}" if config.exists() else str(config)


@st.cache_data(max_entries=4, show_spinner=False)
def _settings(stamp: str, _config: Path) -> Settings:
    return load_settings(_config)


@st.cache_data(max_entries=8, show_spinner=False)
def _state(published: Published) -> State:
    return loading.state(published.warehouse)


if __name__ == "__main__":
    given = arguments()
    main(given.config, given.warehouse, st.get_option("server.address"))
