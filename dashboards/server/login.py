"""The way in and out: who has to log in, who has, and what is shown to those who are not let in."""

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from config.access import Auth, Dashboard, unguarded
from dashboards.frame.access import EVERYTHING, Access, Refused, access, is_current
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice

_RESTART = 'Start it anew with "sixkeys dashboard" or "sixkeys serve".'


def admitted(dashboard: Dashboard, organization: str, host: str | None) -> Access | None:
    """What whoever opened the page may see; None: nothing, and a page that says why and what to do is drawn.

    `host` is the address that the server listens at, None where that is every one.
    """
    if told := unguarded(dashboard, host):
        lines = (f"dashboard: {told}.", "sixkeys dashboard listens where the configuration says.")
        st.html(part("notice", Notice("Shown to nobody", lines, bad=True)))
        return None
    return _person(dashboard.auth, organization) if dashboard.auth else EVERYTHING


def _person(auth: Auth, organization: str) -> Access | None:
    claims = st.user.to_dict()
    if "is_logged_in" not in claims:
        lines = ("The configuration asks for a login, and this process was started without.", _RESTART)
        st.html(part("notice", Notice("Shown to nobody", lines, bad=True)))
    elif not is_current(auth, claims, datetime.now(UTC)):
        told = "Your login has expired." if claims["is_logged_in"] else "Log in to see the numbers."
        _entrance(organization, told, "Log in", st.login)
    else:
        try:
            return access(auth, claims)
        except Refused as refused:
            told = f"{refused} Ask whoever runs this dashboard."
            _entrance("You are logged in, and not let in", told, "Log out", st.logout)
    return None


def _entrance(title: str, told: str, label: str, way: Callable[[], None]) -> None:
    with st.container(key="entrance"):
        st.html(part("entrance", title, [told]))
        st.button(label, key="way", on_click=way, type="primary")
