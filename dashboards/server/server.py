"""The dashboard's server: Streamlit's own, with the login's secrets and the gate before it.

`streamlit run dashboards/server/server.py -- --config FILE [--warehouse FILE]`; Streamlit finds `app` in it by itself.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit import config as streamlit_config

# Streamlit puts this file's folder on the path, not the one that holds the packages
if (_packages := str(Path(__file__).resolve().parents[2])) not in sys.path:
    sys.path.insert(0, _packages)

from config.errors import SixkeysError
from config.settings import load_settings
from config.text.legible import log_legibly
from config.text.references import require_resolved
from dashboards.server.gate import Gate
from dashboards.server.launch import APP, arguments

log = logging.getLogger("sixkeys.dashboard")


def secrets(config: Path) -> dict[str, Any]:
    """What Streamlit's login needs, kept in this process and in no file; nothing where nobody has to log in."""
    try:
        dashboard = load_settings(config).dashboard
        require_resolved(dashboard.auth)
    except SixkeysError as error:
        log.error("%s", error)  # the page says it as well
        return {}
    auth = dashboard.auth
    if auth is None:
        return {}
    # Streamlit puts the port that it listens at in place of {port}
    url = dashboard.url or f"http://{st.get_option('server.address') or dashboard.host}:{{port}}"
    provider = {
        "redirect_uri": f"{url}/oauth2callback",
        "cookie_secret": auth.cookie_secret.get_secret_value(),
        "client_id": auth.client_id,
        "client_secret": auth.client_secret.get_secret_value(),
        "server_metadata_url": auth.metadata_url,
        "client_kwargs": {"scope": " ".join(auth.scopes)},
    }
    return {"auth": provider}


log_legibly()
# by default pages of streamlit.app that show it in a frame may send it messages
streamlit_config.set_option("client.allowedOrigins", [])
_config = arguments().config
_listens_at = st.get_option("server.address")
app = st.App(
    APP, secrets=secrets(_config), middleware=[Middleware(Gate, config=_config, listens_at=_listens_at)]
)
