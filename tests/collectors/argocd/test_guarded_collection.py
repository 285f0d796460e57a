"""Guardrails from Argo CD to the facts: what a collection asks for, keeps and makes of it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from collectors.contract.records import Component
from config.platform_team.guardrails import Security
from config.settings import Settings
from config.sources import ArgoCD, Sources
from tests.support.argocd_instance import NOW, TOKEN, application, entry, serving
from tests.support.hostile.cluster_objects import SECRET, container, everything, workload
from tests.support.loopback import Loopback
from warehouse.loading.guarded_objects import guarded_objects
from warehouse.metrics.published_facts import open_facts
from warehouse.pipeline import collect
from warehouse.storage.store import open_warehouse

RULES: dict[str, Any] = {
    "network_policy": "deny-all",
    "resources": {"limits": {"memory": "512Mi"}},
    "secrets": "External secrets operator",
}


def settings_of(server: Loopback, folder: Path, defaults: dict[str, Any] = RULES) -> Settings:
    return Settings(
        organization="acme",
        warehouse=folder / "acme.duckdb",
        sources=Sources(argocd=[ArgoCD(url=server.url, token=SecretStr(TOKEN))]),
        production={"environments": ["eu-*"]},  # type: ignore[arg-type]
        security=Security.model_validate({"defaults": defaults}),
    )


def synced(name: str, uid: str, revision: str = "a", cluster: str = "eu-1") -> dict[str, Any]:
    found = application([entry(1)], name, uid, sync={"status": "Synced", "revision": revision})
    found["spec"]["destination"] = {"name": cluster, "namespace": name}
    return found


def held(settings: Settings) -> dict[str, list[Any]]:
    with open_facts(settings.warehouse) as facts:
        rows = facts.connection.execute(
            "select rule, kind, name, holds, reason from guardrails where service = 'web' order by all"
        ).fetchall()
    return {rule: [row[1:] for row in rows if row[0] == rule] for rule, *_ in rows}


def asked(server: Loopback) -> list[str]:
    return [path.partition("?")[0] for path in server.requests if "managed-resources" in path]


def test_guardrails_are_judged_by_what_argo_cd_runs_and_no_secret_reaches_the_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = workload(container(resources={"limits": {"memory": [SECRET]}}), name="broken")
    objects = {"web": [*everything(), broken], "web-staging": [workload()]}
    apps = synced("web", "u1"), synced("web-staging", "u2", cluster="staging")
    with serving(*apps, objects=objects) as server:
        settings = settings_of(server, tmp_path)
        with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
            warehouse.upsert([Component(name="web", argocd_apps=("web",))])
        (run,) = collect(settings, now=NOW)
        assert run.error is None
        assert run.counts["managed_objects"] == 15
        assert asked(server) == ["/api/v1/applications/web/managed-resources"]
    found = held(settings)
    assert found["Network policy"] == [("Namespace", "web", True, None)]
    assert found["Secrets"] == [
        ("Secret", "db", False, "is a plain Secret (Opaque) that no ExternalSecret owns")
    ]
    limits = {name: (holds, reason) for _, name, holds, reason in found["Resource limits"]}
    assert limits["deployment"] == (True, None)
    assert limits["broken"] == (None, "it could not be read")
    with open_warehouse(settings.warehouse) as warehouse:
        (aside,) = warehouse.connection.execute("select kind, reason from quarantine").fetchall()
    assert aside == ("managed_objects", "resources: memory is no quantity")
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET.encode() not in kept
    assert SECRET not in caplog.text
    # what changed replaces what was, what is gone counts no more, and what was mended leaves the quarantine
    mended = workload(container(resources={}), name="broken")
    with serving(synced("web", "u1", "b"), objects={"web": [mended]}) as server:
        settings = settings_of(server, tmp_path)
        (run,) = collect(settings, now=NOW + timedelta(days=1))
        assert run.counts["managed_objects"] == 15
        assert len(asked(server)) == 1
    found = held(settings)
    assert found["Network policy"] == [("Namespace", "web", False, "no policy denies by default")]
    assert found["Resource limits"] == [("Deployment", "broken", False, "web: memory limit is missing")]
    assert found["Secrets"] == [("Service", "web", True, None)]
    with open_facts(settings.warehouse) as facts:
        last = "(select max(day) from guarded_services)"
        ((reason,),) = facts.connection.execute(
            f"select reason from guarded_services where day = {last}"
        ).fetchall()
    assert reason == (
        "Network policy: Namespace web (no policy denies by default);"
        " Resource limits: Deployment broken (web: memory limit is missing)"
    )
    with open_warehouse(settings.warehouse) as warehouse:
        assert warehouse.connection.execute("from quarantine").fetchall() == []


def test_clusters_are_asked_where_a_guardrail_is_about_what_runs_there(tmp_path: Path) -> None:
    with serving() as server:
        scans_only = settings_of(server, tmp_path, {"image_scanning": "trivy"})
        assert guarded_objects(scans_only, "main") is None
        guarded = guarded_objects(settings_of(server, tmp_path), "main")
        assert guarded
        assert guarded.is_production("web", "shop", "eu-1", "web")
        assert not guarded.is_production("web", "shop", "staging", "web")
