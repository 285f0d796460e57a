"""The page of targets: lines, strips, overrides, orders, and the page over full and bare warehouses."""

import csv
import io
from dataclasses import replace
from datetime import date, timedelta

import pytest

from collectors.contract.records import Component, Coverage, Deployment
from config.metrics import metrics
from config.settings import MetricTarget, Settings, TargetOverride
from dashboards.figures.tables import as_csv
from dashboards.frame.loading import state
from dashboards.frame.markup import part
from dashboards.frame.view import BY, RANKS, Filters, from_address, to_address
from dashboards.targets import content as targets
from dashboards.targets import loading as targets_loading
from tests.conftest import once
from tests.support.running_dashboard import opened, shown
from tests.support.small_organisation import FIRST, HOSTILE, NOW
from warehouse.metrics.attainment import attainment
from warehouse.metrics.values import Value

MONDAY = date(2026, 11, 16)
LETTERS = {"+": "met", "-": "missed", "i": "insufficient", "o": "none", "w": "withheld"}


def value(name="payments", metric="lead_time", scope="team", status="missed", start=MONDAY - timedelta(28)):
    return Value(
        metric=metric,
        scope=scope,
        name=name,
        period_start=start,
        period_end=MONDAY if start < MONDAY - timedelta(7) else start + timedelta(days=7),
        value=None if status in ("none", "withheld") else 7200.0,
        unit=metrics()[metric].unit,
        n=20,
        target="< 1 hour",
        status=status,
        partial=False,
    )


def history(text: str, **of):
    """The attainment of weeks, a letter each, the last of which ends on `MONDAY`."""
    firsts = [MONDAY - timedelta(weeks=len(text) - at) for at in range(len(text))]
    return attainment(
        [
            Value(
                **{**vars(value(status=LETTERS[c], **of)), "period_start": f, "period_end": f + timedelta(7)}
            )
            for c, f in zip(text, firsts, strict=True)
        ]
    )


class TestLines:
    def line(self, text, **view):
        attained = {("team", "lead_time", "payments"): history(text)}
        (line,) = targets.target_lines([value()], attained, {}, Filters(**view))
        return line

    def test_a_line_says_weeks_met_and_since_when_it_is_missed(self):
        line = self.line("+++i++oo----")
        assert (line.attained, line.aside) == ("5 of 9 weeks", "3 not judged")
        assert (line.since, line.lasting) == ("missed since 19 Oct 2026", "4 weeks")
        assert [week.symbol for week in line.weeks] == list("✓✓✓…✓✓○○✗✗✗✗")
        assert {week.tone for week in line.weeks} == {"met", "missed", "quiet"}
        assert line.weeks[-1].title == "9 – 15 Nov 2026: 2 h missed, target < 1 hour"

    def test_what_cannot_be_judged_is_not_told_as_zero(self):
        line = self.line("iiww")
        assert (line.attained, line.aside, line.since) == ("not judged", "", "–")

    def test_a_run_as_long_as_what_was_read_may_be_longer(self):
        assert self.line("--").lasting == "2 weeks or more"

    def test_a_provisional_week_that_meets_its_target_is_shown_as_open(self):
        week = Value(**{**vars(value(status="met", start=MONDAY - timedelta(7))), "provisional": True})
        attained = {("team", "lead_time", "payments"): attainment([week])}
        (line,) = targets.target_lines([value()], attained, {}, Filters())
        assert (line.weeks[0].symbol, line.weeks[0].tone) == ("·", "quiet")
        assert line.weeks[0].title.endswith("so far, not final")

    def test_orders(self):
        found = [value("b"), value("a"), value("c", "mttr"), value("a", "mttr")]
        attained = {
            ("team", "lead_time", "b"): history("+--"),
            ("team", "lead_time", "a"): history("++-"),
            ("team", "mttr", "c"): history("+++"),
        }

        def order(rank):
            return [f"{of.name} {of.metric}" for of in targets.below(found, attained, Filters(rank=rank))]

        assert order("missed") == ["b lead_time", "a lead_time", "c mttr", "a mttr"]
        assert order("attained") == ["b lead_time", "a lead_time", "c mttr", "a mttr"]
        assert order("name") == ["a lead_time", "a mttr", "b lead_time", "c mttr"]
        assert order("metric") == ["a lead_time", "b lead_time", "a mttr", "c mttr"]

    def test_the_strip_is_told_in_words_and_text_is_text(self):
        attained = {("team", "lead_time", HOSTILE): history("+-")}
        html = part(
            "lines",
            targets.target_lines([value(HOSTILE)], attained, {}, Filters()),
            "Team",
            False,
            HOSTILE,
            of="targets",
        )
        assert 'aria-label="By week, oldest first: 2 – 8 Nov 2026: 2 h met, target &lt; 1 hour, 9' in html
        assert "<img" not in html

    def test_where_no_repository_was_made_the_last_known_time_stands_with_its_week(self):
        none = [value(metric="time_to_first_commit", status="none"), value(metric="mttr", status="none")]
        past = value(metric="time_to_first_commit", start=date(2026, 9, 7))
        known = {("team", "payments"): replace(past, period_end=date(2026, 9, 14))}
        lines = targets.with_last_known(targets.target_lines(none, {}, {}, Filters()), known)
        assert [line.last_known for line in lines] == [
            ("2 h", "the last known, of 2026-W37, 7 – 13 Sep 2026"),
            None,
        ]
        html = part("lines", lines, "Team", False, "", of="targets")
        assert html.count("the last known, of 2026-W37") == html.count('target="_self">–</a>') == 1

    def test_the_headline_counts_the_view_s_own_targets(self):
        own = [value("acme", "lead_time", "organisation"), value("acme", "mttr", "organisation"), value()]
        attained = {
            ("organisation", "lead_time", "acme"): history("+" + "-" * 8),
            ("organisation", "mttr", "acme"): history("-+"),
            ("team", "lead_time", "payments"): history("----------"),
        }
        lines = targets.own_lines(own, attained, {}, Filters())
        assert targets.headline(own, Filters()) == "0 of 2 targets met"
        platform = value("acme", "golden_path_conformance", "organisation", status="met")
        assert targets.headline([*own, platform], Filters()) == (
            "0 of 2 targets met; on the platform, 1 of 1 target met"
        )
        assert [(line.level, line.name) for line in lines] == [
            (0, "Lead Time for Changes"),
            (1, "team payments"),
            (0, "Mean Time to Recovery"),
        ]

    def test_the_csv_has_weeks_and_days(self):
        attained = {("team", "lead_time", "payments"): history("+--")}
        (row,) = csv.DictReader(io.StringIO(as_csv(targets.attained_rows([value()], attained))))
        assert (row["weeks_met"], row["weeks_judged"], row["missed_since"]) == ("1", "3", "2026-11-02")
        assert (row["value"], row["target"], row["met_since"]) == ("7200.0", "< 1 hour", "")


