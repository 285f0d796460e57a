"""Source tables into fact tables: a new file each time, published by moving a pointer."""

import glob
import os
import shutil
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from config.settings import Settings
from warehouse.building.steps import create_facts, model, published_tables
from warehouse.loading.people_key import key_file
from warehouse.loading.survey_batches import close_rounds
from warehouse.metrics.definitions import definitions
from warehouse.metrics.facts import Facts
from warehouse.metrics.pooled import store
from warehouse.metrics.published_facts import FACTS_VERSION, facts_files, named_in, pointer
from warehouse.storage.instants import naive
from warehouse.storage.lock import waited_for
from warehouse.storage.older_scorecards import convert_scorecards
from warehouse.storage.on_disk import age, sync
from warehouse.storage.store import OPEN, attach, open_warehouse, told_if_damaged, transaction

COPIES = ("runs", "quarantine", "coverage", "components", "scorecards", "scorecard_forms", "deliveries")
# in the order in which they are asked for, so that what lies before and after it is not read
_BY_DAY = (
    "deployments",
    "changes",
    "pull_deliveries",
    "incidents",
    "recoveries",
    "covered_days",
    "conformance",
    "path_deployments",
)
ORDERED = dict.fromkeys(_BY_DAY, ("day",)) | {"stored_values": ("names", "until - first", "first")}
# bytes that DuckDB holds at once while it builds, and for each commit; what is more it puts beside the warehouse
HELD, HELD_FOR_A_COMMIT = 2**30, 300
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


def build(settings: Settings, as_of: datetime) -> Path:
    """Builds the facts as of an instant and publishes them; the path of the new file.

    One build at a time: another waits. The warehouse is copied, so that nobody who writes to it waits for a build.
    Readers keep what they have open; the pointer is replaced when the new file is complete and on disk.
    """
    with open_warehouse(settings.warehouse):  # one that may not be touched is refused before anything is
        pass
    with waited_for(settings.warehouse, "building"):
        _sweep(settings.warehouse)
        return _built(settings, as_of)


def _built(settings: Settings, as_of: datetime) -> Path:
    folder = settings.warehouse.parent
    name = f"{settings.warehouse.stem}.facts-{naive(as_of):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:12]}.duckdb"
    stored, work, temporary = (folder / f"{name}.{kind}" for kind in ("stored", "work", "tmp"))
    try:
        with open_warehouse(settings.warehouse) as warehouse:  # creates or migrates the source tables
            close_rounds(warehouse, model("answers"), as_of, settings.survey.team)
            warehouse.copy_to(stored)
        with told_if_damaged(settings.warehouse), duckdb.connect(str(work), config=OPEN) as connection:
            # what is removed at the end need not be in order
            connection.execute("pragma disable_checkpoint_on_shutdown")
            attach(connection, stored)
            bound_memory(connection)
            create_facts(connection, settings, as_of)
            store(Facts(connection, work, as_of, settings.timezone, settings.organization))
            connection.execute(f"attach '{_quoted(temporary)}' as published (storage_version 'v1.4.0')")
            with transaction(connection):
                _publish(connection, settings, as_of)
            connection.execute("checkpoint published")
            connection.execute("detach published")
        sync(temporary)
        os.replace(temporary, folder / name)
        _point(folder, settings.warehouse, name)
        _put_down_the_first(settings.warehouse, as_of)
    finally:
        _sweep(settings.warehouse)
    _remove_old(settings.warehouse, folder / name)
    return folder / name


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


def _publish(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime) -> None:
    for table in published_tables():
        order = f" order by {', '.join(ORDERED[table])}" if table in ORDERED else ""
        connection.execute(f"create table published.{table} as from {table}{order}")
    for table in COPIES:
        connection.execute(f"create table published.{table} as from source.{table}")
    convert_scorecards(connection, "published.scorecards")
    connection.execute(
        "create table published.about as select"
        " ? as as_of, ? as timezone, ? as organization, ? as definitions, ?::int as facts_version,"
        " coalesce((select first_built_at from source.about), as_of) as first_built_at",
        [naive(as_of), settings.timezone, settings.organization, definitions(), FACTS_VERSION],
    )


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _point(folder: Path, warehouse: Path, name: str) -> None:
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
