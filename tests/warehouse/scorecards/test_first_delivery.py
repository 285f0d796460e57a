"""Nothing leaves before somebody looked: what ended before the first build is not sent, published or told of."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from config.settings import Reports, Settings
from dashboards.commands.steps import deliver_due, make_scorecards
from tests.support.loopback import Receiver, webhook
from tests.support.small_organisation import built_before
from tests.warehouse.scorecards import test_alerts as alerts
from tests.warehouse.scorecards.conftest import NEXT, Organisation
from warehouse.loading.clock_ahead import put_right
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import current_facts, open_facts
from warehouse.scorecards.alerts import evaluate
from warehouse.scorecards.due_weeks import first_delivery
from warehouse.scorecards.published import frozen
from warehouse.storage.instants import naive
from warehouse.storage.store import open_warehouse

WEEK = timedelta(weeks=1)
SUNDAY = datetime(2026, 11, 29, 11, tzinfo=UTC)
ANNOUNCED = (
    'The first scorecard leaves on Monday, 16 November, for the week of 9 November; "sixkeys scorecard --send"'
    " sends earlier"
)


def new(of: Organisation, built_at: datetime) -> Settings:
    """The settings of `of` as if it were built for the first time."""
    with open_warehouse(of.settings.warehouse) as warehouse:
        warehouse.connection.execute("update about set first_built_at = null")
    of.build_at(built_at)
    return of.settings


def test_the_first_delivery_is_of_the_first_week_that_ends_after_the_first_build(
    acme: Organisation, capsys: pytest.CaptureFixture[str]
) -> None:
    with Receiver() as server:
        reports = Reports(directory=acme.settings.reports.directory, webhook=webhook(server))
        acme.settings = acme.settings.model_copy(update={"reports": reports})
        settings = new(acme, NEXT)
        assert not deliver_due(settings, NEXT + timedelta(hours=2))
        assert capsys.readouterr().err.splitlines() == [
            "2026-W45 had ended before the first build, so it is not sent by itself",
            ANNOUNCED,
        ]
        assert (server.bodies, frozen(settings.warehouse, "2026-W45")) == ([], {})
        assert not settings.reports.directory.exists()
        make_scorecards(settings, "2026-W45")
        acme.build_at(NEXT + WEEK)
        assert not deliver_due(settings, NEXT + WEEK + timedelta(hours=2))
        weeks = [json.loads(body)["data"]["week"] for body in server.bodies]
    assert weeks == ["2026-W45", "2026-W46"]
    assert "The first scorecard" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("built_at", "zone", "cron", "week", "leaves_on"),
    [
        (SUNDAY, "Europe/Berlin", "0 8 * * MON", date(2026, 11, 23), date(2026, 11, 30)),
        (SUNDAY + timedelta(hours=12), "Europe/Berlin", "0 8 * * MON", date(2026, 11, 30), date(2026, 12, 7)),
        (SUNDAY + timedelta(hours=12), "UTC", "0 8 * * WED", date(2026, 11, 23), date(2026, 12, 2)),
    ],
)
def test_a_week_ends_with_its_sunday_on_the_local_clock(
    built_at: datetime, zone: str, cron: str, week: date, leaves_on: date
) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table about as select cast(? as timestamp) as first_built_at", [naive(built_at)]
        )
        facts = Facts(connection, Path(), built_at, zone, "acme")
        found = first_delivery(facts, cron)
        assert found is not None
        assert (found.monday, found.leaves_at.date()) == (week, leaves_on)
        assert first_delivery(replace(facts, as_of=found.leaves_at), cron) is None


def test_alerts_tell_nothing_of_what_was_crossed_before_the_first_build(tmp_path: Path) -> None:
    settings = alerts.organisation(tmp_path, [*alerts.STEADY, 6, 9])
    told = []
    # the target is missed since the week that ends with this Monday
    for first_built in (alerts.MONDAY, alerts.MONDAY - timedelta(days=1)):
        with duckdb.connect(str(current_facts(settings.warehouse))) as connection:
            connection.execute("update about set first_built_at = ?", [naive(first_built)])
        with open_facts(settings.warehouse) as facts:
            told.append({(one.week, one.since) for one in evaluate(facts, settings)})
    assert told == [set(), {("2026-W47", "2026-W46")}]


def first_built_at(acme: Organisation) -> datetime | None:
    with open_warehouse(acme.settings.warehouse) as warehouse:
        ((found,),) = warehouse.connection.execute("select first_built_at from about").fetchall()
    return found


def test_a_warehouse_that_was_read_before_this_was_known_delivers_as_before(acme: Organisation) -> None:
    with open_warehouse(acme.settings.warehouse) as warehouse:
        warehouse.connection.execute("alter table about drop column first_built_at")
        for weeks in (1, 2):
            warehouse.connection.execute(
                "insert into runs (run_id, source, started_at, status) values ('r', 'github', ?, 'ok')",
                [naive(NEXT - weeks * WEEK)],
            )
        warehouse.connection.execute("update about set version = 3")
    assert first_built_at(acme) == naive(NEXT - 2 * WEEK)


def test_a_first_build_by_a_clock_that_was_ahead_is_taken_back(acme: Organisation) -> None:
    built_before(acme.settings.warehouse, NEXT + 40 * WEEK)
    with open_warehouse(acme.settings.warehouse) as warehouse:
        warehouse.connection.execute(
            "insert into coverage (source, subject, from_at, until_at) values ('pagerduty', '*', ?, ?)",
            [naive(NEXT), naive(NEXT + 40 * WEEK)],
        )
        put_right(warehouse, NEXT)
    assert first_built_at(acme) is None
