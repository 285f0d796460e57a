"""What the page of a metric shows of the work that an agent helped with, beside the rest."""

from datetime import date, timedelta

import pytest

from config.metrics import metrics
from dashboards.figures import charts
from dashboards.frame.view import Filters
from dashboards.metric import beside
from dashboards.metric.loading import assistance
from tests.conftest import Sample, Small
from tests.support.running_dashboard import opened, shown
from warehouse.rows.assistance import AssistanceSide, AssistedWeek, ByAssistance

LEAD_TIME, FAILURES = metrics()["lead_time"], metrics()["change_failure_rate"]
HOUR = 3600.0


class TestPlaced:
    def test_a_kind_has_its_figure_its_interval_and_its_place(self):
        of_agent = AssistanceSide(8, 4 * HOUR, 2 * HOUR, 8 * HOUR, 3 * HOUR, 6 * HOUR)
        rest = AssistanceSide(20, 8 * HOUR, 4 * HOUR, 16 * HOUR, 4 * HOUR, 16 * HOUR)
        found = [ByAssistance("Lead Time for Changes", "seconds", of_agent, rest)]
        (measure,) = beside.placed(found, LEAD_TIME)
        with_agent, without = measure.kinds
        assert (with_agent.figure, with_agent.interval, with_agent.counted) == (
            "4 h",
            "2 h – 8 h",
            "8 changes",
        )
        assert without.counted == "20 changes"
        # a doubling is as long wherever it is
        assert without.at - with_agent.at == pytest.approx(with_agent.reach[1] - with_agent.at)
        assert 0 < with_agent.reach[0] < with_agent.box[0] < with_agent.at < with_agent.box[1] < 100

    def test_stages_are_counted_in_pull_requests(self):
        side = AssistanceSide(5, HOUR, HOUR, HOUR, HOUR, HOUR)
        found = [ByAssistance(name, "seconds", side, side) for name in ("Lead Time for Changes", "Coding")]
        assert [m.kinds[0].counted for m in beside.placed(found, LEAD_TIME)] == [
            "5 changes",
            "5 pull requests",
        ]

    def test_fewer_than_five_are_too_few_on_their_side_alone(self):
        few, enough = AssistanceSide(4, 0.25, 0.05, 0.7), AssistanceSide(5, 0.2, 0.04, 0.6)
        (measure,) = beside.placed([ByAssistance("Change Failure Rate", "fraction", few, enough)], FAILURES)
        assert (measure.kinds[0].figure, measure.kinds[0].at) == ("too few", None)
        assert (measure.kinds[1].figure, measure.kinds[1].interval) == ("20 %", "4 % – 60 %")
        assert measure.kinds[1].reach[1] == pytest.approx(100)

    def test_where_both_are_too_few_nothing_is_placed(self):
        none = AssistanceSide()
        (measure,) = beside.placed([ByAssistance("Coding", "seconds", none, none)], LEAD_TIME)
        assert [kind.at for kind in measure.kinds] == [None, None]


class TestShareOfWeeks:
    def test_a_week_with_too_few_is_hollow(self):
        monday = date(2026, 11, 2)
        weeks = [AssistedWeek(monday, 5, 20), AssistedWeek(monday + timedelta(days=7), 1, 4)]
        (bars,) = beside.share_of_weeks(weeks, LEAD_TIME).data
        assert bars.y == (25.0, 25.0)
        assert bars.marker.color == (charts.LIGHT.line, charts.LIGHT.surface)
        assert "5 of 20 changes" in bars.text[0]


class TestPage:
    @pytest.mark.parametrize("metric", ["lead_time", "change_failure_rate", "deployment_rework_rate"])
    def test_it_says_that_no_cause_is_claimed(self, sample: Sample, metric):
        page = shown(opened(sample.settings.warehouse.parents[1], "metric", metric=metric, period="12w"))
        assert "no cause is claimed" in page
        assert "with an agent" in page

    @pytest.mark.parametrize("metric", ["mttr", "deployment_frequency", "developer_satisfaction"])
    def test_other_metrics_are_not_parted(self, sample: Sample, metric):
        view = Filters(metric=metric, period="12w")
        assert assistance(sample.settings.warehouse, sample.settings, view).measures == []

    def test_a_view_without_agents_says_so(self, small: Small):
        page = shown(opened(small.settings.warehouse.parent, "metric", metric="lead_time", period="12w"))
        assert "No agent helped with any of these changes" in page
        assert "no cause is claimed" not in page
