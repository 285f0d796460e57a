"""The dashboard as Streamlit runs it: over full, empty and broken warehouses, and in a real browser."""

import csv
import io
import subprocess
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from PIL import Image
from playwright.sync_api import expect

from config.errors import SixkeysError
from dashboards.figures import charts
from dashboards.figures.formats import figure_against
from dashboards.figures.tables import as_csv
from dashboards.frame.navigation import PAGES
from dashboards.server.launch import local_address, wait_until_up
from tests.support import small_organisation
from tests.support.chromium import artifact
from tests.support.running_dashboard import Running, choose, drawn, opened, shown
from warehouse.building.build import build
from warehouse.metrics.published_facts import current_facts, open_facts, pointer
from warehouse.metrics.values import Value, as_rows, compute


class TestPage:
    def test_it_shows_the_values_that_the_command_line_gives(self, small):
        app = opened(small.folder)
        assert not app.exception
        with open_facts(small.settings.warehouse) as facts:
            monday = small_organisation.NOW.date()
            values = compute(facts, small.settings, start=monday - timedelta(weeks=4), end=monday)
        assert len(values) == 8
        html = shown(app)
        # no repository was made in these weeks: the last that was is of another one
        assert "the last known, of 2026-W" in html
        for value in values[1:]:
            assert f">{figure_against(value.metric, value.value, value.unit, value.target)}</a></p>" in html

    def test_a_view_comes_from_the_address_and_a_choice_goes_there(self, small):
        app = opened(small.folder, period="12w", team="payments")
        assert app.selectbox(key="team").value == "payments"
        assert "team payments" in shown(app)
        app.selectbox(key="team").select("platform").run()
        assert not app.exception
        assert app.query_params == {"period": "12w", "team": "platform"}
        assert "team platform" in shown(app)

    def test_a_custom_period_starts_from_the_one_shown_before(self, small):
        app = opened(small.folder, period="custom", **{"from": "2026-10-01", "to": "2026-11-01"})
        assert [f"{d.value}" for d in app.date_input] == ["2026-10-01", "2026-10-31"]
        assert "1 – 31 Oct 2026" in shown(app)
        everything = opened(small.folder, period="all")
        everything.segmented_control(key="period").select("custom").run()
        first, last = everything.date_input
        assert (first.value.isoformat(), last.value) == (
            everything.query_params["from"],
            small_organisation.NOW.date(),
        )

    @pytest.mark.parametrize("at", PAGES)
    @pytest.mark.parametrize("days", [{"from": "2030-01-01"}, {"to": "2000-01-01"}])
    def test_a_custom_period_of_days_without_data_leaves_the_filters_to_leave_it(self, small, at, days):
        service = {"service": "checkout"} if at == "service" else {}
        team = {"team": "payments"} if at == "team" else {}
        query = {"period": "custom", "step": "month", **days, **service, **team}
        app = opened(small.folder, at, **query)
        assert not app.exception
        if at != "scorecards":
            assert [field.label for field in app.date_input][:2] == ["First day", "Last day"]

    def test_every_filter_and_row_choice_has_a_page(self, small):
        for query in (
            {"period": "week", "rows": "system"},
            {"period": "all", "rows": "service", "sort": "lead_time"},
            {"period": "quarter", "system": "data", "sort": "missed"},
            {"period": "12m", "service": "legacy-reports", "rows": "team"},
            {"service": small_organisation.HOSTILE, "metric": "developer_satisfaction"},
        ):
            assert not opened(small.folder, **query).exception, query

    def test_what_changed_this_week_is_told_in_sentences(self, small):
        html = shown(opened(small.folder))
        assert "What changed in the week of 9 – 15 Nov 2026" in html
        assert "The slowest change, " in html
        assert "compared with 27 Jul – 18 Oct 2026" in html

    def test_filters_that_exclude_each_other_say_so(self, small):
        app = opened(small.folder, team="payments", service="ingest")
        assert not app.exception
        assert "Nothing matches all of these filters" in shown(app)

    def test_a_name_that_is_gone_is_told_and_not_applied(self, small):
        app = opened(small.folder, team="<b>gone</b>")
        assert "Not found, so not applied: team &lt;b&gt;gone&lt;/b&gt;" in shown(app)
        told = shown(opened(small.folder, "metric", period="3y", teem="payments"))
        assert "Not found, so not applied: teem payments, period 3y" in told

    def test_a_source_that_failed_last_and_incidents_without_a_service_are_told(self, small):
        app = opened(small.folder)
        assert "Not all sources could be read" in shown(app)
        assert "PagerDuty has not been read yet: recovery times may be missing incidents" in shown(app)
        assert "answered 503" not in shown(app)
        assert "GitHub" not in shown(app)
        assert "1 incident belongs to no single service" in shown(app)
        assert "answered 503 &lt;b&gt;later&lt;/b&gt;" in shown(opened(small.folder, "trust"))

    def test_a_page_tells_of_the_sources_that_are_on_it(self, small):
        for at, told in (("incidents", True), ("deployments", False), ("satisfaction", False)):
            assert ("PagerDuty has not been read yet" in shown(opened(small.folder, at))) == told, at
        assert "PagerDuty" in shown(opened(small.folder, "metric", metric="mttr"))
        assert "PagerDuty" not in shown(opened(small.folder, "metric", metric="lead_time"))

    def test_a_target_that_changes_in_the_configuration_changes_the_page(self, small, tmp_path):
        config = small.copied(tmp_path).config
        assert "<h1>0 of 5 targets met; 1 not judged: " in shown(opened(tmp_path))
        lenient = 'metrics: [{name: Lead Time, target: "< 30 days"}]\n'
        config.write_text(config.read_text() + lenient)
        assert "<h1>1 of 1 target met</h1>" in shown(opened(tmp_path))


