"""What `sixkeys check` tells first: names and patterns that match nothing, and what is claimed or told twice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.contract.records import (
    Commit,
    Component,
    Coverage,
    Deployment,
    Event,
    Incident,
    Link,
    Record,
    Response,
    WorkflowRun,
)
from config.settings import Settings
from warehouse.storage.store import open_warehouse
from warehouse.trust.matching import PROBLEMS, report

AT = datetime(2026, 11, 2, 10, tzinfo=UTC)


def deployment(**fields: Any) -> Deployment:
    told = {"source": "deployments", "id": "1", "repo": "acme/web", "environment": "production"}
    return Deployment(**told | {"status": "success", "finished_at": AT} | fields)


def answer(**fields: Any) -> Response:
    told = {"round": "Q4", "respondent": "a", "submitted_at": AT, "closes_at": AT, "score": 4}
    return Response(**told | fields)


def found(folder: Path, *records: Record, **settings: Any) -> list[str]:
    own = Settings.model_validate({"organization": "acme", "warehouse": folder / "w.duckdb"} | settings)
    with open_warehouse(own.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(records)
    return [what for part in report(own) if part.title == PROBLEMS for what, _ in part.rows]


WATCHED = Coverage(
    source="import incidents", subject="every service", from_at=AT, until_at=AT + timedelta(days=7)
)
WEB = Component(name="web", owner="shop", repo="acme/web", source_patterns=("cart/**", "crat"))
COMMIT = Commit(repo="acme/web", sha="a", authored_at=AT, committed_at=AT, paths=("cart/main.py",))
RUN = WorkflowRun(
    id=1, attempt=1, repo="acme/web", workflow="ci.yml", sha="a", conclusion="success", created_at=AT
)


@pytest.mark.parametrize(
    ("records", "settings", "said"),
    [
        ([deployment(environment="blue")], {}, "none of 1 environments of deployments is production: blue"),
        (
            [deployment()],
            {"production": {"environments": ["production", "prd-*"]}},
            'production.environments: "prd-*" matches nothing',
        ),
        (
            [WEB, deployment()],
            {"metrics": [{"name": "MTTR", "target": "< 1 day", "overrides": [{"team": "shpo", "target": "< 1 hour"}]}]},
            'metrics: there is no team "shpo", for which MTTR has a target',
        ),
        (
            [deployment(), RUN],
            {"deployments": {"workflows": [{"workflow": "deploy.yml"}]}},
            'deployments.workflows: "deploy.yml" meets no run, nor does a run call it',
        ),
        ([WEB, COMMIT, deployment()], {}, 'web: the source pattern "crat" matches no file of acme/web'),
        (
            [
                Component(name="web", owner="shop", repo="acme/web", pagerduty_services=("P1",)),
                Component(name="api", owner="shop", repo="acme/api", pagerduty_services=("P1",)),
            ],
            {},
            "PagerDuty service P1 is claimed by api, web",
        ),
        (
            [
                Component(name="web", owner="shop", origin="a.yaml"),
                Component(name="web", owner="other", origin="b.yaml"),
            ],
            {},
            "web is told in different ways by a.yaml, b.yaml",
        ),
        (
            [Component(name="web", owner="shop", repo="acme/web", deployments_from="Jenkins"), deployment()],
            {},
            'web: no source called "Jenkins" tells of deployments',
        ),
        (
            [Link(incident_source="ops", incident_id="9", reason="DNS")],
            {},
            "links name incidents that were never read: ops 9",
        ),
        (
            [
                Component(name="web", owner="shop", system="Store"),
                *(
                    Event(id=scope, at=AT, title="x", scope=scope)
                    for scope in ("organisation", "team Shop", "system store", "service WEB", "team ghost")
                ),
            ],
            {},
            "events are told of what is not known: team ghost",
        ),
        ([deployment(source="releases", ref="v1")], {}, "1 releases are read and count nowhere: acme/web"),
        (
            [Component(name="web", owner="Payments"), answer(team="payments"), answer(respondent="b", team="payment")],
            {},
            "survey answers name teams that no catalogue knows: payment (1 answer)",
        ),
        (
            [answer(question="Overall"), answer(round="Q3", question="satisfaction")],
            {},
            'survey rounds without a question "satisfaction" have no satisfaction: Q4',
        ),
        ([answer(question="Overall")], {"survey": {"satisfaction": ["missing", "overall"]}}, None),
        (
            [Component(name="web", owner="shop"), answer(team="Shop squad")],
            {"survey": {"teams": {"shop SQUAD": "shop", "guild": "gilde"}}},
            "survey.teams names teams that no catalogue knows: gilde",
        ),
    ],
)  # fmt: skip
def test_each_is_told_once(
    tmp_path: Path, records: list[Record], settings: dict[str, Any], said: str | None
) -> None:
    assert found(tmp_path, WATCHED, *records, **settings) == ([said] if said else [])


def test_that_nobody_reads_incidents_is_told_once_something_is_deployed(tmp_path: Path) -> None:
    (said,) = found(tmp_path, deployment())
    assert said == "no incidents are read, and 1 services are deployed: failures would not be known"
    assert found(tmp_path, WATCHED) == []


def test_services_whose_incidents_nobody_reads_are_told_beside_those_that_are_read(tmp_path: Path) -> None:
    read = {"from_at": AT, "until_at": AT + timedelta(days=7)}
    said = found(
        tmp_path,
        Component(name="web", owner="shop", repo="acme/web", pagerduty_services=("P1",)),
        *(deployment(id=repo, repo=f"acme/{repo}") for repo in ("web", "cli", "api", "job")),
        deployment(id="staged", repo="acme/never", environment="staging"),
        Incident(source="pagerduty", id="i1", source_service="P1", opened_at=AT),
        Coverage(source="pagerduty", subject="P1", **read),
        Coverage(source="github_issues", subject="acme/api", **read),
        Coverage(source="import incidents", subject="Acme/Job", **read),
    )
    assert said == ["incidents of 1 of 4 deployed services are not read: acme/cli"]
