"""Source tables into fact tables: a new file each time, published by moving a pointer."""

import glob
import hashlib
import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from config.settings import Settings
from config.text.quoting import in_short
from warehouse.building.partial import KEPT, derive_touched
from warehouse.building.steps import (
    WRITTEN,
    OpenEngine,
    as_stored,
    create_facts,
    model,
    on_this_machine,
)
from warehouse.building.touched import create_row_hashes
from warehouse.loading.people_key import key_file
from warehouse.loading.survey_batches import close_rounds
from warehouse.metrics.definitions import definitions
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import FACTS_VERSION, facts_files, named_in, pointer
from warehouse.metrics.stored_values import WORTH_STORING, store
from warehouse.storage.instants import naive
from warehouse.storage.lock import waited_for
from warehouse.storage.older_scorecards import convert_scorecards
from warehouse.storage.on_disk import age, quoted_path, sync
from warehouse.storage.store import OPEN, attach, open_warehouse, told_if_damaged, transaction

log = logging.getLogger(__name__)
COPIES = ("runs", "quarantine", "coverage", "components", "scorecards", "scorecard_forms", "deliveries")
# bytes that DuckDB holds at once while it builds, and for each commit; what is more it puts beside the warehouse
HELD, HELD_FOR_A_COMMIT = 2**30, 300
# of which facts come beside what is stored
_PROGRAM = [Path(__file__).parents[2] / package for package in ("config", "collectors", "warehouse")]
# what no fact comes of; secrets are among these
_OF_NO_FACT = {"warehouse", "sources", "schedule", "reports", "dashboard", "privacy", "survey_page"}
_OF_THE_PROGRAM = (".py", ".sql", ".toml")
_IS_FIRST = "select 1 from about where first_built_at is null"
KEPT_FILES = 3
KEPT_FOR = timedelta(minutes=5)


