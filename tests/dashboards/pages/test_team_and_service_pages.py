"""The pages of a service and a team: what they say, over full and bare warehouses, and the way to them in a browser."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from collectors.contract.records import Component, Incident, Repository, Response
from config.settings import GoldenPath
from dashboards.deployments_and_incidents import incident_rows
from dashboards.deployments_and_incidents import loading as listed
from dashboards.figures.formats import figure_against
from dashboards.frame.loading import state
from dashboards.frame.markup import part
from dashboards.frame.view import Filters
from dashboards.team_and_service import content as profile
from dashboards.team_and_service import loading as profile_loading
from tests.conftest import Small, once
from tests.support import running_dashboard
from tests.support.chromium import artifact
from tests.support.running_dashboard import Running, opened, shown
from tests.support.small_organisation import HOSTILE, NOW, STILL_OPEN
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.satisfaction import Group
from warehouse.metrics.values import compute
from warehouse.rows.catalogue_entries import CatalogueEntry
from warehouse.trust.coverage import Freshness, ServiceCoverage

MONDAY = NOW.date()
EXTRA = (
    Component(
        name="checkout", owner="payments", system="shop", repo="acme/checkout", lifecycle="production",
        type="service", tags=("tier-1", "<i>pci</i>"), golden_path="python",
    ),
    Repository(repo="acme/checkout", created_at=NOW - timedelta(weeks=14), url="https://git.example/acme/checkout"),
    STILL_OPEN,
    Incident(
        source="import", id="trap", service="billing", title="trap", urgency="high",
        opened_at=NOW - timedelta(days=1), url="javascript:alert(1)",
    ),
    Incident(source="import", id="today", service="billing", title="now", opened_at=NOW - timedelta(hours=1)),
)  # fmt: skip


@pytest.fixture(scope="module")
def organisation(small: Small, shared_folder: Path) -> Small:
    return once(shared_folder, "profile", lambda folder: small.copied(folder, *EXTRA))


AT = datetime(2026, 11, 10, 9, tzinfo=UTC)


class TestWords:
    def test_a_service_is_told_with_what_is_missing(self):
        bare = CatalogueEntry((), "legacy", None, None, False, None, None, None, None, None)
        found = {of.label: of.text for of in profile.of_service(bare, [], Filters())}
        assert found == {"Owner": "nobody", "Golden path": "none", "Catalogue": "in no catalogue"}

    def test_a_service_leads_to_its_owner_its_repository_and_its_path(self):
        entry = CatalogueEntry(
            ("a", "b"),
            "x",
            "payments",
            "shop",
            True,
            "acme/x",
            "javascript:1",
            "production",
            "service",
            "python",
        )
        path = GoldenPath(name="python", url="https://docs.example/python")
        found = {of.label: of for of in profile.of_service(entry, [path], Filters(period="12w", service="x"))}
        assert found["Owner"].address == "team?team=payments&period=12w"
        assert found["System"].address == ".?system=shop&period=12w"
        assert found["Golden path"].address == "https://docs.example/python"
        assert (found["Repository"].text, found["Repository"].address) == ("acme/x", "")
        assert found["Tags"].text == "a, b"

    def test_a_withheld_round_shows_no_score(self):
        group = Group("2026-10", AT.date(), "payments", None, 4)
        ((_, _, score, n),) = profile.round_rows([group])
        assert (score.text, n.text) == ("withheld", "4")
        # a sentence: not cut as names are
        assert profile.ROUNDS[2].wide

    @pytest.mark.parametrize(
        ("source", "name"),
        [
            ("pull_requests", "GitHub pull requests"),
            ("argocd", "Argo CD"),
            ("git", "Git"),
            ("import deployments", "import deployments"),
        ],
    )
    def test_what_covers_the_days_is_called_by_its_name(self, source, name):
        of = ServiceCoverage("team", "payments", 3, True, freshness=(Freshness(source, AT, AT),))
        ((cell, *_),) = profile.coverage_lines(of, "UTC")
        assert cell.text == name


class TestPages:
    @pytest.mark.parametrize(("scope", "name"), [("team", "payments"), ("service", "checkout")])
    def test_they_show_the_values_that_the_command_line_gives(self, organisation, scope, name):
        app = opened(organisation.folder, scope, **{scope: name})
        assert not app.exception
        html = shown(app)
        with open_facts(organisation.settings.warehouse) as facts:
            days = (MONDAY - timedelta(weeks=4), MONDAY)
            for value in compute(facts, organisation.settings, scope, None, *days, {scope: name}):
                told = f">{figure_against(value.metric, value.value, value.unit, value.target)}</a></p>"
                # people are asked by team
                assert (told in html) or (value.metric, scope) == ("developer_satisfaction", "service")
        assert f"<h1>{name}</h1>" in html
        assert (
            html.index("What holds you back")
            < html.index('class="six-tiles')
            < html.index("Share of all hours")
        )
        assert "open incident" in html
        assert "failed deployments" in html
        assert f"deployments?{scope}={name}" in html
        assert "import deployments" in html
        assert "<img" not in html
        assert "javascript:" not in html

    def test_a_service_says_what_the_catalogue_says(self, organisation):
        html = shown(opened(organisation.folder, "service", service="checkout"))
        assert 'href="team?team=payments"' in html
        assert 'href="https://git.example/acme/checkout"' in html
        assert "tier-1, &lt;i&gt;pci&lt;/i&gt;" in html

    def test_a_team_has_its_services_and_its_rounds(self, organisation):
        html = shown(opened(organisation.folder, "team", team="payments"))
        assert 'href="service?service=billing&amp;rows=service"' in html
        assert "Satisfaction by survey round" in html

    def test_every_service_and_team_has_a_page_in_every_period(self, organisation):
        for query in (
            {"at": "service", "service": HOSTILE},
            {"at": "service", "service": "legacy-reports", "period": "all"},
            {"at": "team", "team": "platform", "period": "week"},
            {"at": "team", "team": "discovery", "period": "custom", "from": "2020-01-01", "to": "2020-02-01"},
        ):
            app = opened(organisation.folder, **query)
            assert not app.exception, query
            assert "Choose" not in shown(app)

    @pytest.mark.parametrize("scope", ["team", "service"])
    def test_without_a_name_there_is_a_list_to_choose_from(self, organisation, scope):
        app = opened(organisation.folder, scope, period="12w")
        assert not app.exception
        assert f"<h1>Choose a {scope}</h1>" in shown(app)
        name = {"team": "payments", "service": "checkout"}[scope]
        assert f'href="{scope}?{scope}={name}&amp;period=12w"' in shown(app)

    @pytest.mark.parametrize("scope", ["team", "service"])
    def test_an_unknown_name_is_told(self, organisation, scope):
        app = opened(organisation.folder, scope, **{scope: "<b>gone</b>"})
        assert not app.exception
        assert f"There is no {scope} &lt;b&gt;gone&lt;/b&gt;" in shown(app)
        assert f"Choose a {scope}" in shown(app)

    def test_what_else_narrows_a_view_stays_in_force(self, organisation):
        for scope in ("team", "service"):
            html = shown(opened(organisation.folder, scope, service="checkout", team="platform"))
            assert "Nothing matches all of these filters" in html
        html = shown(opened(organisation.folder, "team", service="checkout", team="payments"))
        assert "<h1>checkout</h1>" in html

    def test_a_team_that_only_answers_surveys_owns_nothing(self, small, tmp_path):
        answers = tuple(
            Response(
                round="2026-11", respondent=f"guild-{n}", team="guild", score=4,
                submitted_at=NOW - timedelta(days=12), closes_at=NOW - timedelta(days=10),
            )
            for n in range(6)
        )  # fmt: skip
        small.copied(tmp_path, *answers)
        app = opened(tmp_path, "team", team="guild")
        assert not app.exception
        assert "This team owns no service" in shown(app)
        assert "No source covers this team" in shown(app)


class TestOpenIncidents:
    def test_they_are_those_open_now_whatever_the_period(self, organisation):
        past = {"period": "custom", "start": date(2026, 9, 1), "end": date(2026, 9, 8)}
        for period in ({}, {"period": "week"}, past):
            found = profile_loading.unresolved(
                organisation.settings.warehouse,
                organisation.settings,
                Filters(team="payments", **period),
                "Europe/Berlin",
            )
            assert len(found.lines) == found.counts.total == 3, period

    def test_the_list_has_those_of_the_running_week_unless_its_period_is_long_past(self, organisation):
        def still_open(**period) -> int:
            view = Filters(state="open", **period)
            return listed.page(
                organisation.settings.warehouse, incident_rows.INCIDENT_LIST, view, "UTC"
            ).counts.total

        assert still_open() == still_open(period="week") == still_open(period="all") == 3
        assert still_open(period="custom", start=date(2026, 9, 1), end=date(2026, 9, 8)) == 0


class TestSearch:
    def test_it_leads_to_the_page_of_what_was_chosen_in_the_same_period(self, organisation):
        app = opened(organisation.folder, "trust", period="12w", system="data")
        search = app.selectbox(key="find")
        assert {"payments (team)", "checkout (service)", f"{HOSTILE} (service)"} <= set(search.options)
        search.select(("service", "checkout")).run()
        assert not app.exception
        assert "<h1>checkout</h1>" in shown(app)
        assert app.query_params == {"period": "12w", "service": "checkout"}
        assert app.selectbox(key="find").value is None


@pytest.fixture(scope="module")
def running(small_dashboard: Running) -> Running:
    return small_dashboard


class TestBrowser:
    @pytest.mark.soak
    def test_the_overview_leads_to_a_team_a_service_and_an_incident(self, running):
        tab = running.open("?period=12w")
        tab.locator(".six-table").get_by_role("link", name="payments", exact=True).click()
        expect(tab.locator("h1")).to_have_text("payments")
        assert parse_qs(urlsplit(tab.url).query) == {"period": ["12w"], "team": ["payments"]}
        running_dashboard.drawn(tab, "team")
        tab.locator(".six-table").get_by_role("link", name="checkout", exact=True).click()
        expect(tab.locator("h1")).to_have_text("checkout")
        running_dashboard.drawn(tab, "service")
        incident = tab.locator(f'.six-list-table a[href="{STILL_OPEN.url}"]').first
        assert incident.get_attribute("target") == "_blank"
        # an import's link says the host that it leads to
        expect(incident).to_contain_text(urlsplit(STILL_OPEN.url).hostname)
        expect(tab.locator(".six-list-table").get_by_text(HOSTILE).first).to_be_visible()
        assert tab.locator("img[src=x]").count() == 0
        assert running.foreign == []

    @pytest.mark.soak
    def test_a_name_that_is_typed_leads_to_its_page(self, running):
        tab = running.open()
        tab.get_by_role("combobox", name="Find a service or team").fill("check")
        tab.keyboard.press("Enter")
        expect(tab.locator("h1")).to_have_text("checkout")
        assert urlsplit(tab.url).path == "/service"
        running_dashboard.drawn(tab, "service")

    @pytest.mark.soak
    @pytest.mark.parametrize(
        ("address", "name"),
        [
            ("team?team=payments", "team"),
            ("service?service=checkout&period=12w", "service"),
            ("targets", "targets"),
        ],
    )
    @pytest.mark.parametrize(
        ("look", "scheme", "width", "height"),
        [("light", "light", 1280, 2400), ("dark", "dark", 1280, 2400), ("phone", "light", 390, 3200)],
    )
    def test_they_fit_their_width(self, running, address, name, look, scheme, width, height):
        tab = running.open(address, scheme=scheme, width=width, height=height)
        tab.screenshot(path=artifact(f"{name}-{look}.png"))
        assert tab.get_by_test_id("stMain").evaluate("e => e.scrollWidth") <= width


def test_the_choices_are_of_all_that_there_is(organisation):
    of = state(organisation.settings.warehouse)
    html = part("choices", profile.choices("service", of, Filters()), of="team_and_service")
    assert html.count("<li>") == 6
    assert "&lt;img src=x" in html
