"""The real browser that tests open pages in, and where they leave pictures for people to look at."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from tests.support import processors
from tests.support.places import ROOT

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# on a machine that is busy with other tests; what is expected ends the wait as soon as it is there
expect.set_options(timeout=30_000)


@contextmanager
def launched() -> Iterator[Browser]:
    """The installed Chromium or Chrome, else the one that Playwright installed."""
    installed = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    with sync_playwright() as playwright:
        with processors.shared():
            browser = playwright.chromium.launch(executable_path=installed, args=list(_OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


def artifact(name: str) -> Path:
    """Where a picture called `name` is kept after the tests."""
    folder = ROOT / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder / name
