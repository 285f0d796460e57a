"""GitHub read by GraphQL: many items with all that belongs to them in one request."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from collectors import github_records as records
from collectors.github_api import GitHubApi, TooMuchError
from collectors.github_records import Account, Listed, Page, Read, Status
from collectors.people import People
from collectors.records import PullRequest, Repository
from collectors.shapes import instant, listing, mapping, text
from collectors.stream import Malformed, SourceError, record_or_malformed

Json = dict[str, Any]

_FULL_PAGE = {"PullRequests": 50}
_NAMES_A_QUERY = 50
_IDS_A_QUERY = 100


@cache
def query(name: str) -> str:
    """The query `name` of github_queries.graphql with the fragments that it uses."""
    document = (Path(__file__).parent / "github_queries.graphql").read_text(encoding="utf-8")
    parts = {
        found[1]: found[0].rstrip()
        for found in re.finditer(r"^(?:query|fragment) (\w+).*?^}", document, re.DOTALL | re.MULTILINE)
    }
    needed = [name]
    for part in needed:
        needed += [f for f in re.findall(r"\.\.\.(\w+)", parts[part]) if f not in needed]
    return "\n".join(parts[part] for part in needed)


def named_query(names: Sequence[str]) -> str:
    """A query for the repositories `owner/name` under the aliases r0, r1 …, with what the listing asks of them."""
    fields = (
        f'r{index}: repository(owner: "{owner}", name: "{name}") {{ ...Listed }}'
        for index, (owner, _, name) in enumerate(full.partition("/") for full in names)
    )
    return f"query Named($catalog: Boolean!) {{ {' '.join(fields)} }}\n{query('Listed')}"


class GraphQLReader:
    """Reads repositories and their pull requests, deployments and releases, newest first, a page a request.

    A page may reach below `floor`, since a page costs the same however much of it is wanted.
    """

    def __init__(self, api: GitHubApi, people: People, catalog: bool) -> None:
        self._api = api
        self._people = people
        self._catalog = catalog
        self._sizes: dict[str, int] = {}

    def owned(self, owner: str) -> Iterator[Listed | Malformed]:
        """All repositories of `owner`, oldest first."""
        after: str | None = None
        while True:
            data, errors = self._ask("Repositories", owner=owner, after=after, catalog=self._catalog)
            if not data.get("repositoryOwner"):
                raise SourceError(
                    f'github: {self._api.url} knows no owner "{owner}", or the token cannot see it; '
                    "mend sources.github.repositories"
                )
            found = mapping(data, "repositoryOwner", "repositories")
            yield from (_unread("repositories", owner, error) for error in errors)
            yield from (self._listed(owner, node) for node in listing(found, "nodes") if node)
            after = _next(found)
            if after is None:
                return

    def named(self, names: Sequence[str]) -> Iterator[Listed | Malformed]:
        """The repositories `owner/name`; one that is not there, or not for this token, is set aside."""
        for start in range(0, len(names), _NAMES_A_QUERY):
            batch = names[start : start + _NAMES_A_QUERY]
            data, errors = self._api.graphql(named_query(batch), catalog=self._catalog)
            yield from (_unread("repositories", "named", error) for error in errors)
            for index, name in enumerate(batch):
                if data.get(f"r{index}"):
                    yield self._listed(name, data[f"r{index}"])

    def pull_requests(self, repo: str, after: str | None, floor: datetime) -> Iterator[Page]:
        """Pull requests by their last update."""
        return self._pages("PullRequests", "pullRequests", repo, after, self._pull_request)

    def deployments(self, repo: str, after: str | None, floor: datetime) -> Iterator[Page]:
        """Deployments by their creation, with their whole status history."""
        return self._pages("Deployments", "deployments", repo, after, self._deployment)

    def releases(self, repo: str, after: str | None, floor: datetime) -> Iterator[Page]:
        """Published releases by their creation."""
        return self._pages("Releases", "releases", repo, after, self._release)

    def deployments_again(self, ids: Sequence[str]) -> Iterator[tuple[str, Read]]:
        """(id, deployment) of those `ids` that are still there."""
        for start in range(0, len(ids), _IDS_A_QUERY):
            data, _ = self._api.graphql(query("DeploymentsById"), ids=ids[start : start + _IDS_A_QUERY])
            for node in listing(data, "nodes"):
                found = (
                    self._deployment(text(node, "repository", "nameWithOwner") or "", node) if node else None
                )
                if found:
                    yield found.id, found

    def _pages(
        self, name: str, field: str, repo: str, after: str | None, parse: Callable[[str, Json], Read | None]
    ) -> Iterator[Page]:
        owner, _, repository = repo.partition("/")
        while True:
            data, errors = self._ask(name, owner=owner, name=repository, after=after)
            found = mapping(data, "repository", field)
            reads: list[Read | Malformed] = [_unread(field, repo, error) for error in errors]
            reads += filter(None, (parse(repo, node) for node in listing(found, "nodes") if node))
            after = _next(found)
            yield Page(reads, after)
            if after is None:
                return

    def _ask(self, operation: str, **variables: Any) -> tuple[Json, list[Json]]:
        """The answer for a page: half as many items where GitHub runs out of time, more again where it does not."""
        full = _FULL_PAGE.get(operation, 100)
        while True:
            size = self._sizes.get(operation, full)
            try:
                answer = self._api.graphql(query(operation), first=size, **variables)
            except TooMuchError:
                if size == 1:
                    raise
                self._sizes[operation] = max(1, size // 2)
                continue
            self._sizes[operation] = min(full, size * 2)
            return answer

    def _whole(self, name: str, node: Json, field: str) -> list[Json]:
        """The items of a nested list, with the rest of it asked for where it was cut."""
        found = mapping(node, field)
        items = [item for item in listing(found, "nodes") if item]
        after = _next(found)
        if after is None and (found.get("totalCount") or 0) > len(listing(found, "nodes")):
            items, after = [], ""  # a list without a cursor: from the beginning
        while after is not None:
            data, _ = self._api.graphql(query(name), id=node.get("id"), after=after or None)
            found = mapping(data, "node", field)
            items += [item for item in listing(found, "nodes") if item]
            after = _next(found)
        return items

    def _listed(self, subject: str, node: Json) -> Listed | Malformed:
        repo = text(node, "nameWithOwner")
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
        return Listed(record, _marks(node), text(node, "catalog", "text"))

    def _pull_request(self, repo: str, node: Json) -> Read:
        author = self._account(node.get("author"))
        commits = [mapping(item, "commit") for item in self._whole("MoreCommits", node, "commits")]
        reviews = [
            (self._account(item.get("author")), instant(item, "submittedAt"))
            for item in self._whole("MoreReviews", node, "reviews")
        ]
        ready = [
            at for event in listing(node, "timelineItems", "nodes") if (at := instant(event, "createdAt"))
        ]
        fields = {
            "repo": repo,
            "number": node.get("number"),
            "title": node.get("title") or "",
            "author": self._people.pseudonym(author.login),
            "is_bot": author.is_bot,
            "created_at": node.get("createdAt"),
            "ready_at": max(ready) if ready and not node.get("isDraft") else None,
            "first_review_at": records.first_review(author.login, reviews),
            "merged_at": node.get("mergedAt"),
            "closed_at": node.get("closedAt"),
            "merge_sha": text(node, "mergeCommit", "oid") if node.get("mergedAt") else None,
            "head_branch": node.get("headRefName"),
            "base_branch": node.get("baseRefName"),
            "labels": [
                name for label in self._whole("MoreLabels", node, "labels") if (name := text(label, "name"))
            ],
            "commits": [
                {
                    "sha": commit.get("oid"),
                    "authored_at": commit.get("authoredDate"),
                    "is_merge": (mapping(commit, "parents").get("totalCount") or 0) > 1,
                    "is_bot": records.git_author(
                        text(commit, "author", "name"),
                        text(commit, "author", "email"),
                        text(commit, "author", "user", "login"),
                        self._people,
                    ).is_bot,
                }
                for commit in commits
            ],
            "reverts": records.reverted_number(repo, node.get("body")),
            "url": node.get("url"),
        }
        raw = records.without_people(node, self._people)
        record = record_or_malformed(PullRequest, f"{repo}#{node.get('number')}", fields, raw)
        return records.read(record, node, "updatedAt")

    def _deployment(self, repo: str, node: Json) -> Read:
        statuses = [
            Status(text(item, "state") or "", instant(item, "createdAt"), text(item, "logUrl"))
            for item in self._whole("MoreStatuses", node, "statuses")
        ]
        record = records.deployment(
            repo,
            text(node, "repository", "url") or "",
            records.without_people(node, self._people),
            statuses,
            state=node.get("state"),
            id=node.get("databaseId") or node.get("id"),
            environment=node.get("environment"),
            sha=node.get("commitOid"),
            ref=text(node, "ref", "name"),
            started_at=node.get("createdAt"),
            creator=self._people.pseudonym(self._account(node.get("creator")).login),
        )
        return records.read(record, node, "createdAt", text(node, "id") or "")

    def _release(self, repo: str, node: Json) -> Read | None:
        if node.get("isDraft") or not node.get("publishedAt"):
            return None
        record = records.release(
            repo,
            records.without_people(node, self._people),
            id=node.get("databaseId"),
            ref=node.get("tagName"),
            sha=text(node, "tagCommit", "oid"),
            started_at=node.get("publishedAt"),
            creator=self._people.pseudonym(text(node, "author", "login")),
            url=node.get("url"),
        )
        return records.read(record, node, "publishedAt")

    def _account(self, node: Any) -> Account:
        return Account.of(text(node, "login"), text(node, "__typename"), self._people)


def _next(connection: Json) -> str | None:
    page = mapping(connection, "pageInfo")
    return text(page, "endCursor") if page.get("hasNextPage") else None


def _unread(kind: str, subject: str, error: Json) -> Malformed:
    """What GitHub says of a part that it left out of its answer."""
    where = ".".join(str(step) for step in listing(error, "path"))
    return Malformed(kind, subject, f"{where or 'query'}: {text(error, 'message') or 'error'}", str(error))


def _marks(node: Json) -> dict[str, str]:
    """Of each kind a text that changes when something of it did; empty where there is nothing of it."""
    marks = {}
    for kind, field, key in (
        ("pull_requests", "pullRequests", "updatedAt"),
        ("deployments", "deployments", "id"),
        ("releases", "releases", "updatedAt"),
    ):
        found = mapping(node, field)
        total = found.get("totalCount")
        if isinstance(total, int):
            newest = max((text(item, key) or "" for item in listing(found, "nodes")), default="")
            marks[kind] = f"{total} {newest}" if total else ""
    return marks
