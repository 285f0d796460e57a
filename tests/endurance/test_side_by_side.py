"""Readers, imports, deliveries, collections and builds at once: nobody fails, waits long, or sees half a build."""

import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.endurance.writers import Undisturbed, place
from tests.support.command_line import COMMAND
from tests.support.places import LONG
from warehouse.building.steps import published_tables
from warehouse.metrics.published_facts import open_facts

SECONDS = (
    600 if LONG else 60
)  # and on a slow machine until several builds were published, five times as long at most
SEVERAL = 4
READERS = 50
PATIENCE = 5.0  # seconds that a reader may wait
ONE_AT_A_TIME = re.compile("is collecting; let it finish|is delivering; what is due is left to it")


@pytest.mark.soak
def test_readers_and_writers_are_in_nobodys_way(undisturbed: Undisturbed, tmp_path: Path) -> None:
    here = place(tmp_path / "w", undisturbed.organisation, undisturbed.server)
    here.all()
    here.run("build")  # with what was imported
    warehouse = here.folder / "warehouse.duckdb"
    with open_facts(warehouse) as facts:
        (published,) = facts.connection.execute("select count(*) from deployments").fetchall()
    began_at = time.monotonic()
    wrong: list[str] = []
    slowest = [0.0]
    seen: set[Path] = set()

    def goes_on() -> bool:
        return not wrong and time.monotonic() - began_at < SECONDS * (1 if len(seen) >= SEVERAL else 5)

    def again_and_again(step: Callable[[], None]) -> threading.Thread:
        def work() -> None:
            while goes_on():
                try:
                    step()
                except Exception as error:
                    wrong.append(f"{type(error).__name__}: {error}")

        thread = threading.Thread(target=work)
        thread.start()
        return thread

    def read() -> None:
        began = time.monotonic()
        with open_facts(warehouse) as facts:
            assert facts.warning is None, facts.warning
            for table in published_tables():
                facts.connection.execute(f"select count(*) from {table}").fetchall()
            (deployments,) = facts.connection.execute("select count(*) from deployments").fetchall()
            seen.add(facts.path)
        assert deployments == published
        slowest[0] = max(slowest[0], time.monotonic() - began)
        time.sleep(READERS / 25)  # a person who reads, not a load test

    def write(*arguments: str) -> Callable[[], None]:
        def step() -> None:
            done = subprocess.run(
                [*COMMAND, *arguments], cwd=here.folder, capture_output=True, text=True, timeout=120
            )
            assert done.returncode == 0 or ONE_AT_A_TIME.search(done.stderr), done.stderr

        return step

    threads = [again_and_again(read) for _ in range(READERS)]
    for arguments in (
        ("import", "deployments", "deployments.jsonl"),
        ("deliver",),
        ("collect",),
        ("build",),
        ("metrics", "--by", "team"),
        ("scorecard", "--week", "2026-W44", "--publish"),
    ):
        threads.append(again_and_again(write(*arguments)))
    for thread in threads:
        thread.join()
    assert wrong == []
    assert slowest[0] < PATIENCE
    assert len(seen) >= SEVERAL, "several builds were published meanwhile"
    assert here.stored() == undisturbed.place.stored()
