"""What happened belongs to who owned the service then, also after the catalogue has changed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.contract.records import Component, Coverage, Deployment, Incident, Owner, Repository
from config.settings import Settings
from dashboards.frame.view import Filters
from dashboards.overview.this_week import is_told_to, week_as_a_whole
from warehouse.building.build import build
from warehouse.metrics.periods import week_of
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import compute
from warehouse.storage.store import open_warehouse

NOW = datetime.now(UTC)


def component(owner: str) -> Component:
    return Component(name="app", owner=owner, system="shop", repo="acme/app", pagerduty_services=("P1",))


def rows(day: int) -> list[Deployment | Incident]:
    at = NOW + timedelta(days=day)
    return [
        Deployment(
            source="import", id=f"d{day}", service="app", sha=f"{day}", status="success", finished_at=at
        ),
        Incident(
            source="pagerduty",
            id=f"i{day}",
            source_service="P1",
            urgency="high",
            opened_at=at + timedelta(minutes=5),
            resolved_at=at + timedelta(minutes=15),
        ),
    ]


def changed_hands(folder: Path, as_of: datetime) -> Settings:
    """A service that team `before` owned until now and team `after` owns since."""
    settings = Settings(organization="acme", warehouse=folder / "w.duckdb")
    covered = Coverage(
        source="import deployments",
        subject="app",
        from_at=NOW - timedelta(days=9),
        until_at=NOW + timedelta(days=9),
    )
    seen = Owner(
        component="app", team="before", system="shop", from_at=NOW - timedelta(days=30), is_seen=True
    )
    created = Repository(repo="acme/app", created_at=NOW - timedelta(days=9))
    with open_warehouse(settings.warehouse) as warehouse:
        for batch in (
            [component("before"), seen, covered, created, *rows(-5), *rows(5)],
            [component("after")],
        ):
            with warehouse.transaction():
                warehouse.upsert(batch)
    build(settings, as_of)
    return settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """As of a day on which both teams have had a deployment and an incident."""
    return changed_hands(tmp_path_factory.mktemp("both"), NOW + timedelta(days=8))


@pytest.fixture(scope="module")
def shortly_after(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """As of a day whose last completed week is that of the former owner's deployment."""
    return changed_hands(tmp_path_factory.mktemp("shortly_after"), NOW + timedelta(days=2))


def test_facts_keep_the_team_of_their_time(settings: Settings) -> None:
    with open_facts(settings.warehouse) as facts:
        for table in ("deployments", "incidents", "recoveries"):
            found = facts.connection.execute(f"select f.team from {table} as f order by f.at").fetchall()
            assert found == [("before",), ("after",)], table
        assert facts.connection.execute("select f.team from repositories as f").fetchall() == [("before",)]


def test_both_teams_have_their_numbers(settings: Settings) -> None:
    with open_facts(settings.warehouse) as facts:
        values = {v.name: v for v in compute(facts, settings, "team", metrics=["deployment_frequency"])}
    assert {name: value.n for name, value in values.items()} == {"after": 1, "before": 1}
    # each is divided by the days on which the service was its own
    assert values["before"].value == pytest.approx(1 / 9, rel=0.2)
    assert values["after"].value == pytest.approx(1 / 9, rel=0.2)


def test_the_service_keeps_all_its_rows(settings: Settings) -> None:
    with open_facts(settings.warehouse) as facts:
        (value,) = compute(facts, settings, "service", metrics=["deployment_frequency"])
    assert value.n == 2


@pytest.mark.parametrize(
    ("view", "own", "visible", "is_told"),
    [
        (Filters(team="before"), {"guests"}, set(), False),
        (Filters(system="shop"), {"after"}, {"app"}, False),
        (Filters(), {"after"}, {"app"}, False),
        (Filters(team="before"), {"before"}, set(), True),
        (Filters(system="shop"), None, {"app"}, True),
    ],
)
def test_who_owns_a_service_now_is_not_told_what_happened_to_the_former_owner(
    shortly_after: Settings, view: Filters, own: set[str] | None, visible: set[str], is_told: bool
) -> None:
    monday = week_of((NOW + timedelta(days=2)).date()) - timedelta(weeks=1)
    told = week_as_a_whole(shortly_after.warehouse, shortly_after, view, monday, 0.0)
    assert any("deployment" in sentence.text for sentence in told)
    assert is_told_to(view, own, visible) is is_told
