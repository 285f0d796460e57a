"""Who gets a week's scorecards, and what is delivered of those that were published."""

from datetime import timedelta

from dashboards.steps import deliver_due
from tests.test_restatements import NEXT, Organisation, acme
from warehouse.store import open_warehouse

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
