"""The form for events on the page of targets: what it takes is kept in the inbox until the next collection."""

import logging
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import streamlit as st

from collectors.contract.items import SourceError
from collectors.contract.records import Event
from collectors.files.events import event_of, kept_events, put_event, take_back
from config.sources import EventEntry, EventKind
from config.text.legible import one_line
from dashboards.figures.fact_cells import followable
from dashboards.figures.formats import instant, plain_markdown
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice

log = logging.getLogger("sixkeys.dashboard")
LONGEST_EVENT, LONGEST_LINK = 200, 1_000
# without a login whoever reaches the page may write
MOST_KEPT = 200
_FORM = "event-form"


def event_form(folder: Path, names: Mapping[str, list[str]], timezone: str, known: Collection[str]) -> None:
    """Takes an event into `folder`, and lists what was taken, each to be taken back; `known` are ids in the facts."""
    with st.expander("Tell of an event"):
        try:
            told = _asked(names, timezone)
            if told is not None and len(kept_events(folder)) >= MOST_KEPT:
                advice = ("Take one back first, or tell of them in the configuration.",)
                st.html(part("notice", Notice(f"{MOST_KEPT} events are kept already", advice, bad=True)))
            elif told is not None:
                put_event(folder, told)
                # a form under another key is empty
                st.session_state[_FORM] = st.session_state.get(_FORM, 0) + 1
                st.rerun(scope="app")
            _kept(folder, timezone, known)
        except (OSError, SourceError) as error:
            log.error("the events in %s cannot be kept or read: %s", folder, error)
            told_to_try = "Please try again later; the log of the dashboard has the reason."
            st.html(part("notice", Notice("Events cannot be kept at the moment", (told_to_try,), bad=True)))


def _asked(names: Mapping[str, list[str]], timezone: str) -> Event | None:
    """The form; the event once somebody has sent one that is whole."""
    scopes = ["organisation", *(f"{scope} {name}" for scope, found in names.items() for name in found)]
    with st.form(f"{_FORM}-{st.session_state.get(_FORM, 0)}", enter_to_submit=False, border=False):
        title = st.text_input("What happened", max_chars=LONGEST_EVENT, placeholder="Christmas freeze")
        with st.container(horizontal=True, gap="small"):
            kind = st.selectbox("Kind", get_args(EventKind), width=190)
            scope = st.selectbox("Whom it touched", scopes, format_func=one_line, width=260)
            first = st.date_input("On, or from", None, format="YYYY-MM-DD", width=160)
            last = st.date_input("Last day (optional)", None, format="YYYY-MM-DD", width=180)
        url = st.text_input("Link (optional)", max_chars=LONGEST_LINK, placeholder="https://")
        resets = st.checkbox("What is usual begins anew after it")
        sent = st.form_submit_button("Keep", type="primary")
    if not sent:
        return None
    if wrong := _wrong(title, first, last, url):
        st.html(part("notice", Notice(wrong, bad=True)))
        return None
    entry = EventEntry(
        title=title.strip(),
        kind=kind,
        scope=scope,
        at=first,
        until=last,
        url=url.strip() or None,
        resets=resets,
    )
    return event_of(entry, timezone)


def _wrong(title: str, first: date | None, last: date | None, url: str) -> str:
    """What is missing or cannot be, and what to do; empty where all is well."""
    if not title.strip():
        return "Say what happened first"
    if first is None:
        return "Choose the day first"
    if last is not None and last < first:
        return "The last day is before the first: choose another one"
    if url.strip() and not followable(url.strip()):
        return "The link is no web address: begin it with https://, or leave it empty"
    return ""


def _kept(folder: Path, timezone: str, known: Collection[str]) -> None:
    for event in kept_events(folder):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"kept {event.id}"):
            until = f" – {instant(event.until - timedelta(seconds=1), timezone)}" if event.until else ""
            days = f"{instant(event.at, timezone)}{until}"
            state = "" if event.id in known else ", on charts after the next collection"
            st.html(
                part("kept_event", event.title, f"{days}, {event.scope}{state}", of="targets"),
                width="stretch",
            )
            st.button(
                "Take back",
                key=f"take back {event.id}",
                help=plain_markdown(f"Take back {event.title}"),
                on_click=take_back,
                args=(folder, event.id),
            )
