"""The ways that people walk through the dashboard in a real browser, over the sample organisation."""

import re
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from dashboards.metric.loading import SHOWN_OF_A_REASON
from tests.support.chromium import artifact
from tests.support.places import PROGRAM
from tests.support.running_dashboard import Running, choose, drawn

WIDE = "e => e.getBoundingClientRect().right"


@pytest.fixture(scope="module")
def running(sample_dashboard: Running) -> Running:
    return sample_dashboard


def asked(tab: Page) -> dict[str, list[str]]:
    """What stands in the address behind the path."""
    return parse_qs(urlsplit(tab.url).query)


class TestFromTheOverview:
    def test_two_clicks_lead_to_the_pull_request_and_one_back(self, running):
        tab = running.open("?team=storefront")
        name = tab.get_by_role("link", name="Lead Time for Changes", exact=True)
        tile = tab.locator(".six-tile", has=name)
        figure = tile.locator(".value").inner_text()
        tile.locator(name).click()
        drawn(tab, "metric")
        expect(tab.locator(".six-number .value")).to_have_text(figure)
        expect(tab.locator(".six-over")).to_have_text("team storefront")
        link = tab.locator(".six-rows a").first
        expect(link).to_have_text(re.compile(r"Pull request #\d+"))
        number = re.search(r"\d+", link.inner_text())[0]
        assert re.fullmatch(rf"http://[^/]+/acme/[\w-]+/pull/{number}", link.get_attribute("href"))
        assert link.get_attribute("rel") == "noopener noreferrer"
        tab.go_back()
        drawn(tab, "overview")
        expect(tab.locator(".six-over")).to_have_text("team storefront")

    @pytest.mark.soak
    @pytest.mark.parametrize("metric", ["Mean Time to Recovery", "Deployment Frequency"])
    def test_a_tile_shows_the_number_that_is_explained(self, running, metric):
        tab = running.open("?team=storefront")
        tile = tab.locator(".six-tile", has=tab.get_by_role("heading", name=metric, exact=True))
        figure = tile.locator(".value").inner_text()
        tile.locator(".value a").click()
        drawn(tab, "metric")
        expect(tab.locator(".six-number .value")).to_have_text(figure)

    def test_a_cell_of_the_table_leads_to_its_own_rows(self, running):
        tab = running.open("?period=12w&system=shop")
        row = tab.locator("tr.service", has=tab.get_by_role("link", name="checkout", exact=True))
        cell = row.locator("td a").nth(3)
        figure = cell.evaluate("e => e.firstChild.textContent")
        cell.click()
        drawn(tab, "metric")
        assert asked(tab) == {
            "period": ["12w"],
            "system": ["shop"],
            "service": ["checkout"],
            "metric": ["change_failure_rate"],
        }
        expect(tab.locator(".six-number .value")).to_have_text(figure)

    def test_every_number_of_the_overview_is_explained(self, running):
        tab = running.open()
        assert tab.locator(".six-tile .value a[href^=metric]").count() == 8
        # a signal has its numbers and their link in one row
        for part, fewest in ((".six-map tbody td", 40), (".six-rows tbody tr", 1)):
            numbers = tab.locator(f".six-table{part}").filter(has_text=re.compile(r"\d"))
            assert numbers.count() >= fewest
            assert numbers.count() == numbers.filter(has=tab.locator("a[href^=metric]")).count()

    @pytest.mark.soak
    def test_what_stands_against_the_numbers_is_one_click_away(self, running):
        tab = running.open("?period=12w")
        tab.locator(".six-doubts").get_by_role("link", name="Can I trust this?").click()
        drawn(tab, "trust")
        assert asked(tab) == {"period": ["12w"]}
        expect(tab.locator(".six-list")).to_contain_text("3 names with data are in no catalogue")


class TestFromPageToPage:
    @pytest.mark.soak
    def test_the_view_goes_along(self, running):
        tab = running.open("?period=12w&team=storefront")
        nav = tab.locator(".st-key-nav")
        nav.get_by_role("link", name="Can I trust this?").click()
        drawn(tab, "trust")
        expect(tab.locator(".six-over")).to_have_text("team storefront")
        nav.get_by_role("link", name="Metric").click()
        drawn(tab, "metric")
        expect(tab.locator(".six-days")).to_contain_text("24 Aug – 15 Nov 2026")
        choose(tab, "Metric", "Mean Time to Recovery")
        expect(tab.locator("h1")).to_have_text("Mean Time to Recovery")
        nav.get_by_role("link", name="Overview").click()
        drawn(tab, "overview")
        expect(tab.locator(".six-over")).to_have_text("team storefront")
        assert asked(tab) == {"period": ["12w"], "team": ["storefront"], "metric": ["mttr"]}

    @pytest.mark.soak
    def test_a_copied_address_shows_the_same_rows(self, running):
        address = "metric?metric=mttr&period=12w&order=highest"
        first, second = running.open(address), running.open(address)
        rows = first.locator(".six-rows tbody tr").all_inner_texts()
        assert rows
        assert second.locator(".six-rows tbody tr").all_inner_texts() == rows


