"""The dashboard as a process of its own: Streamlit's command line with the options that make it ours."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import httpx

from config.errors import SixkeysError

APP = Path(__file__).parents[1] / "app.py"
SERVER = Path(__file__).with_name("server.py")

OPTIONS = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "theme.baseRadius": "0.5rem",
    "theme.metricValueFontWeight": "600",
    "theme.paddingTop": "1rem",
    "theme.light.primaryColor": "#1f5fa8",
    "theme.light.backgroundColor": "#f6f7f9",
    "theme.light.secondaryBackgroundColor": "#ffffff",
    "theme.light.textColor": "#1c2430",
    "theme.light.borderColor": "#d5dbe4",
    "theme.light.linkColor": "#1f5fa8",
    "theme.dark.primaryColor": "#6ea8ea",
    "theme.dark.backgroundColor": "#10151c",
    "theme.dark.secondaryBackgroundColor": "#19212b",
    "theme.dark.textColor": "#e6ebf2",
    "theme.dark.borderColor": "#323d4b",
    "theme.dark.linkColor": "#8fbdf2",
}


def command(settings_path: Path, warehouse: Path | None, host: str, port: int) -> list[str]:
    """The command that runs the dashboard in the foreground; `warehouse` None: the settings' own."""
    # -P: a config.py in the user's folder must not stand in for the package
    streamlit = [sys.executable, "-P", "-m", "streamlit", "run", str(SERVER)]
    options = {"server.address": host, "server.port": str(port), **OPTIONS}
    given = ["--config", str(settings_path)]
    if warehouse is not None:
        given += ["--warehouse", str(warehouse)]
    return [*streamlit, *(f"--{key}={value}" for key, value in options.items()), "--", *given]


def arguments() -> argparse.Namespace:
    """What stands after the `--` on Streamlit's command line."""
    parser = argparse.ArgumentParser(description="The Sixkeys dashboard.")
    parser.add_argument("--config", type=Path, default=Path("sixkeys.yaml"), help="the configuration file")
    parser.add_argument(
        "--warehouse", type=Path, help="the warehouse, where it is not the configuration's own"
    )
    return parser.parse_args()


def local_address(host: str, port: int) -> str:
    """Where a person opens it: `http://127.0.0.1:8501`; a listener on every interface is reached by loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 -- compared, not bound
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{port}"


def wait_until_up(url: str, process: subprocess.Popen[bytes], timeout: float = 60) -> None:
    """Returns once the dashboard at `url` answers; raises SixkeysError where it ended or stays silent."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SixkeysError(
                f"dashboard: it ended with status {process.returncode} before it answered at {url}; "
                "see its messages above, and whether the port is taken"
            )
        try:
            if httpx.get(f"{url}/_stcore/health", timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise SixkeysError(f"dashboard: no answer at {url} within {timeout:.0f} s; see its messages above")
