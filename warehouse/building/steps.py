"""The steps from source tables to fact tables: each makes a table, by its model or in Python, of those before it."""

from datetime import date, datetime, timedelta
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
from warehouse.metrics.definitions import MODELS
from warehouse.storage.arrow_tables import create_table
from warehouse.storage.store import transaction

# what was told and whose it is: the last of them is `candidates`
FIRST_STEPS = (
    "production_deployments",
    "workflow_deployments",
    "services",
    "owners",
    "path_stretches",
    "candidates",
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
    "named_by_events",
    "common_addresses",
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


def create_days(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime) -> None:
    """The calendar: each local day from the first that any source covers to that of `as_of`."""
    zone = ZoneInfo(settings.timezone)
    last = as_of.astimezone(zone).date()
    found = connection.execute("select min(local_time(from_at))::date from source.coverage").fetchall()
    first: date = found[0][0] or last
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    create_table(connection, "days", pa.table({"day": pa.array(days, pa.date32())}))


def create_candidates(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime) -> None:
    """All that the warehouse attached to `connection` as `stored` tells of deployments, and whose they are."""
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
        connection.execute(f"create table {step} as {model(step)}")
    create_groups(connection)


def create_facts(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime) -> None:
    """Runs every model over the warehouse that is attached to `connection` as `stored`."""
    create_candidates(connection, settings, as_of)
    # each of these for itself: what is not committed has no statistics, by which the next one is planned
    for step in STEPS_IN_ORDER:
        if callable(step):
            step(connection)
        else:
            connection.execute(f"create table {step} as {model(step)}")
