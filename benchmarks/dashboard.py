"""What a page costs in a real browser, beside the smallest Streamlit page with one chart, in one run.

    python -m benchmarks.dashboard [--changes 10000000] [--deployments 1000000] [--rounds 6] [--folder DIR]

A rerun is measured from the click until what it changes is drawn, a first page from the request until its numbers are
there, each as the median of many; ours and the smallest page take turns, so that a busy machine slows both. With
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
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page
from rich.console import Console
from rich.table import Table

from benchmarks import large_facts
from config.settings import Settings, load_settings
from dashboards import loading
from dashboards.filters import Filters, from_address
from dashboards.launch import OPTIONS, address, command, wait_until_up
from dashboards.metric_content import metric_content
from tests import chromium
from warehouse.facts import current, open_facts

FLOOR = Path(__file__).with_name("smallest_page.py")
Loader = Callable[[Path, Settings, Filters], object]
# a page's address: (what stands on it once it is drawn, what a period changes on it, what loads its numbers)
PAGES: dict[str, tuple[str, str, tuple[Loader, ...]]] = {
    "": (".six-table", ".six-tiles", (loading.content,)),
    "metric": (".six-number", ".six-number", (metric_content, loading.explanation)),
    "trust": (".six-shares", ".six-shares", (loading.trust,)),
    "deployments": (".six-list-table", ".six-days", ()),
    "incidents": (".six-list-table", ".six-days", ()),
    "satisfaction": (".st-key-table-controls", ".six-days", ()),
    "targets": (".six-weeks-key", ".six-days", ()),
    "team?team=team-03": (".six-shares", ".six-days", ()),
    "service?service=service-003": (".six-shares", ".six-days", ()),
}
# the choices of the filter that are clicked in turn, and what the figures' days then say
PERIODS = ("12 weeks", "Quarter", "Last week", "12 months", "All", "4 weeks")
# the text of a page changes at once, in one piece of it or in several; it is there when the run's last element is
_SETTLED = "() => !document.querySelector('[data-testid=stStatusWidget], [data-stale=true]')"


@contextmanager
def served(arguments: list[str], port: int, folder: Path) -> Iterator[str]:
    """A Streamlit process until the context ends; its address."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    process = subprocess.Popen(arguments, cwd=folder, env=environment, start_new_session=True)
    try:
        wait_until_up(address("127.0.0.1", port), process)
        yield address("127.0.0.1", port)
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


def change(tab: Page, choice: str, shown: str) -> float:
    """The seconds from the click on a choice until the elements `shown` are others and the run has ended."""
    tab.bring_to_front()  # a tab behind another is drawn once a second
    tab.evaluate(
        "selector => { document.querySelectorAll(selector).forEach(each => each.dataset.before = '1');"
        " window.textBefore = [...document.querySelectorAll(selector)].map(each => each.textContent).join() }",
        shown,
    )
    button = tab.get_by_role("radio", name=choice, exact=True).or_(
        tab.get_by_role("button", name=choice, exact=True)
    )
    started = time.perf_counter()
    button.click()
    tab.wait_for_function(
        "selector => { const found = [...document.querySelectorAll(selector)];"
        " return found.length && (found.every(each => !each.dataset.before)"
        " || found.map(each => each.textContent).join() !== window.textBefore) }",
        arg=shown,
        timeout=120_000,
        polling="raf",
    )
    tab.wait_for_function(_SETTLED, timeout=120_000, polling="raf")
    return time.perf_counter() - started


def queries(settings: Settings, at: str) -> float:
    """The seconds that a page's own queries take, opening the facts included: the median over the periods."""
    query = at.partition("?")[2]
    given = dict(pair.split("=") for pair in query.split("&")) if query else {}
    took = []
    for period in ("week", "4w", "12w", "quarter", "12m", "all"):
        view = from_address(given | {"period": period})
        for _ in range(2):
            started = time.perf_counter()
            for load in PAGES[at][2]:
                load(settings.warehouse, settings, view)
            seconds = time.perf_counter() - started
        took.append(seconds)
    return median(took)


def compare(
    browser: Browser, floor: str, url: str, at: str, rounds: int
) -> tuple[float, float, float, float]:
    """(floor's rerun, ours, floor's first render, ours), medians in seconds."""
    drawn, changes, _ = PAGES[at]
    context = browser.contexts[0]
    smallest, ours = context.new_page(), context.new_page()
    smallest.goto(floor)
    smallest.wait_for_selector(".js-plotly-plot .trace")
    ours.goto(f"{url}/{at}")
    ours.wait_for_selector(drawn, timeout=120_000)
    reruns: list[tuple[float, float]] = []
    firsts: list[tuple[float, float]] = []
    for turn in range(rounds):
        reruns.append(
            (
                change(smallest, ("a", "b")[(turn + 1) % 2], ".js-plotly-plot .gtitle"),
                change(ours, PERIODS[turn % len(PERIODS)], changes),
            )
        )
    for _ in range(max(3, rounds // 2)):
        firsts.append(
            (
                first_render(browser, floor, ".js-plotly-plot .trace"),
                first_render(browser, f"{url}/{at}", drawn),
            )
        )
    smallest.close()
    ours.close()
    rerun, own_rerun, first, own_first = (
        median(column) for pairs in (reruns, firsts) for column in zip(*pairs, strict=True)
    )
    return rerun, own_rerun, first, own_first


def main(changes: int, deployments: int, rounds: int, folder: Path, pages: Sequence[str]) -> None:
    """Prints the table."""
    console = Console(width=120)
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
    size = current(settings.warehouse).stat().st_size / 1e6
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
        "page", "smallest page", "filter change", "times", "smallest first", "first page", "times", "queries"
    )
    with (
        served(command(config, None, "127.0.0.1", port), port, folder) as url,
        served(floor, smallest, folder) as floor_url,
        chromium.launched() as browser,
    ):
        browser.new_context(viewport={"width": 1280, "height": 1000})
        for at in pages:
            rerun, own, first, own_first = compare(browser, floor_url, url, at, rounds)
            asked = queries(settings, at)
            table.add_row(
                at or "overview",
                f"{rerun * 1000:,.0f} ms",
                f"{own * 1000:,.0f} ms",
                f"{own / rerun:.1f}",
                f"{first * 1000:,.0f} ms",
                f"{own_first * 1000:,.0f} ms",
                f"{own_first / first:.1f}",
                f"{asked * 1000:,.0f} ms, {asked / own:.0%}" if PAGES[at][2] else "not separately",
            )
    for column in table.columns[1:]:
        column.justify = "right"
    console.print(table)
    console.print(f"load {os.getloadavg()[0]:.1f}; goals: 3 times, 1.5 times, a third")


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
