"""Who gets a week's scorecards, and what is delivered of those that were published."""

from datetime import timedelta

import pytest

from config.errors import ConfigurationError
from dashboards.steps import deliver_due
from tests.test_restatements import LATER, MONDAY, NEXT, Organisation, acme
from warehouse.facts import open_facts
from warehouse.scorecard import scopes
from warehouse.store import naive, open_warehouse

__all__ = ["acme"]
DUE = NEXT + timedelta(hours=2)


def forget_owner(acme: Organisation) -> None:
    with open_warehouse(acme.settings.warehouse) as warehouse:
        warehouse.connection.execute("delete from components")
    acme.build_at(NEXT)


def files(acme: Organisation) -> set[str]:
    return {path.name for path in (acme.settings.reports.directory / "2026-W45").glob("*.html")}


def test_what_was_published_is_delivered_though_its_team_is_no_more(acme: Organisation) -> None:
    acme.publish("2026-W45")
    forget_owner(acme)
    assert not deliver_due(acme.settings, DUE)
    assert files(acme) == {"organisation-acme.html", "system-shop.html", "team-payments.html"}


def test_a_week_belongs_to_those_who_owned_a_service_in_it(acme: Organisation) -> None:
    handed_over = naive(NEXT + timedelta(days=2))
    with open_warehouse(acme.settings.warehouse) as warehouse:
        former = ["checkout", "carts", "market", handed_over]
        warehouse.connection.execute("insert into former_owners values (?, ?, ?, ?)", former)
    acme.build_at(LATER)
    with open_facts(acme.settings.warehouse) as facts:
        weeks = [scopes(facts, (MONDAY + timedelta(weeks=n)).date())[1:] for n in range(3)]
    before, after = [("system", "market"), ("team", "carts")], [("system", "shop"), ("team", "payments")]
    assert weeks[0] == before
    assert set(weeks[1]) == {*before, *after}
    assert weeks[2] == after
    with pytest.raises(ConfigurationError, match='no team "payments" in 2026-W45; known: carts'):
        acme.scorecard("2026-W45", scope="team", name="payments")
