"""Login with a real OpenID provider and a real browser: who is let in, what each sees, and what needs no login."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from streamlit.testing.v1 import AppTest

from config.settings import load_settings
from dashboards.satisfaction import survey_links
from tests.conftest import Small
from tests.support import running_dashboard
from tests.support.chromium import artifact
from tests.support.identity_provider import CLIENT, SECRET, IdentityProvider
from tests.support.loopback import PATIENCE
from tests.support.running_dashboard import Running, opened, shown

GROUPS = 'leads: everything, payments-developers: [payments], everybody-else: rollups, "*": [nobody]'
COOKIE_KEY = "0123456789abcdef" * 4
# whatever Streamlit answers besides its page
CLOSED = (
    "_stcore/metrics",
    "_stcore/upload_file/a/b",
    "_stcore/agent/openapi.json",
    "_stcore/agent/interact",
    "_stcore/agent/mcp",
    "_stcore/bidi-components/a/b",
    "_stcore/whatever-comes-next",
    "component/a/b",
    "media/a",
)
# what only people of other teams than payments may see, and which no page says of itself
OTHERS = ("ingest", "legacy-reports", "acme/search")


def configuration(folder: Path, provider: str, groups: str = GROUPS) -> None:
    (folder / "sixkeys.yaml").write_text(f"""
organization: acme
timezone: Europe/Berlin
survey_page: {{key: file:survey-key}}
dashboard:
  auth:
    metadata_url: {provider}/.well-known/openid-configuration
    client_id: {CLIENT}
    client_secret: file:client-secret
    cookie_secret: file:cookie-secret
    domains: [acme.example]
    groups: {{{groups}}}
""")


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider() as provider:
        yield provider


@pytest.fixture(scope="module")
def running(
    provider: IdentityProvider, small: Small, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    own = small.copied(tmp_path_factory.mktemp("organisation"))
    for name, secret in (
        ("client-secret", SECRET),
        ("cookie-secret", COOKIE_KEY),
        ("survey-key", COOKIE_KEY),
    ):
        (own.folder / name).write_text(secret)
    configuration(own.folder, provider.url)
    with running_dashboard.running(own.config, own.settings, browser) as dashboard:
        yield dashboard


@pytest.fixture
def folder(running: Running, provider: IdentityProvider) -> Iterator[Path]:
    """The folder of the configuration, which is as before after the test."""
    folder = running.settings.warehouse.parent
    yield folder
    configuration(folder, provider.url)


@contextmanager
def somebody(running: Running, provider: IdentityProvider) -> Iterator[Page]:
    """A tab that nobody has logged in with; it must ask nobody but the dashboard and the provider's login."""
    tab = running.tabs[0]
    tab.goto("about:blank")
    tab.context.clear_cookies()
    yield tab
    assert {urlsplit(url).netloc for url in running.foreign} <= {urlsplit(provider.url).netloc}


def enter(tab: Page, running: Running, address: str = "") -> None:
    tab.goto(f"{running.url}/{address}")
    tab.get_by_role("button", name="Log in").click()


@contextmanager
def logged_in(running: Running, provider: IdentityProvider, *groups: str, at: str = "") -> Iterator[Page]:
    """A tab of somebody with these groups after the login, which began at the address `at`."""
    provider.claims = {"email": "ada@acme.example", "email_verified": True, "groups": list(groups)}
    with somebody(running, provider) as tab:
        enter(tab, running, at)
        expect(way_out(tab)).to_be_visible()
        yield tab


def way_out(tab: Page) -> Locator:
    return tab.get_by_role("button", name="Log out").first


