"""Stored values are what the rows give: for every scope, narrowing and period that a page or a command can ask for."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.metrics import keys
from config.settings import Settings
from tests.conftest import Sample
from warehouse.metrics.facts import Facts
from warehouse.metrics.periods import PRESETS, baseline, buckets, preset, today
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.stored_values import store
from warehouse.metrics.values import SCOPES, compute

NAMED = {
    "group": ("commerce", "products"),
    "system": ("shop", "payments"),
    "team": ("payments", "fulfilment"),
    "service": ("checkout", "delivery", "inventory"),
}


@dataclass(frozen=True)
class Both:
    """The same facts as they were published, and with stored values."""

    settings: Settings = field(repr=False)
    live: Facts = field(repr=False)
    stored: Facts = field(repr=False)


@contextmanager
def copied(sample: Sample, folder: Path) -> Iterator[Facts]:
    """The sample's facts, in which checkout changed hands in September."""
    with open_facts(sample.settings.warehouse) as facts:
        path = Path(shutil.copy(facts.path, folder / "copy.duckdb"))
        found = facts
    with duckdb.connect(str(path)) as connection:
        for fact in ("deployments", "changes", "incidents", "recoveries", "repositories", "covered_days"):
            connection.execute(
                f"update {fact} set team = 'fulfilment' where service = 'checkout' and day < '2026-09-01'"
            )
        connection.execute(
            "insert into owners select service, 'fulfilment', system, null, '2026-08-31 22:00' from owners"
            " where service = 'checkout'"
        )
        yield replace(found, connection=connection, path=path)


@contextmanager
def stored_in(sample: Sample, folder: Path) -> Iterator[Facts]:
    """The same with stored values, which an organisation of its size does without."""
    with copied(sample, folder) as facts:
        store(facts, fewest=0)
        yield facts


@pytest.fixture(scope="module")
def both(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The sample's facts twice."""
    folders = [tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("stored")]
    with copied(sample, folders[0]) as live, stored_in(sample, folders[1]) as stored:
        yield Both(sample.settings, live, stored)


def ranges(now: date) -> st.SearchStrategy[tuple[Any, date | None, date | None]]:
    """(period, first day, first day after): what is stored, and any days at all."""
    offered = [preset(name, now) for name in PRESETS]
    offered += [baseline(start) for name in PRESETS if (start := preset(name, now)[0])]
    anything = st.tuples(st.integers(0, 200), st.integers(1, 120)).map(
        lambda drawn: (now - timedelta(days=drawn[0] + drawn[1]), now - timedelta(days=drawn[0]))
    )
    days = st.one_of(st.sampled_from(offered), st.just((None, None)), anything)
    return st.tuples(st.sampled_from((None, "week", "month", "day")), days).map(
        lambda drawn: (drawn[0], *drawn[1])
    )


narrowings = st.fixed_dictionaries({}, optional={key: st.sampled_from(names) for key, names in NAMED.items()})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_stored_value_is_the_one_that_the_rows_give(both: Both, data: Any) -> None:
    by, where = data.draw(st.sampled_from(SCOPES)), data.draw(narrowings)
    period, start, end = data.draw(ranges(today(both.live)))
    metric = data.draw(st.sampled_from([metric.id for metric in keys().values()]))
    asked = (both.settings, by, period, start, end, where, [metric])
    assert compute(both.stored, *asked) == compute(both.live, *asked)


def test_what_pages_offer_is_answered_without_the_rows(both: Both, tmp_path: Path) -> None:
    narrowed: tuple[dict[str, str], ...] = (
        {},
        {"team": "payments"},
        {"team": "fulfilment", "service": "checkout"},
    )
    asked: list[tuple[Any, ...]] = [
        (by, None, *preset(name, today(both.stored)), where)
        for name in PRESETS
        for by in SCOPES
        for where in narrowed
        if by != "group" or not where
    ]
    of_group = {"group": "products"}
    asked += [
        (by, None, *preset("4w", today(both.stored)), of_group) for by in ("organisation", "group", "team")
    ]
    asked += [("organisation", "week", None, None, {}), ("team", "week", None, None, {"system": "shop"})]
    expected = [compute(both.stored, both.settings, *each) for each in asked]
    both.stored.connection.execute("checkpoint")
    with duckdb.connect(shutil.copy(both.stored.path, tmp_path / "without.duckdb")) as connection:
        for fact in {metric.fact for metric in keys().values()} - {"responses"}:
            connection.execute(f"delete from {fact}")
        without = replace(both.stored, connection=connection)
        for each, values in zip(asked, expected, strict=True):
            assert compute(without, both.settings, *each) == values, each


def test_a_small_organisation_is_answered_from_its_rows(sample_facts: Facts) -> None:
    assert sample_facts.connection.execute("select count(*) from stored_values").fetchall() == [(0,)]


def test_every_stretch_is_stored_once(both: Both) -> None:
    rows = both.stored.connection.execute("from stored_stretches").fetchall()
    assert len(set(rows)) == len(rows)
    assert {(each.start, each.end) for each in buckets("week", date(2026, 6, 1), date(2026, 11, 16))} <= set(
        rows
    )