class TestOwnTargets:
    settings = Settings(
        organization="acme",
        metrics=[
            MetricTarget(
                name="Lead Time for Changes",
                target="< 1 hour",
                overrides=[
                    TargetOverride(team="payments", target="< 2 days"),
                    TargetOverride(service="ingest", target="< 9 days"),
                    TargetOverride(team="gone", target="< 1 day"),
                ],
            )
        ],
    )

    @pytest.mark.parametrize(
        ("view", "names"),
        [
            ({}, ["payments", "ingest"]),
            ({"team": "platform"}, ["ingest"]),
            ({"team": "payments"}, []),
            ({"service": "ingest"}, []),
            ({"system": "shop"}, ["payments"]),
        ],
    )
    def test_those_within_the_view_are_shown(self, organisation, view, names):
        of = state(organisation.settings.warehouse)
        found = targets.own_targets(self.settings, of, Filters(**view))
        assert [name for _, _, name in found] == names


@pytest.fixture(scope="module")
def organisation(small, shared_folder):
    return once(shared_folder, "targets", lambda folder: aimed(small, folder))


def aimed(small, folder):
    extra = (
        Component(name="billing", owner="payments", system="shop", repo="acme/billing", golden_path=HOSTILE),
    )
    own = small.copied(folder, *extra)
    own.config.write_text(
        own.config.read_text()
        + 'metrics: [{name: Lead Time, target: "< 1 hour", overrides: [{service: ingest, target: "< 9 days"}]},\n'
        + '  {name: DSAT, target: "> 4.5/5"}]\n'
        + "golden_paths: [{name: service, description: The paved road}]\n"
    )
    return own


class TestPage:
    def test_it_shows_the_targets_and_those_of_their_own(self, organisation):
        app = opened(organisation.folder, "targets")
        assert not app.exception
        html = shown(app)
        assert "service ingest" in html
        assert "&lt; 9 days" in html
        assert "0 of 12 weeks" in html
        assert "<img" not in html

    def test_a_rate_of_failures_warns_where_incidents_are_not_read(self, small, tmp_path):
        at = NOW - timedelta(days=10)
        extra = (
            Component(name="blind", owner="platform", system="data", repo="acme/blind"),
            Deployment(
                source="import", id="blind-1", repo="acme/blind", service="blind", environment="production",
                sha="b" * 40, status="success", started_at=at, finished_at=at,
            ),
            Coverage(source="import deployments", subject="blind", from_at=FIRST, until_at=NOW),
        )  # fmt: skip
        settings = small.copied(tmp_path, *extra).settings
        of, view = state(settings.warehouse), Filters()
        asked = (settings.warehouse, settings, view, targets.own_targets(settings, of, view))
        found, attained = targets_loading.targets(*asked), targets_loading.attained(*asked)
        own = targets.own_lines(found.own, attained, found.blind, view)
        below = targets.target_lines(targets.below(found.below, attained, view), attained, found.blind, view)
        assert {(line.name, line.cell.warning) for line in (*own, *below) if line.cell.warning} == {
            ("Change Failure Rate", "Incidents of 1 of 6 services are not read; failures may be missing."),
            ("platform", "Incidents of 1 of 2 services are not read; failures may be missing."),
        }
        assert "Incidents of 1 of 2 services" in part("lines", below, "Team", False, "", of="targets")

    @pytest.mark.soak
    def test_every_grain_order_and_metric_has_a_page(self, organisation):
        for by in BY:
            for rank in RANKS:
                query = {"by": by, "rank": rank, "target": "lead_time", "period": "12w"}
                app = opened(organisation.folder, "targets", **query)
                assert not app.exception, query
                assert to_address(from_address(app.query_params)) == to_address(from_address(query))

    def test_a_choice_goes_to_the_address(self, organisation):
        app = opened(organisation.folder, "targets")
        app.selectbox(key="rank").select("name").run()
        app.selectbox(key="target").select("developer_satisfaction").run()
        assert not app.exception
        assert app.query_params == {"rank": "name", "target": "developer_satisfaction"}
        app.selectbox(key="target").select("").run()
        assert app.query_params == {"rank": "name"}

    def test_without_targets_it_says_how_to_set_them(self, small, tmp_path):
        config = small.copied(tmp_path).config
        config.write_text(config.read_text() + "metrics: []\n")
        app = opened(tmp_path, "targets")
        assert not app.exception
        assert "No targets are set" in shown(app)

    def test_filters_that_exclude_each_other_say_so(self, organisation):
        app = opened(organisation.folder, "targets", team="payments", service="ingest")
        assert "Nothing matches all of these filters" in shown(app)
