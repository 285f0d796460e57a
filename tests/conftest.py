"""What several test files share: the sample organisation, collected once over its real protocols, and the small one."""

import gc
import os
import pickle
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser

from collectors.contract.records import Record
from config.settings import Settings, load_settings
from sample_data.model import Organisation
from sample_data.organisation.build import build_organisation
from sample_data.servers.server import SampleServer
from sample_data.settings import demo_settings
from tests.support import chromium, processors, running_dashboard, small_organisation
from tests.support.running_dashboard import Running
from warehouse.building.build import build
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import open_facts
from warehouse.pipeline import collect
from warehouse.storage.store import open_warehouse

T = TypeVar("T")
TODAY = date(2026, 11, 16)
SURVEY_KEY = b"0123456789abcdef0123456789abcdef"

# how long an example takes is the machine's business
hypothesis_settings.register_profile("sixkeys", deadline=None)
hypothesis_settings.load_profile("sixkeys")


def pytest_configure() -> None:
    """Each worker works on a processor of its own."""
    processors.take_one()


def pytest_collection_finish() -> None:
    """What is loaded by now stays, so that the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    gc.unfreeze()


@dataclass(frozen=True)
class Sample:
    """The sample organisation at 2026-11-16 and its warehouse after two collections; its server has stopped.

    `errors` are those of both collections, source by source.
    """

    organisation: Organisation
    config: Path
    settings: Settings
    errors: list[str | None]
    first_requests: Counter[str]
    second_requests: Counter[str]


@dataclass(frozen=True)
class Small:
    """The small organisation of tests/support in a folder of its own."""

    folder: Path
    settings: Settings

    @property
    def config(self) -> Path:
        return self.folder / "sixkeys.yaml"

    def copied(self, folder: Path, *more: Record) -> "Small":
        """The same in another folder, to be written to, and with `more` records."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        warehouse = folder / self.settings.warehouse.name
        own = Small(folder, self.settings.model_copy(update={"warehouse": warehouse}))
        if more:
            with open_warehouse(warehouse) as opened, opened.transaction():
                opened.upsert(more)
            build(own.settings, small_organisation.NOW)
        return own


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of a run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def once(shared_folder: Path, name: str, make: Callable[[Path], T]) -> T:
    """What `make` returns for a new folder, made by the first worker that asks for it; to be read only."""
    folder = shared_folder / name
    kept = folder.with_suffix(".pickle")
    with FileLock(folder.with_suffix(".lock")):
        if not kept.exists():
            folder.mkdir()
            kept.write_bytes(pickle.dumps(make(folder)))
    return pickle.loads(kept.read_bytes())


@pytest.fixture(scope="session")
def sample(shared_folder: Path) -> Sample:
    """The sample organisation, collected twice; to be read only."""
    return once(shared_folder, "sample", _collected_twice)


def _collected_twice(folder: Path) -> Sample:
    organisation = build_organisation(TODAY, folder / "repositories")
    with SampleServer(organisation) as server:
        config = demo_settings(organisation, server.url, folder, server.token)
        settings = load_settings(config)
        first_runs = collect(settings, now=organisation.now)
        first_requests = Counter(server.requests)
        server.requests.clear()
        second_runs = collect(settings, now=organisation.now)
        second_requests = Counter(server.requests)
    return Sample(
        organisation,
        config,
        settings,
        [run.error for run in [*first_runs, *second_runs]],
        first_requests,
        second_requests,
    )


@pytest.fixture(scope="session")
def small(shared_folder: Path) -> Small:
    """The small organisation; to be read only."""
    return once(shared_folder, "small", lambda folder: Small(folder, small_organisation.write(folder)))


@pytest.fixture
def sample_facts(sample: Sample) -> Iterator[Facts]:
    """The sample's published facts, open for one test."""
    with open_facts(sample.settings.warehouse) as facts:
        yield facts


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one browser of a worker."""
    with chromium.launched() as launched:
        yield launched


@pytest.fixture(scope="session")
def small_dashboard(
    small: Small, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """The dashboard of a copy of the small organisation as a process, one for each worker; it has a survey page.

    Newer facts may be built for a while; what is there afterwards is to be as before.
    """
    own = small.copied(tmp_path_factory.mktemp("small"), small_organisation.STILL_OPEN)
    (own.folder / "key").write_bytes(SURVEY_KEY)
    # no page needs the secrets of a source
    token = "sources: {pagerduty: {token: file:not_there}}\n"
    own.config.write_text(own.config.read_text() + token + "survey_page: {key: file:key}\n")
    (own.folder / "config.py").write_text("raise RuntimeError('the user\\'s own module, not ours')\n")
    with running_dashboard.running(own.config, own.settings, browser) as dashboard:
        yield dashboard


@pytest.fixture(scope="session")
def sample_dashboard(sample: Sample, browser: Browser) -> Iterator[Running]:
    """The dashboard of the sample organisation as a process, one for each worker; to be read only."""
    with running_dashboard.running(sample.config, sample.settings, browser) as dashboard:
        yield dashboard
