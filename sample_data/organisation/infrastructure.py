"""What makes requests in the repository `infrastructure` ready: Argo CD's syncs of namespaces, runs of Terraform."""

import uuid
from datetime import timedelta
from typing import Any

from sample_data.model import ArgoCD, WorkflowJob, WorkflowRun
from sample_data.organisation.history import Commit
from sample_data.organisation.playback import Playback
from sample_data.work.requests import ASKED, REPOSITORY
from sample_data.work.staff import ACTIONS
from sample_data.work.weeks import Weeks

APPLICATION = "platform-namespaces"
_KEPT = 10
_SOURCE = {
    "repoURL": f"https://github.com/acme/{REPOSITORY}.git",
    "path": "namespaces",
    "targetRevision": "main",
}
Json = dict[str, Any]


def add_namespaces(argocd: ArgoCD, playback: Playback, weeks: Weeks) -> None:
    """The application that brings the namespaces: a sync of each that was merged, and one at the beginning."""
    first = next(iter(playback.history.commits.values()))
    syncs = [(first, weeks.at(-40, "Mon 11:10"), True)]
    for asked in ASKED:
        commit = playback.history.commits[playback.keys[asked.key].sha] if asked.merged else None
        if asked.kind == "namespace" and commit:
            syncs += [(commit, weeks.at(asked.week, ended), is_good) for ended, is_good in asked.tried]
    succeeded = [(commit, at) for commit, at, is_good in syncs if is_good]
    history = [
        {
            "id": number,
            "revision": commit.sha,
            "deployStartedAt": _at(at - timedelta(seconds=40)),
            "deployedAt": _at(at),
            "source": _SOURCE,
            "initiatedBy": {"automated": True},
        }
        for number, (commit, at) in enumerate(succeeded)
    ]
    last, ended, is_good = syncs[-1]
    destination = {"name": "tools-eu", "namespace": "platform"}
    argocd.applications.append(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "name": APPLICATION,
                "namespace": "argocd",
                "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"acme/{APPLICATION}")),
                "resourceVersion": str(720_000 + len(syncs)),
                "generation": 3 * len(syncs),
                "creationTimestamp": _at(syncs[0][1]),
                "labels": {"app.kubernetes.io/part-of": "platform"},
            },
            "spec": {"project": "platform", "source": _SOURCE, "destination": destination},
            "status": {
                "history": history[-_KEPT:],
                "operationState": {
                    "operation": {"sync": {"revision": last.sha}, "initiatedBy": {"automated": True}},
                    "phase": "Succeeded" if is_good else "Failed",
                    "startedAt": _at(ended - timedelta(seconds=40)),
                    "finishedAt": _at(ended),
                    "syncResult": {"revision": last.sha, "source": _SOURCE, "resources": []},
                },
                "reconciledAt": _at(ended),
                "resources": [],
                "sync": {"status": "Synced" if is_good else "OutOfSync", "revision": last.sha},
            },
        }
    )
    for commit, _, _ in syncs:
        argocd.revision_metadata[APPLICATION, commit.sha] = _metadata(commit)


def terraform_runs(playback: Playback, weeks: Weeks, first_id: int) -> list[WorkflowRun]:
    """A run of `terraform.yml` for each database that was merged; one that failed was run again."""
    made = []
    for position, asked in enumerate(ASKED):
        if asked.kind != "database" or not asked.merged:
            continue
        merged = weeks.at(asked.week, asked.merged)
        number = 19_000_000_000 + first_id * 10 + position
        for attempt, (ended, is_good) in enumerate(asked.tried, start=1):
            ended_at = weeks.at(asked.week, ended)
            conclusion = "success" if is_good else "failure"
            began_at = merged if attempt == 1 else ended_at - timedelta(minutes=20)
            job = WorkflowJob(number * 10 + attempt, "apply", began_at, ended_at, conclusion)
            made.append(
                WorkflowRun(
                    id=number,
                    attempt=attempt,
                    path=".github/workflows/terraform.yml",
                    name="terraform",
                    event="push",
                    branch="main",
                    sha=playback.keys[asked.key].sha,
                    status="completed",
                    conclusion=conclusion,
                    created_at=merged,
                    run_started_at=began_at,
                    updated_at=ended_at,
                    actor=ACTIONS.account,
                    jobs=(job,),
                )
            )
    return made


def _at(at: Any) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _metadata(commit: Commit) -> Json:
    return {
        "author": f"{commit.author.name} <{commit.author.email}>",
        "date": _at(commit.authored_at),
        "message": commit.message.rstrip("\n"),
    }
