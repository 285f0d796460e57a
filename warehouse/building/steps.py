"""The steps from source tables to fact tables: each makes a table, by its model or in Python, of those before it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime, timedelta
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
from warehouse.building.portions import create_in_portions
from warehouse.building.readiness import create_request_inputs, find_ready
from warehouse.building.standards.path_inputs import create_path_inputs
from warehouse.building.standards.paved import create_paved_choices, find_paved
from warehouse.metrics.definitions import MODELS
from warehouse.metrics.stored_values import STORED
from warehouse.storage.arrow_tables import create_table
from warehouse.storage.store import transaction

# a model by its name, or a step in Python that makes tables
Step: TypeAlias = str | Callable[[duckdb.DuckDBPyConnection], None]
# what runs a step, on the tables of the steps before it
Engine: TypeAlias = Callable[[Step], None]
# an engine over an attached warehouse that writes facts into the named database, for as long as what it makes is read
OpenEngine: TypeAlias = Callable[[duckdb.DuckDBPyConnection, str], AbstractContextManager[Engine]]
# whose is what, of all that there is
FIRST_STEPS: tuple[Step, ...] = (
    "production_deployments",
    "workflow_deployments",
    "services",
    "owners",
    "path_stretches",
    "named_by_events",
    "common_addresses",
    create_groups,  # groups, hierarchy, group_problems
)
# what the settings are matched with, so that it comes before them
CATALOGUE = "catalogue"
# in order of need; a name without a model is a step in Python that writes the tables named beside it
STEPS_IN_ORDER: tuple[Step, ...] = (
    "candidates",
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
# those of the steps that are made of all that there is; the others of what belongs together, by repository and service
OF_ALL: tuple[Step, ...] = (
    "service_coverage",
    "covered_days",
    "gaps",
    "path_moves",
    *STEPS_IN_ORDER[STEPS_IN_ORDER.index("answers") :],
)
# models that join by repository alone
BY_REPOSITORY = {
    "pull_commits",
    "squashes",
    "squashed_commits",
    "baseline_changes",
    "whole_changes",
    "pull_changes",
    "undone_changes",
    "pull_stages",
    "changes",
    "reverts",
}
# what readers get beside the models in `models/facts`; the steps on the way stay out of the published file
WRITTEN = (
    "claims",
    "groups",
    "hierarchy",
    "group_problems",
    "production_environments",
    "production_applications",
    *STORED,
)

# in the order in which they are asked for (of each portion), so that what lies before and after it is not read
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


def is_fact(name: str) -> bool:
    """Whether a model is of facts, which readers get, and not of a step on the way."""
    return (MODELS / "facts" / f"{name}.sql").exists()


def model(name: str) -> str:
    """The text of a model, the file `models/facts/<name>.sql` or `models/steps/<name>.sql`."""
    path = MODELS / ("facts" if is_fact(name) else "steps") / f"{name}.sql"
    return path.read_text(encoding="utf-8")


def published_tables() -> list[str]:
    """The tables that readers get: a model each in `models/facts`, and those that are written in Python."""
    return [*sorted(path.stem for path in (MODELS / "facts").glob("*.sql")), *WRITTEN]


def as_stored(table: str, rows: str) -> str:
    """SQL for the rows of a table that readers get, which `rows` selects, in the order in which they are stored."""
    return f"from ({rows}\n) order by {', '.join(ORDERED[table])}" if table in ORDERED else rows


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
def on_this_machine(connection: duckdb.DuckDBPyConnection, facts: str | None = None) -> Iterator[Engine]:
    """The engine that runs each step in DuckDB; facts go into the current database where no other is named."""

    def run(step: Step) -> None:
        # each for itself: what is not committed has no statistics, by which the next one is planned
        if callable(step):
            step(connection)
            return
        ((here,),) = connection.execute("select current_database()").fetchall()
        table = f"{facts if facts and is_fact(step) else here}.main.{step}"
        rows = as_stored(step, model(step))
        if step in BY_REPOSITORY:
            create_in_portions(connection, table, rows)
        else:
            connection.execute(f"create table {table} as {rows}")

    yield run


def create_basis(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime, run: Engine
) -> None:
    """What all else is made of: the warehouse attached as `stored`, each by one name, and whose is what."""
    with transaction(connection):
        create_macros(connection, settings.timezone)
        create_sources(connection)
        connection.execute(f"create table {CATALOGUE} as {model(CATALOGUE)}")
        create_inputs(connection, settings, as_of)
        create_path_inputs(connection, settings)
        create_request_inputs(connection, settings)
        create_paved_choices(connection, settings)
        create_days(connection, settings, as_of)
    for step in FIRST_STEPS:
        run(step)


def create_candidates(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime) -> None:
    """All that the warehouse attached to `connection` as `stored` tells of deployments, and whose they are."""
    with on_this_machine(connection) as run:
        create_basis(connection, settings, as_of, run)
        run("candidates")


def create_facts(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime, run: Engine
) -> None:
    """Runs every model over the warehouse that is attached to `connection` as `stored`."""
    create_basis(connection, settings, as_of, run)
    for step in STEPS_IN_ORDER:
        run(step)