def bound_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Bounds what DuckDB holds at once by the commits of the warehouse attached as `stored`, and by what it may."""
    (found,) = connection.execute(
        "select least(parse_formatted_bytes(current_setting('memory_limit')), greatest(?, ? * count(*)))"
        " from stored.commits",
        [HELD, HELD_FOR_A_COMMIT],
    ).fetchall()
    connection.execute(f"set memory_limit = '{found[0]} bytes'")


def build(
    settings: Settings,
    as_of: datetime,
    engine: OpenEngine = on_this_machine,
    is_full: bool = False,
    worth_storing: int = WORTH_STORING,
) -> Path:
    """Builds the facts as of an instant and publishes them; the path of the new file.

    What has changed since a build of the same local day by the same program and settings is derived anew; everything is
    where there is none, or where `is_full`. From `worth_storing` deployments and changes on, values that pages ask for
    are stored.

    One build at a time: another waits. The warehouse is copied, so that nobody who writes to it waits for a build.
    Readers keep what they have open; the pointer is replaced when the new file is complete and on disk.
    """
    with open_warehouse(settings.warehouse):  # one that may not be touched is refused before anything is
        pass
    with waited_for(settings.warehouse, "building"):
        _sweep(settings.warehouse)
        return _built(settings, as_of, engine, is_full, worth_storing)


@dataclass(frozen=True)
class _Task:
    """What a build is of and for, and the files that it works with: the copied warehouse, and the facts to be."""

    settings: Settings
    as_of: datetime
    worth_storing: int
    made_by: str
    name: str

    def path(self, kind: str) -> Path:
        return self.settings.warehouse.parent / f"{self.name}{kind}"


def _built(
    settings: Settings, as_of: datetime, engine: OpenEngine, is_full: bool, worth_storing: int
) -> Path:
    name = f"{settings.warehouse.stem}.facts-{naive(as_of):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:12]}.duckdb"
    # what a cluster made is not brought up to date by another program
    made_by = _maker(settings, as_of) if engine is on_this_machine else name
    task = _Task(settings, as_of, worth_storing, made_by, name)
    try:
        with open_warehouse(settings.warehouse) as warehouse:  # creates or migrates the source tables
            close_rounds(warehouse, model("answers"), as_of, settings.survey.team)
            is_first = warehouse.connection.execute(_IS_FIRST).fetchall()
            warehouse.copy_to(task.path(".stored"))
        with told_if_damaged(settings.warehouse):
            if is_full or not _brought_up(task):
                _made_anew(task, engine)
        sync(task.path(".tmp"))
        os.replace(task.path(".tmp"), task.path(""))
        _point(settings.warehouse, name)
        if is_first:
            _put_down_the_first(settings.warehouse, as_of)
    finally:
        _sweep(settings.warehouse)
    _remove_old(settings.warehouse, task.path(""))
    return task.path("")


def _made_anew(task: _Task, engine: OpenEngine) -> None:
    """Writes facts of all that there is."""
    settings, as_of = task.settings, task.as_of
    with _at_work(task, task.path(".work")) as connection:
        _attach(connection, task, "published")
        connection.execute("set search_path = 'work.main,published.main'")
        with engine(connection, "published") as run:
            create_facts(connection, settings, as_of, run)
            create_row_hashes(connection)
            facts = Facts(connection, task.path(".work"), as_of, settings.timezone, settings.organization)
            store(facts, task.worth_storing)
            with transaction(connection):
                for table in WRITTEN:
                    rows = as_stored(table, f"from {table}")
                    connection.execute(f"create table published.{table} as {rows}")
                connection.execute("create schema published.kept")
                for table, rows in KEPT.items():
                    connection.execute(f"create table published.kept.{table} as {rows}")
                _publish(connection, "published", task)
        connection.execute("checkpoint published")
        connection.execute("detach published")


def _brought_up(task: _Task) -> bool:
    """Writes the facts before, with what has changed since derived anew; whether that could be done."""
    before = _facts_to_follow(task)
    if before is None:
        return False
    shutil.copyfile(before, task.path(".tmp"))
    derived: int | None = None
    try:
        with _at_work(task, ":memory:") as connection:
            _attach(connection, task, "whole")
            derived = derive_touched(connection, task.settings, task.as_of, task.worth_storing)
            if derived is not None:
                _publish(connection, "whole", task, derived)
                connection.execute("checkpoint whole")
            connection.execute("detach whole")
    except duckdb.Error as error:
        derived = None
        log.warning(
            "%s: cannot be followed, so everything is derived anew: %s", before.name, in_short(str(error))
        )
    if derived is None:
        for kind in (".tmp", ".tmp.wal"):
            task.path(kind).unlink(missing_ok=True)
    return derived is not None


@contextmanager
def _at_work(task: _Task, work: Path | str) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB over the copied warehouse; `work` is where tables are made: a file, or within what it may hold."""
    # each database by a name of its own, whatever the warehouse is called
    with duckdb.connect(config=OPEN | {"temp_directory": f"{task.path('.work')}.tmp"}) as connection:
        # what is removed at the end need not be in order
        connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.execute(f"attach '{quoted_path(work)}' as work")
        connection.execute("use work")
        attach(connection, task.path(".stored"))
        bound_memory(connection)
        yield connection


def _attach(connection: duckdb.DuckDBPyConnection, task: _Task, name: str) -> None:
    """The facts to be, to be written."""
    connection.execute(f"attach '{quoted_path(task.path('.tmp'))}' as {name} (storage_version 'v1.4.0')")


def _facts_to_follow(task: _Task) -> Path | None:
    """The published facts, where they were made by this program and these settings earlier on the same local day."""
    warehouse = task.settings.warehouse
    try:
        path = warehouse.parent / named_in(pointer(warehouse))
        with duckdb.connect() as connection:
            connection.execute(f"attach '{quoted_path(path)}' as before (read_only)")
            found = connection.execute(
                "select m.by, a.as_of from before.kept.made as m, before.main.about as a"
            ).fetchall()
    except (OSError, duckdb.Error):
        return None
    is_like_this = [(by, as_of <= naive(task.as_of)) for by, as_of in found] == [(task.made_by, True)]
    return path if is_like_this else None


