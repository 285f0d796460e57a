"""What the page of one metric shows beside the rows: its spread, its stages, whose number it is, what is not seen."""

import itertools
import math
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.contract.records import Coverage, Deployment
from config.metrics import keys, metrics
from config.settings import MetricTarget, Settings
from config.targets import parse_target
from dashboards.figures import charts, distances
from dashboards.figures.terms import TERMS
from dashboards.frame.markup import part
from dashboards.frame.view import Filters
from dashboards.metric import breakdown, distribution_charts, dora_levels
from dashboards.metric.loading import Spread, metric_content, spread
from tests.conftest import Sample, Small, once
from tests.dashboards.pages.test_overview_page import value, weeks_before
from tests.support import small_organisation
from tests.support.running_dashboard import opened, shown
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import open_facts
from warehouse.rows.distribution import Bin, Weekday, duration_bins, weekday_counts
from warehouse.rows.explain import explain
from warehouse.rows.stages import Holder, Stage, stages
from warehouse.signals.limits import limits_before
from warehouse.trust.unwatched import Unwatched, unwatched

FIRST, AFTER = date(2026, 8, 24), date(2026, 11, 16)
DURATIONS = [metric.id for metric in keys().values() if metric.unit == "seconds"]
COUNTED = [metric.id for metric in keys().values() if metric.statistic in ("rate", "share")]


@pytest.fixture(scope="module")
def organisation(small: Small, shared_folder: Path) -> Small:
    # in the catalogue and deployed, but nothing tells of its incidents
    at = small_organisation.NOW - timedelta(days=2)
    blind = Deployment(
        source="import", id="blind-1", service="blind", environment="production", sha="b" * 40, status="success",
        started_at=at, finished_at=at,
    )  # fmt: skip
    covered = Coverage(
        source="import deployments", subject="blind", from_at=small_organisation.FIRST, until_at=at
    )
    return once(shared_folder, "metric", lambda folder: small.copied(folder, blind, covered))


def made_of(settings: Settings, **view) -> Spread:
    return spread(settings.warehouse, settings, Filters(**view))


