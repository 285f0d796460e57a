"""What browsers are told about every answer: whose code may run, who may show it in a frame, what stays here."""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from streamlit.file_util import get_static_dir

_NOT_NEEDED = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
)
_NOR = (
    "midi",
    "payment",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)


def security_headers(framers: Sequence[str]) -> dict[str, str]:
    """The headers by name; pages of the origins `framers` may show the dashboard in a frame, nobody else."""
    headers = {
        "content-security-policy": _policy(framers),
        "x-content-type-options": "nosniff",
        # a page's own address is needed at the login, and a survey's link is a secret
        "referrer-policy": "same-origin",
        "permissions-policy": ", ".join(f"{feature}=()" for feature in (*_NOT_NEEDED, *_NOR)),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    # it can name nobody, and where it stands beside the policy some browsers obey it
    return headers if framers else {**headers, "x-frame-options": "DENY"}


def _policy(framers: Sequence[str]) -> str:
    """https://www.w3.org/TR/CSP3/; Streamlit's scripts count by WebAssembly, and make styles as Plotly's do."""
    allowed = {
        "default-src": ("'none'",),
        "script-src": ("'self'", "'wasm-unsafe-eval'", *_own_scripts()),
        "style-src": ("'self'", "'unsafe-inline'"),
        "img-src": ("'self'", "data:", "blob:"),
        "font-src": ("'self'", "data:"),
        "connect-src": ("'self'",),
        "manifest-src": ("'self'",),
        "base-uri": ("'none'",),
        "form-action": ("'none'",),
        "frame-ancestors": framers or ("'none'",),
    }
    return "; ".join(f"{name} {' '.join(values)}" for name, values in allowed.items())


@cache
def _own_scripts() -> tuple[str, ...]:
    """The hashes of the scripts that stand in Streamlit's page itself."""
    page = (Path(get_static_dir()) / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return tuple(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
