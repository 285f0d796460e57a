"""The sample organisation as nodes of GitHub's GraphQL schema: mappings whose callables are fields with arguments."""

from datetime import datetime
from typing import Any

from graphql import GraphQLResolveInfo

from sample_data.model import (
    Deployment,
    DeploymentStatus,
    Organisation,
    Person,
    PullCommit,
    PullRequest,
    Release,
    Repository,
    Review,
)
from sample_data.servers.git_http import GitCommit, read_commits
from sample_data.servers.github_issues import issue, issues
from sample_data.servers.github_paging import Node, connection

_STATE = {"SUCCESS": "ACTIVE"}  # a deployment's state is its last status, whose success is called active
_WHOLE_BLOB = 512_000  # of a longer text GitHub tells the beginning


def instant(at: datetime | None) -> str | None:
    """`at` as GitHub writes it: UTC, to the second, with a Z."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def actor(person: Person) -> Node:
    """An account; a bot's login has no `[bot]` here."""
    return {
        "__typename": person.kind,
        "id": f"{person.kind[0]}_{person.login}",
        "login": person.login.removesuffix("[bot]"),
    }


class Nodes:
    """Makes nodes of `organisation`; `root` is the address that html addresses begin with."""

    def __init__(self, organisation: Organisation, root: str) -> None:
        self.organisation = organisation
        self._root = root

    def owner(self, login: str) -> Node | None:
        """The account that owns repositories here, or None."""
        owned = [r for r in self.organisation.repositories if r.owner.lower() == login.lower()]
        if not owned and login.lower() != self.organisation.name.lower():
            return None

        def repositories(
            isArchived: bool | None = None,  # noqa: N803
            isFork: bool | None = None,  # noqa: N803
            **others: Any,
        ) -> list[Repository]:
            return [r for r in owned if isArchived in (None, r.is_archived) and isFork in (None, r.is_fork)]

        keys = {
            "NAME": lambda r: r.name.lower(),
            "CREATED_AT": lambda r: instant(r.created_at),
            "PUSHED_AT": lambda r: instant(r.pushed_at) or "",
            "UPDATED_AT": lambda r: instant(r.pushed_at) or "",
        }
        return {
            "__typename": "Organization",
            "id": f"O_{login}",
            "login": owned[0].owner if owned else self.organisation.name,
            "repositories": connection(repositories, self.repository, keys),
        }

    def find_repository(self, owner: str, name: str) -> Node | None:
        """The repository `owner/name`, or None."""
        wanted = f"{owner}/{name}".lower()
        found = (r for r in self.organisation.repositories if r.full_name.lower() == wanted)
        return next((self.repository(r) for r in found), None)

    def by_id(self, id: str) -> Node | None:
        """The repository, pull request, deployment or release with a global id, or None."""
        for repository in self.organisation.repositories:
            if id == f"R_{repository.id}":
                return self.repository(repository)
            for pull in repository.pull_requests:
                if id == f"PR_{pull.id}":
                    return self.pull_request(repository, pull)
            for deployment in repository.deployments:
                if id == f"DE_{deployment.id}":
                    return self.deployment(repository, deployment)
            for release in repository.releases:
                if id == f"RE_{release.id}":
                    return self.release(repository, release)
        return None

    def repository(self, repository: Repository) -> Node:
        """A repository with connections to all that it holds."""

        def pull_requests(
            states: list[str] | None = None,
            labels: list[str] | None = None,
            baseRefName: str | None = None,  # noqa: N803
            headRefName: str | None = None,  # noqa: N803
        ) -> list[PullRequest]:
            return [
                pull
                for pull in repository.pull_requests
                if (not states or _pull_state(pull) in states)
                and (not labels or set(labels) & set(pull.labels))
                and baseRefName in (None, pull.base_branch)
                and headRefName in (None, pull.head_branch)
            ]

        def deployments(environments: list[str] | None = None) -> list[Deployment]:
            return [d for d in repository.deployments if not environments or d.environment in environments]

        def pull_request(info: GraphQLResolveInfo, number: int) -> Node | None:
            return next(
                (self.pull_request(repository, p) for p in repository.pull_requests if p.number == number),
                None,
            )

        def object_(
            info: GraphQLResolveInfo, expression: str | None = None, oid: str | None = None
        ) -> Node | None:
            text = repository.catalog_info
            if expression != "HEAD:catalog-info.yaml" or text is None:
                return None
            size = len(text.encode())
            return {
                "__typename": "Blob",
                "text": text[:_WHOLE_BLOB],
                "byteSize": size,
                "isTruncated": len(text) > _WHOLE_BLOB,
                "isBinary": False,
            }

        branch = repository.default_branch
        return {
            "__typename": "Repository",
            "id": f"R_{repository.id}",
            "databaseId": repository.id,
            "name": repository.name,
            "nameWithOwner": repository.full_name,
            "owner": lambda info: self.owner(repository.owner),
            "createdAt": instant(repository.created_at),
            "pushedAt": instant(repository.pushed_at),
            "updatedAt": instant(repository.pushed_at or repository.created_at),
            "url": f"{self._root}/{repository.full_name}",
            "isFork": repository.is_fork,
            "isMirror": repository.mirror_url is not None,
            "mirrorUrl": repository.mirror_url,
            "isArchived": repository.is_archived,
            "isEmpty": repository.git_dir is None,
            "defaultBranchRef": _ref(branch, "refs/heads/") if repository.git_dir else None,
            "templateRepository": repository.template and {"nameWithOwner": repository.template},
            "primaryLanguage": repository.language
            and {"id": f"L_{repository.language}", "name": repository.language},
            "repositoryTopics": connection(
                lambda: repository.topics, lambda t: {"id": f"RT_{t}", "topic": {"id": f"T_{t}", "name": t}}
            ),
            "pullRequests": connection(
                pull_requests,
                lambda pull: self.pull_request(repository, pull),
                {
                    "CREATED_AT": lambda p: instant(p.created_at),
                    "UPDATED_AT": lambda p: instant(p.updated_at),
                },
            ),
            "pullRequest": pull_request,
            "hasIssuesEnabled": repository.has_issues,
            "issue": issue(repository, self._root),
            "issues": issues(repository, self._root),
            "deployments": connection(
                deployments,
                lambda deployment: self.deployment(repository, deployment),
                {"CREATED_AT": lambda d: instant(d.created_at)},
            ),
            "releases": connection(
                lambda: repository.releases,
                lambda release: self.release(repository, release),
                {"CREATED_AT": lambda r: instant(r.created_at), "NAME": lambda r: r.name},
            ),
            "object": object_,
        }

    def pull_request(self, repository: Repository, pull: PullRequest) -> Node:
        """A pull request with its commits, reviews, labels and the event that made a draft ready."""
        ready = [pull.ready_at] if pull.ready_at else []

        def timeline(itemTypes: list[str] | None = None, **others: Any) -> list[datetime]:  # noqa: N803
            return ready if not itemTypes or "READY_FOR_REVIEW_EVENT" in itemTypes else []

        def reviews(states: list[str] | None = None, author: str | None = None) -> list[Review]:
            return [r for r in pull.reviews if not states or r.state in states]

        return {
            "__typename": "PullRequest",
            "id": f"PR_{pull.id}",
            "databaseId": pull.id,
            "number": pull.number,
            "title": pull.title,
            "body": pull.body,
            "author": actor(pull.author),
            "createdAt": instant(pull.created_at),
            "updatedAt": instant(pull.updated_at),
            "mergedAt": instant(pull.merged_at),
            "closedAt": instant(pull.closed_at),
            "state": _pull_state(pull),
            "isDraft": pull.is_draft,
            "mergeCommit": lambda info: self._commit(repository, pull.merge_sha),
            "headRefName": pull.head_branch,
            "baseRefName": pull.base_branch,
            "labels": connection(lambda: pull.labels, lambda name: {"id": f"LA_{name}", "name": name}),
            "commits": connection(lambda: pull.commits, _pull_commit),
            "reviews": connection(reviews, _review),
            "timelineItems": connection(
                timeline,
                lambda at: {
                    "__typename": "ReadyForReviewEvent",
                    "id": f"RFRE_{pull.id}",
                    "actor": actor(pull.author),
                    "createdAt": instant(at),
                },
            ),
            "url": f"{self._root}/{repository.full_name}/pull/{pull.number}",
            "repository": lambda info: self.repository(repository),
        }

    def deployment(self, repository: Repository, deployment: Deployment) -> Node:
        """A deployment; its statuses newest first, as GitHub lists them."""
        statuses = [_status(deployment, i, status) for i, status in enumerate(deployment.statuses)][::-1]
        last = deployment.statuses[-1] if deployment.statuses else None
        return {
            "__typename": "Deployment",
            "id": f"DE_{deployment.id}",
            "databaseId": deployment.id,
            "createdAt": instant(deployment.created_at),
            "updatedAt": instant(last.created_at if last else deployment.created_at),
            "commitOid": deployment.sha,
            "ref": _ref(deployment.ref, "refs/heads/"),
            "environment": deployment.environment,
            "description": None,
            "state": _STATE.get(last.state, last.state) if last else "PENDING",
            "creator": actor(deployment.creator),
            "statuses": connection(lambda: statuses, lambda status: status),
            "latestStatus": statuses[0] if statuses else None,
            "repository": lambda info: self.repository(repository),
        }

    def release(self, repository: Repository, release: Release) -> Node:
        """A release of a tag."""
        return {
            "__typename": "Release",
            "id": f"RE_{release.id}",
            "databaseId": release.id,
            "name": release.name,
            "tagName": release.tag,
            "tagCommit": lambda info: self._commit(repository, release.sha),
            "createdAt": instant(release.created_at),
            "updatedAt": instant(release.updated_at or release.published_at),
            "publishedAt": None if release.is_draft else instant(release.published_at),
            "isDraft": release.is_draft,
            "isPrerelease": release.is_prerelease,
            "url": f"{self._root}/{repository.full_name}/releases/tag/{release.tag}",
            "author": actor(release.author),
        }

    def _commit(self, repository: Repository, sha: str | None) -> Node | None:
        """A commit of the repository on disk, read only where more than its SHA is asked for."""
        if sha is None:
            return None

        def read() -> GitCommit | None:
            return next(iter(read_commits(repository.git_dir, sha) if repository.git_dir else []), None)

        return {
            "__typename": "Commit",
            "id": f"C_{sha}",
            "oid": sha,
            "message": lambda info: getattr(read(), "message", None),
            "messageHeadline": lambda info: getattr(read(), "message", "").partition("\n")[0] or None,
            "authoredDate": lambda info: instant(getattr(read(), "authored_at", None)),
            "committedDate": lambda info: instant(getattr(read(), "committed_at", None)),
            "parents": connection(
                lambda: getattr(read(), "parents", ()), lambda s: self._commit(repository, s) or {}
            ),
            "author": lambda info: (
                (found := read()) and {"name": found.name, "email": found.email, "user": None}
            ),
        }