# the pages of one name, and whose
NAMED = {"team": {"team": "payments"}, "service": {"service": "checkout"}}


class TestStates:
    @pytest.mark.parametrize("at", PAGES)
    def test_an_empty_warehouse_says_which_command_to_run(self, tmp_path, at):
        (tmp_path / "sixkeys.yaml").write_text("organization: acme\n")
        app = opened(tmp_path, at)
        assert not app.exception
        assert f"sixkeys collect --config {tmp_path / 'sixkeys.yaml'}" in shown(app)

    @pytest.mark.parametrize("at", PAGES)
    @pytest.mark.parametrize("damage", ["unreadable", "gone", "without tables"])
    def test_a_broken_warehouse_is_told_in_a_sentence(self, small, tmp_path, damage, at):
        facts = current_facts(small.copied(tmp_path).settings.warehouse)
        if damage == "unreadable":
            facts.write_bytes(b"not a database")
        elif damage == "gone":
            facts.unlink()
        else:
            with duckdb.connect(str(facts)) as connection:
                # without answers no page can name its teams, so that the others would not be reached
                gone = {"satisfaction": ("responses",), "scorecards": ("scorecards",)}.get(
                    at, ("covered_days", "deployments", "incidents")
                )
                for table in gone:
                    connection.execute(f"drop table {table}")
        app = opened(tmp_path, at, **NAMED.get(at, {}))
        assert not app.exception
        assert "The numbers cannot be read" in shown(app)
        assert "sixkeys build" in shown(app)
        assert "Traceback" not in shown(app)

    def test_facts_of_another_version_are_told_with_what_to_run(self, small, tmp_path):
        settings = small.copied(tmp_path).settings
        with duckdb.connect(str(current_facts(settings.warehouse))) as connection:
            connection.execute("alter table about drop column facts_version")
        app = opened(tmp_path)
        assert not app.exception
        assert "was built by another version of Sixkeys; run &#34;sixkeys build&#34;" in shown(app)
        assert "notices by itself when there are new facts" in shown(app)

    def test_an_earlier_file_that_stands_in_is_told(self, small, tmp_path):
        settings = small.copied(tmp_path).settings
        build(settings, small_organisation.NOW + timedelta(hours=1))
        current_facts(settings.warehouse).write_bytes(b"not a database")
        assert "These are not the newest facts" in shown(opened(tmp_path))

    def test_a_mistake_in_the_configuration_is_told(self, tmp_path):
        (tmp_path / "sixkeys.yaml").write_text("organisation: acme\n")
        app = opened(tmp_path)
        assert not app.exception
        assert "did you mean &#34;organization&#34;?" in shown(app)


@pytest.fixture(scope="module")
def running(small_dashboard: Running) -> Running:
    return small_dashboard


