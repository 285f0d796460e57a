"""The dashboard as tests open it: within Streamlit's AppTest, and as a process with a real browser."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from config.settings import Settings
from dashboards.frame.markup import DASHBOARDS
from dashboards.frame.navigation import PAGES
from dashboards.server.launch import command, local_address, wait_until_up
from tests.support import processors

_NO_COMPONENTS = BidiComponentManager()
# what stands on each page once it is drawn
_DRAWN = {
    "overview": ".six-week",
    "metric": ".st-key-table-controls",
    "targets": ".six-weeks-key",
    "platform": ".six-answers, .st-key-no-platform",
    "trust": ".six-shares",
    "satisfaction": ".st-key-table-controls",
    "deployments": ".six-list-table",
    "incidents": ".six-list-table",
    "scorecards": ".six-archive, .six-never",
    "teams": ".st-key-table-controls",
    "services": ".st-key-table-controls",
    "team": ".six-shares",
    "service": ".six-shares",
}


def page(config: str, draws: list[bool]) -> None:
    """What AppTest runs: the text of this function, without anything around it."""
    from pathlib import Path

    from dashboards.app import main
    from dashboards.frame import navigation

    if draws:
        main(Path(config))
    else:
        _ = navigation.chosen_page()


def opened(folder: Path, at: str = "overview", **query: str) -> AppTest:
    """The page `at` of the dashboard of `folder` after a run."""
    return turned_to(at, query, page, str(folder / "sixkeys.yaml"))


def turned_to(at: str, query: dict[str, str], script: Callable[..., None], *given: Any) -> AppTest:
    """The page `at` after `script` has drawn it, which names the pages alone as long as its last argument is empty.

    AppTest can turn to a page by its name once a run has named it.
    """
    draws: list[bool] = []
    app = app_of(script, *given, draws)
    for key, value in query.items():
        app.query_params[key] = value
    app.run().switch_page(str(DASHBOARDS / PAGES[at].file))
    draws.append(True)
    return app.run()


def app_of(script: Callable[..., None], *given: Any) -> AppTest:
    """What has `script` drawn once it runs.

    It is not to look first through all that is installed for components, of which no page has any: for two thirds of
    its time.
    """
    app = AppTest.from_function(script, args=given, default_timeout=30)
    app._bidi_component_manager = _NO_COMPONENTS
    return app


def shown(app: AppTest) -> str:
    """The page's own HTML, without its style sheet."""
    bodies = (str(element.proto.body) for element in app.get("html"))
    return " ".join(body for body in bodies if not body.startswith("<style>"))


def choose(tab: Page, label: str, option: str) -> None:
    """Picks an option of one of the page's selects."""
    field = tab.get_by_label(label, exact=True)
    field.scroll_into_view_if_needed()
    # a list closes when the page scrolls, so that has to be over: it is told in the next frame
    field.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    field.click()
    tab.get_by_role("option", name=option, exact=True).click()


_REFUSED = "refused by the page's own policy"
_TELLS = f"""addEventListener("securitypolicyviolation", found =>
    console.error("{_REFUSED}: " + found.effectiveDirective + " " + found.blockedURI + " on " + location.pathname))"""

Scheme = Literal["light", "dark"]


@dataclass
class Running:
    """A dashboard process and a browser; `foreign` collects requests to any other host, `refused` what its own policy
    keeps the browser from."""

    url: str
    settings: Settings
    browser: Browser
    tabs: list[Page]
    foreign: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def open(
        self, address: str = "", scheme: Scheme = "light", width: int = 1280, height: int = 1000
    ) -> Page:
        """A tab at a page's address, once it is drawn.

        It is the one that was opened before the last: there are two, since a new one takes twice the time.
        """
        tab = self.tabs.pop(0)
        self.tabs.append(tab)
        tab.emulate_media(color_scheme=scheme, media="screen")
        tab.set_viewport_size({"width": width, "height": height})
        tab.mouse.move(0, 0)
        tab.goto(f"{self.url}/{address}")
        drawn(tab, urlsplit(address).path or "overview")
        return tab

    def hear(self, told: str) -> None:
        if _REFUSED in told or "Content Security Policy" in told:
            self.refused.append(told)

    def seen(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != urlsplit(self.url).netloc:
            self.foreign.append(url)


def drawn(tab: Page, name: str) -> None:
    """Waits until the page `name` is there, its widgets too."""
    expect(tab.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()
    expect(tab.locator(_DRAWN.get(name, ".st-key-nav"))).to_be_visible()
    expect(tab.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(tab.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    # a chart that comes later moves what is below it, and a list that was just opened closes
    expect(tab.locator("[class*=st-key-chart-card]:not(:has(.main-svg))")).to_have_count(0)


@contextmanager
def running(config: Path, settings: Settings, browser: Browser) -> Iterator[Running]:
    """The dashboard of a configuration as its own process until the context ends, to be opened in `browser`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with processors.shared():
        process = subprocess.Popen(
            command(config, None, "127.0.0.1", port),
            cwd=config.parent,
            env=environment,
            start_new_session=True,
        )
    try:
        wait_until_up(local_address("127.0.0.1", port), process)
        with opened_in(browser, local_address("127.0.0.1", port), settings) as dashboard:
            yield dashboard
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


@contextmanager
def opened_in(browser: Browser, url: str, settings: Settings) -> Iterator[Running]:
    """The dashboard that is up at `url`, in two tabs of their own."""
    with browser.new_context(accept_downloads=True) as context:
        dashboard = Running(url, settings, browser, [context.new_page(), context.new_page()])
        context.on("request", lambda request: dashboard.seen(request.url))
        context.on("console", lambda message: dashboard.hear(message.text))
        context.add_init_script(_TELLS)
        yield dashboard
        assert dashboard.refused == []
