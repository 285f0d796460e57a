"""The pages Deployments and Incidents: rows as people read them, over full and empty warehouses, and in a browser."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from config.settings import Settings
from dashboards.deployments_and_incidents import content as listing
from dashboards.deployments_and_incidents import deployment_rows, incident_rows
from dashboards.deployments_and_incidents.content import LEFT_OUT, Around, ListLine, rows_on_page, turned_to
from dashboards.frame.markup import part
from dashboards.frame.view import Filters
from tests.conftest import Small, once
from tests.support.chromium import artifact
from tests.support.running_dashboard import Running, drawn, opened, shown
from tests.support.small_organisation import HOSTILE, NOW
from tests.warehouse.rows.test_listing import EXTRA
from warehouse.building.build import build
from warehouse.rows.listed_details import Details
from warehouse.rows.listing import Counts
from warehouse.storage.store import open_warehouse

AT = datetime(2026, 11, 12, 13, 23, 7)
DEPLOYMENT = dict.fromkeys(
    ["team", "system", "ref", "excluded_because", "counted_as_source", "counted_as_id", "failed_by",
     "failed_evidence", "rework_because", "unrelated_commits", "config_repo", "config_sha", "recovery_seconds",
     "recovered_by", "recovered_at", "not_recovered_because"]
) | {
    "source": "deployments", "id": "31", "service": "checkout", "repo": "acme/checkout", "environment": "production",
    "at": AT, "started_at": AT - timedelta(minutes=6), "sha": "6a8cd1ae785d73", "sha_method": "deployment",
    "assisted_by": None,
    "status": "success", "kind": "deployment", "failed": 0, "rework": 0, "is_baseline": False, "changes": 0,
    "url": "https://github.com/acme/checkout/actions/1",
}  # fmt: skip
INCIDENT = dict.fromkeys(
    ["service", "team", "system", "urgency", "priority", "acknowledged_at", "blames_source", "blames_id",
     "blamed_by", "possible_causes", "link_reason", "excluded_because", "source_service", "change_events"]
) | {
    "source": "pagerduty", "id": "Q1", "title": "Down", "status": "resolved", "opened_at": AT,
    "resolved_at": AT + timedelta(minutes=52), "open_seconds": 3120.0, "seconds_since_opened": 9e5,
    "url": "https://acme.pagerduty.com/incidents/Q1",
}  # fmt: skip


def cells(line: ListLine, kind: listing.ListKind) -> dict[str, str]:
    """What stands under each heading, with the small line below it."""
    return {
        heading.title: " / ".join(filter(None, (cell.text, cell.note)))
        for heading, cell in zip(kind.headings, line.cells, strict=True)
    }


def deployment(details: Details | None = None, **other) -> dict[str, str]:
    around = Around(Filters(), "Europe/Berlin", details or Details())
    return cells(deployment_rows.deployment_line(DEPLOYMENT | other, around), deployment_rows.DEPLOYMENT_LIST)


def incident(details: Details | None = None, **other) -> dict[str, str]:
    around = Around(Filters(), "Europe/Berlin", details or Details())
    return cells(incident_rows.incident_line(INCIDENT | other, around), incident_rows.INCIDENT_LIST)


class TestDeploymentRow:
    def test_it_says_when_in_local_time_what_and_where(self):
        found = deployment(team="storefront", ref="main")
        assert found["Finished"] == "12 Nov 2026 / 14:23"
        assert found["Service"] == "checkout / storefront"
        assert found["Revision"] == "6a8cd1a / main"
        assert (found["State"], found["Recovered in"], found["Source"]) == ("✓ counted", "", "GitHub")

    def test_what_it_brought_is_never_a_zero_where_it_is_unknown(self):
        slow = {"lead_time_seconds": 11520.0, "subject": "s", "repo": "r", "sha": "a", "authored_at": AT,
                "same_as": None, "pull_request": 7, "url": None}  # fmt: skip
        details = Details(changes={("deployments", "31", "checkout"): [slow]})
        assert deployment(details, changes=3)["Brought"] == "3 changes / slowest 3.2 h"
        assert deployment()["Brought"] == "no changes"
        assert deployment(sha=None)["Brought"] == "unknown"
        assert deployment(is_baseline=True)["Brought"] == "no changes / its first: history"
        assert deployment(excluded_because="unsuccessful: failure")["Brought"] == "–"

    @pytest.mark.parametrize(
        ("known", "state", "recovered"),
        [
            ({"failed": 1, "failed_by": "window", "recovery_seconds": 5400.0},
             "✗ failed / by the time window", "1.5 h"),
            ({"failed": 1, "failed_by": "revert", "not_recovered_because": "not yet recovered"},
             "✗ failed / by a revert", "not yet recovered"),
            ({"kind": "rollback", "excluded_because": "rollback", "rework": 1}, "↩ rollback", ""),
            ({"excluded_because": "already in eu"}, "left out / already in eu", ""),
            ({"rework": 1, "rework_because": "hotfix"}, "✓ counted / rework: hotfix", ""),
        ],
    )  # fmt: skip
    def test_its_state_has_the_evidence_or_the_reason(self, known, state, recovered):
        found = deployment(**known)
        assert (found["State"], found["Recovered in"]) == (state, recovered)

    def test_one_that_has_not_finished_shows_its_start(self):
        assert deployment(at=None, status="running")["Finished"] == "12 Nov 2026 / 14:17 · started"

    def test_an_address_that_no_browser_may_follow_is_none(self):
        line = deployment_rows.deployment_line(
            DEPLOYMENT | {"url": "javascript:alert(1)"}, Around(Filters(), "UTC", Details())
        )
        assert (line.cells[-1].text, line.cells[-1].address) == ("GitHub deployment", "")


class TestIncidentRow:
    def test_what_is_not_resolved_is_still_open_and_counts_up(self):
        found = incident(resolved_at=None, open_seconds=None, excluded_because="not resolved", urgency="high")
        assert (found["Resolved"], found["Open for"]) == ("still open", "10.4 d / so far")
        assert (found["Incident"], found["In MTTR"]) == ("Down / high urgency", "left out / not resolved")

    def test_whom_it_blames_and_how_or_that_nothing_is_known(self):
        details = Details(deployments={("deployments", "31"): [DEPLOYMENT]})
        by = {"blames_source": "deployments", "blames_id": "31", "blamed_by": "change event"}
        assert incident(details, **by)["Blames"] == "checkout 6a8cd1a / by a change event"
        assert incident(**by)["Blames"] == "31 / by a change event"
        assert incident()["Blames"] == "none / no evidence names one"
        assert incident(blamed_by="link: blames none")["Blames"] == "none / no deployment, by hand"
        assert incident(possible_causes="api, web")["Blames"] == "none alone / caused by one of api, web"

    def test_it_belongs_to_the_smallest_scope_that_is_known(self):
        assert incident(service="checkout", team="storefront")["Service"] == "checkout / storefront"
        assert (
            incident(team="storefront", system="shop")["Service"]
            == "several services / of team storefront · shop"
        )
        assert incident()["Service"] == "no service"

    def test_related_changes_lead_only_where_a_browser_may_go(self):
        events = [
            {
                "id": "e",
                "reason": "most_recent",
                "links": ["data:x", "https://ci.example/1"],
                "details": HOSTILE,
            }
        ]
        line = incident_rows.incident_line(
            INCIDENT | {"change_events": events}, Around(Filters(), "UTC", Details())
        )
        (row,) = line.parts[-1].rows
        assert [cell.text for cell in row] == ["e", "most recent", HOSTILE, "ci.example"]
        assert row[-1].address == "https://ci.example/1"
        assert "<img" not in part("opened", line.parts[-1], of="deployments_and_incidents")


class TestTurning:
    @pytest.mark.parametrize(
        ("page", "total", "expected"),
        [(1, 0, (1, 1)), (1, 25, (1, 1)), (2, 26, (2, 2)), (99, 51, (3, 3)), (0, 9, (1, 1))],
    )
    def test_a_page_beyond_the_last_is_the_last(self, page, total, expected):
        assert turned_to(page, total) == expected

    def test_the_span_names_the_rows_shown(self):
        assert rows_on_page(1, 1, "incident") == "1 incident"
        assert rows_on_page(2, 1204, "deployment") == "26 – 50 of 1,204 deployments"
        assert rows_on_page(3, 60, "deployment") == "51 – 60 of 60 deployments"

    def test_a_deployment_of_several_services_is_counted_once_and_its_rows_are_explained(self):
        told = deployment_rows.DEPLOYMENT_LIST.summary(
            Counts(5, {"counted": 4, "failed": 2}, {}, 4, {"counted": 3, "failed": 1})
        )
        assert told == "3 deployments that count, 1 of them failed; rows: one a service"

    def test_states_tell_a_reason_from_the_state_of_its_name(self):
        states = dict.fromkeys(deployment_rows.DEPLOYMENT_LIST.states, 3)
        known = Counts(9, states, {"rollback": 2}, 9, states)
        found = listing.states(deployment_rows.DEPLOYMENT_LIST, known, None)
        assert (found["rollback"], found[LEFT_OUT + "rollback"]) == (
            "Rollbacks (3)",
            "Left out: rollback (2)",
        )
        gone = listing.states(deployment_rows.DEPLOYMENT_LIST, known, LEFT_OUT + "gone")
        assert gone[LEFT_OUT + "gone"] == "Left out: gone (0)"


@pytest.fixture(scope="module")
def organisation(small: Small, shared_folder: Path) -> Small:
    return once(shared_folder, "lists", lambda folder: small.copied(folder, *EXTRA))


@pytest.mark.parametrize("at", ["deployments", "incidents"])
class TestPage:
    def test_a_search_and_a_choice_go_to_the_address_and_start_at_the_first_page(self, organisation, at):
        app = opened(organisation.folder, at, period="12w", page="2", listed="oldest")
        assert not app.exception
        app.text_input(key="search").set_value("checkout").run()
        assert app.query_params == {"period": "12w", "listed": "oldest", "search": "checkout"}
        app.selectbox(key="state").select("counted").run()
        assert app.query_params == {
            "period": "12w",
            "listed": "oldest",
            "search": "checkout",
            "state": "counted",
        }
        assert not app.exception

    def test_a_list_without_rows_says_what_to_change(self, organisation, at):
        assert f"No {at[:-1]} matches" in shown(opened(organisation.folder, at, search="nothing like this"))
        assert f"There is no {at[:-1]} in this period" in shown(
            opened(organisation.folder, at, period="custom", **{"from": "2020-01-01", "to": "2020-01-02"})
        )
        assert f"There is no such {at[:-1]} here" in shown(opened(organisation.folder, at, row="import/none"))

    def test_what_an_address_makes_up_is_shown_as_it_is(self, organisation, at):
        app = opened(organisation.folder, at, state=HOSTILE, environment=HOSTILE, search=HOSTILE, page="9999")
        assert not app.exception
        assert "<img" not in shown(app)

    def test_facts_without_any_row_have_their_own_state(self, tmp_path, at):
        (tmp_path / "sixkeys.yaml").write_text("organization: acme\n")
        settings = Settings(organization="acme", warehouse=tmp_path / "warehouse.duckdb")
        with open_warehouse(settings.warehouse):
            pass
        build(settings, NOW)
        app = opened(tmp_path, at)
        assert not app.exception
        assert f"There is no {at[:-1]} in this period" in shown(app)


@pytest.fixture(scope="module")
def running(small_dashboard: Running) -> Running:
    return small_dashboard


class TestBrowser:
    @pytest.mark.soak
    def test_a_search_turned_to_its_next_page_is_the_same_view_in_another_tab(self, running):
        tab = running.open("deployments?period=12w")
        tab.get_by_label("Search").fill("checkout")
        tab.get_by_label("Search").press("Enter")
        expect(tab.locator(".six-section")).to_contain_text("1 – 25 of 24")
        tab.get_by_role("button", name="Next").first.click()
        expect(tab.locator(".six-section")).to_contain_text("26 – 50 of 24")
        drawn(tab, "deployments")
        assert parse_qs(urlsplit(tab.url).query) == {"period": ["12w"], "search": ["checkout"], "page": ["2"]}
        found = tab.locator("tr.line").all_inner_texts()
        again = running.open(f"deployments?{urlsplit(tab.url).query}")
        assert again.locator("tr.line").all_inner_texts() == found
        assert len(found) == listing.PAGE_ROWS

    def test_a_row_opens_and_leads_to_the_incident_that_blames_it_and_back(self, running):
        tab = running.open("deployments?state=failed&service=checkout")
        more = tab.locator("tr.more").first
        expect(more).to_be_hidden()
        tab.locator("tr.line summary").first.focus()
        tab.keyboard.press("Enter")
        expect(more).to_be_visible()
        expect(more.get_by_role("heading", name="1 change, slowest first")).to_be_visible()
        opened_row = tab.locator("tr.line").first.inner_text()
        more.get_by_role("link", name=HOSTILE).click()
        expect(tab.get_by_text("One incident is shown alone")).to_be_visible()
        assert tab.locator("img[src=x]").count() == 0
        tab.locator("tr.line").get_by_role("link", name="checkout").click()
        expect(tab.get_by_text("One deployment is shown alone")).to_be_visible()
        expect(tab.locator("tr.line")).to_have_count(1)
        assert tab.locator("tr.line").all_inner_texts() == [opened_row]
        tab.get_by_role("button", name="Show all deployments").click()
        expect(tab.locator("tr.line").nth(1)).to_be_visible()

    @pytest.mark.parametrize("at", ["deployments", pytest.param("incidents", marks=pytest.mark.soak)])
    def test_the_csv_has_the_rows_of_all_pages_in_their_order(self, running, tmp_path, at):
        tab = running.open(f"{at}?period=12w&team=payments&listed=oldest")
        names = tab.locator("tr.more dl div:has(> dt:text-is('Id')) dd")
        ids = names.all_text_contents()
        with tab.expect_download() as download:
            tab.get_by_role("button", name="Download CSV").click()
        assert download.value.suggested_filename == f"acme-{at}-payments-2026-08-24-2026-11-15.csv"
        download.value.save_as(tmp_path / "rows.csv")
        rows = list(csv.DictReader(io.StringIO((tmp_path / "rows.csv").read_text(encoding="utf-8-sig"))))
        total = tab.locator(".six-section").inner_text().split(" of ")[-1].split()[0]
        assert [row["id"] for row in rows[: len(ids)]] == ids
        assert len(rows) == int(total.replace(",", ""))

    @pytest.mark.parametrize(
        ("name", "scheme", "width"),
        [
            pytest.param("light", "light", 1280, marks=pytest.mark.soak),
            pytest.param("dark", "dark", 1280, marks=pytest.mark.soak),
            pytest.param("phone", "light", 390, marks=pytest.mark.soak),
        ],
    )
    @pytest.mark.parametrize("at", ["deployments", pytest.param("incidents", marks=pytest.mark.soak)])
    def test_the_page_fits_its_width(self, running, at, name, scheme, width):
        tab = running.open(f"{at}?period=12w", scheme=scheme, width=width, height=1400)
        tab.locator("tr.line summary").first.click()
        tab.screenshot(path=artifact(f"{at}-{name}.png"))
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        if width < 500:
            inside = "e => e.scrollWidth <= e.clientWidth"
            assert tab.locator(".six-scroll").evaluate(inside)
