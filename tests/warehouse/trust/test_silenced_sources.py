"""Sources that are left out, since another one speaks for the service: how many rows, and where that is surprising."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from collectors.contract.records import Component, Deployment, Record
from config.settings import Settings
from warehouse.building.build import build
from warehouse.metrics.published_facts import open_facts
from warehouse.storage.store import open_warehouse
from warehouse.trust.matching import PROBLEMS, report
from warehouse.trust.silenced import SilencedSource, silenced_sources

MONDAY = datetime(2026, 11, 2, 10, tzinfo=UTC)
NOW = MONDAY + timedelta(days=14)


def told(source: str, service: str, day: int, environment: str = "production", **more: str) -> Deployment:
    return Deployment(
        **{
            "source": source,
            "id": f"{source}-{service}-{environment}-{day}",
            "repo": f"acme/{service}",
            "environment": environment,
            "status": "success",
            "finished_at": MONDAY + timedelta(days=day),
        }
        | more
    )


def written(folder: Path, *records: Record) -> Settings:
    settings = Settings(organization="acme", warehouse=folder / "w.duckdb")
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(records)
    build(settings, NOW)
    return settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return written(
        tmp_path_factory.mktemp("silenced"),
        *(Component(name=name, owner="payments", repo=f"acme/{name}") for name in ("web", "api")),
        Component(name="shop", owner="shop", repo="acme/shop", deployments_from="deployments"),
        # jenkins has more of web and of shop, in one environment; of api as much, in two
        *(told("deployments", name, 0) for name in ("web", "api", "shop")),
        *(told("jenkins", "web", day) for day in range(4)),
        told("jenkins", "web", 5, status="failure"),
        *(told("jenkins", "api", 1, environment) for environment in ("prod-eu", "prod-us")),
        *(told("jenkins", "shop", day) for day in range(3)),
    )


def test_they_are_counted_by_service_with_their_days(settings: Settings) -> None:
    with open_facts(settings.warehouse) as facts:
        assert silenced_sources(facts, date(2026, 11, 1), date(2026, 11, 16)) == (
            SilencedSource("web", "deployments", "jenkins", 5, date(2026, 11, 2), date(2026, 11, 7)),
            SilencedSource("shop", "deployments", "jenkins", 3, date(2026, 11, 2), date(2026, 11, 4)),
            SilencedSource("api", "deployments", "jenkins", 2, date(2026, 11, 3), date(2026, 11, 3)),
        )


def test_they_are_those_of_the_range_and_of_what_it_is_narrowed_to(settings: Settings) -> None:
    with open_facts(settings.warehouse) as facts:
        found = silenced_sources(facts, date(2026, 11, 3), date(2026, 11, 5), {"team": "payments"})
    assert [(one.service, one.rows) for one in found] == [("api", 2), ("web", 2)]


def test_check_lists_them(settings: Settings) -> None:
    (part,) = [part for part in report(settings) if part.title.startswith("Left out, since")]
    assert part.columns[:4] == ("service", "told by", "left out", "rows")
    assert part.rows[0] == ("web", "deployments", "jenkins", 5, date(2026, 11, 2), date(2026, 11, 7))


def test_it_is_a_problem_where_more_is_left_out_than_counts_and_nobody_said_so(settings: Settings) -> None:
    found = {what: advice for what, advice in report(settings)[0].rows if what.startswith("services told by")}
    assert report(settings)[0].title == PROBLEMS
    assert found == {
        "services told by GitHub deployments have more deployments left out, of jenkins: web (1 told, 4 left out)":
        "where jenkins are right, the component says sixkeys.dev/deployments-from: jenkins"
    }  # fmt: skip


def test_what_ranks_lower_and_has_less_is_none(tmp_path: Path) -> None:
    own = written(
        tmp_path,
        Component(name="web", owner="payments", repo="acme/web"),
        *(told("deployments", "web", day) for day in range(2)),
        *(told("jenkins", "web", day) for day in range(2)),
    )
    assert not [what for what, _ in report(own)[0].rows if what.startswith("services told by")]
