"""Commits and tags, by a clone of each repository or, where cloning is switched off, through GitHub's API."""

import hashlib
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collectors.contract.items import Item, Resume, SetAside, SourceError
from collectors.contract.people import People
from collectors.contract.records import Repository
from collectors.git.by_api import collect_by_api
from collectors.git.clone import STALL_SECONDS, Clone, GitError, UnreachableError
from collectors.git.history import KnownHistory, since_1970
from collectors.github.api import GitHubApi, MissingError
from collectors.github.rate_limit import REST_AT_ONCE
from collectors.transport import cost
from collectors.transport.in_order import in_order
from collectors.transport.pacing import Hold
from config.settings import GitHub

# transfers at once: GitHub names no limit for them, and takes well to as many as a browser would open
CLONES_AT_ONCE = 6
_COMMITS_A_CHECKPOINT = 10_000
# then the host is in trouble: the rest is left in peace until the next run
_FAILURES_IN_A_ROW = 3
_UNUSED = timedelta(days=30)


def collect(
    source: GitHub,
    resume: Resume,
    people: People,
    repositories: Iterable[Repository],
    cache: Path,
    wanted: Mapping[str, Collection[str]],
    with_paths: Collection[str],
    stall_seconds: int = STALL_SECONDS,
    listed_at: datetime | None = None,
) -> Iterator[Item]:
    """Each commit of each repository once, parents first, and its tags, with a checkpoint (subject: the repository).

    A repository that was not pushed to since its cursor costs no request: it is known until GitHub told that, at
    `listed_at` (None: in this run). `wanted` are SHAs that were deployed and are not known yet, by repository: they are
    fetched although no branch holds them. `with_paths` names the repositories whose commits carry the files that they
    touch; one that is new among them is yielded again from its first commit.

    Raises SourceError at the end, after the others were read, where a repository could not be; before that where the
    host answers for none of several.
    """
    failed: list[SourceError] = []
    in_a_row = 0
    histories = [
        KnownHistory(
            repository,
            resume,
            people,
            repository.repo in with_paths,
            wanted.get(repository.repo, ()),
            source.clone,
        )
        for repository in repositories
    ]
    stale = [history for history in histories if not history.is_current()]
    done = len(histories) - len(stale)
    for history in histories:
        if history.is_current():
            yield from history.coverage(listed_at or resume.now)
    cost.current_meter().part(done, len(histories), "repositories")
    with GitHubApi(source, stall_seconds) as api:
        hold = Hold(cost.current_meter(), "git")

        def read(history: KnownHistory) -> Iterator[Item | SourceError | None]:
            """What is new of a repository, and at its end nothing, or why it could not be read."""
            try:
                if source.clone:
                    clone = Clone(history.repo, api.web, api.token(), cache, hold, stall_seconds)
                    yield from _by_clone(clone, history)
                else:
                    yield from collect_by_api(api, history)
                yield None
            except (GitError, MissingError) as error:
                yield error

        for item in in_order(read, stale, CLONES_AT_ONCE if source.clone else REST_AT_ONCE):
            if isinstance(item, Item):
                yield item
                continue
            done += 1
            cost.current_meter().part(done, len(histories), "repositories")
            if item is not None:
                failed.append(item)
            in_a_row = in_a_row + 1 if isinstance(item, UnreachableError) else 0
            if in_a_row == _FAILURES_IN_A_ROW:
                break
    _remove_unused(cache, {history.repo for history in histories}, resume.now)
    if failed:
        others = f" ({len(failed) - 1} more repositories failed)" if len(failed) > 1 else ""
        raise SourceError(f"{failed[0]}{others}")


def again(cursors: Mapping[str, Any], items: Iterable[SetAside]) -> dict[str, Any]:
    """The cursors from which the repositories that hold `items` are read anew; what was cloned is not cloned again."""
    moved = dict(cursors)
    for repo in {item.subject.partition("@")[0] for item in items}:
        if repo in moved:
            moved[repo] = {**moved[repo], "frontier": [], "tags": None, "pushed_at": "again"}
    return moved


def _by_clone(clone: Clone, history: KnownHistory) -> Iterator[Item]:
    """What is in the repository and not reachable from the history's frontier."""
    clone.update()
    available = clone.fetch(history.frontier | history.wanted)
    history.unavailable = history.wanted - available
    history.frontier &= available
    clone.keep(available)
    for number, fields in enumerate(clone.log(history.frontier, history.with_paths), 1):
        sha, parents, name, email, authored_at, committed_at, message, *paths = fields
        yield from history.commit(
            sha,
            parents.split(),
            name,
            email,
            None,
            since_1970(authored_at),
            since_1970(committed_at),
            message,
            paths,
        )
        history.frontier.difference_update(parents.split())
        history.frontier.add(sha)
        if number % _COMMITS_A_CHECKPOINT == 0:
            yield history.checkpoint(complete=False)
    tags = clone.tags()
    digest = hashlib.sha256(repr(tags).encode()).hexdigest()
    if history.tags != digest:
        history.tags = digest
        for name, sha, at in tags:
            yield history.tag(name, sha, since_1970(at))
    yield from history.finish()


def _remove_unused(cache: Path, but: Collection[str], now: datetime) -> None:
    """Removes clones of repositories other than `but` that nothing was asked of for 30 days."""
    kept = {f"{repo}.git".casefold() for repo in but}
    for path in cache.glob("*/*.git"):
        used_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if str(path.relative_to(cache)).casefold() not in kept and now - used_at > _UNUSED:
            shutil.rmtree(path, ignore_errors=True)
