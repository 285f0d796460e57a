"""Argo CD's Application objects and revision metadata, as its API gives them.

https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml; `status.history` keeps the last ten syncs.
"""

import re
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sample_data.model import ArgoCD
from sample_data.organisation.cluster_objects import objects_of
from sample_data.organisation.gitops import KEPT, REPO_URL, Application, Gitops, Synced
from sample_data.organisation.history import Commit

Json = dict[str, Any]


def argocd(gitops: Gitops, now: datetime) -> ArgoCD:
    """The instance that has made the syncs of `gitops`."""
    made = ArgoCD()
    for name, synced in gitops.synced.items():
        if not synced:
            continue
        application = synced[-1].application
        made.applications.append(_application(application, synced, now))
        running = next(sync for sync in reversed(synced) if sync.succeeded)
        made.objects[name] = objects_of(application, running.image)
        for sync in synced:
            commit = gitops.history.commits[sync.config_sha]
            made.revision_metadata[name, sync.config_sha] = _metadata(commit)
    return made


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _source(application: Application, image: str) -> Json:
    source: Json = {"repoURL": REPO_URL, "path": application.path, "targetRevision": "main"}
    if application.traced != "trailers":
        source["kustomize"] = {"images": [image]}
    return source


def _application(application: Application, synced: Sequence[Synced], now: datetime) -> Json:
    succeeded = [sync for sync in synced if sync.succeeded]
    last, running = synced[-1], succeeded[-1]
    destination = {"name": application.cluster, "namespace": application.repo}
    history = [
        {
            "id": number,
            "revision": sync.config_sha,
            "deployStartedAt": _at(sync.started),
            "deployedAt": _at(sync.finished),
            "source": _source(application, sync.image),
            "initiatedBy": {"automated": True},
        }
        for number, sync in enumerate(succeeded)
    ]
    deployment = {"group": "apps", "version": "v1", "kind": "Deployment"} | {
        "namespace": application.repo,
        "name": application.repo,
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": application.name,
            "namespace": "argocd",
            "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"acme/{application.name}")),
            "resourceVersion": str(700_000 + len(synced)),
            "generation": 3 * len(synced),
            "creationTimestamp": _at(synced[0].started),
            "labels": {
                "app.kubernetes.io/part-of": application.repo,
                "app.kubernetes.io/instance": application.name,
            },
            "annotations": {"argocd.argoproj.io/manifest-generate-paths": "."},
        },
        "spec": {
            "project": application.project,
            "source": _source(application, running.image),
            "destination": destination,
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["CreateNamespace=true"],
            },
        },
        "status": {
            "controllerNamespace": "argocd",
            "health": {"status": "Healthy", "lastTransitionTime": _at(last.finished)},
            "history": history[-KEPT:],
            "operationState": _operation(last, destination, deployment),
            "reconciledAt": _at(max(last.finished, now.replace(minute=0))),
            "resources": [{**deployment, "status": "Synced", "health": {"status": "Healthy"}}],
            "sourceType": "Kustomize",
            "summary": {"images": [running.image]},
            "sync": {
                "status": "Synced" if last.succeeded else "OutOfSync",
                "revision": last.config_sha,
                "comparedTo": {"source": _source(application, last.image), "destination": destination},
            },
        },
    }


def _operation(last: Synced, destination: Json, deployment: Json) -> Json:
    good = last.succeeded
    result = {
        "revision": last.config_sha,
        "source": _source(last.application, last.image),
        "resources": [
            {
                **deployment,
                "status": "Synced" if good else "SyncFailed",
                "message": f"deployment.apps/{deployment['name']} "
                + ("configured" if good else "is invalid"),
                "hookPhase": "Running" if good else "Failed",
                "syncPhase": "Sync",
                "images": [last.image],
            }
        ],
    }
    return {
        "operation": {
            "sync": {"revision": last.config_sha, "prune": True, "syncOptions": ["CreateNamespace=true"]},
            "initiatedBy": {"automated": True},
            "retry": {"limit": 5},
        },
        "phase": "Succeeded" if good else "Failed",
        "message": "successfully synced (all tasks run)"
        if good
        else "one or more synchronization tasks completed unsuccessfully",
        "startedAt": _at(last.started),
        "finishedAt": _at(last.finished),
        "syncResult": result,
    }


def _metadata(commit: Commit) -> Json:
    metadata: Json = {
        "author": f"{commit.author.name} <{commit.author.email}>",
        "date": _at(commit.authored_at),
        "message": commit.message.rstrip("\n"),
    }
    found = dict(re.findall(r"^Argocd-reference-commit-(\w+): (.+)$", commit.message, re.M))
    if found:
        reference = {key: found[key] for key in ("author", "date", "subject", "sha")}
        metadata["references"] = [{"commit": {**reference, "repoUrl": found["repourl"]}}]
    return metadata
