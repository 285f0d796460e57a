"""The lists of teams and of services: who is on them, in what order, a page at a time, by what one searches for."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from collectors.contract.records import Component
from config.metrics import keys
from dashboards.overview.heat_map import HeatMapRow
from dashboards.team_and_service import list_rows
from tests.conftest import Small, once
from tests.support.running_dashboard import opened, shown
from warehouse.trust.ownership import Service

LONG = "settlement-" * 9
MANY = tuple(
    Component(
        name=f"{LONG}{number:02}", owner=f"team-{number % 4}", system="ledger", repo=f"acme/many-{number}"
    )
    for number in range(30)
)


@pytest.fixture(scope="module")
def organisation(small: Small, shared_folder: Path) -> Small:
    return once(shared_folder, "many", lambda folder: small.copied(folder, *MANY))


def row(name: str, scope: str = "service") -> HeatMapRow:
    return HeatMapRow(scope, name, 0, True, (), "")


class TestRows:
    @given(some.lists(some.text(), max_size=4), some.text())
    def test_a_name_is_found_by_any_of_its_words_whatever_their_case(self, words, name):
        whole = " ".join([*words, name])
        assert (
            list_rows.matching([row(whole)], [], f" {whole.upper()} ".upper())
            or whole.upper().casefold() != whole.casefold()
        )
        assert list_rows.matching([row(whole)], [], None)

    def test_a_service_is_found_by_its_team_and_its_system_too(self):
        owned = [Service("checkout", "payments", "shop", True), Service("search", None, None, True)]
        rows = [row("checkout"), row("search"), row("gone")]
        assert list_rows.matching(rows, owned, "Pay SHOP") == [rows[0]]
        assert list_rows.matching(rows, owned, "s") == rows[:2]
        assert list_rows.matching(rows, owned, "checkout search") == []


class TestWhatIsShown:
    def test_an_explanation_opens_from_a_button_of_its_own_in_each_place(self, organisation):
        html = shown(opened(organisation.folder, "services"))
        opened_by = re.findall(r'popovertarget="([^"]+)"', html)
        assert len(opened_by) >= len(keys())
        assert set(opened_by) == set(re.findall(r'id="([^"]+)" popover', html))

    def test_a_cell_says_the_head_that_it_stands_below(self, organisation):
        html = shown(opened(organisation.folder, "teams"))
        labels = re.findall(r' data-label="([^"]*)"', html.split("team-3</a>")[1].split("</tr>")[0])
        assert len(labels) == len(keys())
        assert labels[2].startswith("Lead Time for Changes · ")


class TestPages:
    def test_services_are_shown_a_page_at_a_time(self, organisation):
        first = shown(opened(organisation.folder, "services"))
        assert "1 – 25 of 36 services" in first
        assert first.count('<th scope="row"') == 25
        second = opened(organisation.folder, "services", page="2")
        assert "26 – 36 of 36 services" in shown(second)
        assert f">{LONG}29</a>" in shown(second)
        assert "26 – 36 of 36" in shown(opened(organisation.folder, "services", page="99"))

    def test_the_state_of_the_list_is_in_the_address(self, organisation):
        app = opened(organisation.folder, "services", page="2")
        app.text_input(key="search").input("TEAM-1 ledger").run()
        assert app.query_params == {"search": "TEAM-1 ledger"}
        assert "8 services" in shown(app)
        app.selectbox(key="sort").select("lead_time").run()
        assert app.query_params == {"search": "TEAM-1 ledger", "sort": "lead_time"}
        assert not app.exception
        assert "No service matches" in shown(opened(organisation.folder, "services", search="nowhere"))

    def test_teams_lead_to_their_pages_in_the_period_shown(self, organisation):
        html = shown(opened(organisation.folder, "teams", period="12w", service="checkout"))
        assert (
            'href="team?team=payments&amp;period=12w"' in html
            or 'href="team?period=12w&amp;team=payments"' in html
        )
        assert ">team-3</a>" in html

    def test_a_system_narrows_the_list(self, organisation):
        html = shown(opened(organisation.folder, "teams", system="ledger"))
        assert "<h1>4 teams" in html
        assert ">payments</a>" not in html