class TestSpread:
    @pytest.mark.parametrize("metric", DURATIONS)
    @pytest.mark.parametrize("where", [{}, {"team": "storefront"}])
    def test_every_row_that_counts_is_in_its_bin(self, sample: Sample, sample_facts: Facts, metric, where):
        rows = explain(sample_facts, sample.settings, metric, where, FIRST, AFTER).rows
        inputs = [row["value"] for row in rows if row["excluded_because"] is None]
        bins = duration_bins(sample_facts, metrics()[metric], where, FIRST, AFTER, edge=1800)
        assert sum(one.n for one in bins) == len(inputs)
        for one in bins:
            assert one.n == sum(one.lower <= max(1, taken) < one.upper for taken in inputs)
        assert all(a.upper == pytest.approx(b.lower) for a, b in itertools.pairwise(bins))

    def test_a_bin_begins_at_the_target_so_that_none_is_on_both_sides(self, sample_facts: Facts):
        bins = duration_bins(sample_facts, metrics()["lead_time"], {}, FIRST, AFTER, edge=3600)
        assert any(one.lower == pytest.approx(3600) for one in bins)

    @pytest.mark.parametrize("target", ["< 30 hours", "<= 30 hours"])
    def test_a_row_of_exactly_the_limit_is_on_its_side_of_the_target(self, organisation, target):
        own = MetricTarget(name="Lead Time for Changes", target=target)
        settings = organisation.settings.model_copy(update={"metrics": [own]})
        view = Filters(service="search", period="12w")
        bins = made_of(settings, **view.where, period="12w").bins
        current = metric_content(settings.warehouse, settings, view).current
        with open_facts(settings.warehouse) as facts:
            rows = explain(facts, settings, "lead_time", {"service": "search"}, FIRST, AFTER).rows
        taken = [row["value"] for row in rows if row["excluded_because"] is None]
        assert 108_000 in taken
        within = sum(parse_target(target, metrics()["lead_time"]).met_by(seconds) for seconds in taken)
        figure = distribution_charts.durations_chart(bins, current)
        drawn = zip(figure.data[0].y, figure.data[0].marker.color, strict=True)
        assert sum(n for n, colour in drawn if colour == charts.LIGHT.line) == within

    @pytest.mark.parametrize("metric", COUNTED)
    def test_the_days_of_the_week_add_up(self, sample: Sample, sample_facts: Facts, metric):
        rows = explain(sample_facts, sample.settings, metric, {}, FIRST, AFTER).rows
        inputs = [row for row in rows if row["excluded_because"] is None]
        found = weekday_counts(sample_facts, metrics()[metric], {}, FIRST, AFTER)
        assert [day.number for day in found] == [1, 2, 3, 4, 5, 6, 7]
        for day in found:
            of_day = [row["value"] for row in inputs if row["day"].isoweekday() == day.number]
            assert (day.n, day.counted) == (len(of_day), sum(of_day))

    def test_nothing_is_nothing_and_not_zero(self, sample_facts: Facts):
        never = (date(2020, 1, 1), date(2020, 2, 1))
        assert duration_bins(sample_facts, metrics()["mttr"], {}, *never) == []
        assert weekday_counts(sample_facts, metrics()["change_failure_rate"], {}, *never) == []
        assert stages(sample_facts, {}, *never) == []

    def test_the_colours_of_the_bars_are_those_of_their_side_of_the_target(self):
        bins = [Bin(1800, 3600, 6), Bin(3600, 7200, 2)]
        figure = distribution_charts.durations_chart(bins, value())
        assert figure.data[0].marker.color == (charts.LIGHT.line, charts.LIGHT.target)
        assert figure.data[0].marker.pattern.shape == ("", "/")
        assert figure.layout.xaxis.type == "log"
        assert distribution_charts.sentence(bins, value()) == (
            "75 % of 8 changes are within the target of < 1 hour by themselves."
        )

    def test_a_day_with_too_few_is_hollow(self):
        days = [Weekday(1, 20, 1), *(Weekday(day, 3, 0) for day in range(2, 8))]
        rate = value("change_failure_rate", target="< 5%")
        figure = distribution_charts.weekdays_chart(days, rate)
        assert figure.data[0].marker.color == (charts.LIGHT.line, *[charts.LIGHT.surface] * 6)
        assert figure.data[0].y[0] == pytest.approx(5.0)

    @pytest.mark.parametrize(("most", "step"), [(1, 1), (5, 1), (60, None)])
    def test_rows_are_counted_in_whole_ones(self, most, step):
        durations = distribution_charts.durations_chart([Bin(1800, 3600, most)], value())
        days = [Weekday(day, most, 0) for day in range(1, 8)]
        weekdays = distribution_charts.weekdays_chart(days, value("deployment_frequency", target="> 10/day"))
        assert [durations.layout.yaxis.dtick, weekdays.layout.yaxis.dtick] == [step, step]
        shares = distribution_charts.weekdays_chart(days, value("change_failure_rate", target="< 5%"))
        assert shares.layout.yaxis.dtick is None


