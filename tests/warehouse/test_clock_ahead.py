"""A machine whose clock was ahead for one run: what it put down of the time to come is taken back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.contract.records import Deployment
from config.settings import Settings
from tests.support.faulty_sources import make_organisation, serving
from tests.support.github_organisation import NOW
from tests.warehouse.test_runs import settings_of
from warehouse.metrics.published_facts import open_facts
from warehouse.pipeline import collect
from warehouse.storage.store import open_warehouse

AHEAD = NOW + timedelta(days=365)
LATER = NOW + timedelta(days=30)


def run_at(settings: Settings, now: datetime) -> None:
    """A run by a clock that says `now`, which stamps what it puts down."""
    before = (
        {run for (run,) in rows(settings, "select run_id from runs")}
        if settings.warehouse.exists()
        else set()
    )
    began = datetime.now(UTC)
    collect(settings, now=now)
    shift = now - began
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        for (run,) in warehouse.connection.execute("select distinct run_id from runs").fetchall():
            if run not in before:
                warehouse.connection.execute(
                    "update runs set started_at = started_at + ?, finished_at = finished_at + ? where run_id = ?",
                    [shift, shift, run],
                )


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with open_warehouse(settings.warehouse) as warehouse:
        return warehouse.connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def put_right(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Collected at NOW, once more when the clock said a year later, with a scorecard of a week of each; then no source
    answered, and the clock was right at LATER."""
    folder = tmp_path_factory.mktemp("jumped")
    with serving(folder, make_organisation()) as bench:
        settings = settings_of(bench, folder)
        run_at(settings, NOW)
        run_at(settings, AHEAD)
    assert max(rows(settings, "select max(until_at) from coverage"))[0] == AHEAD.replace(tzinfo=None)
    of = "insert into scorecards values ('organisation', 'acme', ?, ?, '{}')"
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        for week in ("2026-W45", "2027-W45"):
            warehouse.connection.execute(of, [week, NOW.replace(tzinfo=None)])
    run_at(settings, LATER)
    return settings


def test_days_that_nobody_read_are_no_data_again(put_right: Settings) -> None:
    ((until,),) = rows(put_right, "select max(until_at) from coverage")
    assert until.date() == NOW.date()
    with open_facts(put_right.warehouse) as facts:
        assert facts.as_of == LATER
        ((covered,),) = facts.connection.execute("select max(day) from covered_days").fetchall()
    assert covered <= NOW.date()


def test_neither_an_imported_row_nor_a_second_run_hides_that_the_clock_was_ahead(tmp_path: Path) -> None:
    planned = Deployment(
        source="jenkins", id="1", service="web", status="success", finished_at=AHEAD - timedelta(days=1)
    )
    with serving(tmp_path, make_organisation()) as bench:
        settings = settings_of(bench, tmp_path)
        run_at(settings, NOW)
        before = rows(settings, "select source, subject, from_at from coverage order by all")
        with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
            warehouse.upsert([planned])
        for hour in range(2):
            run_at(settings, AHEAD + timedelta(hours=hour))
    run_at(settings, LATER)
    assert rows(settings, "select source, subject, from_at from coverage order by all") == before
    ((until,),) = rows(settings, "select max(until_at) from coverage")
    assert until.date() == NOW.date()


def test_what_happened_meanwhile_is_read_once_the_clock_is_right(tmp_path: Path) -> None:
    organisation = make_organisation()
    with serving(tmp_path, organisation) as bench:
        settings = settings_of(bench, tmp_path)
        late = organisation.pagerduty.incidents.pop()
        run_at(settings, NOW)
        run_at(settings, AHEAD)
        organisation.pagerduty.incidents.append(late)
        run_at(settings, LATER)
        told = rows(settings, "select count(*) from incidents")
    assert told == [(len(organisation.pagerduty.incidents),)]


def test_a_clock_that_is_behind_takes_nothing_back(tmp_path: Path) -> None:
    with serving(tmp_path, make_organisation()) as bench:
        settings = settings_of(bench, tmp_path)
        run_at(settings, NOW)
        before = rows(settings, "select * from coverage order by all")
        run_at(settings, NOW - timedelta(days=300))
        assert [
            row for row in before if row not in rows(settings, "select * from coverage order by all")
        ] == []


def test_a_scorecard_of_a_week_to_come_is_taken_back_and_no_other(put_right: Settings) -> None:
    assert rows(put_right, "select week from scorecards") == [("2026-W45",)]
