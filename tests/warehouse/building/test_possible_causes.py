"""Of which incidents PagerDuty is asked what changed: those that a deployment could have caused."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.contract.records import ChangeEvent, Component, Deployment, Incident, Link, Record
from config.settings import Settings
from warehouse.building.possible_causes import possibly_caused
from warehouse.storage.store import open_warehouse

AT = datetime(2026, 11, 2, 10, tzinfo=UTC)
EVENT = ChangeEvent(id="E1", reason="related_service", links=("https://ci.example/1",))
COMPONENTS = [
    Component(name="web", owner="shop", repo="acme/web", pagerduty_services=("PWEB",)),
    Component(name="search", owner="shop", repo="acme/search", pagerduty_services=("PSEARCH",)),
    Component(
        name="checkout",
        owner="shop",
        repo="acme/checkout",
        pagerduty_services=("PCHECKOUT",),
        depends_on=("resource:orders", "component:default/Web"),
    ),
    Component(name="database", owner="shop", pagerduty_services=("PDATA",)),
]


def deployed(id: str, repo: str, hours: float, **fields: Any) -> Deployment:
    at = AT + timedelta(hours=hours)
    told = {"source": "deployments", "id": id, "repo": repo, "environment": "production", "status": "success"}
    return Deployment(**told | {"started_at": at, "finished_at": at + timedelta(minutes=10)} | fields)


def opened(id: str, service: str, hours: float, **fields: Any) -> Incident:
    told = {
        "source": "pagerduty",
        "id": id,
        "source_service": service,
        "status": "resolved",
        "urgency": "high",
    }
    return Incident(**told | {"opened_at": AT + timedelta(hours=hours)} | fields)


def asked(folder: Path, records: Iterable[Record], **settings: Any) -> list[Incident]:
    own = Settings.model_validate({"organization": "acme", "warehouse": folder / "w.duckdb"} | settings)
    kept = list(records)
    with open_warehouse(own.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(kept)
    return possibly_caused(own, [one.id for one in kept if isinstance(one, Incident)])


def test_incidents_after_a_deployment_of_their_services_or_of_what_these_depend_on_are_asked_for(
    tmp_path: Path,
) -> None:
    found = asked(
        tmp_path,
        [
            *COMPONENTS,
            deployed("1", "acme/web", 0),
            deployed("2", "acme/search", 200),
            deployed("3", "acme/search", 300, environment="staging"),
            deployed("4", "acme/checkout", -200),
            opened("of what depends on it", "PCHECKOUT", 2),
            opened("before", "PWEB", -0.1),
            opened("while it runs", "PWEB", 0.1),
            opened("two days after", "PWEB", 51, change_events=(EVENT,)),
            opened("three days and more after", "PWEB", 73),
            opened("another's", "PSEARCH", 1),
            opened("of staging", "PSEARCH", 301),
            opened("of what is not deployed", "PDATA", 1),
            opened("of nobody's service", "PNOBODY", 201),
            opened("of what is not deployed, long after", "PDATA", 100),
            opened("linked", "PWEB", 1),
            opened("low", "PWEB", 1, urgency="low"),
            opened("merged", "PWEB", 1, merged_into="before"),
            opened("of GitHub", "acme/web", 1, source="github_issues"),
            Link(incident_source="pagerduty", incident_id="linked", reason="a look at it"),
        ],
    )
    assert [one.id for one in found] == [
        "while it runs",
        "of what is not deployed",
        "of what depends on it",
        "two days after",
        "of nobody's service",
    ]
    assert [one.change_events for one in found if one.id == "two days after"] == [(EVENT,)]


@pytest.mark.parametrize(("window", "ids"), [("24h", []), ("7d", ["late"])])
def test_a_longer_window_of_failures_is_looked_at_as_a_whole(
    tmp_path: Path, window: str, ids: list[str]
) -> None:
    records = [*COMPONENTS, deployed("1", "acme/web", 0), opened("late", "PWEB", 140)]
    found = asked(tmp_path, records, incidents={"window": window})
    assert [one.id for one in found] == ids
