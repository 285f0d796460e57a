"""The archive page: what was published, opened as it was, with what was said later of its numbers."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from collectors.contract.records import Incident
from config.settings import Settings
from dashboards.frame.view import Filters, from_address, to_address
from dashboards.scorecards import content as scorecards
from dashboards.scorecards import loading
from dashboards.scorecards.published_forms import made
from dashboards.scorecards.rendering import FORMATS, render
from tests.conftest import Small, once
from tests.support.chromium import artifact
from tests.support.running_dashboard import opened, running, shown
from tests.support.small_organisation import NOW
from warehouse.building.build import build
from warehouse.metrics.published_facts import open_facts
from warehouse.scorecards import content as scorecard
from warehouse.scorecards.published import publish
from warehouse.storage.store import open_warehouse

CRON = "0 8 * * MON"
LATE = Incident(
    source="opsgenie",
    id="late",
    service="search",
    title="<b>Found later</b>",
    urgency="high",
    opened_at=NOW - timedelta(days=12),
    resolved_at=NOW - timedelta(days=12) + timedelta(minutes=5),
    url="https://opsgenie.example/late",
)


@pytest.fixture(scope="module")
def own(small: Small, shared_folder: Path) -> Small:
    return once(shared_folder, "archive", lambda folder: written(small, folder))


@pytest.fixture(scope="module")
def folder(own: Small) -> Path:
    return own.folder


def written(small: Small, folder: Path) -> Small:
    """The small organisation with two published weeks; the second restates the first."""
    own = small.copied(folder)
    settings = own.settings
    published(settings, "2026-W45")
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert([LATE])
    build(settings, NOW)
    published(settings, "2026-W46")
    build(settings, NOW)
    return own


def published(settings: Settings, week: str) -> None:
    with open_facts(settings.warehouse) as facts:
        for content in scorecard.scorecards(facts, settings, week):
            publish(facts, settings, content, made)


def test_without_any_it_says_how_they_come_about(small: Small) -> None:
    app = opened(small.folder, "scorecards")
    assert not app.exception
    assert "No scorecard was published yet" in shown(app)
    assert "The first scorecard leaves on Monday, 23 November, for the week of 16 November" in shown(app)


def test_it_opens_the_last_one_of_the_view_and_leads_to_the_others(folder: Path) -> None:
    app = opened(folder, "scorecards", team="payments")
    assert not app.exception
    page = shown(app)
    assert "payments, week 2026-W46" in page
    assert 'href="scorecards?team=discovery&amp;week=2026-W45"' in page
    assert 'href="scorecards?week=2026-W46"' in page
    assert 'aria-current="page"' in page


def test_old_and_new_stand_side_by_side_with_the_reason(folder: Path) -> None:
    app = opened(folder, "scorecards", week="2026-W45", team="discovery")
    page = shown(app)
    assert "What was said later of these numbers" in page
    assert "&lt;b&gt;Found later&lt;/b&gt;" in page
    assert 'href="https://opsgenie.example/late"' in page
    assert "What was said later" not in shown(opened(folder, "scorecards", week="2026-W45", team="payments"))


def test_a_week_that_was_not_published_is_said_so(folder: Path) -> None:
    page = shown(opened(folder, "scorecards", week="2026-W30"))
    assert "None was published for this week and scope" in page
    assert "six-archive" in page


def test_who_sees_teams_only_finds_theirs_only(folder: Path) -> None:
    found = loading.archive(folder / "warehouse.duckdb", CRON, Filters(team="payments"), {"payments"})
    assert {(entry.scope, entry.name) for entry in found.entries} == {("team", "payments")}
    for view in (Filters(), Filters(service="checkout"), Filters(system="shop"), Filters(team="platform")):
        assert loading.archive(folder / "warehouse.duckdb", CRON, view, {"payments"}).entry is None


def test_the_address_keeps_the_week() -> None:
    view = Filters(week="2026-W45", team="payments")
    assert from_address(to_address(view)) == view
    assert from_address({"week": "<b>"}).week is None


def test_more_weeks_than_fit_begin_with_the_one_that_is_open(folder: Path) -> None:
    entries = loading.archive(folder / "warehouse.duckdb", CRON, Filters()).entries
    last = next(one for one in entries if one.scope == "organisation")
    many = [last.__class__(**{**vars(last), "week": f"2025-W{week:02}"}) for week in range(1, 53)]
    weeks, (line,) = scorecards.grid(many, Filters(), many[9], "UTC")
    assert weeks[0] == "2025-W10"
    assert len(weeks) == 10
    assert [cell is not None and cell.is_open for cell in line.cells] == [True, *[False] * 9]


def rendered(settings: Settings) -> dict[str, str]:
    """The organisation's scorecard of 2026-W45 in each form, from the numbers as they are now."""
    with open_facts(settings.warehouse) as facts:
        content = scorecard.scorecard(facts, settings, "2026-W45")
    return {form: render(content, form) for form in FORMATS}


def test_what_is_offered_is_what_was_published(own: Small) -> None:
    found = loading.archive(own.settings.warehouse, CRON, Filters(week="2026-W45"))
    assert found.forms == rendered(own.settings)
    page = opened(own.folder, "scorecards", week="2026-W45")
    assert [button.proto.label for button in page.get("download_button")][1:] == [
        label for label, _ in scorecards.FORMS.values()
    ]


@pytest.mark.soak
def test_what_is_downloaded_is_what_was_published(own: Small, browser: Browser) -> None:
    expected = rendered(own.settings)
    with running(own.config, own.settings, browser) as dashboard:
        tab = dashboard.open("scorecards?week=2026-W45")
        expect(tab.get_by_role("heading", name="acme, week 2026-W45")).to_be_visible()
        for form in FORMATS:
            with tab.expect_download() as download:
                tab.get_by_role("button", name=scorecards.FORMS[form][0], exact=False).click()
            assert download.value.suggested_filename == f"organisation-acme-2026-W45.{form}"
            assert Path(download.value.path()).read_text(encoding="utf-8") == expected[form]
        tab.screenshot(path=artifact("scorecards-light.png"), full_page=True)
        tab = dashboard.open("scorecards?week=2026-W45&team=discovery", scheme="dark", width=420)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 420
        tab.screenshot(path=artifact("scorecards-dark-420.png"), full_page=True)
        assert dashboard.foreign == []