def _ref(name: str, prefix: str) -> Node:
    return {"id": f"REF_{name}", "name": name, "prefix": prefix, "target": None}


def _pull_state(pull: PullRequest) -> str:
    return "MERGED" if pull.merged_at else "CLOSED" if pull.closed_at else "OPEN"


def _pull_commit(commit: PullCommit) -> Node:
    login = commit.author.login.removesuffix("[bot]")
    bot = commit.author.kind == "Bot"
    name = f"{login}[bot]" if bot else login
    return {
        "id": f"PRC_{commit.sha}",
        "commit": {
            "__typename": "Commit",
            "id": f"C_{commit.sha}",
            "oid": commit.sha,
            "message": commit.message,
            "messageHeadline": commit.message.partition("\n")[0],
            "authoredDate": instant(commit.authored_at),
            "committedDate": instant(commit.committed_at),
            "parents": connection(
                lambda: commit.parents, lambda sha: {"__typename": "Commit", "id": f"C_{sha}", "oid": sha}
            ),
            # an account that is a bot is no `User`: such a commit has a name and an address only
            "author": {
                "name": name,
                "email": f"{name}@users.noreply.github.com",
                "user": None if bot else actor(commit.author),
            },
        },
    }


def _review(review: Review) -> Node:
    at = instant(review.submitted_at)
    return {
        "id": f"PRR_{at}",
        "author": actor(review.author),
        "state": review.state,
        "submittedAt": None if review.state == "PENDING" else at,
        "createdAt": at,
    }


def _status(deployment: Deployment, index: int, status: DeploymentStatus) -> Node:
    return {
        "id": f"DES_{deployment.id}_{index}",
        "state": status.state,
        "createdAt": instant(status.created_at),
        "updatedAt": instant(status.created_at),
        "description": None,
        "environmentUrl": None,
        "logUrl": status.log_url,
        "creator": actor(deployment.creator),
    }
