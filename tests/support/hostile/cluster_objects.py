"""Kubernetes objects as a cluster has them, with secrets wherever people put them."""

from typing import Any

SECRET = "hunter2-of-the-sample"
LEAKY = {
    "annotations": {"kubectl.kubernetes.io/last-applied-configuration": f'{{"data": "{SECRET}"}}'},
    "managedFields": [{"manager": SECRET, "fieldsV1": {SECRET: {}}}],
}
BOUNDED = {
    "requests": {"cpu": "100m", "memory": "128Mi"},
    "limits": {"cpu": "500m", "memory": "512Mi"},
}


def about(name: str, namespace: str = "web", **more: Any) -> dict[str, Any]:
    placed = {"namespace": namespace} if namespace else {}
    return {"name": name, "labels": {"app.kubernetes.io/name": name}, **placed, **LEAKY, **more}


def container(name: str = "web", image: str = "acme/web:1", **more: Any) -> dict[str, Any]:
    env = [{"name": "PASSWORD", "value": SECRET}]
    return {"name": name, "image": image, "args": [SECRET], "env": env, "resources": BOUNDED, **more}


def workload(
    *containers: dict[str, Any], kind: str = "Deployment", name: str = "web", **more: Any
) -> dict[str, Any]:
    pod: dict[str, Any] = {"containers": list(containers) or [container()], **more}
    template = {"metadata": {"annotations": {"token": SECRET}}, "spec": pod}
    spec: dict[str, Any] = {"replicas": 2, "template": template}
    version = "apps/v1"
    if kind in ("CronJob", "Job"):
        version, spec = "batch/v1", {"template": template}
        spec = {"jobTemplate": {"spec": spec}} if kind == "CronJob" else spec
    elif kind == "Pod":
        version, spec = "v1", pod
    elif kind == "Rollout":
        version = "argoproj.io/v1alpha1"
    return {"apiVersion": version, "kind": kind, "metadata": about(name), "spec": spec}


def network_policy(name: str = "default-deny", namespace: str = "web", **spec: Any) -> dict[str, Any]:
    spec = spec or {"podSelector": {}, "policyTypes": ["Ingress"]}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    return {**kind, "metadata": about(name, namespace), "spec": spec}


def secret(name: str = "db", type: str = "Opaque", **more: Any) -> dict[str, Any]:
    values = {"data": {"password": SECRET}, "stringData": {"user": SECRET}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": about(name, **more), "type": type, **values}


def external_secret(name: str = "db") -> dict[str, Any]:
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": about(name),
        "spec": {"data": [{"secretKey": SECRET}]},
    }


def role(*rules: dict[str, Any], kind: str = "Role", name: str = "reader") -> dict[str, Any]:
    namespace = "web" if kind == "Role" else ""
    version = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind}
    return {**version, "metadata": about(name, namespace), "rules": list(rules)}


def binding(to: str, kind: str = "RoleBinding", name: str = "reader") -> dict[str, Any]:
    role_kind, _, role_name = to.partition("/")
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role_name}
    namespace = "web" if kind == "RoleBinding" else ""
    version = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind}
    subjects = [{"kind": "User", "name": SECRET}]
    return {**version, "metadata": about(name, namespace), "roleRef": reference, "subjects": subjects}


def everything() -> list[dict[str, Any]]:
    """An object of each kind that is read, and one that is not."""
    return [
        *(
            workload(kind=kind, name=kind.lower(), initContainers=[container("first", "acme/first:1")])
            for kind in ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod", "Rollout")
        ),
        network_policy(),
        secret(),
        external_secret(),
        role({"verbs": ["get"], "resources": ["pods"], "apiGroups": [""]}),
        role({"verbs": ["*"], "resources": ["*"]}, kind="ClusterRole", name="all"),
        binding("Role/reader"),
        binding("ClusterRole/cluster-admin", kind="ClusterRoleBinding", name="admins"),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about("settings"), "data": {"a": SECRET}},
    ]
