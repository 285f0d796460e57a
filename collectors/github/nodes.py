"""GitHub's GraphQL nodes as records; a null in any place is survived."""

from typing import Any

from collectors.contract.items import Malformed, record_or_malformed
from collectors.contract.people import People
from collectors.contract.records import PullRequest, Repository
from collectors.github import as_records as records
from collectors.github.as_records import Account, Listed, ListMark, Read, StatusEntry, full_name
from collectors.transport.json_values import Json, as_instant, listing, mapping, objects, text, whole


class NodeReader:
    """Makes records of nodes whose nested lists are whole."""

    def __init__(self, people: People) -> None:
        self._people = people

    def item(self, kind: str, repo: str, node: Json) -> Read | None:
        """A pull request, deployment or release of `repo`; None for a draft of a release."""
        parse = {
            "pull_requests": self._pull_request,
            "deployments": self._deployment,
            "releases": self._release,
        }
        return parse[kind](repo, node)

    def repository(self, subject: str, node: Json) -> Listed | Malformed:
        """A repository as the listing asks for it; `subject` is what it was asked for by."""
        repo, catalog = full_name(node.get("nameWithOwner")), node.get("catalog")
        record = record_or_malformed(
            Repository,
            repo or subject,
            {
                "repo": repo,
                "external_id": node.get("databaseId"),
                "created_at": node.get("createdAt"),
                "pushed_at": node.get("pushedAt"),
                "default_branch": text(node, "defaultBranchRef", "name"),
                "is_fork": node.get("isFork") or False,
                "is_mirror": node.get("isMirror") or False,
                "from_template": text(node, "templateRepository", "nameWithOwner"),
                "is_archived": node.get("isArchived") or False,
                "topics": [
                    name
                    for t in listing(node, "repositoryTopics", "nodes")
                    if (name := text(t, "topic", "name"))
                ],
                "language": text(node, "primaryLanguage", "name"),
                "url": text(node, "url"),
            },
            node,
        )
        if isinstance(record, Malformed):
            return record
        assert isinstance(record, Repository)  # noqa: S101  what was asked for
        if mapping(catalog).get("isTruncated"):
            return Listed(record, _marks(node), asks_catalog=True)
        # what is no file is told as it is, so that it is set aside
        descriptors = catalog.get("text") if isinstance(catalog, dict) else catalog
        return Listed(record, _marks(node), None if descriptors is None else str(descriptors))

    def _pull_request(self, repo: str, node: Json) -> Read:
        author = self._account(node.get("author"))
        commits = [mapping(item, "commit") for item in _items(node, "commits")]
        total = whole(node, "commits", "totalCount")
        reviews = [
            (self._account(item.get("author")), as_instant(item, "submittedAt"))
            for item in _items(node, "reviews")
        ]
        ready = [
            at for event in listing(node, "timelineItems", "nodes") if (at := as_instant(event, "createdAt"))
        ]
        fields = {
            "repo": repo,
            "number": node.get("number"),
            "title": node.get("title") or "",
            "author": self._people.pseudonym(author.login),
            "is_bot": author.is_bot,
            "assisted_by": author.agent,
            "created_at": node.get("createdAt"),
            "ready_at": max(ready) if ready and not node.get("isDraft") else None,
            "first_review_at": records.first_review(author.login, reviews),
            "merged_at": node.get("mergedAt"),
            "closed_at": node.get("closedAt"),
            "merge_sha": text(node, "mergeCommit", "oid") if node.get("mergedAt") else None,
            "head_branch": node.get("headRefName"),
            "base_branch": node.get("baseRefName"),
            "labels": [name for label in _items(node, "labels") if (name := text(label, "name"))],
            "commits": [
                {
                    "sha": commit.get("oid"),
                    "authored_at": commit.get("authoredDate"),
                    "is_merge": (whole(commit, "parents", "totalCount") or 0) > 1,
                    **records.written_by(self._commit_author(commit), text(commit, "message"), self._people),
                }
                for commit in commits
            ],
            "commit_count": total if total and total > len(commits) else None,
            **records.reverted_numbers(repo, text(node, "body")),
            "url": node.get("url"),
        }
        record = records.record_of(PullRequest, f"{repo}#{node.get('number')}", fields, node, self._people)
        return records.as_read(record, node, "updatedAt")

    def _deployment(self, repo: str, node: Json) -> Read:
        statuses = [
            StatusEntry(text(item, "state") or "", as_instant(item, "createdAt"), text(item, "logUrl"))
            for item in _items(node, "statuses")
        ]
        record = records.deployment(
            repo,
            text(node, "repository", "url") or "",
            node,
            self._people,
            statuses,
            state=node.get("state"),
            id=node.get("databaseId") or node.get("id"),
            environment=node.get("environment"),
            sha=node.get("commitOid"),
            ref=text(node, "ref", "name"),
            started_at=node.get("createdAt"),
            creator=self._people.pseudonym(self._account(node.get("creator")).login),
        )
        return records.as_read(record, node, "createdAt", text(node, "id") or "")

    def _release(self, repo: str, node: Json) -> Read | None:
        if node.get("isDraft") is True or ("isDraft" in node and node.get("publishedAt") is None):
            return None
        record = records.release(
            repo,
            node,
            self._people,
            id=node.get("databaseId") or node.get("id"),
            ref=node.get("tagName"),
            is_prerelease=node.get("isPrerelease") or False,
            sha=text(node, "tagCommit", "oid"),
            started_at=node.get("publishedAt"),
            creator=self._people.pseudonym(text(node, "author", "login")),
            url=node.get("url"),
        )
        return records.as_read(record, node, "publishedAt")

    def _commit_author(self, commit: Json) -> Account:
        by = mapping(commit, "author")
        return records.git_author(
            text(by, "name"), text(by, "email"), text(by, "user", "login"), self._people
        )

    def _account(self, node: Any) -> Account:
        return Account.of(text(node, "login"), text(node, "__typename"), self._people)


def _items(node: Json, field: str) -> list[Json]:
    return objects(node, field, "nodes")


def _marks(node: Json) -> dict[str, ListMark]:
    """What tells whether something of a kind changed; a kind whose list was not given has no mark."""
    marks = {}
    for kind, field, key, ordered_by in (
        ("pull_requests", "pullRequests", "updatedAt", "updatedAt"),
        ("deployments", "deployments", "id", "createdAt"),
        ("releases", "releases", "updatedAt", ""),
    ):
        found = mapping(node, field)
        total = found.get("totalCount")
        if isinstance(total, int):
            items = _items(node, field)
            newest = max((text(item, key) or "" for item in items), default="")
            at = as_instant(items[0], ordered_by) if items and ordered_by else None
            marks[kind] = ListMark(f"{total} {newest}" if total else "", total, at)
    return marks