class TestStages:
    def test_each_pull_request_is_counted_once(self, sample: Sample, sample_facts: Facts):
        rows = explain(sample_facts, sample.settings, "lead_time", {}, FIRST, AFTER).rows
        pulls: dict[tuple, list[dict]] = {}
        for row in rows:
            if row["excluded_because"] is None and row["pull_request"] is not None:
                pulls.setdefault((row["repo"], row["pull_request"]), []).append(row)
        assert any(len(commits) > 1 for commits in pulls.values())
        found = {stage.name: stage for stage in stages(sample_facts, {}, FIRST, AFTER)}
        assert list(found) == ["Coding", "Pickup", "Review", "Unreviewed", "Deploy"]
        for name, stage in found.items():
            column = f"{name.lower()}_seconds"
            known = [
                min(row[column] for row in commits if row[column] is not None)
                for commits in pulls.values()
                if any(row[column] is not None for row in commits)
            ]
            assert (stage.n, stage.median) == (len(known), pytest.approx(median(known)))

    def test_one_of_two_services_counts_in_the_week_of_the_first_that_the_view_holds(self):
        connection = duckdb.connect()
        connection.execute(
            "create table changes as select 'acme/both' as repo, 1 as pull_request, true as is_shared, *,"
            " day::timestamp as at, '' as url, null as unreviewed_seconds, null as excluded_because, '' as sha,"
            " 1.0 as lead_time_seconds from (values ('api', 'payments', date '2026-11-05', 60, 60, 60, 3600.0),"
            " ('web', 'discovery', date '2026-11-12', 60, 60, 60, 7200.0)) as t(service, team, day,"
            " coding_seconds, pickup_seconds, review_seconds, deploy_seconds)"
        )
        connection.execute("create table pull_deliveries as from changes")
        facts = Facts(connection, Path("none"), small_organisation.NOW, "UTC", "acme")

        def deploy(where: dict[str, str], first: date) -> list[float | None]:
            return [s.median for s in stages(facts, where, first, first + timedelta(weeks=1))][4:]

        early, late = date(2026, 11, 2), date(2026, 11, 9)
        assert (deploy({}, early), deploy({}, late)) == ([3600], [])
        assert (deploy({"team": "discovery"}, early), deploy({"team": "discovery"}, late)) == ([], [7200])

    def test_a_stage_that_never_happened_is_missing(self):
        coding = Stage("Coding", "", 600.0, 900.0, 3, 2400.0, 1.0, 800.0)
        found = breakdown.stage_bars([coding, Stage("Review", "", None, None, 0)], Filters())
        assert [(bar.figure, bar.width) for bar in found] == [("100 %", 100.0), ("–", 0.0)]
        assert [bar.detail for bar in found] == [
            "0.7 hours · mean 13 min · median 10 min · p90 15 min · 3 pull requests",
            "never happened",
        ]
        assert part("stages", found, of="metric").count('class="bar"') == 1

    def test_who_holds_a_stage_leads_to_the_changes_and_to_the_pull_request(self, sample, sample_facts):
        (deploy,) = [one for one in stages(sample_facts, {}, FIRST, AFTER) if one.name == "Deploy"]
        (bar,) = breakdown.stage_bars([deploy], Filters(period="12w"))
        assert bar.services[0].address == "metric?service=ledger&period=12w&order=highest"
        assert sum(one.share for one in deploy.services[: len(bar.services) - 1]) < 0.5
        assert all(one.outside and "/pull/" in one.address for one in bar.pull_requests)
        hostile = Holder("x", 1.0, 1.0, 1, "javascript:alert(1)", "x")
        (bar,) = breakdown.stage_bars([replace(deploy, pull_requests=(hostile,))], Filters())
        assert [one.address for one in bar.pull_requests] == [""]


class TestUnseen:
    def test_services_without_a_source_of_incidents_are_counted(self, organisation):
        with open_facts(organisation.settings.warehouse) as facts:
            assert unwatched(facts, "organisation", FIRST, AFTER, {}) == {"acme": Unwatched(6, 1)}
            assert unwatched(facts, "service", FIRST, AFTER, {}) == {"blind": Unwatched(1, 1)}
            assert unwatched(facts, "team", FIRST, AFTER, {}) == {}

    def test_only_numbers_that_come_from_incidents_warn(self, organisation):
        settings = organisation.settings
        assert made_of(organisation.settings, metric="change_failure_rate").unwatched["service"]
        assert not made_of(organisation.settings, metric="lead_time").unwatched
        for metric, warning in (("change_failure_rate", Unwatched(6, 1)), ("lead_time", None)):
            found = metric_content(settings.warehouse, settings, Filters(metric=metric))
            assert found.unwatched == warning


