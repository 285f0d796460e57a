"""The part of Argo CD's API that is read: https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/ ."""

import hmac
import json
import re
from typing import Any

from werkzeug import Request, Response

from sample_data.model import Organisation

_METADATA = re.compile(r"/api/v1/applications/([^/]+)/revisions/([^/]+)/metadata")
_MANAGED = re.compile(r"/api/v1/applications/([^/]+)/managed-resources")


class ArgoCDApi:
    """Answers requests for paths `/api/...`; answers and errors have Argo CD's (grpc-gateway's) shapes."""

    def __init__(self, organisation: Organisation, token: str) -> None:
        self._argocd = organisation.argocd
        self._token = token

    def __call__(self, request: Request) -> Response:
        """The answer to one request; 401 without the token, except for what Argo CD tells everyone."""
        if request.method != "GET":
            return _error(405, 12, "Method Not Allowed")
        signed_in = hmac.compare_digest(
            request.headers.get("Authorization", "").encode(), f"Bearer {self._token}".encode()
        )
        if request.path == "/api/version":
            return _json({"Version": "v3.1.0+03c4ad8"})
        if request.path == "/api/v1/session/userinfo":
            # answers 200 to anyone: whether the token holds is in the body
            user = {"loggedIn": True, "username": "sixkeys", "iss": "argocd", "groups": []}
            return _json(user if signed_in else {})
        if not signed_in:
            return _error(401, 16, "no session information")
        if request.path == "/api/v1/applications":
            return self._applications(request)
        if found := _METADATA.fullmatch(request.path):
            return self._metadata(found[1], found[2])
        if found := _MANAGED.fullmatch(request.path):
            return self._managed(found[1])
        return _error(404, 5, "Not Found")

    def _applications(self, request: Request) -> Response:
        projects = request.args.getlist("projects") + request.args.getlist("project")
        selector = request.args.get("selector", "")
        items = [
            application
            for application in self._argocd.applications
            if (not projects or application["spec"].get("project") in projects)
            and _selected(application["metadata"].get("labels") or {}, selector)
        ]
        # Argo CD writes null, not an empty list, where no application is visible
        return _json({"metadata": {"resourceVersion": "1000"}, "items": items or None})

    def _metadata(self, name: str, revision: str) -> Response:
        if all(application["metadata"]["name"] != name for application in self._argocd.applications):
            return _error(403, 7, "permission denied")
        metadata = self._argocd.revision_metadata.get((name, revision))
        # a commit that names no other has no more than its message
        return _json(metadata or {"message": ""})

    def _managed(self, name: str) -> Response:
        if all(application["metadata"]["name"] != name for application in self._argocd.applications):
            return _error(403, 7, "permission denied")
        items = [_as_told(state) for state in self._argocd.objects.get(name, [])]
        return _json({"items": items} if items else {})


def _as_told(state: dict[str, Any]) -> dict[str, Any]:
    """An object as Argo CD tells of it: its states are texts, and a secret's values are hidden."""
    if state["kind"] == "Secret":
        state = {**state, **{key: dict.fromkeys(state[key], "++++++++") for key in ("data",) if key in state}}
    told, about = json.dumps(state), state["metadata"]
    group, slash, _ = state["apiVersion"].partition("/")
    return {
        "group": group if slash else "",
        "kind": state["kind"],
        "namespace": about.get("namespace", ""),
        "name": about["name"],
        "targetState": told,
        "liveState": told,
        "normalizedLiveState": told,
        "predictedLiveState": told,
        "resourceVersion": "1000",
    }


def _selected(labels: dict[str, str], selector: str) -> bool:
    for term in filter(None, selector.split(",")):
        key, equals, value = (part.strip() for part in term.partition("="))
        if not equals and key not in labels:
            return False
        differs = labels.get(key.rstrip("!")) != value.removeprefix("=")
        if equals and differs != key.endswith("!"):
            return False
    return True


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


def _error(status: int, code: int, message: str) -> Response:
    return _json({"error": message, "code": code, "message": message}, status)
