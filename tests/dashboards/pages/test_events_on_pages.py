"""Events on pages: marked in charts, listed, opened to before and after, told by a form and taken back."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from collectors.files.events import event_inbox, kept_events
from config.settings import load_settings
from dashboards.figures import charts
from dashboards.figures.event_marks import MOST_MARKED, event_marks
from dashboards.targets import events
from tests.conftest import Small
from tests.dashboards.test_sight import limited
from tests.support.running_dashboard import opened, shown, turned_to
from tests.support.small_organisation import HOSTILE, NOW
from warehouse.metrics.events import KnownEvent
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import Value, compute
from warehouse.pipeline import collect
from warehouse.rows.before_and_after import before_and_after

DAY = date(2026, 11, 4)


def known(number: int = 0, **of: object) -> KnownEvent:
    day = DAY - timedelta(weeks=number)
    given = {
        "id": f"e{number}",
        "title": HOSTILE,
        "kind": "freeze",
        "scope": "team",
        "name": "web",
        "url": None,
    }
    times = {
        "at": NOW,
        "until": None,
        "day": day,
        "last_day": day,
        "over": day + timedelta(days=1),
        "resets": True,
    }
    return KnownEvent(**(given | times | of))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def weeks(small: Small) -> list[Value]:
    with open_facts(small.settings.warehouse) as facts:
        return compute(
            facts,
            small.settings,
            "organisation",
            "week",
            date(2026, 9, 7),
            date(2026, 11, 16),
            metrics=["lead_time"],
        )


class TestMarks:
    def test_an_event_has_its_number_its_words_and_its_place(self, weeks: list[Value]) -> None:
        long = known(2, until=NOW, last_day=date(2026, 10, 30), over=date(2026, 10, 31))
        marks, more = event_marks([long, known()], date(2026, 9, 7), date(2026, 11, 16))
        assert [(mark.number, mark.days, mark.about) for mark in marks] == [
            (1, "21 – 30 Oct 2026", "freeze, team web, limits begin anew"),
            (2, "4 Nov 2026", "freeze, team web, limits begin anew"),
        ]
        assert more == 0
        figure = charts.series(weeks, events=marks)
        band, line = (shape for shape in figure.layout.shapes if shape.y0 == 0 and shape.y1 == 1)
        # a week's point stands on its Monday in the middle of its room
        assert (str(band.x0), str(band.x1)) == ("2026-10-17 12:00:00", "2026-10-27 12:00:00")
        assert str(line.x0) == str(line.x1) == "2026-11-01 00:00:00"
        numbers = [note for note in figure.layout.annotations if note.text in ("1", "2")]
        assert [note.hovertext for note in numbers] == [
            f"{days}: &lt;img src=x onerror=alert(1)&gt; **bold** :red[x] (freeze, team web, limits begin anew)"
            for days in ("21 – 30 Oct 2026", "4 Nov 2026")
        ]

    def test_a_picture_names_the_events_that_it_numbers_and_its_chart_stays_as_high(
        self, weeks: list[Value]
    ) -> None:
        plain = charts.headed(charts.series(weeks), "Lead Time", "acme").layout
        told = charts.headed(charts.series(weeks), "Lead Time", "acme", ["1 · <b>x</b>", "2 · Freeze"]).layout
        lines = [re.sub("<[^>]+>", "", line) for line in told.title.text.split("<br>")]
        assert lines == ["Lead Time", "acme", "1 · &lt;b&gt;x&lt;/b&gt;", "2 · Freeze"]
        assert told.height - told.margin.t == plain.height - plain.margin.t
        assert told.height == plain.height + 2 * charts.EVENT_HEIGHT

    def test_one_that_began_before_the_chart_is_marked_from_its_first_day(self) -> None:
        long = known(9, until=NOW, last_day=DAY, over=DAY + timedelta(days=1))
        ((mark,), _) = event_marks([long, known(20)], date(2026, 10, 5), date(2026, 11, 2))
        assert (mark.first, mark.last) == (date(2026, 10, 5), date(2026, 11, 1))
        assert mark.days == "2 Sep – 4 Nov 2026"

    def test_of_too_many_the_newest_are_marked_and_the_rest_is_told(self) -> None:
        found = [known(number) for number in range(MOST_MARKED + 5, 0, -1)]
        marks, more = event_marks(found, date(2025, 1, 1), date(2026, 11, 16))
        assert (len(marks), more, marks[-1].first) == (MOST_MARKED, 5, date(2026, 10, 28))

    @pytest.mark.parametrize(
        ("at", "query", "titles"),
        [
            pytest.param("metric", {}, [True, False], marks=pytest.mark.soak),
            ("metric", {"team": "payments"}, [True, True]),
            pytest.param(
                "metric", {"service": "checkout", "step": "month"}, [True, True], marks=pytest.mark.soak
            ),
            ("team", {"team": "payments", "period": "all"}, [True, True]),
            pytest.param(
                "service", {"service": "search", "period": "all"}, [True, False], marks=pytest.mark.soak
            ),
            ("satisfaction", {"team": "payments"}, [False, True]),
        ],
    )
    def test_a_page_marks_those_of_its_scope_alone(
        self, small: Small, at: str, query: dict[str, str], titles: list[bool]
    ) -> None:
        html = shown(opened(small.folder, at, **({"period": "12w"} | query)))
        html = html.partition('<ol class="six-events"')[2].partition("</ol>")[0]
        assert ["&lt;img src=x" in html, "The golden path" in html] == titles
        assert "legacy-reports goes" not in html
        assert "<img" not in html
        assert "javascript:" not in html


class TestList:
    def test_all_are_listed_with_whom_they_touched_and_a_strip_marks_their_week(self, small: Small) -> None:
        html = shown(opened(small.folder, "targets"))
        assert "Events: 3" in html
        assert "golden path, team payments" in html
        assert "other, service ingest" not in html
        assert "service ingest, limits begin anew" in html
        assert 'class="missed marked" title="9 – 15 Nov 2026' in html or 'marked" title="9' in html
        assert "<img" not in html

    def test_one_opens_to_what_was_before_and_after_beside_the_others(self, small: Small) -> None:
        app = opened(small.folder, "targets", row="path")
        html = shown(app)
        assert not app.exception
        assert "Before: 10 Aug – 29 Sep 2026. After: 1 Oct – 15 Nov 2026." in html
        assert "It touched 3 services; 3 beside it were not touched." in html
        assert html.count("not touched</td>") == 8
        assert "no cause is claimed" in html
        assert "There is no such event" in shown(opened(small.folder, "targets", row="gone"))

    def test_changes_are_told_with_their_interval_and_too_few_rows_as_such(self, small: Small) -> None:
        with open_facts(small.settings.warehouse) as facts:
            path, freeze = (before_and_after(facts, id) for id in ("path", "freeze"))
        assert path is not None
        assert freeze is not None
        told = {one.metric.id: one.rows for one in events.around_metrics(path)}
        frequency = told["deployment_frequency"][0]
        assert frequency.change.endswith("%")
        assert " to " in frequency.reach
        cells = [
            cell
            for one in events.around_metrics(path)
            for row in one.rows
            for cell in (row.before, row.after)
        ]
        units = [
            {end.partition(" ")[2] for end in cell.interval.split(" – ")} for cell in cells if not cell.is_few
        ]
        assert units
        assert all(len(unit) == 1 for unit in units)
        rows = events.around_rows(path)
        assert len(rows) == 8 * 4
        assert {row["services"] for row in rows} == {"touched", "not touched"}
        first_commit = {one.metric.id: one.rows for one in events.around_metrics(freeze)}.get("mttr")
        assert first_commit is None or first_commit[0].after.is_few

    @pytest.mark.parametrize(("teams", "rollups"), [(["payments"], True)])
    def test_who_does_not_see_everything_has_neither_the_form_nor_the_comparison(
        self, small: Small, teams: list[str], rollups: bool
    ) -> None:
        app = turned_to("targets", {"row": "path"}, limited, str(small.config), teams, rollups)
        html = shown(app)
        assert "The golden path" in html
        assert "legacy-reports goes" not in html
        assert "no cause is claimed" not in html
        assert not app.expander
        assert not [field for field in app.text_input if field.label == "What happened"]


@pytest.fixture
def own(small: Small, tmp_path: Path) -> Small:
    return small.copied(tmp_path)


class TestForm:
    def filled(self, app: AppTest, **fields: object) -> AppTest:
        by_label = {
            field.label: field for field in (*app.text_input, *app.selectbox, *app.date_input, *app.checkbox)
        }
        for label, value in fields.items():
            by_label[label].set_value(value)
        (button,) = [button for button in app.button if button.label == "Keep"]
        return button.click().run()

    def test_an_event_is_kept_waits_is_drawn_and_taken_back(self, own: Small) -> None:
        app = self.filled(
            opened(own.folder, "targets"),
            **{
                "What happened": HOSTILE,
                "Kind": "roll-out",
                "Whom it touched": "team discovery",
                "On, or from": DAY,
                "Last day (optional)": DAY + timedelta(days=1),
                "Link (optional)": "https://wiki.example/1",
                "What is usual begins anew after it": True,
            },
        )
        assert not app.exception
        folder = event_inbox(own.settings.warehouse)
        (event,) = kept_events(folder)
        assert (event.title, event.kind, event.scope, event.resets) == (
            HOSTILE,
            "roll-out",
            "team discovery",
            True,
        )
        assert (event.until or event.at) - event.at == timedelta(days=2)
        assert "on charts after the next collection" in shown(app)
        assert "<img" not in shown(app)
        assert [field.value for field in app.text_input if field.label == "What happened"] == [""]
        assert [run.error for run in collect(load_settings(own.config), only="events", now=NOW)] == [None]
        app = opened(own.folder, "targets")
        assert "Events: 4" in shown(app)
        assert "on charts after the next collection" not in shown(app)
        (back,) = [button for button in app.button if button.label == "Take back"]
        app = back.click().run()
        assert kept_events(folder) == []
        assert "taken back, gone with the next collection" in shown(app)

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            pytest.param({}, "Say what happened first", marks=pytest.mark.soak),
            pytest.param({"What happened": " x "}, "Choose the day first", marks=pytest.mark.soak),
            pytest.param(
                {"What happened": "x", "On, or from": DAY, "Last day (optional)": DAY - timedelta(days=1)},
                "The last day is before the first",
                marks=pytest.mark.soak,
            ),
            (
                {"What happened": "x", "On, or from": DAY, "Link (optional)": "javascript:alert(1)"},
                "The link is no web address",
            ),
        ],
    )
    def test_what_is_missing_or_cannot_be_is_told_and_nothing_kept(
        self, own: Small, fields: dict[str, object], said: str
    ) -> None:
        app = self.filled(opened(own.folder, "targets"), **fields)
        assert said in shown(app)
        assert not app.exception
        assert kept_events(event_inbox(own.settings.warehouse)) == []

    def test_an_inbox_that_cannot_be_written_is_told(self, own: Small) -> None:
        (own.settings.warehouse.parent / "inbox").write_text("a file in its place")
        app = self.filled(opened(own.folder, "targets"), **{"What happened": "x", "On, or from": DAY})
        assert "Events cannot be kept at the moment" in shown(app)
        assert not app.exception
