"""Incidents that an organisation keeps as GitHub issues with certain labels (https://docs.github.com/en/graphql)."""

import json
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from collectors.contract.items import Checkpoint, Gone, Item, Malformed, Resume, SetAside, record_or_malformed
from collectors.contract.records import Coverage, Incident
from collectors.github.api import TIMEOUT_SECONDS, GitHubApi
from collectors.github.queries import QuerySize, is_given
from collectors.github.vanished_issues import has_label, vanished
from collectors.transport.json_values import as_instant, listing, mapping, objects, text, whole
from config.sources import GitHub, GitHubIncidents
from config.text.quoting import one_short_line

SOURCE = "github_issues"
# a list may be a moment behind the issue that was just updated
_OVERLAP = timedelta(minutes=1)
_REPOSITORIES_A_QUERY = 50
# most repositories have nothing new: a small page for many, a full one for the few with more
_FIRST_PAGE, _NEXT_PAGE = 20, 100
# a duplicate is told as not planned unless it is asked for in a way that not every server knows
_CLOSED_AS = {"NOT_PLANNED": "not planned", "DUPLICATE": "duplicate"}
_FRAGMENT = """
fragment Issues on IssueConnection {
  pageInfo { hasNextPage endCursor }
  nodes {
    number title state stateReason createdAt closedAt updatedAt url
    labels(first: 100) { nodes { name } }
  }
}
"""


@dataclass(frozen=True)
class AskedRepository:
    """A repository that is being read: from where, and the cursor that says how far."""

    repo: str
    cursor: dict[str, Any]
    since: datetime
    # incidents of it are stored, so that all its issues are looked at for those that changed
    is_known: bool = False
    after: str | None = None
    stored: frozenset[str] = frozenset()  # the ids of the incidents that are stored of it after what was read


def collect(
    source: GitHub,
    resume: Resume,
    repositories: Iterable[str],
    known: Collection[str] = (),
    timeout: int = TIMEOUT_SECONDS,
) -> Iterator[Item]:
    """The issues with the configured labels that changed since `resume`'s cursors, least recently updated first.

    `known` are the ids of those that are stored: one that has none of the labels any more is `Gone`. `repositories` are
    `owner/name`; one that is not there, or not for this token, is left out. The cursor (subject: the repository) is the
    last update read. Raises SourceError where GitHub cannot be read.
    """
    wanted = source.incidents
    if wanted is None:
        return
    chosen = [repo for repo in repositories if _matches(repo, wanted.repositories or ["*"])]
    told_of: dict[str, set[str]] = {}
    for id in known:
        told_of.setdefault(id.rpartition("#")[0], set()).add(id)
    queue = [_asked(repo, wanted, resume, told_of.get(repo, ())) for repo in chosen]
    room = QuerySize(_REPOSITORIES_A_QUERY)
    with GitHubApi(source, timeout) as api:
        while queue:
            batch, (data, errors) = room.fitting(partial(_some, api, queue, wanted), len(queue))
            queue = queue[len(batch) :]
            told = [error for error in errors if error.get("type") != "NOT_FOUND"]
            for error in told:
                yield _unread(batch, error)
            for index, asked in enumerate(batch):
                found = mapping(data, f"r{index}")
                if is_given(mapping(found, "issues")):
                    queue += yield from _page(api, asked, found, wanted, resume)
                elif data.get(f"r{index}") is not None and not told:
                    # what was not given is asked for by the next run, and is not covered
                    yield Malformed("incidents", asked.repo, "its issues were not given", json.dumps(found))
    # what was unchanged is covered until now as well: rows are stored with the checkpoint that follows them
    yield Checkpoint("*", {"read_at": resume.now.isoformat()})


def again(cursors: Mapping[str, Any], items: Iterable[SetAside]) -> dict[str, Any]:
    """The cursors from which the issues of the repositories that hold `items` are read anew."""
    moved = dict(cursors)
    for repo in {item.subject.partition("#")[0] for item in items}:
        if repo in moved:
            moved[repo] = {name: part for name, part in moved[repo].items() if name != "until"}
    return moved


def issues_query(batch: Sequence[AskedRepository], labels: Sequence[str]) -> str:
    """A query for the issues of each repository under the aliases r0, r1 …, with any of `labels` or, if known, all."""
    fields = []
    for index, asked in enumerate(batch):
        owner, _, name = asked.repo.partition("/")
        arguments = ", ".join(
            (
                f"first: {_NEXT_PAGE if asked.after else _FIRST_PAGE}",
                f"after: {json.dumps(asked.after)}",
                f"labels: {'null' if asked.is_known else json.dumps(list(labels), ensure_ascii=False)}",
                f'filterBy: {{ since: "{asked.since.isoformat()}" }}',
                "orderBy: { field: UPDATED_AT, direction: ASC }",
            )
        )
        repository = f"repository(owner: {json.dumps(owner)}, name: {json.dumps(name)})"
        asked_for = json.dumps(list(labels), ensure_ascii=False)
        from_at = text(asked.cursor, "from_at") or asked.since.isoformat()
        counted = f'counted: issues(labels: {asked_for}, filterBy: {{ since: "{from_at}" }}) {{ totalCount }}'
        fields.append(
            f"r{index}: {repository} {{ issues({arguments}) {{ ...Issues }} {counted if asked.is_known else ''} }}"
        )
    return f"query Issues {{ {' '.join(fields)} }}{_FRAGMENT}"


