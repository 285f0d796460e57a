"""What a page costs in a real browser, beside the smallest Streamlit page with one chart, in one run.

    python -m benchmarks.dashboard [--changes 10000000] [--deployments 1000000] [--rounds 6] [--folder DIR]

A rerun is measured from the click until what the window shows is drawn anew, and until all of the page is; a first
page from the request until all is there; each as the median of many. Ours and the smallest page take turns, so that a
busy machine slows both. With
--folder the facts are kept there and used again.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page
from rich.console import Console
from rich.table import Table

from benchmarks import large_facts
from config.settings import Settings, load_settings
from dashboards.deployments_and_incidents import deployment_rows, incident_rows
from dashboards.deployments_and_incidents import loading as listed
from dashboards.deployments_and_incidents.content import ListKind
from dashboards.frame.view import Filters, from_address
from dashboards.metric.loading import metric_content, rows_behind, spread
from dashboards.overview import loading
from dashboards.satisfaction.loading import surveyed
from dashboards.server.launch import OPTIONS, command, local_address, wait_until_up
from dashboards.targets import loading as targets_loading
from dashboards.team_and_service import loading as profile_loading
from dashboards.trust import loading as trust_loading
from tests.support import chromium
from warehouse.metrics.published_facts import current_facts, open_facts

FLOOR = Path(__file__).with_name("smallest_page.py")
ZONE = "Europe/Berlin"
Loader = Callable[[Path, Settings, Filters], object]


def _listed(kind: ListKind) -> Loader:
    return lambda warehouse, _, view: listed.page(warehouse, kind, view, ZONE)


def _targets(warehouse: Path, settings: Settings, view: Filters) -> object:
    return targets_loading.targets(warehouse, settings, view, ())


def _unresolved(warehouse: Path, settings: Settings, view: Filters) -> object:
    return profile_loading.unresolved(warehouse, settings, view, ZONE)


def _failed(warehouse: Path, settings: Settings, view: Filters) -> object:
    return profile_loading.failed(warehouse, settings, view, ZONE)


_PROFILE: tuple[Loader, ...] = (
    profile_loading.profile,
    _unresolved,
    profile_loading.happened,
    _failed,
    profile_loading.basis,
)
# a page's address: (what stands on it once it is drawn, what a period changes on it, what reads what a period changes)
PAGES: dict[str, tuple[str, str, tuple[Loader, ...]]] = {
    "": (".six-table", ".six-tiles", (loading.numbers,)),
    "metric": (".six-number", ".six-number", (metric_content, spread, rows_behind)),
    "trust": (".six-shares", ".six-shares", (trust_loading.trust,)),
    "deployments": (".six-list-table", ".six-days", (_listed(deployment_rows.DEPLOYMENT_LIST),)),
    "incidents": (".six-list-table", ".six-days", (_listed(incident_rows.INCIDENT_LIST),)),
    "satisfaction": (".st-key-table-controls", ".six-days", (surveyed,)),
    "targets": (".six-weeks-key", ".six-days", (_targets,)),
    "team?team=team-03": (".six-shares", ".six-days", _PROFILE),
    "service?service=service-003": (".six-shares", ".six-days", _PROFILE),
}
# the choices of the filter that are clicked in turn, and what the figures' days then say
PERIODS = ("12 weeks", "Quarter", "Last week", "12 months", "All", "4 weeks")
# rounds are those that closed before the period's last day, which most of them have in common
CLICKED = {"satisfaction": ("Quarter", "All", "12 weeks")}
# the text of a page changes at once, in one piece of it or in several; it is there when the run's last element is
_SETTLED = "() => !document.querySelector('[data-testid=stStatusWidget], [data-stale=true]')"


@contextmanager
def served(arguments: list[str], port: int, folder: Path) -> Iterator[str]:
    """A Streamlit process until the context ends; its address."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    process = subprocess.Popen(arguments, cwd=folder, env=environment, start_new_session=True)
    try:
        wait_until_up(local_address("127.0.0.1", port), process)
        yield local_address("127.0.0.1", port)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def first_render(browser: Browser, url: str, drawn: str) -> float:
    """The seconds until `drawn` is on a page that a new tab opens; the browser has its scripts already."""
    tab = browser.contexts[0].new_page()
    started = time.perf_counter()
    tab.goto(url, wait_until="commit")
    tab.wait_for_selector(drawn, timeout=120_000)
    tab.wait_for_function(_SETTLED, timeout=120_000, polling="raf")
    took = time.perf_counter() - started
    tab.close()
    return took


def change(tab: Page, choice: str, shown: str) -> tuple[float, float]:
    """The seconds from the click on a choice until what is on the screen is drawn anew, and until all of the page is.

    The elements `shown` are others then, and Streamlit holds nothing for old that the window shows, or nothing at all.
    """
    tab.bring_to_front()  # a tab behind another is drawn once a second
    tab.evaluate(
        "selector => { document.querySelectorAll(selector).forEach(each => each.dataset.before = '1');"
        " window.textBefore = [...document.querySelectorAll(selector)].map(each => each.textContent).join() }",
        shown,
    )
    button = tab.get_by_role("radio", name=choice, exact=True).or_(
        tab.get_by_role("button", name=choice, exact=True)
    )
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    if box is None:
        raise RuntimeError(f"{choice} is not on the page")
    # a bare click of the mouse: looking for the button takes longer on the page that has more
    started = time.perf_counter()
    tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.wait_for_function(
        "selector => { const found = [...document.querySelectorAll(selector)];"
        " return found.length && (found.every(each => !each.dataset.before)"
        " || found.map(each => each.textContent).join() !== window.textBefore)"
        " && ![...document.querySelectorAll('[data-stale=true]')].some(each => {"
        " const {top, bottom, height} = each.getBoundingClientRect();"
        " return height && top < innerHeight && bottom > 0 }) }",
        arg=shown,
        timeout=120_000,
        polling="raf",
    )
    on_screen = time.perf_counter() - started
    tab.wait_for_function(_SETTLED, timeout=120_000, polling="raf")
    return on_screen, time.perf_counter() - started


