"""Collect, load, build, publish: the one place that catches what a source does wrong.

Rows are stored with the cursor and the coverage that speak of them in one transaction, so that a run killed at any
point leaves a warehouse that the next run completes. Sources are read beside each other, and one that fails leaves the
others alone.
"""

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from collectors.contract.items import Checkpoint, Gone, Item, Malformed, Resume, SetAside
from collectors.contract.records import Component, Event, Link, Record
from collectors.transport.cost import Meter, metered
from collectors.transport.side_by_side import Await, side_by_side
from config.errors import ConfigurationError, SixkeysError
from config.settings import Settings
from config.text.quoting import in_short
from warehouse.building.build import build
from warehouse.building.possible_causes import possibly_caused
from warehouse.building.steps import OpenEngine, on_this_machine
from warehouse.loading.clock_ahead import put_right
from warehouse.loading.fault_log import unforeseen
from warehouse.loading.redaction import redact
from warehouse.loading.runs import Run, close_interrupted_runs, is_first_of
from warehouse.progress import Kept, Progress, Silent
from warehouse.rows.export import export_as_configured
from warehouse.storage.instants import naive
from warehouse.storage.lock import locked, turn_of_thread
from warehouse.storage.store import Warehouse, open_warehouse

if TYPE_CHECKING:
    from warehouse.loading.configured import LaterReading, Source

log = logging.getLogger(__name__)
BATCH_ROWS = 5_000
BATCH_SECONDS = 2.0
DEFAULT_HISTORY = timedelta(days=365)
BUILD_EVERY = timedelta(minutes=1)
_COMPONENTS = "components seen"
# what each run of its source tells as a whole: what is not told again is gone
_TOLD_WHOLE: dict[type[Record], str] = {Link: "links seen", Event: "events seen"}


class RunInProgress(SixkeysError):
    """Another process collects into the same warehouse: which, and what to do."""


class _StoppedError(BaseException):
    """The collection has ended, and nothing may be stored any more."""


def collect(
    settings: Settings,
    progress: Progress | None = None,
    only: str | None = None,
    since: date | None = None,
    now: datetime | None = None,
    replay: bool = False,
    build_every: timedelta = BUILD_EVERY,
) -> list[Run]:
    """Reads what is new from every source (or `only` one), then builds and publishes the facts; one `Run` a source.

    Each is read by a thread of its own, once those that it comes after have ended. `since` overrides the first day that
    the settings ask for. `replay` reads only sources of which something is in the quarantine, and that again. While a
    source is read for the first time, what is there already is built whenever a source has ended, once `build_every`
    has passed. Raises ConfigurationError where `only` names no source, RunInProgress where another run is at work; a
    source's own failure is in its `Run`.
    """
    now = now or datetime.now(UTC)
    # what a build has no need of, and takes long to load: each collector
    from warehouse.loading.configured import sources

    known = sources(settings, only is not None or replay, possibly_caused)
    wanted = [source for source in known if only in (None, source.name, source.name.partition(":")[0])]
    if not known:
        raise ConfigurationError('no source is configured; name one below "sources", or use "sixkeys import"')
    if not wanted:
        names = ", ".join(source.name for source in known)
        raise ConfigurationError(f'there is no source "{only}"; configured: {names}')
    with _alone(settings.warehouse):
        _mind_the_clock(settings, now)
        close_interrupted_runs(settings.warehouse)
        if replay:
            with open_warehouse(settings.warehouse) as warehouse:
                wanted = [source for source in wanted if warehouse.set_aside(source.name)]
        of = {source.name: source for source in wanted}
        is_first = is_first_of(settings.warehouse, list(of))
        with (
            closing(Kept(progress or Silent(), settings.warehouse, of, is_first)) as shown,
            _stopping(settings.warehouse) as stopped,
        ):

            def read(name: str, awaited: Await) -> Run:
                return _run(settings, of[name], shown, since, now, replay, stopped, awaited)

            runs, built_at = dict[str, Run](), time.monotonic()
            for run in side_by_side(read, {source.name: source.after for source in wanted}):
                runs[run.source] = run
                is_due = time.monotonic() - built_at >= build_every.total_seconds()
                if is_first and is_due and len(runs) < len(wanted):
                    build(settings, now)
                    built_at = time.monotonic()
            build_and_export(settings, now)
    return [runs[name] for name in of]


@contextmanager
def _stopping(warehouse: Path) -> Iterator[threading.Event]:
    """An event that is set at the end, however it comes; nobody stores anything after that."""
    stopped = threading.Event()
    try:
        yield stopped
    finally:
        stopped.set()
        with turn_of_thread(warehouse):  # whoever is storing a batch stores all of it
            pass


def build_and_export(
    settings: Settings, as_of: datetime, engine: OpenEngine = on_this_machine, is_full: bool = False
) -> Path:
    """Builds the facts, and writes the exports that are configured; one that fails is told, and the facts stand."""
    built = build(settings, as_of, engine, is_full)
    if failure := export_as_configured(settings):
        log.error("%s", failure)
    return built


