"""What guardrails ask of an object that Argo CD manages, and nothing else of it.

Objects hold secrets, in their data, in variables, in annotations: only what is named here is looked at, and no message
quotes a value.
"""

import re
from collections.abc import Callable
from typing import Any

from collectors.transport.json_values import read_json

Fields = dict[str, Any]
NAMELESS = "?"  # of an object whose kind or name cannot be told
_NAME = re.compile(r"[\w.:-]{1,253}", re.ASCII)
_LABEL_KEY = re.compile(r"[\w./-]{1,317}", re.ASCII)
_LABEL_VALUE = re.compile(r"[\w.-]{0,63}", re.ASCII)
_IMAGE = re.compile(r"[A-Za-z0-9][\w./:@+-]{0,511}", re.ASCII)
_QUANTITY = re.compile(r"[\w.+-]{1,40}", re.ASCII)
_ALLOWED = re.compile(r"[\w.*/:-]{1,253}", re.ASCII)
# labels that the External Secrets Operator puts on what it makes
_BY_EXTERNAL_SECRET = ("reconcile.external-secrets.io/managed", "reconcile.external-secrets.io/created-by")
_CERTIFICATE = "cert-manager.io/certificate-name"


class _UnreadableError(ValueError):
    """Why an object cannot be read, in words that hold no value of it."""


def reduced(item: Any) -> tuple[Fields, str | None] | None:
    """(what is kept of an item of `managed-resources`, why it cannot be read); None where no rule asks for it.

    Of one that cannot be read its kind, namespace and name are kept as far as they can be told. What is in git only
    and does not run asks for nothing.
    """
    known = {"kind": NAMELESS, "namespace": "", "name": NAMELESS}
    try:
        group, known["kind"] = _text(item, "group") or "", _named(item, "kind")
        read = _READERS.get((group, known["kind"]))
        if read is None:
            return None
        known["namespace"] = _named(item, "namespace", is_needed=False)
        known["name"] = _named(item, "name")
        live = _live(item)
        return None if live is None else ({**known, **read(live)}, None)
    except _UnreadableError as error:
        return {**known, "is_readable": False}, str(error)


def _live(item: Any) -> Any:
    """The object as it runs; None where it does not."""
    for key in ("liveState", "normalizedLiveState"):
        if (told := _text(item, key)) is None:
            continue
        try:
            value = read_json(told)
        except ValueError:
            raise _UnreadableError(f"{key}: is no JSON") from None
        if value is not None:
            return _object({"": value}, "", called=key)
    return None


def _workload(*template: str) -> Callable[[Any], Fields]:
    def read(live: Any) -> Fields:
        spec = _object(_object(live, *template), "spec")
        # a Rollout may run the containers of a Deployment that it refers to
        if template and not spec and _object(live, "spec").get("workloadRef") is not None:
            return {"labels": _labels(live)}
        if not _list(spec, "containers"):
            raise _UnreadableError("containers: there are none")
        containers = [_container(one, False) for one in _list(spec, "containers")]
        first = [_container(one, True) for one in _list(spec, "initContainers")]
        return {"labels": _labels(live), "containers": containers + first}

    return read


def _container(one: Any, is_init: bool) -> Fields:
    found = {
        f"{resource}_{bound}": _quantity(_object(one, "resources", f"{bound}s"), resource)
        for resource in ("cpu", "memory")
        for bound in ("request", "limit")
    }
    image = _text(one, "image")
    if image is not None and not _IMAGE.fullmatch(image):
        raise _UnreadableError("containers: an image is no image's name")
    return {"name": _named(one, "name"), "image": image, "is_init": is_init, **found}