class TestBelow:
    def test_a_number_is_broken_down_by_what_is_below_it(self, organisation):
        assert list(made_of(organisation.settings).below) == ["team", "system", "service"]
        assert list(made_of(organisation.settings, team="payments").below) == ["service"]
        assert {v.name for v in made_of(organisation.settings, team="payments").below["service"]} >= {
            "checkout",
            "billing",
        }
        assert not made_of(organisation.settings, service="checkout").below
        assert list(made_of(organisation.settings, metric="developer_satisfaction").below) == ["team"]

    def test_what_has_no_number_says_why(self):
        values = [value(known=None, n=4, status="withheld"), value(known=None, n=0, status="no data")]
        html = part("ranked", {"By team": breakdown.ranked(values, Filters(), {})}, 15, False, of="metric")
        assert ">withheld<small>" in html
        assert ">no data<small>" in html
        assert "–" not in html

    def test_the_worst_comes_first_and_what_cannot_be_judged_last(self):
        values = [
            value(scope="service", name="a", known=None, n=0, status="none"),
            value(scope="service", name="b", known=9e6, n=2, status="insufficient"),
            value(scope="service", name="c", known=100.0, status="met"),
            value(scope="service", name="d", known=9000.0),
        ]
        found = breakdown.ranked(values, Filters(), {})
        assert [row.cell.value.name for row in found] == ["d", "c", "b", "a"]
        assert found[0].cell.address == "metric?service=d"
        more = [replace(v, metric="deployment_frequency", unit="per day", target="> 10/day") for v in values]
        assert [row.cell.value.name for row in breakdown.ranked(more, Filters(), {})] == ["c", "d", "b", "a"]

    @given(
        st.lists(st.none() | st.floats(0, 1e8), min_size=1, max_size=20),
        st.sampled_from([m for m in keys() if m != "developer_satisfaction"]),
    )
    def test_every_dot_is_on_its_track_and_a_larger_number_is_never_left_of_a_smaller(self, numbers, metric):
        target = {"seconds": "< 1 hour", "per day": "> 10/day", "fraction": "< 5%"}[metrics()[metric].unit]
        rows = breakdown.ranked([value(metric, known=n, target=target) for n in numbers], Filters(), {})
        placed = sorted((r.cell.value.value, r.at) for r in rows if r.at is not None)
        assert all(0 <= at <= 100 for _, at in placed)
        assert all(0 <= row.target_at <= 100 for row in rows if row.target_at is not None)
        assert all(a[1] <= b[1] + 1e-9 for a, b in itertools.pairwise(placed))


class TestDistances:
    @pytest.mark.parametrize(
        ("metric", "known", "target", "status", "shade", "said"),
        [
            ("lead_time", 3700.0, "< 1 hour", "missed", 1, "103 % of the target"),
            ("lead_time", 9000.0, "< 1 hour", "missed", 2, "2.5 times the target"),
            ("lead_time", 36000.0, "< 1 hour", "missed", 3, "10.0 times the target"),
            ("change_failure_rate", 0.0, "< 5%", "met", 3, "0 % of the target"),
            ("deployment_frequency", 2.0, "> 10/day", "missed", 3, "20 % of the target"),
            ("developer_satisfaction", 4.4, "> 4.5/5", "missed", 1, "0.1 points below the target"),
            ("developer_satisfaction", 3.0, "> 4.5/5", "missed", 3, "1.5 points below the target"),
            ("lead_time", 9000.0, "< 1 hour", "insufficient", 0, ""),
            ("lead_time", None, "< 1 hour", "none", 0, ""),
        ],
    )
    def test_how_far_a_number_is_from_its_target(self, metric, known, target, status, shade, said):
        judged = value(metric, known=known, target=target, status=status)
        assert (distances.shade(judged), distances.distance(judged)) == (shade, said)

    @given(st.floats(0, 1e9), st.sampled_from(["< 1 hour", "<= 30 minutes", "< 0 days"]))
    def test_any_number_has_a_shade(self, known, target):
        judged = value(known=known, target=target, status="missed")
        assert distances.shade(judged) in (1, 2, 3)
        assert "inf" not in distances.distance(judged)


