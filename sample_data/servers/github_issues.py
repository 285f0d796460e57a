"""Issues of the sample organisation as nodes of GitHub's GraphQL schema."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from sample_data.model import Issue, Repository
from sample_data.servers.github_paging import Node, connection


def issues(repository: Repository, root: str) -> Callable[..., Node]:
    """The field `issues` of a repository; `root` is the address that html addresses begin with."""
    return connection(
        lambda **filters: _filtered(repository, **filters),
        lambda issue: _node(issue, repository, root),
        {"CREATED_AT": lambda i: _instant(i.created_at), "UPDATED_AT": lambda i: _instant(i.updated_at)},
    )


def issue(repository: Repository, root: str) -> Callable[..., Node | GraphQLError]:
    """The field `issue` of a repository: the one of a number."""

    def find(info: GraphQLResolveInfo, number: int) -> Node | GraphQLError:
        found = next((i for i in repository.issues if repository.has_issues and i.number == number), None)
        return (
            _node(found, repository, root)
            if found
            else GraphQLError(
                f"Could not resolve to an Issue with the number of {number}.",
                extensions={"type": "NOT_FOUND"},
            )
        )

    return find


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
        for issue in (repository.issues if repository.has_issues else ())
        if all(not names or set(names) & set(issue.labels) for names in (labels, asked.get("labels")))
        and (not states or _state(issue) in states)
        and (not since or issue.updated_at >= datetime.fromisoformat(since))
    ]


def _node(issue: Issue, repository: Repository, root: str) -> Node:
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
        "stateReason": issue.state_reason,
        "labels": connection(lambda: issue.labels, lambda name: {"id": f"LA_{name}", "name": name}),
        "repository": {"id": f"R_{repository.id}", "nameWithOwner": repository.full_name},
        "url": f"{root}/{repository.full_name}/issues/{issue.number}",
    }


def _state(issue: Issue) -> str:
    return "CLOSED" if issue.closed_at else "OPEN"


def _instant(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