def _quantity(value: Fields, key: str) -> str | None:
    found = value.get(key)
    if found is None:
        return None
    told = str(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else ""
    if not _QUANTITY.fullmatch(told):
        raise _UnreadableError(f"resources: {key} is no quantity")
    return told


def _network_policy(live: Any) -> Fields:
    spec = _object(live, "spec")
    selector = _object(spec, "podSelector")
    ingress, egress = _list(spec, "ingress"), _list(spec, "egress")
    # what is not told is ingress, and egress where there are rules of it
    types = [_said(one, "policyTypes") for one in _list(spec, "policyTypes")]
    return {
        "selects_all_pods": not selector.get("matchLabels") and not selector.get("matchExpressions"),
        "policy_types": types or (["Ingress", "Egress"] if egress else ["Ingress"]),
        "ingress_rules": len(ingress),
        "egress_rules": len(egress),
    }


def _role(live: Any) -> Fields:
    return {
        "rules": [
            {key: [_said(one, key) for one in _list(rule, key)] for key in ("verbs", "resources")}
            for rule in _list(live, "rules")
        ]
    }


def _binding(live: Any) -> Fields:
    role = _object(live, "roleRef")
    return {"role": f"{_named(role, 'kind')}/{_named(role, 'name')}"}


def _secret(live: Any) -> Fields:
    about = _object(live, "metadata")
    owners = [f"{_named(one, 'kind')}/{_named(one, 'name')}" for one in _list(about, "ownerReferences")]
    labels, annotations = _object(about, "labels"), _object(about, "annotations")
    if any(key in labels for key in _BY_EXTERNAL_SECRET):
        owners.append("ExternalSecret")
    if _CERTIFICATE in annotations:
        owners.append("Certificate")
    return {"secret_type": _said(_text(live, "type") or "Opaque", "type"), "owners": owners}


def _nothing(live: Any) -> Fields:
    return {}


_READERS: dict[tuple[str, str], Callable[[Any], Fields]] = {
    **dict.fromkeys(
        (("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("batch", "Job")),
        _workload("spec", "template"),
    ),
    ("argoproj.io", "Rollout"): _workload("spec", "template"),
    ("batch", "CronJob"): _workload("spec", "jobTemplate", "spec", "template"),
    ("", "Pod"): _workload(),
    ("networking.k8s.io", "NetworkPolicy"): _network_policy,
    ("rbac.authorization.k8s.io", "Role"): _role,
    ("rbac.authorization.k8s.io", "ClusterRole"): _role,
    ("rbac.authorization.k8s.io", "RoleBinding"): _binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _binding,
    ("", "Secret"): _secret,
    ("external-secrets.io", "ExternalSecret"): _nothing,
}


def _labels(live: Any) -> dict[str, str]:
    labels = _object(live, "metadata", "labels")
    for key, value in labels.items():
        if not (_LABEL_KEY.fullmatch(key) and isinstance(value, str) and _LABEL_VALUE.fullmatch(value)):
            raise _UnreadableError("metadata.labels: one is no label")
    return labels


def _object(value: Any, *keys: str, called: str = "") -> Fields:
    """The object at `keys`, an empty one where there is none."""
    for key in keys:
        if not isinstance(value, dict):
            raise _UnreadableError("is no object")
        value = value.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise _UnreadableError(f"{called or '.'.join(keys)}: is no object")
    return value if isinstance(value, dict) else {}


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    if not (isinstance(value, dict) and isinstance(found, list | None)):
        raise _UnreadableError(f"{key}: is no array")
    return found or []


def _text(value: Any, key: str) -> str | None:
    found = value.get(key) if isinstance(value, dict) else None
    if not (isinstance(value, dict) and isinstance(found, str | None)):
        raise _UnreadableError(f"{key}: is no text")
    return found or None


def _named(value: Any, key: str, is_needed: bool = True) -> str:
    found = _text(value, key) or ""
    if not _NAME.fullmatch(found) and (found or is_needed):
        raise _UnreadableError(f"{key}: is no name that Kubernetes takes")
    return found


def _said(told: Any, key: str) -> str:
    if not (isinstance(told, str) and _ALLOWED.fullmatch(told)):
        raise _UnreadableError(f"{key}: one is no word of Kubernetes")
    return told
