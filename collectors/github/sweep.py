"""One kind of items of one repository, read newest first from the top down to where the last run began."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from collectors.contract.items import Checkpoint, Item, Malformed, Resume
from collectors.contract.records import Coverage, Deployment
from collectors.github.as_records import AskedItems, ItemsPage, Listed, Read
from collectors.transport.json_values import as_instant, mapping, text

# a list may be a moment behind the item that was just updated
_OVERLAP = timedelta(minutes=1)
# and a release may have been a pre-release when it was read
_OVERLAP_OF_RELEASES = timedelta(days=30)
# a deployment that goes on is looked at again, and one that ended for a while: it may be tried once more
_AGAIN = {"running": timedelta(days=30)}
_AGAIN_ANYWAY = timedelta(hours=24)
# how many items of a repository that was read before are asked for at first, and where nobody knows how many there are
_NEW, _A_PAGE = 10, 100


class Sweep:
    """What is read of one kind, page by page: `asked` is the page that it waits for, None once it is done.

    The cursor: `from_at` (covered since), `until` (the newest item read), `mark` (what the listing said then), `open`
    (deployments to look at again, with their creation), and `sweep` where a reading was cut short: it goes on from
    there before what is new is read.
    """

    def __init__(self, kind: str, entry: Listed, resume: Resume) -> None:
        self.asked: AskedItems | None = None
        self._kind = kind
        self._repo = entry.record.repo
        self._mark = entry.marks.get(kind)
        self._now = resume.now
        self._subject = f"{self._repo} {kind}"
        self._old = _cursor(entry, kind, resume)
        self._from_at = covered_from(entry, kind, resume)
        self._cursor = {**self._old, "from_at": self._from_at.isoformat()}
        self._newest: datetime | None = None
        self._is_resumed = False
        self._created_at = entry.record.created_at
        self._unwanted = 0  # how many of those that are expected lie before the first day that is wanted

    @property
    def left(self) -> int:
        """About how many items are still to be read, as if they came evenly over the repository's life."""
        if self.asked is None:
            return 0
        return max(1, (self.asked.expected or _A_PAGE) - self._unwanted)

    def begin(self, again: Mapping[str, Read]) -> Iterator[Item]:
        """What was looked at `again`; the coverage too where nothing else is to be read."""
        yield from self._looked_at_again(again)
        unfinished = mapping(self._cursor, "sweep")
        if unfinished:
            self._is_resumed = True
            self._newest = as_instant(unfinished, "newest")
            self.asked = AskedItems(self._repo, text(unfinished, "after"), self._floor())
        else:
            yield from self._ask_or_finish()

    def take(self, page: ItemsPage) -> Iterator[Item]:
        """The page's items; a checkpoint where more are to come, the coverage where not."""
        if self.asked is None:
            return
        reached = False
        for read in page.reads:
            if isinstance(read, Malformed):
                yield read
            elif read.at and read.at < self.asked.floor:
                reached = True
            else:
                yield read.record
                self._remember(read)
                self._newest = max(filter(None, (self._newest, read.at)), default=None)
        if not page.is_read:  # what was not given is asked for by the next run, and is not covered
            self.asked = None
        elif reached or page.after is None:
            yield from self._end()
        else:
            self.asked = self._following(page)
            self._cursor["sweep"] = {
                "after": page.after,
                "newest": self._newest and self._newest.isoformat(),
            }
            yield Checkpoint(self._subject, dict(self._cursor))

    def _following(self, page: ItemsPage) -> AskedItems:
        assert self.asked  # noqa: S101  what the page is the answer to
        is_first = not self._old.get("until") and not self._is_resumed
        expected = self.asked.expected
        left = expected - len(page.reads) if is_first and expected else None
        return AskedItems(self._repo, page.after, self.asked.floor, left if left and left > 0 else None)

    def _end(self) -> Iterator[Item]:
        self._cursor.pop("sweep", None)
        if self._newest:
            self._cursor["until"] = self._newest.isoformat()
        self._newest, self.asked = None, None
        if self._is_resumed:
            self._is_resumed = False
            yield from self._ask_or_finish()
        else:
            yield from self._finish()

    def _ask_or_finish(self) -> Iterator[Item]:
        """Asks from the top where the listing says that something changed after what is read."""
        mark, floor = self._mark, self._floor()
        if mark is None:
            self.asked = AskedItems(self._repo, None, floor)
        elif (
            mark.text and mark.text != self._cursor.get("mark") and not (mark.newest and mark.newest < floor)
        ):
            is_first = not self._cursor.get("until")
            if is_first and floor > self._created_at:
                before = (floor - self._created_at) / (self._now - self._created_at)
                self._unwanted = int(mark.total * before)
            self.asked = AskedItems(
                self._repo, None, floor, mark.total if is_first else min(mark.total, _NEW)
            )
        else:
            yield from self._finish()

    def _finish(self) -> Iterator[Item]:
        if self._mark is not None:
            self._cursor["mark"] = self._mark.text
        yield Coverage(source=self._kind, subject=self._repo, from_at=self._from_at, until_at=self._now)
        if self._cursor != self._old:
            yield Checkpoint(self._subject, dict(self._cursor))

    def _floor(self) -> datetime:
        until = as_instant(self._cursor, "until")
        overlap = _OVERLAP_OF_RELEASES if self._kind == "releases" else _OVERLAP
        return max(self._from_at, until - overlap) if until else self._from_at

    def _looked_at_again(self, again: Mapping[str, Read]) -> Iterator[Item]:
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


def covered_from(entry: Listed, kind: str, resume: Resume) -> datetime:
    """The first instant that is covered: kept over the runs, so that one stretch grows."""
    return as_instant(_cursor(entry, kind, resume), "from_at") or max(resume.since, entry.record.created_at)


def _cursor(entry: Listed, kind: str, resume: Resume) -> dict[str, Any]:
    """Where this kind was read to; empty where it never was, or not from the first day that is wanted now."""
    cursor = mapping(resume.cursors.get(f"{entry.record.repo} {kind}"))
    from_at = as_instant(cursor, "from_at")
    return cursor if from_at and from_at <= max(resume.since, entry.record.created_at) else {}


def open_deployments(listed: list[Listed], resume: Resume) -> list[str]:
    """The ids of the deployments that are to be looked at again."""
    return [id for entry in listed for id in mapping(_cursor(entry, "deployments", resume), "open")]