class TestBrowser:
    def test_a_page_has_its_name_in_the_address_and_its_view_in_the_title(self, running):
        tab = running.open("overview?period=12w&team=payments")
        expect(tab).to_have_title("Overview · team payments · 12 weeks · acme")
        assert urlsplit(tab.url).path == "/"
        assert parse_qs(urlsplit(tab.url).query) == {"period": ["12w"], "team": ["payments"]}
        tab.locator(".st-key-nav").get_by_role("link", name="Services").click()
        expect(tab).to_have_title("Services · team payments · 12 weeks · acme")
        expect(tab.locator(".six-map tbody th")).to_have_text(
            [small_organisation.HOSTILE, "billing", "checkout"]
        )

    @pytest.mark.soak
    def test_a_copied_address_shows_the_same_view(self, running):
        tab = running.open()
        tab.get_by_role("radio", name="12 weeks").or_(
            tab.get_by_role("button", name="12 weeks")
        ).first.click()
        expect(tab.locator(".six-days")).to_contain_text("24 Aug – 15 Nov 2026")
        choose(tab, "Team", "payments")
        expect(tab.locator(".six-over")).to_have_text("team payments")
        drawn(tab, "overview")
        assert parse_qs(urlsplit(tab.url).query) == {"period": ["12w"], "team": ["payments"]}
        figures = tab.locator(".six-tile .value").all_inner_texts()
        again = running.open(f"?{urlsplit(tab.url).query}")
        assert again.locator(".six-tile .value").all_inner_texts() == figures
        expect(again.locator(".six-over")).to_have_text("team payments")
        expect(again.locator(".six-days")).to_contain_text("24 Aug – 15 Nov 2026")

    @pytest.mark.soak
    def test_back_and_forward_walk_through_the_views(self, running):
        tab = running.open()
        choose(tab, "Team", "payments")
        expect(tab.locator(".six-over")).to_have_text("team payments")
        choose(tab, "Service", "billing")
        expect(tab.locator(".six-over")).to_have_text("service billing of team payments")
        tab.go_back()
        expect(tab.locator(".six-over")).to_have_text("team payments")
        tab.go_back()
        expect(tab.locator(".six-over")).to_have_text("acme")
        tab.go_forward()
        expect(tab.locator(".six-over")).to_have_text("team payments")

    @pytest.mark.soak
    def test_a_row_of_the_table_leads_to_its_own_view(self, running):
        tab = running.open("?period=12w")
        tab.locator(".six-table").get_by_role("link", name="checkout", exact=True).click()
        expect(tab.locator("h1")).to_have_text("checkout")
        assert urlsplit(tab.url).path == "/service"
        assert parse_qs(urlsplit(tab.url).query) == {"period": ["12w"], "service": ["checkout"]}

    def test_the_download_is_what_is_shown(self, running, tmp_path):
        tab = running.open("?rows=team")
        with tab.expect_download() as download:
            tab.locator(".st-key-table-controls").get_by_role("button", name="Download CSV").click()
        assert download.value.suggested_filename == "acme-metrics-2026-10-19-2026-11-15.csv"
        download.value.save_as(tmp_path / "shown.csv")
        # the byte order mark, by which Excel knows UTF-8
        assert (tmp_path / "shown.csv").read_bytes().startswith(b"\xef\xbb\xbfmetric,")
        text = (tmp_path / "shown.csv").read_text(encoding="utf-8-sig")
        monday = small_organisation.NOW.date()
        with open_facts(running.settings.warehouse) as facts:
            days = {"start": monday - timedelta(weeks=4), "end": monday}
            values = [
                *compute(facts, running.settings, **days),
                *compute(facts, running.settings, "team", **days),
            ]
        assert f"\ufeff{text}" == as_csv(as_rows(values))
        header = next(csv.reader(io.StringIO(text)))
        assert header == [field.name for field in fields(Value)]

    def test_a_chart_s_picture_says_what_it_is_of_and_the_page_does_not_say_it_twice(self, running, tmp_path):
        tab = running.open("metric?metric=lead_time&team=payments&period=12w")
        card = tab.locator(".st-key-chart-card-series")
        heading = card.locator(".g-gtitle")
        expect(heading).to_be_hidden()
        assert heading.text_content() == (
            "Lead Time for Changes by week"
            "team payments, acme · 1 Jun – 15 Nov 2026 · data as of Mon 16 Nov 2026, 09:00 CET"
            "1 · 30 Sep 2026: The golden path (golden path, team payments)"
            f"2 · 10 – 12 Nov 2026: {small_organisation.HOSTILE} (freeze, organisation)"
        )
        # the card begins with the chart: what the heading takes in the picture is cut off here
        chart, box = card.locator(".js-plotly-plot").bounding_box(), card.bounding_box()
        heading_height = charts.HEADING_HEIGHT + 2 * charts.EVENT_HEIGHT
        assert box["y"] - chart["y"] == pytest.approx(heading_height, abs=20)
        card.hover()
        with tab.expect_download() as download:
            card.locator(".modebar-btn[data-title*='png' i]").click()
        download.value.save_as(tmp_path / "chart.png")
        with Image.open(tmp_path / "chart.png") as picture:
            assert picture.size == (2 * charts.PICTURE_WIDTH, 2 * (300 + heading_height))
            # nothing shines through on a slide, and there are letters above the chart
            assert picture.convert("RGBA").getchannel("A").getextrema() == (255, 255)
            above = picture.convert("L").crop((0, 0, 1200, 2 * charts.HEADING_HEIGHT))
            lines = [y for y in range(above.height) if above.crop((0, y, 1200, y + 1)).getextrema()[0] < 128]
            assert lines[0] > 8, "the title is cut off at the top"
            assert len(lines) > 20

    def test_hostile_names_are_text(self, running):
        tab = running.open()
        expect(tab.locator(".six-table").get_by_text(small_organisation.HOSTILE, exact=True)).to_be_visible()
        assert tab.locator("img[src=x]").count() == 0
        assert tab.locator("strong").get_by_text("bold", exact=True).count() == 0

    @pytest.mark.soak
    @pytest.mark.parametrize("at", PAGES)
    def test_no_page_takes_text_for_markup(self, running, at):
        about = {"team": "&team=payments", "service": "&service=checkout"}.get(at, "")
        tab = running.open(f"{'' if at == 'overview' else at}?period=12w{about}")
        assert tab.locator("img[src=x]").count() == 0
        assert tab.locator("strong").get_by_text("bold", exact=True).count() == 0

    @pytest.mark.parametrize("metric", ["lead_time", pytest.param("mttr", marks=pytest.mark.soak)])
    def test_titles_of_commits_and_incidents_are_text(self, running, metric):
        tab = running.open(f"metric?metric={metric}&period=12w")
        expect(tab.locator(".six-rows").get_by_text(small_organisation.HOSTILE).first).to_be_visible()
        assert tab.locator("img[src=x]").count() == 0

    @pytest.mark.soak
    def test_newer_facts_appear_by_themselves(self, running):
        tab = running.open("?team=payments")
        facts = Path(current_facts(running.settings.warehouse))
        try:
            build(running.settings, small_organisation.NOW + timedelta(weeks=1))
            expect(tab.locator(".six-days")).to_contain_text("22 Nov 2026", timeout=60_000)
            expect(tab.locator(".six-over")).to_have_text("team payments")
        finally:
            pointer(running.settings.warehouse).write_text(facts.name)

    @pytest.mark.parametrize(
        ("name", "scheme", "width", "height"),
        [
            pytest.param("light", "light", 1280, 1850, marks=pytest.mark.soak),
            pytest.param("dark", "dark", 1280, 1850, marks=pytest.mark.soak),
            ("phone", "light", 400, 2900),
        ],
    )
    def test_the_page_fits_its_width_in_light_dark_and_on_a_phone(self, running, name, scheme, width, height):
        tab = running.open(scheme=scheme, width=width, height=height)
        tab.screenshot(path=artifact(f"overview-{name}.png"))
        wide = "e => e.getBoundingClientRect().right"
        for part in (".six-head", ".six-tiles", ".six-week", ".six-scroll"):
            assert tab.locator(part).first.evaluate(wide) <= width
        background = tab.locator(".six-tile").first.evaluate("e => getComputedStyle(e).backgroundColor")
        assert background == ("rgb(25, 33, 43)" if scheme == "dark" else "rgb(255, 255, 255)")


class TestLaunch:
    def test_a_dashboard_that_ends_at_once_is_told(self):
        with subprocess.Popen(["false"]) as process, pytest.raises(SixkeysError, match="ended with status 1"):
            wait_until_up("http://127.0.0.1:9", process)

    def test_silence_is_told(self):
        with subprocess.Popen(["sleep", "30"]) as process:
            with pytest.raises(SixkeysError, match="no answer at http://127"):
                wait_until_up("http://127.0.0.1:9", process, timeout=0.3)
            process.kill()

    @pytest.mark.parametrize(
        ("host", "opened_at"),
        [
            ("127.0.0.1", "http://127.0.0.1:8501"),
            ("0.0.0.0", "http://127.0.0.1:8501"),
            ("::", "http://[::1]:8501"),
            ("::1", "http://[::1]:8501"),
            ("dash.example", "http://dash.example:8501"),
        ],
    )
    def test_the_address_is_one_that_can_be_opened(self, host, opened_at):
        assert local_address(host, 8501) == opened_at
