"""What several test files share: the sample organisation, collected once over its real protocols."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from config.settings import Settings, load_settings
from sample_data.model import Organisation
from sample_data.organisation.build import build_organisation
from sample_data.servers.server import SampleServer
from sample_data.settings import demo_settings
from warehouse.metrics.facts import Facts, open_facts
from warehouse.pipeline import Run, collect

TODAY = date(2026, 11, 16)

# how long an example takes is the machine's business
hypothesis_settings.register_profile("sixkeys", deadline=None)
hypothesis_settings.load_profile("sixkeys")


@dataclass(frozen=True)
class Sample:
    """The sample organisation at 2026-11-16 and its warehouse after two collections; its server has stopped."""

    organisation: Organisation
    config: Path
    settings: Settings
    first_runs: list[Run]
    second_runs: list[Run]
    first_requests: Counter[str]
    second_requests: Counter[str]


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The sample organisation, collected twice; to be read only."""
    folder = tmp_path_factory.mktemp("sample")
    organisation = build_organisation(TODAY, folder / "repositories")
    with SampleServer(organisation) as server:
        config = demo_settings(organisation, server.url, folder, server.token)
        settings = load_settings(config)
        first_runs = collect(settings, now=organisation.now)
        first_requests = Counter(server.requests)
        server.requests.clear()
        second_runs = collect(settings, now=organisation.now)
        second_requests = Counter(server.requests)
    return Sample(organisation, config, settings, first_runs, second_runs, first_requests, second_requests)


@pytest.fixture
def sample_facts(sample: Sample) -> Iterator[Facts]:
    """The sample's published facts, open for one test."""
    with open_facts(sample.settings.warehouse) as facts:
        yield facts
