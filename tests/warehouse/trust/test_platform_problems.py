"""What `sixkeys check` says of requests and of the paved road that meet nothing."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collectors.contract.records import Component, Deployment, Record, Repository, Request, WorkflowRun
from config.settings import Settings
from warehouse.storage.store import open_warehouse
from warehouse.trust.matching import PROBLEMS, report

AT = datetime(2026, 11, 2, 10, tzinfo=UTC)
NAMESPACE = {
    "name": "Namespace",
    "repository": "acme/infra",
    "paths": ["namespaces/*.yaml", "spaces/*.yaml"],
    "kind": "NamespaceRequest",
    "ready": {"applications": ["platform-*"]},
}
DATABASE = {
    "name": "Database",
    "repository": "acme/infra",
    "paths": ["terraform/**"],
    "module": "databse",
    "ready": {"workflow": "apply.yml"},
}
ELSEWHERE = NAMESPACE | {"name": "Queue", "repository": "acme/infrastructure"}
RECORDS = (
    Repository(repo="acme/infra", created_at=AT),
    Component(name="web", owner="shop", repo="acme/web"),
    Deployment(
        source="argocd",
        id="1",
        application="tools",
        unit="main/tools",
        config_repo="acme/infra",
        status="success",
    ),
    WorkflowRun(repo="acme/infra", id=1, workflow="terraform.yml", created_at=AT),
    Request(source="git", id="1", kind="Namespace", team="order-team", opened_at=AT),
)


def found(folder: Path, *rules: dict[str, Any], seen: Any = None, **others: Any) -> dict[str, str]:
    own = Settings.model_validate(
        {"organization": "acme", "warehouse": folder / "w.duckdb", "self_service": {"requests": rules}}
        | others
    )
    records: tuple[Record, ...] = RECORDS
    with open_warehouse(own.warehouse) as warehouse, warehouse.transaction():
        for record in records:
            warehouse.upsert([record])
        if seen:
            warehouse.move_cursor("requests", "acme/infra", {"seen": seen}, AT)
    rows = next(part.rows for part in report(own) if part.title == PROBLEMS)
    return {what: advice for what, advice in rows if "request" in what or "platform" in what}


def test_each_is_told_with_what_was_seen(tmp_path: Path) -> None:
    seen = {
        "Namespace": {"empty": ["spaces/*.yaml"], "has_entry": True},
        "Database": {"empty": [], "has_entry": False},
    }
    told = found(tmp_path, NAMESPACE, DATABASE, ELSEWHERE, seen=seen)
    of = "self_service.requests:"
    assert list(told) == [
        f'{of} Namespace: "spaces/*.yaml" matches no file of acme/infra',
        f'{of} Namespace: "platform-*" matches no application that is deployed from acme/infra',
        f'{of} Database: no file has a module "databse"',
        f'{of} Database: the workflow "apply.yml" meets no run of acme/infra',
        f"{of} Queue: the repository acme/infrastructure was not collected",
        "requests name teams that no catalogue knows: order-team (1)",
    ]
    assert (
        "there are tools"
        in told[f'{of} Namespace: "platform-*" matches no application that is deployed from acme/infra']
    )
    assert "terraform.yml (1)" in told[f'{of} Database: the workflow "apply.yml" meets no run of acme/infra']


def test_what_is_right_is_not_told(tmp_path: Path) -> None:
    seen = {name: {"empty": [], "has_entry": True} for name in ("Namespace", "Database")}
    right = (
        NAMESPACE | {"ready": {"applications": ["tool*"]}},
        DATABASE | {"ready": {"workflow": "terraform.yml"}},
    )
    told = found(tmp_path, *right, seen=seen)
    assert list(told) == ["requests name teams that no catalogue knows: order-team (1)"]


def test_a_word_of_the_road_that_nobody_knows_is_told(tmp_path: Path) -> None:
    road = {
        "language_runtimes": ["Go 1.21+", "Pyhton 3.11+"],
        "databases": {"primary": "PostgreSQL 15", "cache": "Redis 7"},
        "containers": {"base_image": "distroless", "registry": "registry.acme.example"},
        "ci_cd": {"tool": "GitHub Actions", "deployment": "ArgoCD"},
    }
    told = [what for what in found(tmp_path, platform=road) if what.startswith("platform")]
    assert told == ["platform: Pyhton 3.11+ is no runtime that is known here"]
