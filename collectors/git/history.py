"""A repository's history as far as it is known: the cursor, and commits and tags as records."""

import json
import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from collectors.contract.items import Checkpoint, Item, Malformed, Resume, record_or_malformed
from collectors.contract.people import People
from collectors.contract.records import Commit, Coverage, Deployment, Instant, Record, Repository
from collectors.github.as_records import assisted_by, git_author, title_of
from collectors.transport.json_values import as_instant, listing, mapping
from config.text.quoting import one_short_line

# as `git revert` writes it, of a merge too, and as `git cherry-pick -x` does
_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{7,64})")
_PICKED = re.compile(r"^\(cherry picked from commit ([0-9a-f]{7,64})\)$", re.MULTILINE)
# what a commit's record has beside what earlier versions took from it: an older cursor begins anew
_FORM = 2
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


class KnownHistory:
    """What is known of `repository`, to be continued.

    The cursor: `from_at` (covered since), `pushed_at` (the repository's when it was last read to its end),
    `with_paths`, `clone` (how it was read), `frontier` (known commits that are no parent of a known one: all
    others are their ancestors), `unavailable` (wanted SHAs that the host does not give), `tags` (those told of),
    `form` (what was taken from each commit).
    """

    def __init__(
        self,
        repository: Repository,
        resume: Resume,
        people: People,
        with_paths: bool,
        wanted: Collection[str],
        clone: bool,
    ) -> None:
        self.repository = repository
        self.repo = repository.repo
        self.with_paths = with_paths
        self.wanted = set(wanted)
        self._people = people
        self._now = resume.now
        self._clone = clone
        cursor = mapping(resume.cursors.get(self.repo))
        is_other = cursor.get("clone") != clone or cursor.get("form") != _FORM
        if is_other or (with_paths and not cursor.get("with_paths")):
            cursor = {}
        first = max(resume.since, repository.created_at)
        covered = as_instant(cursor, "from_at")
        # a clone has the whole history whatever the first day is, the API was asked for a part
        if covered and first < covered and not clone:
            cursor = {}
        self.from_at = min(covered, first) if covered and cursor else first
        self.is_new = not cursor
        self.frontier: set[str] = set(listing(cursor, "frontier"))
        self.unavailable: set[str] = set(listing(cursor, "unavailable"))
        self.tags: Any = cursor.get("tags")
        self._pushed_at = cursor.get("pushed_at")

    def is_current(self) -> bool:
        """Whether nothing was pushed since the cursor, and nothing else is wanted of the repository."""
        return not self.is_new and self._pushed_at == self._pushed() and self.wanted <= self.unavailable

    def coverage(self, until: datetime) -> Iterator[Coverage]:
        """Commits and tags are known until then."""
        if until < self.from_at:
            return
        for source in ("git", "tags"):
            yield Coverage(source=source, subject=self.repo, from_at=self.from_at, until_at=until)

    def checkpoint(self, complete: bool) -> Checkpoint:
        """The cursor after what was yielded; an incomplete one goes on at the next run whether pushed to or not."""
        cursor = {
            "from_at": self.from_at.isoformat(),
            "pushed_at": self._pushed() if complete else "unfinished",
            "with_paths": self.with_paths,
            "clone": self._clone,
            "frontier": sorted(self.frontier),
            "unavailable": sorted(self.unavailable),
            "tags": self.tags,
            "form": _FORM,
        }
        return Checkpoint(self.repo, cursor)

    def finish(self) -> Iterator[Item]:
        """The end of a reading: the coverage and its checkpoint."""
        yield from self.coverage(self._now)
        yield self.checkpoint(complete=True)

    def commit(
        self,
        sha: str,
        parents: Collection[str],
        name: str | None,
        email: str | None,
        login: str | None,
        authored_at: Any,
        committed_at: Any,
        message: str,
        paths: Collection[str] | None,
    ) -> Iterator[Record | Malformed]:
        """A commit's record; what it reverts and is a copy of is read in its message as git writes it.

        A time that is none is set aside and unknown; the commit keeps its place among the others.
        """
        author = git_author(name, email, login, self._people)
        reverts = list(dict.fromkeys(_REVERTS.findall(message)))
        fields = {
            "repo": self.repo,
            "sha": sha,
            "parents": tuple(parents),
            "authored_at": authored_at,
            "committed_at": committed_at,
            "author": self._people.pseudonym(author.login),
            "is_bot": author.is_bot,
            "assisted_by": assisted_by(author, message, self._people),
            "subject": title_of(message),
            "reverts_sha": reverts[0] if reverts else None,
            "also_reverts": tuple(reverts[1:]),
            "picked_from": tuple(dict.fromkeys(_PICKED.findall(message))),
            "paths": tuple(paths) if self.with_paths and paths is not None else None,
        }
        # the names of people stay out of the quarantine as well
        raw = {key: fields[key] for key in ("repo", "sha", "authored_at", "committed_at", "subject")}
        wrong = [key for key in ("authored_at", "committed_at") if not _is_instant(fields[key])]
        if wrong:
            told = ", ".join(f"{key} {one_short_line(fields[key] or 'is missing')}" for key in wrong)
            reason = f"no instant: {told}; the rest of the commit was taken"
            yield Malformed("commits", f"{self.repo}@{sha}", reason, json.dumps(raw, default=str))
        fields |= dict.fromkeys(wrong)
        yield record_or_malformed(Commit, f"{self.repo}@{sha}", fields, raw)

    def tag(self, name: str, sha: str, at: Any) -> Record | Malformed:
        """A tag as the deployment that it may stand for, done when it was made; one that moves is several."""
        fields = {
            "source": "tags",
            "id": f"{self.repo}@{name}@{sha}",
            "repo": self.repo,
            "ref": name,
            "sha": sha,
            "sha_method": "tag",
            "status": "success",
            "started_at": at,
            "finished_at": at,
            "url": f"{self.repository.url}/releases/tag/{name}" if self.repository.url else None,
        }
        return record_or_malformed(Deployment, f"{self.repo}@{name}", fields, fields)

    def _pushed(self) -> str | None:
        return self.repository.pushed_at.isoformat() if self.repository.pushed_at else None


def _is_instant(told: Any) -> bool:
    try:
        _INSTANT.validate_python(told)
    except ValidationError:
        return False
    return True


def since_1970(seconds: str) -> datetime | str:
    """The instant, or, where git's number is none, a text that says so (and is refused as an instant)."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return f'"{seconds}" seconds since 1970'
