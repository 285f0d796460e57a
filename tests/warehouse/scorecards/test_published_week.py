"""Who gets a week's scorecards, and what is delivered of those that were published."""

import json
from datetime import timedelta

import pytest

from collectors.contract.records import Owner
from config.errors import ConfigurationError
from config.settings import Recipients, Reports
from dashboards.commands.steps import deliver_due, make_scorecards
from dashboards.scorecards.published_forms import made
from dashboards.scorecards.rendering import FORMATS
from tests.support.loopback import Receiver, webhook
from tests.warehouse.scorecards.conftest import AFTER, LATER, MONDAY, NEXT, Organisation, incident
from warehouse.metrics.published_facts import open_facts
from warehouse.scorecards.archive import archived_forms, archived_scorecards
from warehouse.scorecards.content import scopes
from warehouse.scorecards.published import publish
from warehouse.storage.instants import naive
from warehouse.storage.store import open_warehouse

DUE = NEXT + timedelta(hours=2)


def forget_owner(acme: Organisation) -> None:
    with open_warehouse(acme.settings.warehouse) as warehouse:
        warehouse.connection.execute("delete from components")
    acme.build_at(NEXT)


def files(acme: Organisation) -> set[str]:
    return {path.name for path in (acme.settings.reports.directory / "2026-W45").glob("*.html")}


def test_what_was_published_is_delivered_though_its_team_is_no_more(published: Organisation) -> None:
    forget_owner(published)
    assert not deliver_due(published.settings, DUE)
    assert files(published) == {"organisation-acme.html", "system-shop.html", "team-payments.html"}


def test_a_week_belongs_to_those_who_owned_a_service_in_it(acme: Organisation) -> None:
    handed_over = NEXT + timedelta(days=2)
    with open_warehouse(acme.settings.warehouse) as warehouse:
        long_ago = handed_over - timedelta(days=300)
        carts = Owner(component="checkout", team="carts", system="market", from_at=long_ago)
        payments = Owner(component="checkout", team="payments", system="shop", from_at=handed_over)
        warehouse.connection.execute("delete from owners")  # when they were first seen is the day of the test
        warehouse.upsert([carts, payments])
    acme.build_at(LATER)
    with open_facts(acme.settings.warehouse) as facts:
        weeks = [scopes(facts, (MONDAY + timedelta(weeks=n)).date())[1:] for n in range(3)]
    before, after = [("system", "market"), ("team", "carts")], [("system", "shop"), ("team", "payments")]
    assert weeks[0] == before
    assert set(weeks[1]) == {*before, *after}
    assert weeks[2] == after
    with pytest.raises(ConfigurationError, match='no team "payments" in 2026-W45; known: carts'):
        acme.scorecard("2026-W45", scope="team", name="payments")


def test_an_organisation_may_be_renamed_without_its_week_being_told_or_sent_anew(acme: Organisation) -> None:
    with Receiver() as server:
        reports = Reports(directory=acme.settings.reports.directory, webhook=webhook(server))
        acme.settings = acme.settings.model_copy(update={"reports": reports})
        deliver_due(acme.settings, DUE)
        published = acme.scorecard("2026-W45")
        acme.settings = acme.settings.model_copy(update={"organization": "Acme Group"})
        acme.now = AFTER
        acme.add(incident("i-2", MONDAY + timedelta(days=4), 20))
        assert acme.scorecard("2026-W45") == published
        assert not deliver_due(acme.settings, DUE)
        assert len(server.bodies) == 1
        assert [one["metric"] for one in acme.scorecard("2026-W46")["restatements"]] == ["mttr"]
        with open_facts(acme.settings.warehouse) as facts:
            (entry,) = [one for one in archived_scorecards(facts) if one.scope == "organisation"]
            assert entry.name == "Acme Group"
            assert json.loads(archived_forms(facts, entry.scope, entry.name, entry.week)["json"]) == published


