"""Collecting from an organisation of size: what it costs in requests, and that it can be killed at any point."""

import multiprocessing
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from collectors.contract.records import RECORDS
from config.settings import Settings, load_settings
from sample_data.model import Organisation
from sample_data.organisation.scale import build_large, large_settings
from sample_data.servers.server import SampleServer
from tests.support.places import LONG
from warehouse.pipeline import collect
from warehouse.storage.store import open_warehouse

KILLS = 20 if LONG else 8
KILLS_ALWAYS = 3


def content(settings: Settings) -> dict[str, list[str]]:
    """All rows of the source tables."""
    with open_warehouse(settings.warehouse) as warehouse:
        return {
            table: sorted(map(repr, warehouse.connection.execute(f"from {table}").fetchall()))
            for table in RECORDS
            if table not in ("owners", "memberships")  # have when each was first seen
        }


def read(settings: Settings, organisation: Organisation) -> None:
    runs = collect(settings, now=organisation.now)
    assert [run.error for run in runs if run.error] == []


def counts(settings: Settings) -> dict[str, int]:
    return {table: len(rows) for table, rows in content(settings).items()}


@pytest.mark.parametrize(
    ("repositories", "pull_requests", "deployments", "incidents"),
    [(12, 96, 48, 24), pytest.param(50, 2000, 1000, 250, marks=pytest.mark.soak)],
)
def test_what_a_first_run_and_a_later_one_cost(
    tmp_path: Path, repositories: int, pull_requests: int, deployments: int, incidents: int
) -> None:
    # benchmarks/collect.py does the same at 200 repositories
    organisation = build_large(tmp_path / "repositories", repositories, pull_requests, deployments, incidents)
    with SampleServer(organisation) as server:
        settings = load_settings(large_settings(organisation, server.url, tmp_path / "w", server.token))
        read(settings, organisation)
        first, points = Counter(server.requests), server.points
        server.requests.clear()
        read(settings, organisation)
        second, later_points = Counter(server.requests), server.points - points
    found = counts(settings)
    assert (found["pull_requests"], found["deployments"], found["incidents"]) == (
        pull_requests,
        deployments,
        incidents,
    )
    assert found["commits"] == pull_requests + repositories
    listing, of_deployments = 1, -(-repositories // 5)
    assert first["github graphql"] <= listing + pull_requests * 3 // 100 + of_deployments
    # of each of a hundred repositories its topics and lists, of a pull request its labels, commits, reviews, what made
    # it ready and the parents of two commits, of a deployment its statuses
    listed = -(-repositories // 100) * 401
    lists = listed + repositories * 2 + pull_requests * 6 + deployments
    assert points <= lists / 100 + first["github graphql"] / 2, "each query is rounded"
    assert later_points == round(listed / 100)
    assert first["github rest"] == 0
    assert {source: n for source, n in second.items() if n > 1} == {}, "one a source and 50 repositories"


@dataclass(frozen=True)
class Undisturbed:
    """A small organisation, its server, and what a run that nobody kills collects in how many requests."""

    organisation: Organisation
    server: SampleServer
    content: dict[str, list[str]]
    requests: int


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    folder = tmp_path_factory.mktemp("small")
    organisation = build_large(folder / "repositories", 4, 120, 40, 6)
    with SampleServer(organisation) as server:
        settings = load_settings(large_settings(organisation, server.url, folder / "w", server.token))
        read(settings, organisation)
        yield Undisturbed(organisation, server, content(settings), server.requests.total())


@pytest.mark.parametrize(
    "seed",
    [
        *range(KILLS_ALWAYS),
        *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(KILLS_ALWAYS, KILLS)),
    ],
)
def test_a_run_killed_anywhere_and_repeated_ends_as_an_undisturbed_one(
    undisturbed: Undisturbed, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    organisation, server = undisturbed.organisation, undisturbed.server
    settings = load_settings(large_settings(organisation, server.url, tmp_path, server.token))
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["warehouse.pipeline"])
    process = processes.Process(target=collect, args=[settings], kwargs={"now": organisation.now})
    last = server.requests.total() + chance.randint(1, undisturbed.requests)
    process.start()
    while process.is_alive() and server.requests.total() < last:
        process.join(timeout=0.002)
    process.join(timeout=chance.random() / 4)  # somewhere between two requests, or after the last one
    process.kill()
    process.join()
    read(settings, organisation)
    assert content(settings) == undisturbed.content
