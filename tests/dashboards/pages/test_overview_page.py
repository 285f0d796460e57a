"""The overview's content: tiles, the table, and what becomes of them as HTML and charts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from config.metrics import keys, metrics
from config.settings import MetricTarget, TargetOverride
from dashboards.figures import charts
from dashboards.figures.sparklines import sparkline
from dashboards.frame import view as filters
from dashboards.frame.markup import part
from dashboards.frame.notices import Notice
from dashboards.frame.state import State, names
from dashboards.frame.view import Filters, scope_name
from dashboards.overview import content as overview
from dashboards.overview import heat_map
from dashboards.overview.loading import numbers
from tests.support import small_organisation
from warehouse.metrics.values import Value
from warehouse.signals.judging import Judged
from warehouse.signals.verdicts import Verdict
from warehouse.trust.ownership import Service
from warehouse.trust.unwatched import Unwatched

MONDAY = date(2026, 11, 16)
HOSTILE = small_organisation.HOSTILE
DEFAULT = Filters()
own_part = partial(part, of="overview")
SORTED = {by: f".?sort={by}" for by in filters.SORTS}


def value(
    metric="lead_time", scope="organisation", name="acme", known=5400.0, n=20, status="missed", **other
) -> Value:
    given = {
        "period_start": date(2026, 10, 19),
        "period_end": MONDAY,
        "target": "< 1 hour",
        "partial": False,
    } | other
    return Value(
        metric=metric,
        scope=scope,
        name=name,
        value=known,
        unit=metrics()[metric].unit,
        n=n,
        status=status,
        **given,
    )


def verdicts(kind="normal", now=5400.0, usual=None, **other) -> dict[str, Verdict]:
    """The verdict on a lead time of acme."""
    days = date(2026, 10, 19), date(2026, 11, 16)
    judged = Judged("lead_time", "organisation", "acme", *days, now, usual, 20, **other)
    return {"lead_time": Verdict(kind, judged)}


def weeks_before(points: list[float]) -> list[Value]:
    """The weeks before 9 November 2026, oldest first."""
    starts = [date(2026, 11, 9) - timedelta(weeks=len(points) - at) for at in range(len(points))]
    return [
        value(known=known, period_start=start, period_end=start + timedelta(weeks=1))
        for start, known in zip(starts, points, strict=True)
    ]


def state(**other) -> State:
    services = (
        Service("checkout", "payments", "shop", True),
        Service("billing", "payments", "shop", True),
        Service("ingest", "platform", "data", True),
        Service("legacy", None, None, False),
    )
    known = {
        "path": "f",
        "organization": "acme",
        "timezone": "Europe/Berlin",
        "as_of": datetime(2026, 11, 18, 8, tzinfo=UTC),
    }
    teams = ("guild", "payments", "platform")
    rest = {"warning": None, "services": services, "teams": teams, "systems": ("data", "shop"), "runs": ()}
    return State(**(known | rest | other))


class TestTiles:
    def test_tiles_stand_in_the_order_of_the_declaration(self):
        found = overview.tiles([value("mttr"), value("time_to_first_commit")], {}, [], DEFAULT)
        assert [tile.cell.value.metric for tile in found] == ["time_to_first_commit", "mttr"]

    def test_a_tile_says_value_target_status_n_and_what_it_is_compared_with(self):
        (tile,) = overview.tiles([value(p75=7200.0, p90=10800.0)], verdicts(usual=6000.0), [], DEFAULT)
        assert (tile.cell.figure, tile.cell.status.word, tile.counted) == ("1.5 h", "missed", "20 changes")
        assert tile.percentiles == "p75 2 h, p90 3 h"
        assert (tile.change.text, tile.change.tone) == ("within normal variation", "quiet")
        assert tile.change.before == "1.7 h in the 12 weeks before"

    def test_a_signal_says_both_numbers_that_it_compares(self):
        for known, said, tone in (
            (90000.0, "↑ worse: 25 h against 1.7 h in the 12 weeks before", "worse"),
            (1200.0, "↓ better: 20 min against 100 min in the 12 weeks before", "better"),
        ):
            (tile,) = overview.tiles(
                [value(known=known)], verdicts(kind="signal", now=known, usual=6000.0), [], DEFAULT
            )
            assert (tile.change.text, tile.change.tone, tile.change.before) == (said, tone, "")

    def test_too_little_history_is_told_and_nothing_is_said_of_a_missing_number(self):
        (tile,) = overview.tiles([value()], verdicts(kind="unknown", unjudged="history"), [], DEFAULT)
        assert tile.change.text == "too little history to tell"
        (tile,) = overview.tiles([value(known=None, n=0, status="none")], verdicts(), [], DEFAULT)
        assert tile.change.text == ""

    def test_a_rate_of_failures_that_is_met_unseen_warns_and_is_not_in_the_colour_of_met(self):
        rate = value("change_failure_rate", known=0.0, status="met", target="< 5%")
        blind = {"acme": Unwatched(3, 2)}
        tiles = overview.tiles([rate, value(status="met")], {}, [], DEFAULT, blind)
        shown = {tile.cell.metric.id: tile.cell for tile in tiles}
        assert shown["change_failure_rate"].tone == "quiet"
        assert shown["change_failure_rate"].warning.startswith("Incidents of 2 of 3 services are not read")
        assert (shown["lead_time"].tone, shown["lead_time"].warning) == ("met", "")
        assert own_part("tiles", tiles).count("failures may be missing.</p>") == 1

    def test_a_tile_leads_to_the_rows_of_its_number_in_the_same_view(self):
        view = Filters(period="12w", team="payments")
        (tile,) = overview.tiles([value("mttr", "team", "payments")], {}, [], view)
        assert filters.from_address(dict(parse_qsl(tile.cell.address.partition("?")[2]))) == replace(
            view, metric="mttr"
        )

    def test_weeks_without_a_value_are_gaps_in_the_line(self):
        line = sparkline([1.0, 2.0, None, 3.0, None, 5.0, 4.0], [], None, "")
        assert (len(line.lines), len(line.alone)) == (2, 1)

    def test_a_missing_last_week_has_no_mark(self):
        assert sparkline([1.0, None], [], None, "").last is None
        assert sparkline([], [], 3.0, "").lines == ()

    def test_a_target_out_of_sight_does_not_press_the_line_flat(self):
        assert sparkline([1.0, 1.2], [], 1.1, "").limit is not None
        assert sparkline([1.0, 1.2], [], 10.0, "").limit is None

    @given(st.lists(st.none() | st.floats(0, 1e9), max_size=12), st.none() | st.floats(0, 1e9))
    def test_every_line_stays_inside_its_box(self, values, limit):
        line = sparkline(values, [], limit, "")
        points = " ".join([*line.lines, *line.alone]).split()
        assert all(
            0 <= float(x) <= 120 and 0 <= float(y) <= 34 for x, y in (point.split(",") for point in points)
        )

    def test_a_line_without_a_point_draws_nothing(self):
        # on paper an empty mask hides nothing, and a full block would be read as a number
        assert "drawn" not in part("line", sparkline([None, None], ["", ""], None, ""))
        assert "drawn" in part("line", sparkline([None, 1.0], ["", ""], None, ""))


class TestTable:
    def rows(self, view: Filters = DEFAULT, values: list[Value] | None = None) -> list[heat_map.HeatMapRow]:
        values = values or [
            value(scope="team", name="platform", status="met"),
            value(scope="team", name="payments"),
            value(scope="service", name="ingest", known=None, n=0, status="no data"),
            value(scope="service", name="legacy", known=100.0, status="met"),
            value(scope="service", name="checkout", known=9000.0),
            value(scope="service", name="billing", known=8000.0),
        ]
        return heat_map.heat_map_rows(values, state().services, view)

    def test_services_stand_below_their_team_and_the_unowned_ones_last(self):
        assert [(row.name, row.level) for row in self.rows()] == [
            ("payments", 0),
            ("billing", 1),
            ("checkout", 1),
            ("platform", 0),
            ("ingest", 1),
            ("Owned by no team", 0),
            ("legacy", 1),
        ]

    def test_a_service_whose_owner_is_not_shown_is_not_called_unowned(self):
        values = [
            value(scope="team", name="payments"),
            value(scope="service", name="ingest"),
            value(scope="service", name="not-visible"),
            value(scope="service", name="legacy"),
            value(scope="service", name="billing"),
        ]
        assert [(row.name, row.level) for row in self.rows(values=values)] == [
            ("payments", 0),
            ("billing", 1),
            ("Owned by another team now", 0),
            ("ingest", 1),
            ("not-visible", 1),
            ("Owned by no team", 0),
            ("legacy", 1),
        ]

    def test_an_unmapped_service_is_marked(self):
        assert [row.name for row in self.rows() if not row.mapped] == ["legacy"]

    def test_worst_first_puts_missing_values_last(self):
        found = self.rows(Filters(rows="service", sort="lead_time"))
        assert [row.name for row in found] == ["checkout", "billing", "legacy", "ingest"]

    def test_most_targets_missed_first_then_by_name(self):
        found = self.rows(Filters(rows="service", sort="missed"))
        assert [row.name for row in found] == ["billing", "checkout", "ingest", "legacy"]

    def test_more_is_better_sorts_the_lowest_first(self):
        rows = [
            value("deployment_frequency", "service", name, known, target="> 10/day")
            for name, known in (("billing", 3.0), ("checkout", 1.0))
        ]
        found = self.rows(Filters(rows="service", sort="deployment_frequency"), rows)
        assert [row.name for row in found] == ["checkout", "billing"]

    def test_a_row_leads_to_its_own_view_of_the_same_period(self):
        row = next(r for r in self.rows(Filters(period="12w", system="shop")) if r.name == "checkout")
        assert row.address == "service?service=checkout&period=12w"

    def test_a_cell_leads_to_its_rows_within_all_filters_of_the_view(self):
        row = next(r for r in self.rows(Filters(period="12w", system="shop")) if r.name == "checkout")
        found = next(cell for cell in row.cells if cell)
        path, _, query = found.address.partition("?")
        assert path == "metric"
        assert dict(parse_qsl(query)) == {"period": "12w", "system": "shop", "service": "checkout"}


class TestSummary:
    def test_the_name_says_what_the_numbers_are_of(self):
        assert scope_name(Filters(), "acme") == "acme"
        assert (
            scope_name(Filters(team="payments", service="checkout"), "acme")
            == "service checkout of team payments"
        )

    def test_narrower_choices_follow_the_wider_ones(self):
        assert names(state(), Filters())["team"] == ["guild", "payments", "platform"]
        found = names(state(), Filters(system="data"))
        assert (found["team"], found["service"], found["system"]) == (
            ["platform"],
            ["ingest"],
            ["data", "shop"],
        )

    def test_the_file_name_says_what_is_inside(self):
        assert overview.csv_name("Acme & Co", [value()]) == "acme---co-metrics-2026-10-19-2026-11-15.csv"

    def test_a_row_that_is_shown_twice_is_downloaded_once(self):
        assert len(overview.distinct([value(), value(), value("mttr")])) == 2


class TestMarkup:
    def test_names_and_messages_from_data_are_text(self):
        rows = heat_map.heat_map_rows(
            [value(scope="service", name=HOSTILE)], [Service(HOSTILE, None, None, True)], Filters()
        )
        table = own_part("table", rows, list(keys().values()), dict.fromkeys(keys()), "Services", SORTED)
        notice = part("notice", Notice(HOSTILE, (HOSTILE,), bad=True))
        header = part("header", HOSTILE, HOSTILE, "", False)
        for html in (table, notice, header):
            assert "<img" not in html
            assert "&lt;img src=x onerror=alert(1)&gt;" in html

    def test_a_status_is_told_in_words_and_not_by_colour_alone(self):
        rows = heat_map.heat_map_rows([value(scope="team", name="payments")], [], Filters())
        html = own_part("table", rows, list(keys().values()), dict.fromkeys(keys()), "Teams", SORTED)
        assert "✗" in html
        assert "missed" in html

    def test_a_target_of_its_own_stands_in_the_cell(self):
        own = [
            value(scope="team", name="payments", target="< 2 days"),
            value(scope="team", name="platform", target="< 1 hour"),
        ]
        targets = dict.fromkeys(keys()) | {"lead_time": "< 1 hour"}
        html = own_part(
            "table", heat_map.heat_map_rows(own, [], DEFAULT), [*keys().values()], targets, "Teams", SORTED
        )
        assert html.count("<small>target") == 1
        assert "<small>target &lt; 2 days</small>" in html

    def test_the_exact_value_is_in_the_tooltip(self):
        html = own_part("tiles", overview.tiles([value(known=5417.25)], {}, [], DEFAULT))
        assert "5,417.25 seconds · 20 changes · target &lt; 1 hour" in html

    def test_a_rate_that_may_still_rise_is_called_provisional(self):
        rate = value("change_failure_rate", target="< 5%", provisional=True)
        shown = overview.tiles([rate, value()], {}, [], DEFAULT)
        assert own_part("tiles", shown).count(">provisional</button>") == 1

    def test_where_no_repository_was_made_the_last_known_time_stands_with_its_week(self):
        none = value("time_to_first_commit", known=None, n=0, status="none")
        last = value(
            "time_to_first_commit", known=1440.0, period_start=date(2026, 9, 7), period_end=date(2026, 9, 14)
        )
        html = own_part("tiles", overview.tiles([none, value()], {}, [], DEFAULT, None, (), last))
        assert "24 min</a></p>" in html
        assert html.count("the last known, of 2026-W37, 7 – 13 Sep 2026") == 1
        assert "–</a></p>" in own_part("tiles", overview.tiles([none], {}, [], DEFAULT))

    def test_a_line_is_drawn_as_well_formed_svg(self):
        weeks = [
            value(known=known, period_start=date(2026, 8, 3 + 7 * at)) for at, known in enumerate((1.0, 3.0))
        ]
        html = own_part("tiles", overview.tiles([value()], {}, weeks, DEFAULT))
        encoded = html.split("data:image/svg+xml,")[1].split("&#34;")[0]
        drawing = ElementTree.fromstring(unquote(encoded))
        assert drawing.find(".//{http://www.w3.org/2000/svg}polyline").get("points") == "30.0,30.3 90.0,3.7"


class TestSeries:
    def weeks(self, **other):
        starts = (date(2026, 10, 19), date(2026, 10, 26), date(2026, 11, 2))
        return [
            value(
                known=known, period_start=start, period_end=date.fromordinal(start.toordinal() + 7), **other
            )
            for start, known in zip(starts, (7200.0, None, 10800.0), strict=True)
        ]

    def test_missing_weeks_are_gaps_and_the_axis_has_a_unit_that_people_say(self):
        figure = charts.series(self.weeks())
        assert list(figure.data[0].y) == [2.0, None, 3.0]
        assert not figure.data[0].connectgaps
        assert figure.layout.yaxis.title.text == "hours"

    def test_the_target_is_a_line_at_its_limit(self):
        assert charts.series(self.weeks()).layout.shapes[0].y0 == 1.0
        assert not charts.series(self.weeks(target=None)).layout.shapes

    def test_weeks_with_too_few_rows_are_hollow(self):
        weeks = self.weeks()
        figure = charts.series([weeks[0], replace(weeks[2], n=2, status="insufficient")])
        assert figure.data[0].marker.color == (charts.LIGHT.line, charts.LIGHT.surface)

    def test_light_and_dark_differ(self):
        assert (
            charts.series(self.weeks(), dark=True).data[0].line.color
            != charts.series(self.weeks()).data[0].line.color
        )


def test_values_are_held_against_the_target_that_holds_for_their_scope(small):
    own = MetricTarget(
        name="Lead Time for Changes",
        target="< 1 hour",
        overrides=[TargetOverride(team="platform", target="< 5 days")],
    )
    settings = small.settings.model_copy(update={"metrics": [own]})
    found = numbers(settings.warehouse, settings, Filters(rows="team"))
    status = {v.name: v.status for v in found.below if v.metric == "lead_time"}
    assert status == {"discovery": "missed", "payments": "met", "platform": "met"}
