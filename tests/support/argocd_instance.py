"""Argo CD applications as its API answers them, served on loopback and polled."""

from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from collectors.argocd.collect import collect
from collectors.contract.items import Checkpoint, Item, Resume
from collectors.contract.records import Coverage, Deployment
from config.sources import ArgoCD
from sample_data.model import ArgoCD as Instance
from sample_data.model import Organisation, PagerDuty
from sample_data.servers.argocd_api import ArgoCDApi
from tests.support.loopback import Loopback

TOKEN = "argo-secret-1"
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
CONFIG = "https://github.com/acme/config.git"
SHAS = [f"{number:040x}" for number in range(1, 30)]


def at(minute: int) -> str:
    return f"2026-11-01T{minute // 60:02}:{minute % 60:02}:00Z"


def entry(id: int, revision: str | None = None, **more: Any) -> dict[str, Any]:
    source = {"repoURL": CONFIG, "path": "apps/web"}
    times = {"deployStartedAt": at(10 * id), "deployedAt": at(10 * id + 1)}
    return {"id": id, "revision": revision or SHAS[id], "source": source, **times, **more}


def application(
    history: list[dict[str, Any]], name: str = "web", uid: str = "u1", **status: Any
) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "argocd", "uid": uid, "labels": {"tier": "front"}},
        "spec": {
            "project": "shop",
            "source": {"repoURL": CONFIG, "path": "apps/web"},
            "destination": {"name": "eu-1", "namespace": "web"},
        },
        "status": {"history": history, **status},
    }


def operation(started: str, phase: str, **more: Any) -> dict[str, Any]:
    sync = {"revision": SHAS[20], **more.pop("sync", {})}
    return {"startedAt": started, "finishedAt": at(999), "phase": phase, "operation": {"sync": sync}, **more}


def serving(
    *applications: dict[str, Any],
    metadata: dict[tuple[str, str], Any] | None = None,
    objects: dict[str, list[dict[str, Any]]] | None = None,
    **faults: Any,
) -> Loopback:
    instance = Instance(list(applications), metadata or {}, objects or {})
    organisation = Organisation("acme", NOW, [], instance, PagerDuty(), {}, {}, {})
    return Loopback(ArgoCDApi(organisation, TOKEN), **faults)


def source_at(url: str, token: str = TOKEN, name: str = "main") -> ArgoCD:
    return ArgoCD.model_construct(name=name, url=url, token=SecretStr(token))


def poll(server: Loopback, cursors: dict[str, Any] | None = None, name: str = "main") -> list[Item]:
    resume = Resume(NOW, datetime(2025, 11, 16, tzinfo=UTC), cursors or {})
    return list(collect(source_at(server.url, name=name), resume))


def deployments(items: list[Item]) -> list[Deployment]:
    return [item for item in items if isinstance(item, Deployment)]


def coverage(items: list[Item]) -> list[Coverage]:
    return [item for item in items if isinstance(item, Coverage)]


def cursors_of(items: list[Item]) -> dict[str, Any]:
    return {item.subject: item.cursor for item in items if isinstance(item, Checkpoint)}
