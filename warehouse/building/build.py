"""Source tables into fact tables: a new file each time, published by moving a pointer."""

import glob
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from config.settings import Settings
from warehouse.building import lineage
from warehouse.building.groups import create_groups
from warehouse.building.matched_globs import create_inputs
from warehouse.building.names import create_sources
from warehouse.building.path_evidence import judge_paths
from warehouse.building.readiness import create_request_inputs, find_ready
from warehouse.building.standards.path_inputs import create_path_inputs
from warehouse.building.standards.paved import create_paved_choices, find_paved
from warehouse.loading.people_key import key_file
from warehouse.loading.survey_batches import close_rounds
from warehouse.metrics.definitions import MODELS, definitions
from warehouse.metrics.facts import Facts
from warehouse.metrics.pooled import store
from warehouse.metrics.published_facts import FACTS_VERSION, facts_files, named_in, pointer
from warehouse.storage.arrow_tables import create_table
from warehouse.storage.instants import naive
from warehouse.storage.lock import waited_for
from warehouse.storage.older_scorecards import convert_scorecards
from warehouse.storage.on_disk import age, sync
from warehouse.storage.store import OPEN, attach, open_warehouse, told_if_damaged, transaction

# a model by its name, or a step in Python that makes tables
Step: TypeAlias = str | Callable[[duckdb.DuckDBPyConnection], None]
# what runs a step, on the tables of the steps before it
Engine: TypeAlias = Callable[[Step], None]
# an engine over an attached warehouse, for as long as what it makes is read
OpenEngine: TypeAlias = Callable[[duckdb.DuckDBPyConnection], AbstractContextManager[Engine]]
# what was told and whose it is: the last of them is `candidates`
FIRST_STEPS = (
    "production_deployments",
    "workflow_deployments",
    "services",
    "owners",
    "path_stretches",
    "candidates",
    create_groups,  # groups, hierarchy, group_problems
)
# what the settings are matched with, so that it comes before them
CATALOGUE = "catalogue"
# in order of need; a name without a model is a step in Python that writes the tables named beside it
STEPS_IN_ORDER = (
    "without_deployments",
    "service_coverage",
    "covered_days",
    "gaps",
    lineage.trace,  # traces, shipped, baselined, landings, same_changes
    "sequences",
    lineage.compare,  # ancestry
    "deployment_steps",
    "rollbacks",
    "arrivals",
    "pull_commits",
    "squashes",
    "squashed_commits",
    "baseline_changes",
    "whole_changes",
    "pull_changes",
    "undone_changes",
    "pull_stages",
    "changes",
    "pull_deliveries",
    "incident_services",
    "judged_incidents",
    "blameable_deployments",
    "incident_windows",
    "incident_blames",
    "reverts",
    "evidence",
    "rework",
    "deployments",
    "path_moves",
    judge_paths,  # judged_steps
    "conformance",
    "path_deployments",
    "incidents",
    "recoveries",
    "repositories",
    "first_deployments",
    "answers",
    "taken_answers",
    "responses",
    "drivers",
    "comments",
    find_ready,  # request_deliveries
    "requests",
    "unknown_teams",
    "unmapped",
    "not_counted",
    "events",
    "reading_days",
    "path_services",
    find_paved,  # paved_now, paved_days
    "paved_road",
    "paved_services",
    "object_states",
    "guarded_applications",
    "service_objects",
    "guarded_rules",
    "denied_namespaces",
    "scanning_evidence",
    "guardrail_days",
    "guarded_services",
    "guardrails",
)
COPIES = ("runs", "quarantine", "coverage", "components", "scorecards", "scorecard_forms", "deliveries")
# what readers get beside the models in `models/facts`; the steps on the way stay out of the published file
WRITTEN = (
    "claims",
    "groups",
    "hierarchy",
    "group_problems",
    "production_environments",
    "production_applications",
    "stored_values",
    "stored_stretches",
)
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


def model(name: str) -> str:
    """The text of a model, the file `models/facts/<name>.sql` or `models/steps/<name>.sql`."""
    of_facts = MODELS / "facts" / f"{name}.sql"
    path = of_facts if of_facts.exists() else MODELS / "steps" / f"{name}.sql"
    return path.read_text(encoding="utf-8")