class TestLogin:
    def test_nothing_is_shown_without_a_login(self, running, provider):
        with somebody(running, provider) as tab:
            tab.goto(f"{running.url}/metric?team=payments")
            expect(tab.get_by_role("button", name="Log in")).to_be_visible()
            for told in ("checkout", "payments", "Lead Time"):
                assert told not in tab.locator("[data-testid=stApp]").inner_text()

    def test_a_login_leads_back_to_the_view_that_it_began_with(self, running, provider):
        with logged_in(running, provider, "leads", at="metric?team=payments&metric=mttr") as tab:
            assert urlsplit(tab.url).path == "/metric"
            assert parse_qs(urlsplit(tab.url).query) == {"team": ["payments"], "metric": ["mttr"]}
            expect(tab.locator(".six-number")).to_be_visible()

    @pytest.mark.parametrize(
        "view", ["//evil.example", "/\\evil.example", "https://evil.example", "/\tx", ""]
    )
    def test_a_login_leads_to_no_other_host(self, running, view):
        cookies = {"sixkeys_view": view} if view.isprintable() else {}
        back = httpx.get(f"{running.url}/oauth2callback", cookies=cookies, trust_env=False, timeout=PATIENCE)
        assert (back.status_code, back.headers["location"]) == (302, "/")

    @pytest.mark.soak
    def test_some_see_everything_and_after_the_logout_nothing(self, running, provider):
        with logged_in(running, provider, "leads", at="?rows=service") as tab:
            expect(tab.locator(".six-table").get_by_text("ingest", exact=True)).to_be_visible()
            way_out(tab).click()
            expect(tab.get_by_role("button", name="Log in")).to_be_visible()
            tab.goto(f"{running.url}/metric")
            expect(tab.get_by_role("button", name="Log in")).to_be_visible()

    @pytest.mark.parametrize(
        ("claims", "said"),
        [
            pytest.param(
                {"email": "eve@evil.example"},
                "eve@evil.example is of none of the domains",
                marks=pytest.mark.soak,
            ),
            ({"email": "<b>eve</b>@evil.example"}, "<b>eve</b>@evil.example is of none of the domains"),
            pytest.param(
                {"email": "a@acme.example", "email_verified": False},
                "has not verified the address a@acme.example",
                marks=pytest.mark.soak,
            ),
        ],
    )
    def test_who_is_not_let_in_is_told_why_and_sees_nothing(self, running, provider, claims, said):
        provider.claims = {"groups": ["leads"], **claims}
        with somebody(running, provider) as tab:
            enter(tab, running)
            expect(tab.get_by_text(said)).to_be_visible()
            expect(tab.locator(".six-tile")).to_have_count(0)
            tab.screenshot(path=artifact("access-refused.png"))

    def test_whose_groups_no_longer_match_sees_nothing_but_why(self, running, provider, folder):
        with logged_in(running, provider, "leads") as tab:
            expect(tab.locator(".six-tile").first).to_be_visible()
            configuration(folder, provider.url, "others: everything")
            tab.reload()
            expect(tab.get_by_text("ada@acme.example is in none of the groups")).to_be_visible()
            expect(tab.locator(".six-tile")).to_have_count(0)


class TestSight:
    """Page by page, tests/dashboards/test_sight.py tries what each may see."""

    def test_a_team_sees_its_own(self, running, provider):
        with logged_in(running, provider, "payments-developers") as tab:
            expect(tab.locator(".six-table").get_by_text("checkout", exact=True)).to_be_visible()
            assert parse_qs(urlsplit(tab.url).query) == {"team": ["payments"]}
            assert not any(name in tab.content() for name in OTHERS)
            tab.goto(f"{running.url}/metric?team=discovery")
            expect(tab.get_by_text("Not for you to see")).to_be_visible()
            tab.screenshot(path=artifact("access-not-yours.png"))
            tab.get_by_role("link", name="payments").click()
            expect(tab.locator(".six-over")).to_have_text("team payments")

    def test_everybody_sees_the_numbers_of_all_teams_and_the_rows_of_none(self, running, provider):
        with logged_in(running, provider, "everybody-else") as tab:
            expect(tab.locator(".six-table").get_by_text("platform", exact=True)).to_be_visible()
            assert not any(name in tab.content() for name in (*OTHERS, "checkout", "billing"))


