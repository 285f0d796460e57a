"""What acme's applications run in their clusters: `search` as the platform team wants it, others with their misses.

Each object is as `kubectl get -o json` shows it, as far as anybody looks at it.
"""

from collections.abc import Iterator
from typing import Any

from sample_data.organisation.gitops import Application

Json = dict[str, Any]
_TEAMS = {"search": "storefront", "fraud-scoring": "payments", "notifications": "platform"}
_APPS, _BATCH = "apps/v1", "batch/v1"
_RBAC = "rbac.authorization.k8s.io/v1"
_WITHIN = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}}


def objects_of(application: Application, image: str) -> list[Json]:
    """The objects of an application whose workload runs `image`; none of staging, which nobody asks for."""
    if application.name.endswith("-staging"):
        return []
    return [*_OBJECTS[application.repo](application.repo, image)]


def _search(name: str, image: str) -> Iterator[Json]:
    yield _workload(
        name, name, [_container(name, image, {**_WITHIN, "requests": {"cpu": 0.05, "memory": "96Mi"}})]
    )
    yield _policy(
        name, "default-deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{}]}
    )
    yield _policy(
        name,
        "from-ingress",
        {"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}, "ingress": [{}]},
    )
    yield _object(
        "external-secrets.io/v1", "ExternalSecret", name, "search-index", spec={"refreshInterval": "1h"}
    )
    owner = {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "search-index"}
    yield _secret(name, "search-index", ownerReferences=[owner])
    yield _object(
        _RBAC, "Role", name, "reader", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    )
    yield _binding("RoleBinding", name, "reader", "Role", "reader")


def _fraud_scoring(name: str, image: str) -> Iterator[Json]:
    wide = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "500m", "memory": "1Gi"}}
    yield _workload(name, name, [_container(name, image, wide)])
    retrain = _container("retrain", "python:latest", {})
    yield _workload(name, "retrain", [retrain], kind="CronJob", labels={"app.kubernetes.io/name": "retrain"})
    yield _policy(name, "from-payments", {"podSelector": {"matchLabels": {"app": name}}, "ingress": [{}]})
    yield _secret(name, "model-store")
    yield _object(
        _RBAC, "Role", name, "operator", rules=[{"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}]
    )


def _notifications(name: str, image: str) -> Iterator[Json]:
    yield _workload(name, name, [_container(name, image.rpartition(":")[0] + ":build-1388", _WITHIN)])
    yield _policy(name, "default-deny", {"podSelector": {}, "policyTypes": ["Ingress"]})
    yield _object("external-secrets.io/v1", "ExternalSecret", name, "smtp", spec={"refreshInterval": "1h"})
    yield _binding("ClusterRoleBinding", "", "notifications-debug", "ClusterRole", "cluster-admin")


_OBJECTS = {"search": _search, "fraud-scoring": _fraud_scoring, "notifications": _notifications}


def _object(version: str, kind: str, namespace: str, name: str, **content: Any) -> Json:
    about: Json = {"name": name, "uid": f"{kind}-{namespace}-{name}".lower(), "generation": 1}
    if namespace:
        about["namespace"] = namespace
    about |= content.pop("about", {})
    return {"apiVersion": version, "kind": kind, "metadata": about, **content}


def _workload(
    namespace: str, name: str, containers: list[Json], kind: str = "Deployment", labels: Json | None = None
) -> Json:
    known = {"app.kubernetes.io/name": name, "acme.example/team": _TEAMS[namespace]}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}
    spec: Json = {"replicas": 2, "template": template}
    if kind == "CronJob":
        spec = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}}
    about = {"labels": known if labels is None else labels}
    return _object(_BATCH if kind == "CronJob" else _APPS, kind, namespace, name, about=about, spec=spec)


def _container(name: str, image: str, resources: Json) -> Json:
    environment = [{"name": "LOG_LEVEL", "value": "info"}, {"name": "API_KEY", "value": "of-the-sample"}]
    return {"name": name, "image": image, "env": environment, "resources": resources}


def _policy(namespace: str, name: str, spec: Json) -> Json:
    return _object("networking.k8s.io/v1", "NetworkPolicy", namespace, name, spec=spec)


def _secret(namespace: str, name: str, **about: Any) -> Json:
    return _object(
        "v1", "Secret", namespace, name, about=about, type="Opaque", data={"token": "b2YtdGhlLXNhbXBsZQ=="}
    )


def _binding(kind: str, namespace: str, name: str, role_kind: str, role: str) -> Json:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role}
    subjects = [{"kind": "ServiceAccount", "name": name, "namespace": namespace or "notifications"}]
    return _object(_RBAC, kind, namespace, name, roleRef=reference, subjects=subjects)