class TestRows:
    @pytest.mark.parametrize(
        "metric",
        [
            "lead_time",
            pytest.param("change_failure_rate", marks=pytest.mark.soak),
            pytest.param("developer_satisfaction", marks=pytest.mark.soak),
        ],
    )
    def test_the_download_is_what_the_command_line_writes(self, running, sample, tmp_path, metric):
        tab = running.open(f"metric?metric={metric}&team=storefront")
        with tab.expect_download() as download:
            tab.locator(".st-key-csv").get_by_role("button", name="Download CSV").click()
        named = f"acme-{metric}-storefront-2026-10-19-2026-11-15.csv"
        assert download.value.suggested_filename == named
        download.value.save_as(tmp_path / named)
        days = ("--from", "2026-10-19", "--to", "2026-11-16")
        command = [sys.executable, PROGRAM, "explain", metric, "--where", "team=storefront", *days]
        written = subprocess.run(
            [*command, "--format", "csv", "--config", sample.config], capture_output=True, check=True
        )
        assert (tmp_path / named).read_bytes() == written.stdout
        assert written.stdout.count(b"\n") > 3

    @pytest.mark.soak
    def test_the_values_of_a_chart_come_as_csv_and_the_chart_as_png(self, running, sample, tmp_path):
        tab = running.open("metric?metric=lead_time&team=storefront")
        with tab.expect_download() as download:
            tab.locator(".st-key-series-csv").get_by_role("button").click()
        assert download.value.suggested_filename == (
            "acme-lead_time-storefront-week-2026-10-19-2026-11-15.csv"
        )
        download.value.save_as(tmp_path / "series.csv")
        days = ("--from", "2026-07-27", "--to", "2026-11-16")
        command = [sys.executable, PROGRAM, "metrics", "--by", "team", "--where", "team=storefront", *days]
        written = subprocess.run(
            [*command, "--period", "week", "--format", "csv", "--config", sample.config],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        heading, *rows = written.removeprefix("\ufeff").splitlines()
        # the command has the goals besides, of which there is none here
        goals = ["goal", *("" for _ in rows)]
        wanted = [
            row.removesuffix(f",{goal}")
            for row, goal in zip([heading, *rows], goals, strict=True)
            if row.startswith(("metric,", "lead_time,"))
        ]
        assert (tmp_path / "series.csv").read_text(encoding="utf-8-sig").splitlines() == wanted
        chart = tab.locator(".st-key-chart-card-series")
        chart.hover()
        with tab.expect_download() as download:
            chart.locator(".modebar-btn[data-title*='png' i]").click()
        download.value.save_as(tmp_path / "chart.png")
        assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
        assert running.foreign == []

    @pytest.mark.soak
    def test_rows_left_out_open_below_their_reason(self, running):
        tab = running.open("metric?period=12w")
        group = tab.locator(".six-groups details", has_text="merge commit")
        expect(group.locator("table")).to_be_hidden()
        group.locator("summary").click()
        expect(group.locator("tbody tr").first).to_be_visible()
        count = int(group.locator("summary b").inner_text())
        assert group.locator("tbody tr").count() == min(count, SHOWN_OF_A_REASON)

    @pytest.mark.soak
    def test_the_largest_come_first_where_asked_for(self, running):
        tab = running.open("metric?metric=change_failure_rate&period=12w")
        choose(tab, "Order", "Highest first")
        expect(tab.locator(".six-rows tbody tr").first).to_contain_text("failed by")
        assert asked(tab)["order"] == ["highest"]


@pytest.mark.soak
class TestPictures:
    @pytest.mark.parametrize(
        ("name", "scheme", "width"),
        [("light", "light", 1280), ("dark", "dark", 1280), ("phone", "light", 400)],
    )
    @pytest.mark.parametrize(
        ("page", "address"),
        [
            ("metric", "metric?metric=change_failure_rate&period=12w"),
            ("histogram", "metric?metric=developer_satisfaction"),
            ("trust", "trust?period=all"),
        ],
    )
    def test_a_page_fits_its_width_in_light_dark_and_on_a_phone(
        self, running, page, address, name, scheme, width
    ):
        height = {"metric": 1500, "histogram": 900, "trust": 2300}[page]
        tab = running.open(address, scheme=scheme, width=width, height=height + (700 if width == 400 else 0))
        tab.screenshot(path=artifact(f"{page}-{name}.png"))
        for part in tab.locator(".six-head, .six-number, .six-scroll, .six-shares, .six-histogram").all():
            assert part.evaluate(WIDE) <= width

    def test_the_overview_of_the_readme(self, running):
        """docs/overview.png is a copy of this picture, which says nothing of the day on which it was made."""
        tab = running.open(height=1900)
        last = tab.locator("tr.team", has_text="platform").bounding_box()
        assert last
        picture = artifact("overview.png")
        tab.screenshot(
            path=picture,
            style=".six-fresh { visibility: hidden }",
            clip={"x": 0, "y": 0, "width": 1280, "height": last["y"]},
        )
        assert picture.stat().st_size < 400_000