class TestSeries:
    def test_the_natural_limits_are_a_band_around_their_centre(self):
        weeks = weeks_before([3600.0, 5400.0] * 6)
        limits = limits_before(weeks, date(2026, 11, 9))
        shapes = charts.series(weeks, limits=limits, since=date(2026, 10, 19)).layout.shapes
        band = next(shape for shape in shapes if shape.type == "rect")
        # of 61 and 91 minutes in turn the middle is their geometric mean, and the moving range log(91/61) throughout
        reach = math.exp(2.66 * math.log(91 / 61))
        middle = math.sqrt(61 * 91)
        assert band.y0 == pytest.approx((middle / reach - 1) / 60)
        # it reaches 215 minutes, and is drawn as far above the 90 of the highest value as leaves the line its room
        assert limits.upper == pytest.approx((middle * reach - 1) * 60)
        assert band.y1 == pytest.approx(1.25 * 90 / 60)
        assert len(shapes) == 4

    def test_the_steps_are_weeks_days_or_months(self, organisation):
        for step, days in (("week", 7), ("day", 1), ("month", 31)):
            view = Filters(step=step, period="12w")
            series = metric_content(organisation.settings.warehouse, organisation.settings, view).series
            assert max((v.period_end - v.period_start).days for v in series) == days


class TestLevels:
    def test_only_metrics_that_dora_published_levels_of_have_them(self):
        assert {metric for metric in keys() if dora_levels.levels(metric)} == {
            "deployment_frequency", "lead_time", "change_failure_rate", "failed_deployment_recovery_time",
        }  # fmt: skip
        assert str(dora_levels.YEAR) in dora_levels.DORA_SOURCE

    def test_they_are_told_unless_the_configuration_says_otherwise(self, small, tmp_path):
        own = small.copied(tmp_path)
        told = f"What DORA’s respondents said in {dora_levels.YEAR}"
        assert told in shown(opened(tmp_path, "metric"))
        with own.config.open("a", encoding="utf-8") as config:
            config.write("dashboard:\n  dora_levels: false\n")
        assert told not in shown(opened(tmp_path, "metric"))


class TestPage:
    def test_its_charts_are_told_by_the_metric_s_name(self, organisation):
        charts_of = opened(organisation.folder, "metric").get("plotly_chart")
        assert [chart.proto.alt for chart in charts_of] == [
            "Lead Time for Changes by week, with its target",
            "Lead Time for Changes: how long each took",
        ]

    def test_all_parts_of_a_number_are_there(self, organisation):
        app = opened(organisation.folder, "metric", metric="lead_time", period="4w")
        assert not app.exception
        html = shown(app)
        for each in (
            "compared with 27 Jul – 18 Oct 2026",
            "What holds you back",
            "Where the time goes",
            "By week",
            "How long each took",
            "By team, system and service",
            "What counts: ",
            "What was left out: ",
            "Report 2024",
        ):
            assert each in html, each
        assert TERMS["natural limits"] in html
        assert len(app.get("plotly_chart")) == 2

    def test_the_last_known_time_to_first_commit_stands_where_the_days_have_none(self, organisation):
        html = shown(opened(organisation.folder, "metric", metric="time_to_first_commit", period="week"))
        assert '<p class="value past"' in html
        assert "the last known, of 2026-W" in html
        whole = shown(opened(organisation.folder, "metric", metric="time_to_first_commit", period="all"))
        assert "the last known" not in whole

    def test_a_rate_of_failures_warns_where_incidents_are_not_read(self, organisation):
        html = shown(opened(organisation.folder, "metric", metric="change_failure_rate"))
        assert "Incidents of 1 of 6 services are not read" in html
        assert "Incidents of" not in shown(opened(organisation.folder, "metric", metric="lead_time"))

    @pytest.mark.parametrize("step", ["day", "week", "month"])
    @pytest.mark.parametrize("period", ["all", "quarter", "week"])
    def test_every_step_of_every_period_has_a_page(self, organisation, step, period):
        app = opened(organisation.folder, "metric", metric="deployment_frequency", step=step, period=period)
        assert not app.exception
        assert f"By {step}" in shown(app)
