"""The organisation's numbers before and after something changed what counts, with the reasons whose rows moved."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from config.metrics import keys
from config.settings import Settings
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import full_range
from warehouse.metrics.published_facts import NoFacts, definitions_of, open_facts
from warehouse.metrics.values import Value, compute

# columns that rules read and that facts of an older version lack, with what stood for them
_SINCE_THEN = {
    "deployments": {"rate_excluded_because": "t.excluded_because", "is_watched": "true"},
    "services": {"has_commits": "true"},
}


@dataclass(frozen=True)
class PublishedNumbers:
    """The organisation's values over all covered days, and how many rows of each metric are left out by reason."""

    start: date
    end: date
    values: Mapping[str, Value]
    left_out: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Moved:
    """A number that is another one now; `reasons` are how many rows more (or fewer) are left out for each."""

    before: Value
    after: Value
    reasons: Mapping[str, int]


def published_numbers(settings: Settings, days: tuple[date, date] | None = None) -> PublishedNumbers | None:
    """Those of the published facts, over all days that they cover or the given ones; None without facts."""
    try:
        with open_facts(settings.warehouse, any_version=True) as facts, _as_now(facts):
            start, end = days or full_range(facts, None, None)
            found = compute(facts, settings, "organisation", None, start, end)
            return PublishedNumbers(
                start, end, {one.metric: one for one in found}, _left_out(facts, start, end)
            )
    except (NoFacts, duckdb.Error):
        return None


def moved_since(before: PublishedNumbers, after: PublishedNumbers) -> list[Moved]:
    """What differs, in the order of the metrics."""
    return [
        Moved(was, now, _difference(before.left_out.get(metric, {}), after.left_out.get(metric, {})))
        for metric, was in before.values.items()
        if (now := after.values.get(metric)) is not None
        and (was.value, was.n, was.status) != (now.value, now.n, now.status)
    ]


def _difference(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    found = Counter(after)
    found.subtract(before)
    return {reason: n for reason, n in found.most_common() if n}


def _left_out(facts: Facts, start: date, end: date) -> dict[str, dict[str, int]]:
    """By metric how many rows are left out for each kind of reason, which is what stands before a colon."""
    found: dict[str, dict[str, int]] = {}
    for metric in keys().values():
        if metric.fact != "responses":
            rows = facts.connection.execute(
                f"select split_part(f.{metric.excluded}, ':', 1), count(*) from {metric.fact} as f"
                f" where f.{metric.excluded} is not null and (f.day >= ? and f.day < ? or f.day is null) group by 1",
                [start, end],
            ).fetchall()
            found[metric.id] = dict(rows)
    return found


@contextmanager
def _as_now(facts: Facts) -> Iterator[None]:
    """Facts of an older version with what they lack put in, for as long as they are open."""
    ((database,),) = facts.connection.execute("select '\"' || current_database() || '\"'").fetchall()
    for table, columns in _SINCE_THEN.items():
        known = {
            name
            for (name,) in facts.connection.execute(
                f"select name from pragma_table_info('{table}')"
            ).fetchall()
        }
        lacking = {name: stood for name, stood in columns.items() if name not in known}
        if lacking:
            more = ", ".join(f"{stood} as {name}" for name, stood in lacking.items())
            facts.connection.execute(
                f"create temp view {table} as select t.*, {more} from {database}.main.{table} as t"
            )
    tables = {
        name for (name,) in facts.connection.execute("select table_name from duckdb_tables()").fetchall()
    }
    if "without_deployments" not in tables:
        facts.connection.execute("create temp view without_deployments as select '' as service where false")
    yield


def is_of_other_definitions(warehouse: Path, definitions: str) -> bool:
    """Whether the published facts were built by other definitions; not where there are none."""
    try:
        with open_facts(warehouse, any_version=True) as facts:
            return definitions_of(facts) != definitions
    except NoFacts:
        return False