class TestDownloads:
    def test_a_download_needs_the_login_and_not_its_address_alone(self, running, provider, folder):
        with logged_in(
            running, provider, "payments-developers", at="deployments?team=payments&period=12w"
        ) as tab:
            with tab.expect_download() as download:
                tab.get_by_role("button", name="Download CSV").click()
            rows = download.value.path().read_text()
            assert "checkout" in rows
            assert not any(name in rows for name in OTHERS)
            assert urlsplit(download.value.url).path.startswith("/media/")
            cookies = {cookie["name"]: cookie["value"] for cookie in tab.context.cookies()}
            get = {"url": download.value.url, "trust_env": False, "timeout": PATIENCE}
            assert httpx.get(**get, cookies=cookies).text == rows
            assert httpx.get(**get).status_code == 403
            assert httpx.get(**get, cookies=cookies | {"_streamlit_user": "forged"}).status_code == 403
            configuration(folder, provider.url, "others: everything")
            assert httpx.get(**get, cookies=cookies).status_code == 403

    def test_what_streamlit_tells_of_itself_needs_the_login(self, running, provider):
        with logged_in(running, provider, "payments-developers") as tab:
            cookies = {cookie["name"]: cookie["value"] for cookie in tab.context.cookies()}
        with httpx.Client(base_url=running.url, trust_env=False, timeout=PATIENCE) as anybody:
            for path in CLOSED:
                answers = [anybody.request(method, path) for method in ("GET", "PUT", "POST")]
                assert {(answer.status_code, answer.text) for answer in answers} == {(403, "Log in first.")}
            anybody.cookies.update(cookies)
            assert {anybody.get(path).status_code for path in CLOSED} <= {200, 404, 405}
            assert "cache_memory_bytes" in anybody.get("_stcore/metrics").text

    @pytest.mark.parametrize("path", ["", "_stcore/health", "_stcore/host-config", "favicon.png"])
    def test_what_holds_no_data_needs_no_login(self, running, path):
        answer = httpx.get(f"{running.url}/{path}", trust_env=False, timeout=PATIENCE)
        assert answer.is_success
        assert not any(told in answer.text for told in ("payments", "checkout", SECRET, COOKIE_KEY))
        if path == "_stcore/host-config":
            # Streamlit's page asks for it before it can show the login: switches that are all off, and nobody's name
            assert not any(answer.json().values())


class TestWithoutLogin:
    def test_the_survey_needs_its_link_alone(self, running, provider, folder):
        provider.requests.clear()
        settings = load_settings(folder / "sixkeys.yaml")
        day = date.today() + timedelta(days=3)
        (link,) = survey_links.survey_links(settings, "Q4", "payments", day, 1, datetime.now(UTC))
        with somebody(running, provider) as tab:
            tab.goto(f"{running.url}/survey?{urlsplit(link).query}")
            tab.get_by_text("4", exact=True).click()
            tab.get_by_role("button", name="Send").click()
            expect(tab.get_by_text("Thank you")).to_be_visible()
            assert not any(cookie["name"] == "_streamlit_user" for cookie in tab.context.cookies())
        assert provider.requests == []

    def test_a_public_address_shows_nothing(self, tmp_path):
        (tmp_path / "sixkeys.yaml").write_text("organization: acme\n")

        def page(config: str) -> None:
            from pathlib import Path

            from dashboards.app import main

            main(Path(config), host=None)

        app = AppTest.from_function(page, args=(str(tmp_path / "sixkeys.yaml"),), default_timeout=30).run()
        assert "listens at &#34;every address&#34;" in shown(app)
        assert "No numbers yet" not in shown(app)

    def test_streamlit_alone_which_knows_no_login_shows_nothing(self, folder):
        app = opened(folder)
        assert not app.exception
        assert "this process was started without" in shown(app)
        assert "six-tile" not in shown(app)
