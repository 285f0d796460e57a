"""Numbers explained: the arithmetic, the rows as people read them, their links, and the page."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import mean, median

import pytest

from config.metrics import metrics
from dashboards.figures import fact_cells
from dashboards.frame.markup import part
from dashboards.frame.view import Filters
from dashboards.metric import content as explained
from dashboards.metric.loading import SHOWN_OF_A_REASON, explained_rows, metric_content, rows_behind
from tests.conftest import Sample, Small
from tests.support import small_organisation
from tests.support.running_dashboard import opened, shown
from warehouse.rows.explain import Explanation

HOSTILE = small_organisation.HOSTILE
ROW = {
    "source": "pagerduty",
    "id": "Q1",
    "service": "checkout",
    "team": "payments",
    "title": "Checkout is down",
    "urgency": "high",
    "priority": None,
    "opened_at": datetime(2026, 11, 9, 10),
    "resolved_at": datetime(2026, 11, 9, 11),
    "blames_id": None,
    "blamed_by": None,
    "excluded_because": None,
    "rule": "opened until resolved",
    "value": 3600.0,
    "url": "https://acme.pagerduty.com/incidents/Q1",
}


def found(rows: list[dict], metric: str = "mttr", **other) -> Explanation:
    known = {
        "scope": "organisation",
        "name": "acme",
        "period_start": date(2026, 10, 19),
        "period_end": date(2026, 11, 16),
        "value": 3600.0,
        "unit": metrics()[metric].unit,
        "n": sum(row["excluded_because"] is None for row in rows),
        "status": "missed",
        "statistic": "",
        "rule": "",
        "covered_days": None,
        "left_out": {},
    }
    return Explanation(metric=metric, rows=rows, **(known | other))


def many(count: int) -> list[dict]:
    start = datetime(2026, 11, 9)
    return [
        ROW | {"id": f"Q{n}", "value": float(n * 11 % count), "resolved_at": start + timedelta(minutes=n)}
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def folder(small: Small) -> Path:
    return small.folder


class TestRows:
    @pytest.mark.parametrize("metric", [m for m in metrics() if m != "developer_satisfaction"])
    def test_every_metric_of_the_sample_has_cells_below_its_headings(self, sample: Sample, metric: str):
        asked = Filters(period="all", metric=metric)
        rows = rows_behind(sample.settings.warehouse, sample.settings, asked)
        made = explained.shown_rows(rows, "Europe/Berlin")
        assert made.rows
        assert made.counted == rows.n
        assert {len(row) for row in made.rows} == {len(made.headings)}
        assert {len(row) for group in made.groups for row in group.rows} <= {len(made.headings_left_out)}
        assert made.left_out == sum(group.n for group in made.groups)
        assert {group.reason: group.n for group in made.groups} == rows.left_out
        assert all(len(group.rows) == min(group.n, SHOWN_OF_A_REASON) for group in made.groups)
        assert any(row[-1].address for row in made.rows)

    def test_what_is_not_shown_is_told(self):
        html = part("counted", explained.shown_rows(found(many(500), n=1200), "UTC"), "", of="metric")
        assert "The first 500 of 1,200 rows are shown; the CSV has all of them." in html
        html = part("counted", explained.shown_rows(found(many(3)), "UTC"), "", of="metric")
        assert "CSV" not in html

    def test_rows_left_out_are_grouped_by_what_their_reasons_have_in_common(self):
        rows = [ROW | {"excluded_because": f"merged into Q{n}", "value": None} for n in range(3)]
        rows += [ROW | {"excluded_because": "urgency low", "value": None}]
        left_out = {"merged into …": 3, "urgency low": 1}
        made = explained.shown_rows(found(rows, left_out=left_out), "UTC")
        assert [(group.reason, group.n) for group in made.groups] == list(left_out.items())
        assert [row[-2].text for row in made.groups[0].rows] == [f"merged into Q{n}" for n in range(3)]

    def test_times_are_of_the_configured_zone_and_exact_on_hover(self):
        cell = fact_cells.cells(metrics()["mttr"], ROW, "Europe/Berlin")[0]
        assert (cell.text, cell.note, cell.title) == ("9 Nov 2026", "12:00", "2026-11-09T11:00:00Z")

    def test_what_is_told_of_times_is_of_the_configured_zone_too(self):
        counted = ROW | {"rule": "failed by window: incident Q1: opened 2026-11-20 09:10:00 UTC"}
        left_out = ROW | {
            "excluded_because": "shipped at an unknown time between 2026-07-01 09:00:00 and 2026-07-01 22:30:00 UTC"
        }
        made = explained.shown_rows(
            found([counted, left_out], left_out={"shipped at an unknown time …": 1}), "Europe/Berlin"
        )
        assert made.rows[0][-2].text == "failed by window: incident Q1: opened 2026-11-20 10:10"
        assert (
            made.groups[0].rows[0][-2].text
            == "shipped at an unknown time between 2026-07-01 11:00 and 2026-07-02 00:30"
        )

    @pytest.mark.parametrize(
        ("url", "address"),
        [
            ("https://acme.pagerduty.com/incidents/Q1", "https://acme.pagerduty.com/incidents/Q1"),
            ("http://github.acme.example/a/b/pull/1", "http://github.acme.example/a/b/pull/1"),
            ("javascript:alert(1)", ""),
            ("data:text/html,<script>alert(1)</script>", ""),
            ("//evil.example", ""),
            ("https://[", ""),
            ("", ""),
            (None, ""),
        ],
    )
    def test_only_web_addresses_are_links(self, url: str | None, address: str):
        assert fact_cells.source_cell("incidents", ROW | {"url": url}).address == address

    def test_text_from_data_is_no_markup(self):
        rows = [ROW | {"title": HOSTILE, "service": HOSTILE, "rule": HOSTILE, "url": f'https://x/"{HOSTILE}'}]
        rows += [ROW | {"excluded_because": HOSTILE, "value": None}]
        made = explained.shown_rows(found(rows, left_out={HOSTILE: 1}), "UTC")
        html = part("counted", made, HOSTILE, of="metric") + part("left_out", made, of="metric")
        assert "<img" not in html
        assert html.count("&lt;img src=x onerror=alert(1)&gt;") >= 6


class TestArithmetic:
    @pytest.mark.parametrize("metric", list(metrics()))
    def test_the_sentence_says_how_the_rows_became_the_number(self, sample: Sample, metric: str):
        asked = Filters(period="all", metric=metric)
        content = metric_content(sample.settings.warehouse, sample.settings, asked)
        value, said = content.current, explained.arithmetic(content.explanation)
        rows = explained_rows(sample.settings.warehouse, sample.settings, asked)
        inputs = [row["value"] for row in rows if row["excluded_because"] is None]
        numbers = [int(number.replace(",", "")) for number in re.findall(r"\b\d[\d,]*\b", said)]
        match metrics()[metric].statistic:
            case "rate" | "share":
                assert numbers[0] / numbers[1] == pytest.approx(value.value)
            case "median":
                assert said.startswith("the median of ")
                assert median(inputs) == pytest.approx(value.value)
            case "mean" if metric == "mttr":
                assert said.startswith("the mean of ")
                assert mean(inputs) == pytest.approx(value.value)
            case _:
                assert said == "the mean of 22 respondents, round 2026-10"

    def test_there_is_none_without_a_number(self):
        assert explained.arithmetic(found([], value=None)) == ""


class TestPage:
    @pytest.mark.parametrize("metric", list(metrics()))
    def test_each_metric_has_its_number_definition_and_rows(self, folder, metric: str):
        app = opened(folder, "metric", metric=metric, period="12w")
        assert not app.exception
        assert metrics()[metric].rule.replace("'", "&#39;") in shown(app)
        assert ("six-histogram" if metric == "developer_satisfaction" else "What counts: ") in shown(app)

    def test_a_choice_goes_to_the_address(self, folder):
        app = opened(folder, "metric", metric="mttr", team="payments")
        app.selectbox(key="order").select("highest").run()
        app.selectbox(key="metric").select("change_failure_rate").run()
        assert app.query_params == {"metric": "change_failure_rate", "team": "payments", "order": "highest"}
        assert "<h1>Change Failure Rate</h1>" in shown(app)
        failed = re.findall(
            r'<td data-label="Failed" class="number">(?:<span class="state missed">)?(yes|no)\b', shown(app)
        )
        assert failed == sorted(failed, reverse=True)
        assert set(failed) == {"yes", "no"}

    def test_a_withheld_score_has_no_histogram(self, folder):
        app = opened(folder, "metric", metric="developer_satisfaction", team="platform")
        assert "Withheld" in shown(app)
        assert "six-histogram" not in shown(app)

    def test_a_service_has_no_satisfaction(self, folder):
        app = opened(folder, "metric", metric="developer_satisfaction", service="checkout")
        assert "People are asked by team" in shown(app)

    def test_a_period_without_rows_says_so(self, folder):
        app = opened(folder, "metric", metric="mttr", service="legacy-reports", period="week")
        assert not app.exception
        assert "No row counts" in shown(app)
        assert "Every row of this period counts" in shown(app)

    @pytest.mark.parametrize(
        "names", [{"team": "payments", "service": "ingest"}, {"system": "data", "team": "payments"}]
    )
    def test_filters_that_exclude_each_other_say_so(self, folder, names):
        app = opened(folder, "metric", **names)
        assert not app.exception
        assert "Nothing matches all of these filters" in shown(app)

    def test_a_name_that_is_gone_is_told(self, folder):
        assert "Not found, so not applied: team gone" in shown(opened(folder, "metric", team="gone"))