def _maker(settings: Settings, as_of: datetime) -> str:
    """What facts come of beside the warehouse: the program, the settings and the local day, as one hash."""
    told = (
        duckdb.__version__,
        as_of.astimezone(ZoneInfo(settings.timezone)).date(),
        *(getattr(settings, name) for name in Settings.model_fields if name not in _OF_NO_FACT),
        # of the platform team's own files
        settings.platform_documents,
        settings.golden_paths,
        settings.paved_road,
        settings.guardrails,
    )
    made_by = hashlib.sha256(" ".join(map(str, told)).encode())
    for path in sorted(path for package in _PROGRAM for path in package.rglob("*")):
        if path.suffix in _OF_THE_PROGRAM:
            made_by.update(path.read_bytes())
    return made_by.hexdigest()


def _put_down_the_first(warehouse: Path, as_of: datetime) -> None:
    """Keeps when the facts were built for the first time: what lies before that, nobody has looked at."""
    with open_warehouse(warehouse) as opened:
        opened.connection.execute(
            "update about set first_built_at = ? where first_built_at is null", [naive(as_of)]
        )


def _sweep(warehouse: Path) -> None:
    """Removes what a build leaves that ends before it is done, however it ended."""
    stem = glob.escape(warehouse.stem)
    made_aside = f"{glob.escape(warehouse.name)}.*.new*"  # a warehouse whose creation was cut off
    for pattern in (f"{stem}.facts-*.duckdb.*", f"{stem}.facts.*.tmp", made_aside):
        for path in warehouse.parent.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    # who makes a key does so beside a build, in no time
    for path in warehouse.parent.glob(f"{glob.escape(key_file(warehouse).name)}.*.tmp"):
        if age(path) > KEPT_FOR:
            path.unlink(missing_ok=True)


def _publish(
    connection: duckdb.DuckDBPyConnection, facts: str, task: _Task, derived: int | None = None
) -> None:
    """Writes into the attached `facts` what readers get beside facts, and how they were made."""
    settings = task.settings
    for table in COPIES:
        # an item as it came is for those who look into the warehouse
        left_out = " exclude (raw)" if table == "quarantine" else ""
        connection.execute(
            f"create or replace table {facts}.main.{table} as select c.*{left_out} from source.{table} as c"
        )
    convert_scorecards(connection, f"{facts}.main.scorecards")
    connection.execute(
        f"create or replace table {facts}.main.about as select"
        " ? as as_of, ? as timezone, ? as organization, ? as definitions, ?::int as facts_version,"
        " coalesce((select first_built_at from source.about), as_of) as first_built_at",
        [naive(task.as_of), settings.timezone, settings.organization, definitions(), FACTS_VERSION],
    )
    connection.execute(
        f"create or replace table {facts}.kept.made as select ? as by, ?::bigint as derived",
        [task.made_by, derived],
    )


def _point(warehouse: Path, name: str) -> None:
    target = pointer(warehouse)
    temporary = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    temporary.write_text(name + "\n", encoding="utf-8")
    sync(temporary)
    os.replace(temporary, target)


def _of_nobody(folder: Path) -> list[Path]:
    """Facts that an older version wrote without their warehouse's name, and to which no pointer leads."""
    pointed = {named_in(path) for path in folder.glob("*.facts")}
    return [path for path in folder.glob("facts-*.duckdb") if path.name not in pointed]


def _remove_old(warehouse: Path, built: Path) -> None:
    """Removes facts older than five minutes that are not among the last three; who has one open keeps it.

    What was built under a clock that was ahead of that of `built` goes at once: it is of days that nobody has seen.
    """
    kept = facts_files(warehouse, built)
    for path in [*kept[KEPT_FILES:], *_of_nobody(warehouse.parent)]:
        if age(path) > KEPT_FOR:
            path.unlink(missing_ok=True)
    for path in set(facts_files(warehouse)).difference(kept):
        path.unlink(missing_ok=True)
