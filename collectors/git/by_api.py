"""Commits and tags through GitHub's REST API, where cloning is switched off (https://docs.github.com/en/rest/commits).

The default branch since a while before the first day, what was deployed from elsewhere, and the tags.
"""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from collectors.contract.items import Item, Malformed
from collectors.contract.records import Commit, Record
from collectors.git.history import KnownHistory
from collectors.github.api import EmptyError, GitHubApi, MissingError
from collectors.transport.json_values import Json, listing, mapping, text
from config.text.quoting import one_short_line

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# what is merged on the first day was begun before it
_BEGUN_BEFORE = timedelta(days=90)


def collect_by_api(api: GitHubApi, history: KnownHistory) -> Iterator[Item]:
    """What is new on the default branch and of the wanted SHAs and tags; raises MissingError where there is no such."""
    seen: dict[str, str | None] = {}
    try:
        for raw in _new(api, history):
            yield from _commit(api, history, raw, seen)
    except EmptyError:
        yield from history.finish()
        return
    for sha in sorted(history.wanted - history.unavailable - seen.keys()):
        for raw in _wanted(api, history, sha):
            if raw.get("sha") not in seen:
                yield from _commit(api, history, raw, seen)
    known = mapping(history.tags)
    history.tags = {}
    for page in api.pages(f"/repos/{history.repo}/tags"):
        for tag in page:
            name, tagged = text(tag, "name") or "", text(tag, "commit", "sha")
            if not name or tagged is None or not _SHA.fullmatch(tagged):
                reason = f"a tag without a {'commit' if name else 'name'}"
                yield Malformed(
                    "deployments", f"{history.repo}@{one_short_line(name)}", reason, json.dumps(tag)
                )
                continue
            history.tags[name] = tagged
            if known.get(name) != tagged:
                if tagged not in seen:
                    seen[tagged] = _committed_at(api.get(f"/repos/{history.repo}/commits/{tagged}"))
                yield history.tag(name, tagged, seen[tagged])
    yield from history.finish()


def _new(api: GitHubApi, history: KnownHistory) -> Iterator[Json]:
    """The default branch's commits: all from the first day on, or what it has since its head was seen."""
    path = f"/repos/{history.repo}"
    branch = history.repository.default_branch or "HEAD"
    head = next(iter(history.frontier), None)
    try:
        # compared by graph, not by time: an old branch that is merged now is new
        pages = api.pages(f"{path}/compare/{head}...{branch}", "commits") if head else iter(())
        for raw in _flat(pages):
            if sha := _sha(raw):
                history.frontier = {sha}
            yield raw
    except MissingError:
        head = None  # it was pushed over, and is gone
    if head is None:
        since = (history.from_at - _BEGUN_BEFORE).strftime("%Y-%m-%dT%H:%M:%SZ")
        newest = None
        for raw in _flat(api.pages(f"{path}/commits", sha=branch, since=since)):
            newest = newest or _sha(raw)
            yield raw
        history.frontier = {newest} if newest else set()


def _wanted(api: GitHubApi, history: KnownHistory, sha: str) -> Iterator[Json]:
    """What `sha` has that the default branch has not, or, where it is an old one of the branch, `sha` itself."""
    path, head = f"/repos/{history.repo}", next(iter(history.frontier), "HEAD")
    try:
        ahead = list(_flat(api.pages(f"{path}/compare/{head}...{sha}", "commits")))
        yield from ahead or [api.get(f"{path}/commits/{sha}")]
    except MissingError:
        history.unavailable.add(sha)


def _commit(
    api: GitHubApi, history: KnownHistory, raw: Json, seen: dict[str, str | None]
) -> Iterator[Record | Malformed]:
    sha = _sha(raw)
    if sha is None:
        shown = json.dumps({"sha": raw.get("sha")})
        yield Malformed(Commit.TABLE, history.repo, "sha: is no commit's", shown)
        return
    seen[sha] = _committed_at(raw)
    paths = None
    if history.with_paths:
        pages = api.pages(f"/repos/{history.repo}/commits/{sha}", "files")
        paths = [
            name
            for file in _flat(pages)
            for key in ("previous_filename", "filename")
            if (name := text(file, key))
        ]
    by = mapping(raw, "commit", "author")
    yield from history.commit(
        sha,
        [parent for found in listing(raw, "parents") if (parent := text(found, "sha"))],
        text(by, "name"),
        text(by, "email"),
        text(raw, "author", "login"),
        by.get("date"),
        _committed_at(raw),
        text(raw, "commit", "message") or "",
        paths,
    )


def _sha(raw: Json) -> str | None:
    sha = text(raw, "sha") or ""
    return sha if _SHA.fullmatch(sha) else None


def _committed_at(raw: Json) -> str | None:
    return text(raw, "commit", "committer", "date")


def _flat(pages: Iterable[list[Any]]) -> Iterator[Json]:
    return (item for page in pages for item in page)
