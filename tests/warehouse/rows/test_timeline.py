"""What happened to a service or a team: points, counts where there are too many, and the picture of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from collectors.contract.records import Deployment, Incident
from dashboards.team_and_service import timeline_chart
from tests.support import small_organisation
from tests.support.small_organisation import HOSTILE, NOW
from warehouse.metrics.published_facts import open_facts
from warehouse.rows.timeline import Interval, Point, Recovery, Timeline, timeline

MONDAY = date(2026, 11, 16)
MONTHS = (MONDAY - timedelta(weeks=14), MONDAY + timedelta(days=1))


def deployment(number: int, status="success", at=None, sha=None, environment="production"):
    at = at or NOW - timedelta(hours=5 - number)
    return Deployment(
        source="import", id=f"extra-{number}", service="ingest", repo="acme/ingest", environment=environment,
        sha=sha or f"{number:040x}", status=status, started_at=at - timedelta(minutes=3),
        finished_at=at if status == "success" else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    first, second = deployment(1, sha="a" * 40), deployment(2, sha="b" * 40)
    extra = (
        first,
        second,
        deployment(3, sha="a" * 40),  # back to the first: a rollback that blames the second
        deployment(4, "failure"),
        Incident(
            source="import", id="open", service="billing", title=HOSTILE, urgency="high",
            opened_at=NOW - timedelta(days=2), url="https://pagerduty.example/incidents/1",
        ),
        Incident(
            source="import", id="low", service="billing", title="quiet", urgency="low",
            opened_at=NOW - timedelta(days=2),
        ),
    )  # fmt: skip
    settings = small_organisation.write(tmp_path_factory.mktemp("timeline"), extra=extra)
    with open_facts(settings.warehouse) as facts:
        yield facts


def counted(facts, where="true") -> dict[str, int]:
    sql = (
        "select case when excluded_because is not null then 'out' when failed = 1 then 'failed' else 'counted' end,"
        f" count(*) from deployments where {where} group by 1"
    )
    return dict(facts.connection.execute(sql).fetchall())


class TestTimeline:
    def test_every_deployment_of_the_range_is_a_point_while_there_is_room(self, facts):
        found = timeline(facts, {"team": "platform"}, *MONTHS)
        kinds = [point.kind for point in found.points]
        assert not found.counts
        expected = counted(facts, "team = 'platform'")
        assert kinds.count("counted") == expected["counted"] == found.totals["counted"]
        assert kinds.count("failed") == expected["failed"] == found.totals["failed"]
        assert (kinds.count("rollback"), kinds.count("left out")) == (1, expected["out"] - 1)
        unsuccessful = next(point for point in found.points if point.why == "unsuccessful: failure")
        assert unsuccessful.at == NOW - timedelta(hours=1, minutes=3)

    @pytest.mark.parametrize("most", [0, 25, 60, 1000])
    def test_what_there_is_no_room_for_is_counted_and_nothing_is_lost(self, facts, most):
        found = timeline(facts, {}, *MONTHS, most=most)
        shown = len(found.points) + sum(count.n for count in found.counts)
        assert shown == sum(found.totals.values()) == sum(counted(facts).values())
        assert len(found.points) <= most

    def test_failures_come_first_where_there_is_little_room(self, facts):
        failed, rollbacks = (timeline(facts, {}, *MONTHS).totals[kind] for kind in ("failed", "rollback"))
        found = timeline(facts, {}, *MONTHS, most=failed + rollbacks)
        assert {point.kind for point in found.points} == {"failed", "rollback"}
        assert {count.kind for count in found.counts} == {"counted", "left out"}
        fewer = timeline(facts, {}, *MONTHS, most=failed - 1)
        assert "failed" in {count.kind for count in fewer.counts}

    def test_days_become_weeks_and_months_in_long_ranges(self, facts):
        assert timeline(facts, {}, MONDAY - timedelta(days=28), MONDAY, 0).counted_by == "day"
        weeks = timeline(facts, {}, *MONTHS, 25)
        assert weeks.counted_by == "week"
        assert {count.first.weekday() for count in weeks.counts} == {0}
        assert timeline(facts, {}, date(2025, 1, 1), MONDAY, 0).counted_by == "month"

    def test_incidents_that_touch_the_range_are_intervals_and_quiet_ones_are_not(self, facts):
        yesterday = (MONDAY - timedelta(days=1), MONDAY)
        (still,) = timeline(facts, {"service": "billing"}, *yesterday).incidents
        assert (still.title, still.resolved_at) == (HOSTILE, None)
        assert not timeline(facts, {"service": "search"}, *yesterday).incidents

    def test_a_rollback_recovers_what_it_leaves(self, facts):
        found = timeline(facts, {"service": "ingest"}, MONDAY, MONDAY + timedelta(days=1))
        (recovery,) = found.recoveries
        assert (recovery.at, recovery.after_seconds) == (NOW - timedelta(hours=2), 3600)
        assert recovery.environment == "production"


AT = datetime(2026, 11, 10, 9, tzinfo=UTC)
EMPTY = Timeline(date(2026, 11, 9), MONDAY, {}, (), (), "day", (), (), 0)


class TestChart:
    def drawn(self, by="service", **of):
        return timeline_chart.timeline_chart(
            replace(EMPTY, **of), by, "Europe/Berlin", AT + timedelta(days=20)
        )

    def test_kinds_differ_in_shape(self):
        kinds = ("counted", "failed", "rollback", "left out")
        points = tuple(Point(kind, "checkout", AT, "production", "a" * 40, "") for kind in kinds)
        figure = self.drawn(
            points=points, recoveries=(Recovery("checkout", "production", AT, 60.0, "rollback"),)
        )
        shapes = [trace.marker.symbol for trace in figure.data if trace.mode == "markers"]
        assert len(shapes) == len(set(shapes)) == 5

    def test_texts_from_data_are_text_and_times_are_local(self):
        point = Point("failed", HOSTILE, AT, HOSTILE, "a" * 40, HOSTILE)
        figure = self.drawn(points=(point,), incidents=(Interval(HOSTILE, HOSTILE, AT, None),))
        text = " ".join(str(told) for trace in figure.data for told in trace.text or ())
        assert "<img" not in text
        assert "&lt;img src=x" in text
        assert "10 Nov 2026, 10:00" in text
        assert "<img" not in figure.layout.yaxis.ticktext[0]

    def test_an_open_incident_goes_on_to_the_edge(self):
        figure = self.drawn(incidents=(Interval("checkout", "down", AT, None),))
        bar, marks = figure.data
        assert bar.x[1] == marks.x[1] == datetime(2026, 11, 16)
        assert marks.marker.symbol == ("line-ns", "triangle-right")
        ended = self.drawn(incidents=(Interval("checkout", "down", AT, AT + timedelta(hours=1)),))
        assert ended.data[0].x[1] == datetime(2026, 11, 10, 11)
        assert ended.data[1].marker.symbol == ("line-ns",)

    def test_a_service_has_a_lane_for_each_environment_and_one_for_incidents(self):
        points = tuple(Point("counted", "search", AT, where, "", "") for where in ("eu", "us", ""))
        of = replace(EMPTY, points=points, incidents=(Interval("search", "down", AT, None),))
        assert timeline_chart.lanes(of, "environment") == ["eu", "no environment", "us", "incidents"]
        assert timeline_chart.lanes(of, "service") == ["search"]

    def test_the_busiest_services_have_lanes_and_the_rest_is_told(self):
        points = tuple(
            Point("counted", f"s{number:02}", AT, "", "", "")
            for number in range(40)
            for _ in range(number + 1)
        )
        of = replace(EMPTY, points=points, more_incidents=2)
        assert timeline_chart.lanes(of, "service")[0] == "s10"
        told = timeline_chart.left_undrawn(of, "service")
        assert told == "The 30 of 40 services with the most events are drawn; 2 older incidents left undrawn."
        assert timeline_chart.left_undrawn(EMPTY, "service") == ""
