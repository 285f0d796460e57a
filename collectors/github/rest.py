"""GitHub read by REST, where GraphQL is not available: the same records, for three requests a pull request."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from collectors.contract.items import Malformed, record_or_malformed
from collectors.contract.people import People
from collectors.contract.records import Deployment, PullRequest, Record, Repository
from collectors.github import as_records as records
from collectors.github.api import GitHubApi, MissingError
from collectors.github.as_records import Account, AskedItems, ItemsPage, Listed, Read, StatusEntry, full_name
from collectors.github.rate_limit import REST_AT_ONCE
from collectors.transport.in_order import in_order
from collectors.transport.json_values import Json, as_instant, listing, mapping, text, whole

# of a pull request that GitHub lists
_MOST_COMMITS = 250


def pull_request(
    repo: str,
    raw: Json,
    people: People,
    commits: Iterable[Json] = (),
    reviews: Iterable[Json] = (),
    events: Iterable[Json] = (),
) -> Record | Malformed:
    """The record of a pull request as REST lists it, with its commits, reviews and issue events as REST lists those."""
    author = _account(raw.get("user"), people)
    ready = [
        at for e in events if text(e, "event") == "ready_for_review" and (at := as_instant(e, "created_at"))
    ]
    reviewed = [(_account(r.get("user"), people), as_instant(r, "submitted_at")) for r in reviews]
    fields = {
        "repo": repo,
        "number": raw.get("number"),
        "title": raw.get("title") or "",
        "author": people.pseudonym(author.login),
        "is_bot": author.is_bot,
        "assisted_by": author.agent,
        "created_at": raw.get("created_at"),
        "ready_at": max(ready) if ready and not raw.get("draft") else None,
        "first_review_at": records.first_review(author.login, reviewed),
        "merged_at": raw.get("merged_at"),
        "closed_at": raw.get("closed_at"),
        # of an unmerged pull request this is a trial merge
        "merge_sha": text(raw, "merge_commit_sha") if raw.get("merged_at") else None,
        "head_branch": text(raw, "head", "ref"),
        "base_branch": text(raw, "base", "ref"),
        "labels": [name for label in listing(raw, "labels") if (name := text(label, "name"))],
        "commits": [
            {
                "sha": commit.get("sha"),
                "authored_at": mapping(commit, "commit", "author").get("date"),
                "is_merge": len(listing(commit, "parents")) > 1,
                **records.written_by(
                    commit_author(commit, people), text(commit, "commit", "message"), people
                ),
            }
            for commit in commits
        ],
        "commit_count": raw.get("commits"),
        **records.reverted_numbers(repo, text(raw, "body")),
        "url": text(raw, "html_url"),
    }
    subject = f"{repo}#{raw.get('number')}"
    return records.record_of(PullRequest, subject, fields, raw, people)


def commit_author(raw: Json, people: People) -> Account:
    """Who wrote a commit as REST lists it: an account, or a name and an address."""
    by = mapping(raw, "commit", "author")
    return records.git_author(text(by, "name"), text(by, "email"), text(raw, "author", "login"), people)


def _is_draft(release: Json) -> bool:
    return release.get("draft") is True or ("draft" in release and release.get("published_at") is None)


def _account(raw: Any, people: People) -> Account:
    return Account.of(text(raw, "login"), text(raw, "type"), people)


class RestReader:
    """Reads what GraphQLReader reads. No marks: each kind of each repository is asked for, one request at least."""

    def __init__(self, api: GitHubApi, people: People, catalog: bool) -> None:
        self._api = api
        self._people = people
        self._catalog = catalog

    def owned(self, owner: str) -> Iterator[Listed | Malformed]:
        """All repositories of the organisation or, where there is none of that name, the user `owner`, oldest first."""
        order = {"sort": "created", "direction": "asc"}
        try:
            yield from self._all_listed(f"/orgs/{owner}/repos", order)
        except MissingError:
            yield from self._all_listed(f"/users/{owner}/repos", order)

    def named(self, names: Sequence[str]) -> Iterator[Listed | Malformed]:
        """The repositories `owner/name`; one that is not there, or not for this token, is set aside."""
        for name in names:
            try:
                yield self._listed(self._api.get(f"/repos/{name}"))
            except MissingError as error:
                yield Malformed("repositories", name, str(error), "null")

    def pages(self, kind: str, asked: Sequence[AskedItems]) -> Iterator[tuple[AskedItems, ItemsPage]]:
        """All pages of each of `asked`, down to its floor."""
        read = {
            "pull_requests": self._pull_requests,
            "deployments": self._deployments,
            "releases": self._releases,
        }[kind]
        return in_order(
            lambda one: ((one, page) for page in read(one.repo, one.after, one.floor)), asked, REST_AT_ONCE
        )

    def _pull_requests(self, repo: str, after: str | None, floor: datetime) -> Iterator[ItemsPage]:
        """Pull requests by their last update, down to `floor`; for each its commits, reviews and events."""
        order = {"state": "all", "sort": "updated", "direction": "desc"}
        for page, raw in self._newest_first(f"/repos/{repo}/pulls", after, "updated_at", floor, order):
            record = self._or_vanished(PullRequest, repo, raw, self._pull_request)
            yield ItemsPage([records.as_read(record, raw, "updated_at")], page)
        yield ItemsPage([], None)

    def _pull_request(self, repo: str, raw: Json) -> Record | Malformed:
        if (number := whole(raw, "number")) is None:
            return pull_request(repo, raw, self._people)
        path = f"/repos/{repo}/pulls/{number}"
        commits = list(self._whole(f"{path}/commits"))
        if len(commits) == _MOST_COMMITS:  # how many it has is told where it is asked for by itself
            raw = {**raw, "commits": self._api.get(path).get("commits")}
        reviews, events = self._whole(f"{path}/reviews"), self._whole(f"/repos/{repo}/issues/{number}/events")
        return pull_request(repo, raw, self._people, commits, reviews, events)

    def _or_vanished(
        self, kind: type[Record], repo: str, raw: Json, read: Callable[[str, Json], Record | Malformed]
    ) -> Record | Malformed:
        """What `read` makes of a listed item, which may be gone by the time that its parts are asked for."""
        try:
            return read(repo, raw)
        except MissingError as error:
            shown = json.dumps(records.without_people(raw, self._people), sort_keys=True)
            return Malformed(kind.TABLE, repo, f"its parts were not found: {error}", shown)

    def _deployments(self, repo: str, after: str | None, floor: datetime) -> Iterator[ItemsPage]:
        """Deployments by their creation, down to `floor`, with their whole status history."""
        for page, raw in self._newest_first(f"/repos/{repo}/deployments", after, "created_at", floor, {}):
            yield ItemsPage([self._deployment(repo, raw)], page)
        yield ItemsPage([], None)

    def _releases(self, repo: str, after: str | None, floor: datetime) -> Iterator[ItemsPage]:
        """Published releases by their creation; their commits are those of the tags."""
        tags: dict[str, str] | None = None
        for page in self._api.pages(f"/repos/{repo}/releases"):
            published = [raw for raw in page if not _is_draft(raw)]
            if published and tags is None:
                tags = {
                    text(tag, "name") or "": text(tag, "commit", "sha") or ""
                    for found in self._api.pages(f"/repos/{repo}/tags")
                    for tag in found
                }
            reads = [self._release(repo, raw, tags or {}) for raw in published]
            yield ItemsPage([*reads], "")
            if any(read.at and read.at < floor for read in reads):
                return
        yield ItemsPage([], None)

    def deployments_again(self, ids: Sequence[str]) -> Iterator[tuple[str, Read]]:
        """(id, deployment) of those `ids` (`owner/name/12`) that are still there."""
        return in_order(self._deployment_again, ids, REST_AT_ONCE)

    def _deployment_again(self, id: str) -> Iterator[tuple[str, Read]]:
        repo, _, number = id.rpartition("/")
        with suppress(MissingError):
            yield id, self._deployment(repo, self._api.get(f"/repos/{repo}/deployments/{number}"))

    def _newest_first(
        self, path: str, after: str | None, ordered_by: str, floor: datetime, order: Json
    ) -> Iterator[tuple[str, Json]]:
        """(page number, item) until an item is older than `floor`: each costs further requests."""
        first = int(after or 1)
        for number, items in enumerate(self._api.pages(path, page=first, **order), first):
            for raw in items:
                at = as_instant(raw, ordered_by)
                if at and at < floor:
                    return
                yield str(number), raw

    def _whole(self, path: str) -> Iterator[Json]:
        return (item for page in self._api.pages(path) for item in page)

    def _all_listed(self, path: str, order: Json) -> Iterator[Listed | Malformed]:
        """The repositories of a list, each asked for by itself: only so is the template that it was made from told."""
        for page in self._api.pages(path, **order):
            yield from in_order(self._whole_of, page, REST_AT_ONCE)

    def _whole_of(self, listed: Json) -> Iterator[Listed | Malformed]:
        repo, found = full_name(listed.get("full_name")), listed
        with suppress(MissingError):  # deleted since it was listed
            found = self._api.get(f"/repos/{repo}") if repo else listed
        yield self._listed(found)

    def _listed(self, raw: Json) -> Listed | Malformed:
        repo = full_name(raw.get("full_name"))
        record = record_or_malformed(
            Repository,
            repo or "repositories",
            {
                "repo": repo,
                "external_id": raw.get("id"),
                "created_at": raw.get("created_at"),
                "pushed_at": raw.get("pushed_at"),
                "default_branch": text(raw, "default_branch"),
                "is_fork": raw.get("fork") or False,
                "is_mirror": bool(raw.get("mirror_url")),
                "from_template": text(raw, "template_repository", "full_name"),
                "is_archived": raw.get("archived") or False,
                "topics": listing(raw, "topics"),
                "language": text(raw, "language"),
                "url": text(raw, "html_url"),
            },
            raw,
        )
        if isinstance(record, Malformed):
            return record
        assert isinstance(record, Repository)  # noqa: S101  what was asked for
        return Listed(record, asks_catalog=self._catalog)

    def _deployment(self, repo: str, raw: Json) -> Read:
        record = self._or_vanished(Deployment, repo, raw, self._with_statuses)
        return records.as_read(record, raw, "created_at", f"{repo}/{raw.get('id')}")

    def _with_statuses(self, repo: str, raw: Json) -> Record | Malformed:
        id = whole(raw, "id")
        statuses = [
            StatusEntry((text(s, "state") or "").upper(), as_instant(s, "created_at"), text(s, "log_url"))
            for s in (self._whole(f"/repos/{repo}/deployments/{id}/statuses") if id is not None else ())
        ]
        return records.deployment(
            repo,
            f"{self._api.web}/{repo}",
            raw,
            self._people,
            statuses,
            state=None,
            id=id,
            environment=raw.get("environment"),
            sha=raw.get("sha"),
            ref=text(raw, "ref"),
            started_at=raw.get("created_at"),
            creator=self._people.pseudonym(_account(raw.get("creator"), self._people).login),
        )

    def _release(self, repo: str, raw: Json, tags: dict[str, str]) -> Read:
        record = records.release(
            repo,
            raw,
            self._people,
            id=raw.get("id"),
            ref=raw.get("tag_name"),
            is_prerelease=raw.get("prerelease") or False,
            sha=tags.get(text(raw, "tag_name") or "") or None,
            started_at=raw.get("published_at"),
            creator=self._people.pseudonym(_account(raw.get("author"), self._people).login),
            url=text(raw, "html_url"),
        )
        return records.as_read(record, raw, "published_at")
