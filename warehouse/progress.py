"""How a long-running collection tells what it is doing; how that is shown is the caller's affair."""

import json
import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

# what is kept for other processes is that old at most while records come
KEPT_SECONDS = 1.0


class Progress(Protocol):
    """Told by the pipeline of several sources, one call at a time; never raises and never slows the collection down."""

    def start(self, source: str) -> None:
        """`source` begins to be read."""

    def advance(self, source: str, kind: str, n: int) -> None:
        """`n` more records of `kind` came from `source`."""

    def part(self, source: str, done: int, total: int, of: str, seconds_left: float | None) -> None:
        """`done` of `total` `of` (such as "repositories") were read from `source`; the rest may take so long."""

    def wait(self, source: str, text: str) -> None:
        """Reading `source` pauses: "waiting 35 s for GitHub's rate limit"."""

    def finish(self, source: str, summary: str, failed: bool) -> None:
        """`source` is done; `summary` says in one line what came or what went wrong."""


class Silent:
    """A `Progress` that shows nothing."""

    def start(self, source: str) -> None:
        """Nothing."""

    def advance(self, source: str, kind: str, n: int) -> None:
        """Nothing."""

    def part(self, source: str, done: int, total: int, of: str, seconds_left: float | None) -> None:
        """Nothing."""

    def wait(self, source: str, text: str) -> None:
        """Nothing."""

    def finish(self, source: str, summary: str, failed: bool) -> None:
        """Nothing."""


@dataclass
class SourceProgress:
    """A source by the name of its runs: what came of it so far, and `done` of `total` `of` (such as "repositories")."""

    source: str
    status: Literal["waiting", "reading", "read", "failed"] = "waiting"
    counts: dict[str, int] = field(default_factory=dict)
    done: int = 0
    total: int = 0
    of: str = ""
    pause: str = ""


@dataclass
class CollectionProgress:
    """A collection that runs; instants are aware and UTC. `is_first` where it reads a source for the first time."""

    started_at: datetime
    told_at: datetime
    is_first: bool
    sources: list[SourceProgress]


class Kept:
    """A `Progress` that passes on what it is told, and keeps it in a file for other processes until it is closed.

    Any number of threads may tell it something.
    """

    def __init__(self, shown: Progress, warehouse: Path, sources: Iterable[str], is_first: bool) -> None:
        now = datetime.now(UTC)
        self._shown = shown
        self._path = _path(warehouse)
        self._part = self._path.with_name(f"{self._path.name}.tmp")
        self._told = CollectionProgress(now, now, is_first, [SourceProgress(name) for name in sources])
        self._of = {one.source: one for one in self._told.sources}
        self._lock = threading.Lock()
        self._is_closed = False
        self._kept_at = 0.0
        self._keep()

    def start(self, source: str) -> None:
        """Keeps that the source is being read."""
        with self._lock:
            self._of[source].status = "reading"
            self._keep()
            self._shown.start(source)

    def advance(self, source: str, kind: str, n: int) -> None:
        """Counts what came, and keeps it unless that was done a moment ago."""
        with self._lock:
            of = self._of[source]
            of.counts[kind] = of.counts.get(kind, 0) + n
            of.pause = ""
            self._now_and_then()
            self._shown.advance(source, kind, n)

    def part(self, source: str, done: int, total: int, of: str, seconds_left: float | None) -> None:
        """Keeps how much is done, unless something was kept a moment ago."""
        with self._lock:
            known = self._of[source]
            known.done, known.total, known.of, known.pause = done, total, of, ""
            self._now_and_then()
            self._shown.part(source, done, total, of, seconds_left)

    def wait(self, source: str, text: str) -> None:
        """Keeps why nothing comes for a while."""
        with self._lock:
            self._of[source].pause = text
            self._keep()
            self._shown.wait(source, text)

    def finish(self, source: str, summary: str, failed: bool) -> None:
        """Keeps how it ended; why it failed is in its run."""
        with self._lock:
            known = self._of[source]
            known.status, known.pause = "failed" if failed else "read", ""
            self._keep()
            self._shown.finish(source, summary, failed)

    def close(self) -> None:
        """Removes what was kept, and keeps nothing more."""
        with self._lock:
            self._is_closed = True
            for path in (self._part, self._path):
                with suppress(OSError):
                    path.unlink()

    def _now_and_then(self) -> None:
        if time.monotonic() - self._kept_at >= KEPT_SECONDS:
            self._keep()

    def _keep(self) -> None:
        if self._is_closed:
            return
        self._kept_at = time.monotonic()
        self._told.told_at = datetime.now(UTC)
        # a disk that is full is told by what has to be stored
        with suppress(OSError):
            self._part.write_text(
                json.dumps(asdict(self._told), default=datetime.isoformat), encoding="utf-8"
            )
            os.replace(self._part, self._path)


def progress_of(warehouse: Path) -> CollectionProgress | None:
    """What a collection into the warehouse has told last; None where none runs, or nothing of it can be read."""
    try:
        told = json.loads(_path(warehouse).read_text(encoding="utf-8"))
        started_at, told_at = (datetime.fromisoformat(told[key]) for key in ("started_at", "told_at"))
        sources = [SourceProgress(**one) for one in told["sources"]]
        return CollectionProgress(started_at, told_at, bool(told["is_first"]), sources)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _path(warehouse: Path) -> Path:
    return warehouse.with_name(f"{warehouse.stem}.progress")