@contextmanager
def _alone(warehouse: Path) -> Iterator[None]:
    """Holds the warehouse's run lock; raises RunInProgress."""
    with locked(warehouse, "lock") as holder:
        if holder:
            raise RunInProgress(f"{warehouse}: process {holder} is collecting; let it finish, or end it")
        yield


def _mind_the_clock(settings: Settings, now: datetime) -> None:
    with open_warehouse(settings.warehouse) as warehouse:
        last = put_right(warehouse, now)
    if last is not None:
        log.warning(
            "the clock was ahead: what was put down of days after %s is taken back, and all since %s is read again",
            f"{now:%Y-%m-%d}",
            f"{last:%Y-%m-%d %H:%M} UTC",
        )


def _run(
    settings: Settings,
    source: "Source",
    progress: Progress,
    since: date | None,
    now: datetime,
    replay: bool,
    stopped: threading.Event,
    awaited: Await,
) -> Run:
    meter = Meter(longest_wait_seconds=settings.sources.longest_wait.total_seconds())
    run = Run(uuid.uuid4().hex, source.name, datetime.now(UTC), meter=meter)
    zone = ZoneInfo(settings.timezone)
    from_at = _from_at(since or source.since, zone, now)
    progress.start(source.name)
    run.meter.on_wait = partial(progress.wait, source.name)
    run.meter.on_part = partial(progress.part, source.name)
    writer = _Writer(settings, run, progress, stopped)
    held: list[SetAside] = []
    try:
        with open_warehouse(settings.warehouse) as warehouse:
            writer.record("running")
            cursors = warehouse.cursors(source.name)
            held = warehouse.set_aside(source.name) if replay else []
        begin = {} if since else source.again(cursors, held) if replay else cursors
        resume = Resume(now=now, since=from_at, cursors=begin)
        with metered(run.meter), closing(_items(source, resume)) as items:
            for item in items:
                writer.take(item)
        if source.later:
            writer.flush()
            awaited(source.later.after, lambda name: progress.wait(source.name, f"waiting for {name}"))
            with metered(run.meter), closing(_items(source.later, resume)) as items:
                for item in items:
                    writer.take(item)
        with open_warehouse(settings.warehouse):  # once for all that is left to do
            writer.flush()
            if source.is_whole or (since and from_at <= _from_at(source.since, zone, now)):
                writer.release_unseen()
            elif replay:
                writer.release_unseen(without_key=True)
            writer.forget_components(cursors.get(_COMPONENTS, []))
            for record, seen in _TOLD_WHOLE.items():
                writer.forget_untold(record, cursors.get(seen, []))
            if replay:
                writer.count_mended(len(held))
            writer.record(run.status)
    except SixkeysError as error:
        run.error = in_short(redact(settings, str(error)))
    except Exception as error:  # one broken source must not cost the others their data
        run.error = unforeseen(settings, error, source.name, run.run_id)
    if run.error:
        _attempt(writer.flush)
        if replay:
            _attempt(lambda: writer.count_mended(len(held)))
        _attempt(lambda: writer.record(run.status))
    progress.finish(source.name, run.summary, failed=run.error is not None)
    return run


def _items(source: "Source | LaterReading", resume: Resume) -> Generator[Item, None, None]:
    """To be closed in any case: after an interrupt or an error, nothing is to go on in the background."""
    yield from source.collect(resume)


def _from_at(first: date | None, zone: ZoneInfo, now: datetime) -> datetime:
    return datetime.combine(first, time_of_day(), zone).astimezone(UTC) if first else now - DEFAULT_HISTORY


def _attempt(step: Callable[[], None]) -> None:
    """Runs a last step of a failed source; its own failure is told where the first one is not yet."""
    try:
        step()
    except Exception:  # what failed may fail again in the same way
        return