def published_tables() -> list[str]:
    """The tables that readers get: a model each in `models/facts`, and those that are written in Python."""
    return [*sorted(path.stem for path in (MODELS / "facts").glob("*.sql")), *WRITTEN]


def create_macros(connection: duckdb.DuckDBPyConnection, timezone: str) -> None:
    """The forms that DuckDB and Spark spell differently; `timezone` is an IANA name."""
    zone = ZoneInfo(timezone).key
    connection.execute(
        "create macro seconds_between(a, b) as (epoch_us(b) - epoch_us(a)) / 1000000.0::double"
    )
    connection.execute(f"create macro local_time(t) as (t at time zone 'UTC') at time zone '{zone}'")
    connection.execute(
        "create macro texts_of(a, b) as [a, b], (a, b, c) as [a, b, c], (a, b, c, d) as [a, b, c, d]"
    )
    connection.execute(
        "create macro in_order(texts, separator) as array_to_string(list_sort(texts), separator)"
    )


def create_days(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime) -> None:
    """The calendar: each local day from the first that any source covers to that of `as_of`."""
    zone = ZoneInfo(settings.timezone)
    last = as_of.astimezone(zone).date()
    found = connection.execute("select min(local_time(from_at))::date from source.coverage").fetchall()
    first: date = found[0][0] or last
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    create_table(connection, "days", pa.table({"day": pa.array(days, pa.date32())}))


@contextmanager
def on_this_machine(connection: duckdb.DuckDBPyConnection) -> Iterator[Engine]:
    """The engine that runs each step in DuckDB."""

    def run(step: Step) -> None:
        # each for itself: what is not committed has no statistics, by which the next one is planned
        if callable(step):
            step(connection)
        else:
            connection.execute(f"create table {step} as {model(step)}")

    yield run


def create_candidates(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime) -> None:
    """All that the warehouse attached to `connection` as `stored` tells of deployments, and whose they are."""
    _create_told(connection, settings, as_of)
    with on_this_machine(connection) as run:
        for step in FIRST_STEPS:
            run(step)


def _create_told(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime) -> None:
    with transaction(connection):
        create_macros(connection, settings.timezone)
        create_sources(connection)
        connection.execute(f"create table {CATALOGUE} as {model(CATALOGUE)}")
        create_inputs(connection, settings, as_of)
        create_path_inputs(connection, settings)
        create_request_inputs(connection, settings)
        create_paved_choices(connection, settings)
        create_days(connection, settings, as_of)


def create_facts(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime, run: Engine
) -> None:
    """Runs every model over the warehouse that is attached to `connection` as `stored`."""
    _create_told(connection, settings, as_of)
    for step in (*FIRST_STEPS, *STEPS_IN_ORDER):
        run(step)


def bound_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Bounds what DuckDB holds at once by the commits of the warehouse attached as `stored`, and by what it may."""
    (found,) = connection.execute(
        "select least(parse_formatted_bytes(current_setting('memory_limit')), greatest(?, ? * count(*)))"
        " from stored.commits",
        [HELD, HELD_FOR_A_COMMIT],
    ).fetchall()
    connection.execute(f"set memory_limit = '{found[0]} bytes'")


def build(settings: Settings, as_of: datetime, engine: OpenEngine = on_this_machine) -> Path:
    """Builds the facts as of an instant and publishes them; the path of the new file.

    One build at a time: another waits. The warehouse is copied, so that nobody who writes to it waits for a build.
    Readers keep what they have open; the pointer is replaced when the new file is complete and on disk.
    """
    with open_warehouse(settings.warehouse):  # one that may not be touched is refused before anything is
        pass
    with waited_for(settings.warehouse, "building"):
        _sweep(settings.warehouse)
        return _built(settings, as_of, engine)


def _built(settings: Settings, as_of: datetime, engine: OpenEngine) -> Path:
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
            with engine(connection) as run:
                create_facts(connection, settings, as_of, run)
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
