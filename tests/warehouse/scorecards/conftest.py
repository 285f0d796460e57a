"""An organisation whose week 45 is published and comes out otherwise later: written once, copied for each test."""

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.contract.records import Component, Coverage, Deployment, Incident, Record, Repository
from config.settings import Reports, Settings
from dashboards.scorecards.published_forms import made
from tests.support.small_organisation import built_before
from warehouse.building.build import build
from warehouse.metrics.published_facts import open_facts
from warehouse.scorecards.content import Scorecard, scorecard, scorecards
from warehouse.scorecards.published import publish
from warehouse.storage.store import open_warehouse

MONDAY = datetime(2026, 11, 2, 8, tzinfo=UTC)
FIRST = MONDAY - timedelta(weeks=8)
NEXT, AFTER, LATER = (MONDAY + timedelta(weeks=weeks) for weeks in (1, 2, 3))
Made = Callable[[dict[str, Any]], Mapping[str, str]]


def deployment(id: str, at: datetime, **other: object) -> Deployment:
    known = {"source": "jenkins", "environment": "production", "status": "success", "sha": f"{id:0>40}"}
    return Deployment(
        **{**known, "id": id, "service": "checkout", "started_at": at, "finished_at": at, **other},  # type: ignore[arg-type]
    )


def incident(id: str, opened: datetime, minutes: int | None, **other: object) -> Incident:
    resolved = None if minutes is None else opened + timedelta(minutes=minutes)
    known = {"source": "opsgenie", "service": "checkout", "urgency": "high", "opened_at": opened}
    return Incident(**{**known, "id": id, "resolved_at": resolved, **other})  # type: ignore[arg-type]


def covered(kind: str, service: str = "checkout", until: datetime = LATER) -> Coverage:
    return Coverage(source=f"import {kind}", subject=service, from_at=FIRST, until_at=until)


class Organisation:
    """What is in a folder of an organisation at an instant, and its scorecards."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(
            organization="acme",
            warehouse=folder / "warehouse.duckdb",
            reports=Reports(directory=folder / "scorecards"),
        )
        self.now = NEXT

    def add(self, *records: Record) -> None:
        with open_warehouse(self.settings.warehouse) as warehouse, warehouse.transaction():
            warehouse.upsert(records)
        build(self.settings, self.now)

    def scorecard(self, week: str, **of: str) -> Scorecard:
        with open_facts(self.settings.warehouse) as facts:
            return scorecard(facts, self.settings, week, **of)  # type: ignore[arg-type]

    def publish(self, week: str, made: Made = made) -> list[Scorecard]:
        with open_facts(self.settings.warehouse) as facts:
            found = scorecards(facts, self.settings, week)
            return [publish(facts, self.settings, content, made) for content in found]

    def build_at(self, now: datetime) -> None:
        self.now = now
        self.add()


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `acme`, to be read only."""
    folder = tmp_path_factory.mktemp("acme")
    built_before(folder / "warehouse.duckdb")
    Organisation(folder).add(
        Component(name="checkout", owner="payments", system="shop", repo="acme/checkout"),
        Repository(repo="acme/checkout", created_at=FIRST),
        covered("deployments"),
        covered("incidents"),
        *(deployment(str(n), MONDAY + timedelta(hours=n)) for n in range(1, 12)),
        incident("i-1", MONDAY + timedelta(days=3), 40, url="https://opsgenie.example/i-1"),
    )
    return folder


@pytest.fixture(scope="session")
def once_published(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `published`, to be read only."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copytree(written, folder, dirs_exist_ok=True)
    Organisation(folder).publish("2026-W45")
    return folder


@pytest.fixture
def acme(written: Path, tmp_path: Path) -> Organisation:
    """One service of the team payments, with eleven deployments in week 45 and one incident of 40 minutes."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    return Organisation(tmp_path)


@pytest.fixture
def published(once_published: Path, tmp_path: Path) -> Organisation:
    """The same, whose scorecards of week 45 were published, a week later."""
    shutil.copytree(once_published, tmp_path, dirs_exist_ok=True)
    organisation = Organisation(tmp_path)
    organisation.now = AFTER
    return organisation
