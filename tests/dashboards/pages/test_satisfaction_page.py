"""The page Satisfaction: scores by round as far as they may be shown, from the facts to the page."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from collectors.contract.records import Component, Response
from config.survey import SurveyMeaning
from dashboards.figures import charts
from dashboards.frame.markup import part
from dashboards.frame.view import Filters
from dashboards.satisfaction import content as satisfaction
from dashboards.satisfaction.loading import Surveyed, surveyed
from tests.conftest import Small, once
from tests.support.chromium import artifact
from tests.support.running_dashboard import Running, choose, opened, shown
from tests.support.small_organisation import COMMENT, HOSTILE, NOW
from warehouse.building.build import build
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.satisfaction import still_open
from warehouse.metrics.values import compute
from warehouse.rows.export import export
from warehouse.scorecards.content import scorecards

RUNNING = tuple(
    Response(
        round="2026-12",
        respondent=f"payments-{person}",
        question="satisfaction",
        team="payments",
        submitted_at=NOW - timedelta(hours=1),
        closes_at=NOW + timedelta(weeks=3),
        score=1,
    )
    for person in range(6)
)


@pytest.fixture(scope="module")
def organisation(small: Small, shared_folder: Path) -> Small:
    return once(shared_folder, "satisfaction", lambda folder: small.copied(folder, *RUNNING))


def load(organisation: Small, **view) -> Surveyed:
    settings = organisation.settings
    return surveyed(settings.warehouse, settings, Filters(**view))


def export_files(organisation: Small) -> list[Path]:
    """Those of an export, and of scorecards beside them."""
    folder = organisation.folder / "exported"
    with open_facts(organisation.settings.warehouse) as facts:
        written = export(facts, organisation.settings, folder)
        path = folder / "scorecards.json"
        path.write_text(json.dumps(scorecards(facts, organisation.settings)))
    return [*written, path]


class TestSurveyed:
    def test_each_value_is_the_one_that_the_command_line_gives(self, organisation):
        settings = organisation.settings
        (*_, last) = load(organisation).rounds
        with open_facts(settings.warehouse) as facts:
            metric, start, end = ["developer_satisfaction"], date(2026, 10, 19), date(2026, 11, 16)
            values = compute(facts, settings, "organisation", None, start, end, None, metric)
            values += compute(facts, settings, "team", None, start, end, None, metric)
        assert {(v.scope, v.name): (v.value, v.n, v.status, v.target) for v in last.values} == {
            (v.scope, v.name): (v.value, v.n, v.status, v.target) for v in values
        }

    def test_a_team_under_five_and_whoever_would_give_it_away_are_withheld(self, organisation):
        for one in load(organisation).rounds:
            values = {value.name: (value.status == "withheld", value.n) for value in one.values}
            assert values == {
                "acme": (False, 17), "discovery": (True, 6), "payments": (False, 7), "platform": (True, 4)
            }  # fmt: skip

    def test_how_scores_spread_is_of_the_chosen_round_and_published_groups_only(self, organisation):
        assert sum(load(organisation, team="payments").scores.values()) == 7
        first = load(organisation).rounds[0].name
        assert load(organisation, round=first).scores != load(organisation).scores
        assert load(organisation, round="2026-12").chosen == load(organisation).rounds[-1].name
        found = load(organisation)
        (told, *_) = satisfaction.round_notices(found, "2026-12")
        assert told.title == "Not found, so not applied: round 2026-12"
        assert satisfaction.round_notices(found, found.chosen) == satisfaction.round_notices(found)
        assert load(organisation, team="platform").scores == {}

    def test_rounds_are_those_that_had_closed_by_the_periods_end(self, organisation):
        early = load(organisation, period="custom", start=None, end=date(2026, 10, 1))
        assert [one.name for one in early.rounds] == ["2026-09"]

    def test_a_team_sees_itself_alone_and_a_service_nothing(self, organisation):
        names = {value.name for one in load(organisation, team="payments").rounds for value in one.values}
        assert names == {"payments"}
        assert load(organisation, service="checkout") == Surveyed((), (), None, {})

    def test_of_a_running_round_its_close_alone_is_told(self, organisation):
        found = load(organisation)
        assert found.still_open == (("2026-12", NOW + timedelta(weeks=3)),)
        assert "2026-12" not in [one.name for one in found.rounds]
        with open_facts(organisation.settings.warehouse) as facts:
            assert still_open(facts) == [("2026-12", NOW + timedelta(weeks=3))]


class TestGroups:
    """`money` holds a team that is published, `small` two that are withheld, `wide` both."""

    @pytest.fixture
    def grouped(self, organisation: Small, shared_folder: Path) -> Small:
        groups = [
            Component(name=name, kind="Group", children=children)
            for name, children in (
                ("money", ("payments", "nobody")),
                ("wide", ("money", "small")),
                ("small", ("platform", "discovery")),
                ("idle", ("nobody", "elsewhere")),
            )
        ]
        return once(
            shared_folder, "satisfaction of groups", lambda folder: organisation.copied(folder, *groups)
        )

    def test_a_group_has_the_mean_of_its_teams_and_the_number_of_the_command_line(self, grouped):
        found = load(grouped, group="money")
        own, team = (
            load(grouped, **{scope: name}) for scope, name in (("group", "money"), ("team", "payments"))
        )
        assert [[(v.scope, v.name) for v in one.values] for one in found.rounds] == [
            [("group", "money"), ("team", "payments")]
        ] * 2
        assert [one.values[0].value for one in own.rounds] == [one.values[0].value for one in team.rounds]
        assert own.scores == team.scores != {}
        with open_facts(grouped.settings.warehouse) as facts:
            days = (date(2026, 10, 19), date(2026, 11, 16))
            values = compute(facts, grouped.settings, "group", None, *days, None, ["developer_satisfaction"])
        for value in values:
            (*_, last) = load(grouped, group=value.name).rounds
            shown_values = [(one.value, one.n, one.status, one.target) for one in last.values[:1]]
            assert shown_values == ([(value.value, value.n, value.status, value.target)] if value.n else [])

    @pytest.mark.parametrize("group", ["wide", "small"])
    def test_a_group_tells_nothing_of_a_team_under_the_floor(self, grouped, group):
        found = load(grouped, group=group)
        for one in found.rounds:
            assert (one.values[0].scope, one.values[0].status) == ("group", "withheld")
            known = {v.name: v.value for v in one.values if v.value is not None}
            assert set(known) <= {"payments"}
        assert found.scores == {}
        assert {one.score for one in found.drivers if one.team is None} == {None}
        assert {one.team for one in found.drivers if one.score is not None} <= {"payments"}
        assert {one.team for one in found.comments} <= {"payments"}
        html = shown(opened(grouped.folder, "satisfaction", group=group))
        assert "The score of round 2026-11 is withheld" in html

    def test_other_questions_of_a_group_are_those_of_its_teams(self, grouped):
        found = load(grouped, group="money")
        table = satisfaction.drivers_table(found, None)
        assert [(cell.figure, cell.n) for cell in table.rows[0].cells] == [("2.0 of 5", 7)] * 2
        told = satisfaction.driver_rows(found, Filters(group="money"), "acme")
        assert {(row["scope"], row["name"]) for row in told} == {("group", "money"), ("team", "payments")}

    def test_a_group_whose_teams_nobody_asked_says_so(self, grouped):
        told = satisfaction.nothing(Filters(group="idle"), load(grouped, group="idle"))
        assert told.title == "Nobody of group idle answered a round that has closed"


class TestDriversAndComments:
    def test_other_questions_are_shown_by_round_under_the_same_floor(self, organisation):
        found = load(organisation)
        table = satisfaction.drivers_table(found, None)
        assert [row.name for row in table.rows] == ["<b>docs</b>"]
        assert [(cell.figure, cell.n) for cell in table.rows[0].cells] == [("2.0 of 5", 17)] * 2
        ((_, teams),) = table.by_team
        assert [(row.name, row.cells[0].figure, row.cells[0].n) for row in teams] == [
            ("discovery", None, 6), ("payments", "2.0 of 5", 7), ("platform", None, 4)
        ]  # fmt: skip
        assert {
            row["status"]
            for row in satisfaction.driver_rows(found, Filters(), "acme")
            if row["score"] is None
        } == {"withheld"}
        page = part("drivers", table, of="satisfaction")
        assert "<b>docs" not in page
        own = satisfaction.drivers_table(load(organisation, team="payments"), "payments")
        assert ([row.name for row in own.rows], own.by_team) == (["<b>docs</b>"], ())

    def test_a_comment_is_shown_with_a_published_team_alone(self, organisation):
        found = load(organisation)
        assert [(one.team, one.text) for one in found.comments] == [("payments", f"payments: {COMMENT}")]
        assert (
            satisfaction.withheld_comments(found)
            == "2 more comments of teams that are withheld are not shown."
        )
        withheld = load(organisation, team="platform")
        assert (withheld.comments, withheld.withheld_comments) == ((), 0)
        assert not any("evil.example" in path.read_text() for path in export_files(organisation))

    def test_what_an_unnamed_question_leaves_empty_is_told(self, organisation, tmp_path):
        own = organisation.copied(tmp_path)
        other = own.settings.model_copy(update={"survey": SurveyMeaning(satisfaction=["overall"])})
        build(other, NOW)
        told = satisfaction.nothing(Filters(), surveyed(other.warehouse, other, Filters()))
        app = opened(own.folder, "satisfaction")
        assert told.title == "Rounds 2026-09 and 2026-11 asked no question that counts as satisfaction"
        assert (
            "Asked: <b>docs</b> and satisfaction. survey.satisfaction in the configuration" in told.lines[0]
        )
        assert "asked no question that counts as satisfaction" in shown(app)
        assert "satisfaction by team" in shown(app)


class TestWords:
    def test_the_headline_says_where_the_last_round_stands(self, organisation):
        assert (
            satisfaction.headline(load(organisation))
            == "Satisfaction is 4.47 of 5 in round 2026-11, the target > 4.5/5 is missed"
        )
        withheld = satisfaction.headline(load(organisation, team="platform"))
        assert withheld == "The score of round 2026-11 is withheld"
        assert satisfaction.headline(Surveyed((), (), None, {})) == "No survey round has closed yet"

    def test_a_round_that_nobody_of_the_team_answered_is_not_called_withheld(self, small, tmp_path):
        closed = NOW - timedelta(weeks=9)
        guild = tuple(
            Response(
                round=f"{closed:%Y-%m}", respondent=f"guild-{person}", question="satisfaction", team="guild",
                submitted_at=closed - timedelta(days=1), closes_at=closed, score=2,
            )
            for person in range(8)
        )  # fmt: skip
        organisation = small.copied(tmp_path, *guild)
        found = load(organisation, team="guild")
        assert (found.chosen, len(found.rounds)) == ("2026-09", 2)
        assert satisfaction.headline(found).startswith("Satisfaction is 2.0 of 5 in round 2026-09")
        unanswered = load(organisation, team="guild", round="2026-11")
        assert (
            satisfaction.without_scores(unanswered, Filters(team="guild")).title
            == "Nobody of this team answered this round"
        )
        withheld = load(organisation, team="platform")
        assert satisfaction.without_scores(withheld, Filters(team="platform")).title == "Withheld"
        never = replace(found, rounds=tuple(replace(one, values=()) for one in found.rounds))
        assert satisfaction.headline(never) == "Nobody answered a round that has closed"

    def test_the_table_has_the_newest_round_first_and_no_score_that_is_withheld(self, organisation):
        found = satisfaction.rounds_table(load(organisation))
        assert [name for name, _ in found.rounds] == ["2026-11", "2026-09"]
        assert [row.name for row in found.rows] == ["acme", "discovery", "payments", "platform"]
        page = part("rounds", found, of="satisfaction")
        # on a phone a row is a card, however many rounds it has
        assert re.findall('data-label="(.*?)"', page)[:2] == [
            f"{name} · closed {day}" for name, day in found.rounds
        ]
        assert (
            page.count("withheld") == page.count("<small>4 answered") + page.count("<small>6 answered") == 4
        )

    def test_only_as_many_rounds_as_fit_are_in_the_table_and_all_in_the_csv(self, organisation):
        found = load(organisation)
        many = replace(found, rounds=found.rounds * 5)
        assert len(satisfaction.rounds_table(many).rounds) == satisfaction.MOST_ROUNDS
        assert len(satisfaction.csv_rows(many)) == 5 * len(satisfaction.csv_rows(found))

    def test_the_chart_shows_the_whole_scale_and_names_the_rounds(self, organisation):
        values, names = satisfaction.trend(load(organisation))
        figure = charts.rounds_chart(values, names)
        assert list(figure.layout.xaxis.ticktext) == ["2026-09", "2026-11"]
        assert figure.layout.yaxis.range[0] < 1
        assert figure.layout.yaxis.range[1] > 5


class TestPage:
    def test_it_tells_of_the_running_round_nothing_but_its_close(self, organisation):
        app = opened(organisation.folder, "satisfaction")
        assert not app.exception
        assert "Round 2026-12 is open until Mon 7 Dec 2026, 09:00 CET" in shown(app)
        assert list(app.selectbox(key="round").options) == ["2026-11", "2026-09"]

    def test_a_withheld_team_has_no_chart_and_says_why(self, organisation):
        app = opened(organisation.folder, "satisfaction", team="platform")
        assert not app.exception
        assert app.get("plotly_chart") == []
        assert "Withheld, so that nobody&#39;s answer can be worked out." in shown(app)

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ({"service": "checkout"}, "There are no rounds of a service or a system here"),
            (
                {"period": "custom", "from": "2020-01-01", "to": "2020-02-01"},
                "No survey round has closed yet",
            ),
        ],
    )
    def test_where_there_is_no_score_it_says_why(self, organisation, query, told):
        app = opened(organisation.folder, "satisfaction", **query)
        assert not app.exception
        assert told in shown(app)


@pytest.fixture(scope="module")
def running(small_dashboard: Running) -> Running:
    return small_dashboard


class TestBrowser:
    def test_a_hostile_comment_is_text(self, running):
        tab = running.open("satisfaction", height=2400)
        comment = tab.locator(".six-comments article")
        expect(comment).to_have_count(1)
        told = comment.inner_text()
        assert f"payments: {HOSTILE} <script>document.title='x'</script> [a](https://evil.example)" in told
        assert "\\u202elast\\x1b[31m" in told
        assert comment.locator("a, img, script, b, strong, span").count() == 0
        assert tab.title() != "x"
        assert "platform: " not in tab.locator(".six-comments").inner_text()

    @pytest.mark.soak
    def test_another_round_is_in_the_address_and_the_csv_is_what_is_shown(self, running, tmp_path):
        tab = running.open("satisfaction", height=1800)  # a list of options closes as the page scrolls
        expect(tab.locator(".js-plotly-plot")).to_be_visible()
        before = tab.locator(".six-histogram").inner_text()
        choose(tab, "Round", "2026-09")
        expect(tab).to_have_url(f"{running.url}/satisfaction?round=2026-09")
        expect(tab.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        assert tab.locator(".six-histogram").inner_text() != before
        with tab.expect_download() as download:
            tab.locator(".st-key-table-csv").get_by_role("button", name="Download CSV").click()
        download.value.save_as(tmp_path / "rounds.csv")
        rows = list(csv.DictReader(io.StringIO((tmp_path / "rounds.csv").read_text(encoding="utf-8-sig"))))
        assert [row["score"] for row in rows if row["status"] == "withheld"] == [""] * 4
        assert {row["name"] for row in rows} == {"acme", "discovery", "payments", "platform"}

    @pytest.mark.soak
    @pytest.mark.parametrize(
        ("name", "scheme", "width"),
        [("light", "light", 1280), ("dark", "dark", 1280), ("phone", "light", 390)],
    )
    def test_the_page_fits_its_width(self, running, name, scheme, width):
        tab = running.open("satisfaction", scheme=scheme, width=width, height=1600)
        expect(tab.locator(".js-plotly-plot")).to_be_visible()
        tab.screenshot(path=artifact(f"satisfaction-{name}.png"))
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
