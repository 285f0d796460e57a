"""The sample organisation as GitHub's REST API writes it (https://docs.github.com/en/rest)."""

import base64
from typing import Any

from sample_data.model import (
    Deployment,
    DeploymentStatus,
    Person,
    PullCommit,
    PullRequest,
    Release,
    Repository,
    Review,
    WorkflowJob,
    WorkflowRun,
)
from sample_data.servers.git_http import GitCommit
from sample_data.servers.github_nodes import instant

Json = dict[str, Any]


def user(person: Person) -> Json:
    """An account; a bot's login ends in `[bot]` here."""
    login = person.login.removesuffix("[bot]") + ("[bot]" if person.kind == "Bot" else "")
    return {"login": login, "type": person.kind, "site_admin": False}


def repository(item: Repository, api: str, root: str) -> Json:
    """A repository as listed: the template that it was made from is told only of one that is asked for by name."""
    return {
        "id": item.id,
        "node_id": f"R_{item.id}",
        "name": item.name,
        "full_name": item.full_name,
        "owner": {"login": item.owner, "type": "Organization"},
        "private": True,
        "html_url": f"{root}/{item.full_name}",
        "url": f"{api}/repos/{item.full_name}",
        "clone_url": f"{root}/{item.full_name}.git",
        "fork": item.is_fork,
        "mirror_url": item.mirror_url,
        "archived": item.is_archived,
        "disabled": False,
        "default_branch": item.default_branch,
        "language": item.language,
        "topics": list(item.topics),
        "size": 0 if item.git_dir is None else 1,
        "created_at": instant(item.created_at),
        "updated_at": instant(item.pushed_at or item.created_at),
        "pushed_at": instant(item.pushed_at),
    }


def properties(item: Repository) -> Json:
    """The values of a repository's custom properties; one of several choices is a list."""
    values = [
        {"property_name": name, "value": list(value) if isinstance(value, tuple) else value}
        for name, value in item.properties.items()
    ]
    return {
        "repository_id": item.id,
        "repository_name": item.name,
        "repository_full_name": item.full_name,
        "properties": values,
    }


def pull_request(item: PullRequest, of: Repository, api: str, root: str) -> Json:
    """A pull request as listed."""
    return {
        "id": item.id,
        "node_id": f"PR_{item.id}",
        "url": f"{api}/repos/{of.full_name}/pulls/{item.number}",
        "html_url": f"{root}/{of.full_name}/pull/{item.number}",
        "number": item.number,
        "state": "closed" if item.closed_at or item.merged_at else "open",
        "draft": item.is_draft,
        "title": item.title,
        "body": item.body,
        "user": user(item.author),
        "labels": [{"name": label} for label in item.labels],
        "created_at": instant(item.created_at),
        "updated_at": instant(item.updated_at),
        "closed_at": instant(item.closed_at or item.merged_at),
        "merged_at": instant(item.merged_at),
        # of an unmerged pull request GitHub gives the trial merge here
        "merge_commit_sha": item.merge_sha or "0" * 40,
        "head": {"ref": item.head_branch, "sha": item.commits[-1].sha if item.commits else None},
        "base": {"ref": item.base_branch, "repo": {"full_name": of.full_name}},
    }


def pull_commit(item: PullCommit) -> Json:
    """A commit of a pull request."""
    name = user(item.author)["login"]
    by = {"name": name, "email": f"{name}@users.noreply.github.com"}
    return {
        "sha": item.sha,
        "commit": {
            "message": item.message,
            "author": {**by, "date": instant(item.authored_at)},
            "committer": {**by, "date": instant(item.committed_at)},
        },
        "author": user(item.author),
        "parents": [{"sha": sha} for sha in item.parents],
    }


def commit(item: GitCommit) -> Json:
    """A commit of the repository on disk; no account belongs to its author."""
    by = {"name": item.name, "email": item.email}
    return {
        "sha": item.sha,
        "commit": {
            "message": item.message,
            "author": {**by, "date": instant(item.authored_at)},
            "committer": {**by, "date": instant(item.committed_at)},
        },
        "author": None,
        "parents": [{"sha": sha} for sha in item.parents],
    }