def queries(settings: Settings, at: str) -> float:
    """The seconds that a page's own reading takes when a period is chosen for the first time, the median over them.

    The facts are open, and another period was read from them: so they are in the dashboard too.
    """
    query = at.partition("?")[2]
    given = dict(pair.split("=") for pair in query.split("&")) if query else {}
    took = []
    with open_facts(settings.warehouse):
        for period in ("4w", "12w", "quarter", "week", "12m", "all"):
            view = from_address(given | {"period": period})
            started = time.perf_counter()
            for load in PAGES[at][2]:
                load(settings.warehouse, settings, view)
            took.append(time.perf_counter() - started)
    return median(took[1:])


@dataclass(frozen=True)
class Compared:
    """Medians in seconds: of a rerun of the smallest page and of ours, on the screen and whole, and of first pages."""

    smallest: float
    on_screen: float
    whole: float
    smallest_first: float
    first: float


def compare(browser: Browser, floor: str, url: str, at: str, rounds: int) -> Compared:
    """The page `at` beside the smallest one."""
    drawn, changes, _ = PAGES[at]
    periods = CLICKED.get(at, PERIODS)
    context = browser.contexts[0]
    smallest, ours = context.new_page(), context.new_page()
    smallest.goto(floor)
    smallest.wait_for_selector(".js-plotly-plot .trace")
    ours.goto(f"{url}/{at}")
    ours.wait_for_selector(drawn, timeout=120_000)
    ours.wait_for_function(_SETTLED, timeout=120_000, polling="raf")
    took: list[tuple[float, float, float]] = []
    firsts: list[tuple[float, float]] = []
    for turn in range(rounds):
        _, floor_whole = change(smallest, ("a", "b")[(turn + 1) % 2], ".js-plotly-plot .gtitle")
        took.append((floor_whole, *change(ours, periods[turn % len(periods)], changes)))
    for _ in range(max(3, rounds // 2)):
        firsts.append(
            (
                first_render(browser, floor, ".js-plotly-plot .trace"),
                first_render(browser, f"{url}/{at}", drawn),
            )
        )
    smallest.close()
    ours.close()
    return Compared(*(median(column) for rows in (took, firsts) for column in zip(*rows, strict=True)))


def main(changes: int, deployments: int, rounds: int, folder: Path, pages: Sequence[str]) -> None:
    """Prints the table."""
    console = Console(width=130)
    config = folder / "sixkeys.yaml"
    if config.exists():
        settings = load_settings(config)
    else:
        started = time.perf_counter()
        settings = large_facts.write(folder, changes, deployments)
        console.print(f"facts made in {time.perf_counter() - started:,.1f} s")
        seconds = large_facts.store_values(settings)
        console.print(f"values stored in {seconds:,.1f} s, which is what the build takes longer")
    with open_facts(settings.warehouse) as facts:
        tables = ("services", "deployments", "changes", "stored_values")
        counts = [f"{len(facts.connection.table(table)):,} {table}" for table in tables]
    size = current_facts(settings.warehouse).stat().st_size / 1e6
    console.print(
        f"{', '.join(counts)}; facts {size:,.0f} MB; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    port, smallest = free_port(), free_port()
    options = {**OPTIONS, "server.address": "127.0.0.1", "server.port": str(smallest)}
    floor = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(FLOOR),
        *(f"--{k}={v}" for k, v in options.items()),
    ]
    table = Table(
        "page",
        "smallest",
        "change on screen",
        "times",
        "whole page",
        "times",
        "first pages",
        "times",
        "reading",
    )
    with (
        served(command(config, None, "127.0.0.1", port), port, folder) as url,
        served(floor, smallest, folder) as floor_url,
        chromium.launched() as browser,
    ):
        browser.new_context(viewport={"width": 1280, "height": 1000})
        for at in pages:
            of = compare(browser, floor_url, url, at, rounds)
            asked = queries(settings, at)
            table.add_row(
                at.partition("?")[0] or "overview",
                f"{of.smallest * 1000:,.0f} ms",
                f"{of.on_screen * 1000:,.0f} ms",
                f"{of.on_screen / of.smallest:.1f}",
                f"{of.whole * 1000:,.0f} ms",
                f"{of.whole / of.smallest:.1f}",
                f"{of.smallest_first * 1000:,.0f}, {of.first * 1000:,.0f} ms",
                f"{of.first / of.smallest_first:.1f}",
                f"{asked * 1000:,.0f} ms, {asked / of.whole:.0%}",
            )
    for column in table.columns[1:]:
        column.justify = "right"
    console.print(table)
    console.print(
        f"load {os.getloadavg()[0]:.1f}; goals: 3 times on the screen, first pages 1.5 times, a third of the whole"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measures the dashboard beside the smallest page.")
    parser.add_argument("--changes", type=int, default=10_000_000)
    parser.add_argument("--deployments", type=int, default=None, help="default: a tenth of the changes")
    parser.add_argument("--rounds", type=int, default=6, help="more than 6 come from the cache")
    parser.add_argument("--page", action="append", choices=list(PAGES), help="only this one; can be repeated")
    parser.add_argument("--folder", type=Path, help="where facts are kept and found again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        deployments = given.deployments or given.changes // 10
        main(given.changes, deployments, given.rounds, folder, given.page or list(PAGES))