class _Writer:
    """Stores a source's items in batches: rows, coverage, quarantine and cursors of a batch in one transaction.

    Raises _StoppedError once the collection was `stopped`.
    """

    def __init__(self, settings: Settings, run: Run, progress: Progress, stopped: threading.Event) -> None:
        self._settings = settings
        self._stopped = stopped
        self._warehouse = settings.warehouse
        self._run = run
        self._progress = progress
        self._records: list[Record] = []
        self._malformed: list[Malformed] = []
        self._gone: list[Gone] = []
        self._checkpoints: list[Checkpoint] = []
        self._components: set[tuple[str, ...]] = set()
        self._whole: dict[type[Record], set[tuple[str, ...]]] = {record: set() for record in _TOLD_WHOLE}
        self._unread: set[str] = set()
        self._hidden: set[str] = set()
        self._flushed_at = time.monotonic()

    def take(self, item: Item) -> None:
        """Keeps `item` for the next batch and stores the batch when it is full or old."""
        if isinstance(item, Checkpoint):
            self._checkpoints.append(item)
        elif isinstance(item, Malformed):
            told = (redact(self._settings, text) for text in (item.reason, item.raw))
            self._malformed.append(replace(item, **dict(zip(("reason", "raw"), told, strict=True))))
            self._unread.add(item.subject)
            if item.hides is not None:
                self._hidden.add(item.hides)
            self._run.quarantined += 1
        elif isinstance(item, Gone):
            self.flush()  # what came before it, so that it may be among that
            self._gone.append(item)
        else:
            self._records.append(item)
            self._run.counts[item.TABLE] += 1
            self._progress.advance(self._run.source, item.TABLE, 1)
            if type(item) in self._whole:
                self._whole[type(item)].add(tuple(getattr(item, name) for name in item.KEY))
            if isinstance(item, Component):
                self._components.add((item.name, item.kind, item.origin))
        # a checkpoint speaks of all rows before it, so a batch may end anywhere
        if len(self._records) >= BATCH_ROWS or time.monotonic() - self._flushed_at > BATCH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Stores what is held; nothing is kept if any of it cannot be stored."""
        if self._records or self._malformed or self._gone or self._checkpoints:
            now = datetime.now(UTC)
            with self._writing() as warehouse:
                warehouse.forget(self._gone)
                warehouse.upsert(self._records)
                warehouse.release(self._run.source, self._records)
                warehouse.quarantine(self._run.source, self._malformed, now)
                for checkpoint in self._checkpoints:
                    warehouse.move_cursor(self._run.source, checkpoint.subject, checkpoint.cursor, now)
            self._records, self._malformed, self._gone, self._checkpoints = [], [], [], []
        self._flushed_at = time.monotonic()

    @contextmanager
    def _writing(self) -> Iterator[Warehouse]:
        with open_warehouse(self._warehouse) as warehouse, warehouse.transaction():
            if self._stopped.is_set():
                raise _StoppedError
            yield warehouse

    def release_unseen(self, without_key: bool = False) -> None:
        """Empties the quarantine of what this run, which read everything again, did not meet."""
        with self._writing() as warehouse:
            warehouse.release_unseen(self._run.source, self._run.started_at, without_key)

    def count_mended(self, held: int) -> None:
        """Puts down how many of the `held` items of the quarantine have left it."""
        with self._writing() as warehouse:
            self._run.mended = held - len(warehouse.set_aside(self._run.source)), held

    def forget_components(self, before: list[Any]) -> None:
        """Marks the components that this source told last time and no longer does as gone; their past stays."""
        # an older version did not put down in which file
        gone = {tuple(entity) for entity in before} - self._components - {one[:2] for one in self._components}
        if not gone and not self._components:
            return
        now = datetime.now(UTC)
        met = {place for _, _, *origin in self._components for place in origin}
        with self._writing() as warehouse:
            for name, kind, *origin in sorted(gone):
                if self._may_be_there(origin, met):
                    self._components.add((name, kind, *origin))
                    continue
                warehouse.connection.execute(
                    "update components set gone_at = ? where name = ? and kind = ? and gone_at is null"
                    + (" and origin = ?" if origin else ""),
                    [naive(now), name, kind, *origin],
                )
            warehouse.move_cursor(self._run.source, _COMPONENTS, sorted(map(list, self._components)), now)

    def _may_be_there(self, origin: Sequence[str], met: set[str]) -> bool:
        """Whether a component of the file `origin` that was not told this time may be there all the same.

        A file that could not be read in full keeps the components that it had, and so do those that it may have named
        and that were not `met`. An older version did not put down in which file.
        """
        if not origin:
            return bool(self._unread)
        (place,) = origin
        return place in self._unread or (place not in met and place.startswith(tuple(self._hidden)))

    def forget_untold(self, record: type[Record], before: list[Any]) -> None:
        """Removes those of `record` that this source told last time and no longer does."""
        told = self._whole[record]
        gone = {tuple(key) for key in before} - told
        if not gone and not told:
            return
        with self._writing() as warehouse:
            warehouse.forget(Gone(record, key) for key in sorted(gone))
            warehouse.move_cursor(
                self._run.source, _TOLD_WHOLE[record], sorted(map(list, told)), datetime.now(UTC)
            )

    def record(self, status: str) -> None:
        """Puts the run on record as it stands."""
        run = self._run
        row = {
            "run_id": run.run_id,
            "source": run.source,
            "started_at": naive(run.started_at),
            "finished_at": None if status == "running" else naive(datetime.now(UTC)),
            "status": status,
            "error": run.error,
            "items": run.counts.total(),
            "quarantined": run.quarantined,
            "counts": json.dumps(run.counts),
            "requests": run.meter.requests,
            "failed_requests": run.meter.failed_requests,
            "bytes": run.meter.bytes,
            "waited_seconds": run.meter.waited_seconds,
        }
        with self._writing() as warehouse:
            warehouse.connection.execute(
                "delete from runs where run_id = ? and source = ?", [run.run_id, run.source]
            )
            warehouse.connection.execute(
                f"insert into runs ({', '.join(row)}) values ({', '.join('?' * len(row))})",
                list(row.values()),
            )