def review(item: Review) -> Json:
    """A review; one that is pending was not submitted."""
    at = None if item.state == "PENDING" else instant(item.submitted_at)
    return {"user": user(item.author), "state": item.state, "submitted_at": at}


def ready_event(item: PullRequest) -> Json:
    """The event that made a draft ready, as an issue's events list it."""
    return {"event": "ready_for_review", "actor": user(item.author), "created_at": instant(item.ready_at)}


def deployment(item: Deployment, of: Repository, api: str) -> Json:
    """A deployment without its statuses, which are a resource of their own."""
    last = item.statuses[-1].created_at if item.statuses else item.created_at
    return {
        "id": item.id,
        "node_id": f"DE_{item.id}",
        "url": f"{api}/repos/{of.full_name}/deployments/{item.id}",
        "sha": item.sha,
        "ref": item.ref,
        "task": "deploy",
        "environment": item.environment,
        "original_environment": item.environment,
        "creator": user(item.creator),
        "created_at": instant(item.created_at),
        "updated_at": instant(last),
    }


def deployment_status(item: DeploymentStatus) -> Json:
    """A status; its state in lower case."""
    return {
        "state": item.state.lower(),
        "created_at": instant(item.created_at),
        "updated_at": instant(item.created_at),
        "log_url": item.log_url or "",
        "environment_url": "",
    }


def release(item: Release, of: Repository, root: str) -> Json:
    """A release; the commit of its tag is not among REST's fields, `target_commitish` is what the author typed."""
    return {
        "id": item.id,
        "html_url": f"{root}/{of.full_name}/releases/tag/{item.tag}",
        "tag_name": item.tag,
        "target_commitish": of.default_branch,
        "name": item.name,
        "draft": item.is_draft,
        "prerelease": item.is_prerelease,
        "author": user(item.author),
        "created_at": instant(item.created_at),
        "published_at": None if item.is_draft else instant(item.published_at),
    }


def workflow_run(item: WorkflowRun, of: Repository, api: str, root: str) -> Json:
    """One attempt of a run; the list of runs gives the last one."""
    return {
        "id": item.id,
        "run_attempt": item.attempt,
        "name": item.name,
        "path": item.path,
        "event": item.event,
        "head_branch": item.branch,
        "head_sha": item.sha,
        "status": item.status,
        "conclusion": item.conclusion,
        "created_at": instant(item.created_at),
        "run_started_at": instant(item.run_started_at),
        "updated_at": instant(item.updated_at),
        "actor": user(item.actor),
        "url": f"{api}/repos/{of.full_name}/actions/runs/{item.id}",
        "html_url": f"{root}/{of.full_name}/actions/runs/{item.id}",
    }


def job(item: WorkflowJob, run: WorkflowRun, repository: Repository, root: str) -> Json:
    """A job of an attempt, with its steps."""
    times = {
        "status": "completed",
        "conclusion": item.conclusion,
        "started_at": instant(item.started_at),
        "completed_at": instant(item.completed_at),
    }
    return {
        "id": item.id,
        "run_id": run.id,
        "run_attempt": run.attempt,
        "name": item.name,
        **times,
        "html_url": f"{root}/{repository.full_name}/actions/runs/{run.id}/job/{item.id}",
        "steps": [{"number": n, "name": name, **times} for n, name in enumerate(item.steps, 1)],
    }


def approval(environment: str, by: Person) -> Json:
    """A review of a run that waited for an environment."""
    return {
        "state": "approved",
        "comment": "",
        "environments": [{"id": len(environment), "name": environment}],
        "user": user(by),
    }


def content(path: str, text: str) -> Json:
    """A file's content."""
    return {
        "type": "file",
        "path": path,
        "encoding": "base64",
        "size": len(text.encode()),
        "content": base64.b64encode(text.encode()).decode(),
    }
