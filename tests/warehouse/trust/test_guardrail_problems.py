"""What `sixkeys check` says of guardrails for which nothing is read, or which leave a word open."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collectors.contract.managed_objects import ManagedObject
from collectors.contract.records import Deployment, Record
from config.settings import Settings
from warehouse.storage.store import open_warehouse
from warehouse.trust.matching import PROBLEMS, report

AT = datetime(2026, 11, 2, 10, tzinfo=UTC)
SYNC = Deployment(source="argocd", id="1", application="web", unit="main/web", status="success")
OBJECT = ManagedObject(source="audit", application="web", kind="Role", name="all", from_at=AT)
NOTHING = "guardrails: nothing that runs in production was read"


def found(
    folder: Path, security: dict[str, Any], *records: Record, path: str | None = None
) -> dict[str, str]:
    paths = [{"name": "web", "guardrails": [path]}] if path else []
    own = Settings.model_validate(
        {
            "organization": "acme",
            "warehouse": folder / "w.duckdb",
            "security": security,
            "golden_paths": paths,
        }
    )
    with open_warehouse(own.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(records)
    rows = [row for part in report(own) if part.title == PROBLEMS for row in part.rows]
    return {what: advice for what, advice in rows if what.startswith("guardrails")}


def test_nothing_read_is_told_with_what_to_mend(tmp_path: Path) -> None:
    deny = {"defaults": {"network_policy": "deny-all"}}
    assert found(tmp_path, deny) == {NOTHING: "name Argo CD in sources.argocd, or import managed_objects"}
    told = found(tmp_path, deny, SYNC)
    assert told[NOTHING].startswith("mend production.environments")
    assert found(tmp_path, deny, OBJECT) == {}
    assert found(tmp_path, {"defaults": {"image_scanning": "trivy"}}) == {}


def test_labels_that_nobody_named_are_told(tmp_path: Path) -> None:
    assert found(tmp_path, {}, OBJECT, path="Required labels") == {
        "guardrails: which labels are required is not said, app.kubernetes.io/name is taken": (
            "name them in security.guardrails.required_labels"
        )
    }
    named = {"guardrails": {"required_labels": ["team"]}}
    assert found(tmp_path, named, OBJECT, path="Required labels") == {}