def _some(
    api: GitHubApi, queue: Sequence[AskedRepository], wanted: GitHubIncidents, size: int
) -> tuple[Sequence[AskedRepository], tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The first `size` of `queue`, and the answer to a query for their issues."""
    return queue[:size], api.graphql(issues_query(queue[:size], wanted.labels))


def _unread(batch: Sequence[AskedRepository], error: dict[str, Any]) -> Malformed:
    """What GitHub says of a part that it left out; its subject is the repository."""
    first, *rest = (str(step) for step in listing(error, "path") or ["query"])
    index = int(first[1:]) if first[1:].isdigit() else len(batch)
    repo = batch[index].repo if index < len(batch) else first
    reason = f"{'.'.join(rest) or 'query'}: {one_short_line(text(error, 'message') or 'error')}"
    return Malformed("incidents", repo, reason, json.dumps(error, default=str))


def _asked(repo: str, wanted: GitHubIncidents, resume: Resume, stored: Collection[str]) -> AskedRepository:
    """Where to go on; from the beginning where that is earlier now, or something else is looked for."""
    looked_for = [sorted(wanted.labels), wanted.priorities, "reasons"]
    cursor = mapping(resume.cursors.get(repo))
    from_at, until = as_instant(cursor, "from_at"), as_instant(cursor, "until")
    if not from_at or from_at > resume.since or cursor.get("looked_for") != looked_for:
        cursor, until = {"from_at": resume.since.isoformat(), "looked_for": looked_for}, None
    since = until - _OVERLAP if until else as_instant(cursor, "from_at") or resume.since
    return AskedRepository(repo, cursor, since, bool(stored), stored=frozenset(stored))


def _page(
    api: GitHubApi, asked: AskedRepository, found: dict[str, Any], wanted: GitHubIncidents, resume: Resume
) -> Generator[Item, None, list[AskedRepository]]:
    """The incidents of a page; returns what is to be asked next of this repository."""
    until = as_instant(asked.cursor, "until")
    stored = set(asked.stored)
    for node in objects(found, "issues", "nodes"):
        names = [name for label in listing(node, "labels", "nodes") if (name := text(label, "name"))]
        number = whole(node, "number")
        if number is None:
            yield Malformed("incidents", asked.repo, "an issue without a number", json.dumps(node))
            continue
        id = f"{asked.repo}#{number}"
        if has_label(names, wanted.labels) or not asked.is_known:
            stored.add(id)
            yield _incident(asked.repo, id, node, _priority(names, wanted.priorities))
        elif id in stored and mapping(node, "labels"):
            stored.remove(id)
            yield Gone(Incident, (SOURCE, id))
        until = max(filter(None, (until, as_instant(node, "updatedAt"))), default=None)
    cursor = asked.cursor if until is None else {**asked.cursor, "until": until.isoformat()}
    page = mapping(found, "issues", "pageInfo")
    following = (
        [replace(asked, cursor=cursor, after=text(page, "endCursor"), stored=frozenset(stored))]
        if page.get("hasNextPage")
        else []
    )
    if not following:
        cursor = yield from _without_vanished(api, asked.repo, cursor, stored, found, wanted)
        from_at = as_instant(cursor, "from_at") or resume.since
        yield Coverage(source=SOURCE, subject=asked.repo, from_at=from_at, until_at=max(resume.now, from_at))
    if cursor != mapping(resume.cursors.get(asked.repo)):
        yield Checkpoint(asked.repo, cursor)
    return following


def _without_vanished(
    api: GitHubApi,
    repo: str,
    cursor: dict[str, Any],
    stored: Collection[str],
    found: dict[str, Any],
    wanted: GitHubIncidents,
) -> Generator[Item, None, dict[str, Any]]:
    """What is stored and not there any more, where fewer are counted than stored; returns the cursor after it.

    It keeps what cannot be explained so, so that it is not asked about in each run.
    """
    counted = mapping(found, "counted").get("totalCount")
    after = {name: part for name, part in cursor.items() if name != "unexplained"}
    if not isinstance(counted, int) or len(stored) <= counted:
        return after
    unexplained = len(stored) - counted
    if unexplained == cursor.get("unexplained"):
        return cursor
    numbers = [int(part) for id in stored if (part := id.rpartition("#")[2]).isdigit()]
    for number in vanished(api, repo, numbers, wanted.labels):
        unexplained -= 1
        yield Gone(Incident, (SOURCE, f"{repo}#{number}"))
    return {**after, "unexplained": unexplained} if unexplained > 0 else after


def _incident(repo: str, id: str, node: dict[str, Any], priority: str | None) -> Item:
    is_closed = node.get("state") == "CLOSED" or node.get("closedAt") is not None
    fields = {
        "source": SOURCE,
        "id": id,
        "source_service": repo,
        "title": node.get("title") or "",
        "priority": priority,
        "status": _CLOSED_AS.get(text(node, "stateReason") or "", "closed") if is_closed else "open",
        "opened_at": node.get("createdAt"),
        "resolved_at": node.get("closedAt"),
        "url": node.get("url"),
    }
    return record_or_malformed(Incident, id, fields, node)


def _priority(labels: Sequence[str], patterns: Sequence[str]) -> str | None:
    """The first label that the first matching pattern finds."""
    return next((name for pattern in patterns for name in labels if _matches(name, [pattern])), None)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