def test_the_forms_of_a_published_week_are_those_that_were_made_of_it(acme: Organisation) -> None:
    with open_facts(acme.settings.warehouse) as facts:
        content = acme.scorecard("2026-W45")
        publish(
            facts, acme.settings, content, lambda _: dict.fromkeys(FORMATS, "as an older template had it")
        )
    make_scorecards(acme.settings, "2026-W45")
    acme.build_at(NEXT)
    with open_facts(acme.settings.warehouse) as facts:
        archived = archived_forms(facts, "organisation", "acme", "2026-W45")
        assert archived == dict.fromkeys(FORMATS, "as an older template had it")
    folder = acme.settings.reports.directory / "2026-W45"
    texts = {path.suffix[1:]: path.read_text() for path in folder.glob("organisation-*")}
    assert texts == archived
    assert "as an older" not in (folder / "team-payments.html").read_text()


def test_after_a_year_a_scorecard_s_content_is_kept_and_drawn_anew(acme: Organisation) -> None:
    with open_warehouse(acme.settings.warehouse) as warehouse:
        for week in ("2025-W43", "2025-W44"):
            warehouse.connection.execute(
                "insert into scorecard_forms values ('team', 'payments', ?, 'html', 'as it was'::blob)",
                [week],
            )
    make_scorecards(acme.settings, "2026-W45")
    with open_warehouse(acme.settings.warehouse) as warehouse:
        kept = warehouse.connection.execute("select distinct week from scorecard_forms order by 1").fetchall()
    assert kept == [("2025-W44",), ("2026-W45",)]


def test_a_week_of_which_nothing_could_be_read_is_held_back_until_it_is_sent_by_hand(
    acme: Organisation, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_warehouse(acme.settings.warehouse) as warehouse:
        for table in ("coverage", "deployments", "incidents", "repositories"):
            warehouse.connection.execute(f"delete from {table}")
        warehouse.connection.execute(
            "insert into runs (run_id, source, started_at, finished_at, status, error)"
            " values ('r', 'github', $at, $at, 'failed', 'the token is wrong')",
            {"at": naive(NEXT)},
        )
    acme.build_at(NEXT)
    assert not deliver_due(acme.settings, DUE)
    assert not acme.settings.reports.directory.exists()
    assert "2026-W45 has no number, since the last reading of github failed" in capsys.readouterr().err
    make_scorecards(acme.settings, "2026-W45")
    assert "organisation-acme.html" in files(acme)


def test_what_is_published_is_written_to_the_directory_and_sent_to_nobody(acme: Organisation) -> None:
    with Receiver() as server:
        reports = Reports(directory=acme.settings.reports.directory, webhook=webhook(server))
        settings = acme.settings.model_copy(update={"reports": reports})
        make_scorecards(settings, "2026-W45", publish=False, send=False)
        assert not files(acme)
        make_scorecards(settings, "2026-W45", send=False)
        assert files(acme) == {"organisation-acme.html", "system-shop.html", "team-payments.html"}
        assert server.requests == []


def test_recipients_of_nobody_are_told_when_a_week_is_first_published(
    acme: Organisation, capsys: pytest.CaptureFixture[str]
) -> None:
    named = {"payments": Recipients(), "paymets": Recipients()}
    reports = Reports(directory=acme.settings.reports.directory, teams=named, systems={"shop": Recipients()})
    settings = acme.settings.model_copy(update={"reports": reports})
    deliver_due(settings, DUE)
    assert [line for line in capsys.readouterr().err.splitlines() if "names" in line] == [
        'sixkeys: reports.teams names "paymets", and no team of that name has a scorecard this week; check the name'
    ]
    deliver_due(settings, DUE)
    assert capsys.readouterr().err == ""


def test_the_organisation_sums_up_what_was_published_of_a_team(acme: Organisation) -> None:
    with open_facts(acme.settings.warehouse) as facts:
        payments = publish(
            facts, acme.settings, acme.scorecard("2026-W45", scope="team", name="payments"), made
        )
    acme.add(incident("i-2", MONDAY + timedelta(days=4), 20))
    (below,) = [one for one in acme.scorecard("2026-W45")["below"] if one["name"] == "payments"]
    assert below["attainment"] == payments["attainment"]
    assert [one["value"] for one in below["metrics"]] == [one["value"] for one in payments["metrics"]]
