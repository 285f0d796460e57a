"""Issues of the sample organisation as nodes of GitHub's GraphQL schema."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sample_data.github_paging import Node, connection
from sample_data.model import Issue, Repository


def issues(repository: Repository, root: str) -> Callable[..., Node]:
    """The field `issues` of a repository; `root` is the address that html addresses begin with."""
    return connection(
        lambda **filters: _filtered(repository, **filters),
        lambda issue: _node(issue, f"{root}/{repository.full_name}"),
        {"CREATED_AT": lambda i: _instant(i.created_at), "UPDATED_AT": lambda i: _instant(i.updated_at)},
    )


def _filtered(
    repository: Repository,
    labels: list[str] | None = None,
    states: list[str] | None = None,
    filterBy: dict[str, Any] | None = None,  # noqa: N803
) -> list[Issue]:
    """Issues with any of `labels`, updated at or after `since`."""
    asked = filterBy or {}
    since = asked.get("since")
    return [
        issue
        for issue in repository.issues
        if all(not names or set(names) & set(issue.labels) for names in (labels, asked.get("labels")))
        and (not states or _state(issue) in states)
        and (not since or issue.updated_at >= datetime.fromisoformat(since))
    ]


def _node(issue: Issue, repository: str) -> Node:
    return {
        "__typename": "Issue",
        "id": f"I_{issue.id}",
        "databaseId": issue.id,
        "number": issue.number,
        "title": issue.title,
        "createdAt": _instant(issue.created_at),
        "updatedAt": _instant(issue.updated_at),
        "closedAt": _instant(issue.closed_at),
        "state": _state(issue),
        "labels": connection(lambda: issue.labels, lambda name: {"id": f"LA_{name}", "name": name}),
        "url": f"{repository}/issues/{issue.number}",
    }


def _state(issue: Issue) -> str:
    return "CLOSED" if issue.closed_at else "OPEN"


def _instant(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
