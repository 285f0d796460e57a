"""GitHub: repositories, pull requests, deployments, releases and workflow runs (https://docs.github.com).

One listing query for many repositories tells what changed since the cursors; only that is asked for.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatch
from typing import Any

from collectors import backstage
from collectors.github_api import GitHubApi
from collectors.github_graphql import GraphQLReader
from collectors.github_records import Listed, Page, Read
from collectors.github_rest import RestReader
from collectors.github_runs import collect_runs
from collectors.people import People
from collectors.records import Coverage, Deployment
from collectors.shapes import instant, mapping, text
from collectors.stream import Checkpoint, Item, Malformed, Resume, SourceError
from config.settings import GitHub

# a list may be a moment behind the item that was just updated
_OVERLAP = timedelta(minutes=1)
# a deployment that goes on is looked at again, and one that ended for a while: it may be tried once more
_AGAIN = {"running": timedelta(days=30)}
_AGAIN_ANYWAY = timedelta(hours=24)


def collect(
    source: GitHub,
    resume: Resume,
    people: People,
    catalog: bool = False,
    workflow_repositories: Collection[str] = (),
) -> Iterator[Item]:
    """All that is new on GitHub since `resume`'s cursors, repository by repository, each kind with its checkpoint.

    `workflow_repositories` are globs of `owner/name` whose workflow runs are wanted; `catalog` reads each repository's
    `catalog-info.yaml` too. Raises SourceError where GitHub cannot be read or no repository matches.
    """
    with GitHubApi(source) as api:
        reader = (GraphQLReader if source.graphql else RestReader)(api, people, catalog)
        listed = []
        for entry in _matching(source, reader):
            if isinstance(entry, Malformed):
                yield entry
                continue
            listed.append(entry)
            repo, from_at = entry.record.repo, _covered_from(entry, "pull_requests", resume)
            yield entry.record
            yield Coverage(source="repositories", subject=repo, from_at=from_at, until_at=resume.now)
            if entry.catalog:
                yield from backstage.parse(entry.catalog, f"{repo}/catalog-info.yaml", repo)
        if not listed:
            raise _none_matches(source)
        yield Checkpoint("repositories", {"listed_at": resume.now.isoformat()})
        again = dict(reader.deployments_again(_open_deployments(listed, resume)))
        for entry in listed:
            yield from _Kind("pull_requests", entry, reader.pull_requests, resume).collect()
            yield from _Kind("deployments", entry, reader.deployments, resume).collect(again)
            yield from _Kind("releases", entry, reader.releases, resume).collect()
            if source.workflow_runs and _matches(entry.record.repo, workflow_repositories):
                from_at = max(resume.since, entry.record.created_at)
                yield from collect_runs(api, entry.record.repo, from_at, resume, people)
        # what was unchanged is covered until now as well: rows are stored with the checkpoint that follows them
        yield Checkpoint("repositories", {"listed_at": resume.now.isoformat()})


def try_connection(source: GitHub) -> str:
    """How many repositories match, in words; raises SourceError where GitHub cannot be read or none does."""
    with GitHubApi(source) as api:
        reader = (GraphQLReader if source.graphql else RestReader)(api, People(b""), False)
        n = sum(not isinstance(entry, Malformed) for entry in _matching(source, reader))
    if not n:
        raise _none_matches(source)
    return f"{n} {'repository matches' if n == 1 else 'repositories match'} {', '.join(source.repositories)}"


def _none_matches(source: GitHub) -> SourceError:
    return SourceError(
        f"github: no repository that the token can see at {source.url} matches "
        f"{', '.join(source.repositories)}; mend sources.github.repositories, or widen the token"
    )


def _matches(repo: str, patterns: Collection[str]) -> bool:
    return any(fnmatch(repo.lower(), pattern.lower()) for pattern in patterns)


def _matching(source: GitHub, reader: GraphQLReader | RestReader) -> Iterator[Listed | Malformed]:
    """The repositories that the configuration names: an owner with a glob is listed, others are asked for by name."""
    globs = [pattern for pattern in source.repositories if set(pattern) & set("*?[")]
    owners = {pattern.partition("/")[0].lower(): pattern.partition("/")[0] for pattern in globs}
    names = [p for p in source.repositories if p not in globs and p.partition("/")[0].lower() not in owners]
    seen = set()
    found = [reader.owned(owner) for owner in owners.values()] + [reader.named(names)]
    for entries in found:
        for entry in entries:
            if isinstance(entry, Malformed):
                yield entry
                continue
            record = entry.record
            wanted = entries is found[-1] or _matches(record.repo, source.repositories)
            wanted = (
                wanted
                and (source.archived or not record.is_archived)
                and (source.forks or not record.is_fork)
            )
            if wanted and record.repo not in seen:
                seen.add(record.repo)
                yield entry


def _cursor(entry: Listed, kind: str, resume: Resume) -> dict[str, Any]:
    """Where this kind was read to; empty where it never was, or not from the first day that is wanted now."""
    cursor = mapping(resume.cursors.get(f"{entry.record.repo} {kind}"))
    from_at = instant(cursor, "from_at")
    return cursor if from_at and from_at <= max(resume.since, entry.record.created_at) else {}


def _covered_from(entry: Listed, kind: str, resume: Resume) -> datetime:
    """The first instant that is covered: kept over the runs, so that one stretch grows."""
    return instant(_cursor(entry, kind, resume), "from_at") or max(resume.since, entry.record.created_at)


def _open_deployments(listed: list[Listed], resume: Resume) -> list[str]:
    return [id for entry in listed for id in mapping(_cursor(entry, "deployments", resume), "open")]


class _Kind:
    """One kind of items of one repository, read newest first from the top down to where the last run began.

    The cursor: `from_at` (covered since), `until` (the newest item read), `mark` (what the listing said then), `open`
    (deployments to look at again, with their creation), and `sweep` where a reading was cut short: it goes on from
    there before what is new is read.
    """

    def __init__(
        self,
        kind: str,
        entry: Listed,
        pages: Callable[[str, str | None, datetime], Iterator[Page]],
        resume: Resume,
    ) -> None:
        self._kind = kind
        self._repo = entry.record.repo
        self._mark = entry.marks.get(kind)
        self._pages = pages
        self._now = resume.now
        self._from_at = _covered_from(entry, kind, resume)
        self._subject = f"{self._repo} {kind}"
        self._old = _cursor(entry, kind, resume)
        self._cursor = {**self._old, "from_at": self._from_at.isoformat()}

    def collect(self, again: dict[str, Read] | None = None) -> Iterator[Item]:
        """What is new, what was `again` looked at, the coverage, and a checkpoint where anything moved."""
        yield from self._looked_at_again(again or {})
        unfinished = mapping(self._cursor, "sweep")
        if unfinished:
            yield from self._sweep(text(unfinished, "after"), instant(unfinished, "newest"))
        if self._mark is None or self._mark != self._cursor.get("mark"):
            if self._mark != "":
                yield from self._sweep(None, None)
            if self._mark is not None:
                self._cursor["mark"] = self._mark
        yield Coverage(source=self._kind, subject=self._repo, from_at=self._from_at, until_at=self._now)
        if self._cursor != self._old:
            yield Checkpoint(self._subject, dict(self._cursor))

    def _floor(self) -> datetime:
        until = instant(self._cursor, "until")
        return until - _OVERLAP if until else self._from_at

    def _sweep(self, after: str | None, newest: datetime | None) -> Iterator[Item]:
        floor = self._floor()
        for page in self._pages(self._repo, after, floor):
            reached = False
            for read in page.reads:
                if isinstance(read, Malformed):
                    yield read
                    continue
                if read.at and read.at < floor:
                    reached = True
                    continue
                yield read.record
                self._remember(read)
                newest = max(filter(None, (newest, read.at)), default=None)
            if reached or page.after is None:
                break
            self._cursor["sweep"] = {"after": page.after, "newest": newest and newest.isoformat()}
            yield Checkpoint(self._subject, dict(self._cursor))
        self._cursor.pop("sweep", None)
        if newest:
            self._cursor["until"] = newest.isoformat()

    def _looked_at_again(self, again: dict[str, Read]) -> Iterator[Item]:
        ids = mapping(self._cursor, "open")
        if ids:
            self._cursor["open"] = {}
            for id in ids:
                if id in again:
                    yield again[id].record
                    self._remember(again[id])

    def _remember(self, read: Read) -> None:
        if not read.at or not isinstance(read.record, Deployment) or not read.id:
            return
        age = self._now - read.at
        if age < _AGAIN.get(read.record.status, _AGAIN_ANYWAY):
            self._cursor["open"] = {**mapping(self._cursor, "open"), read.id: read.at.isoformat()}
