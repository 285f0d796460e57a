"""The survey page: who may answer, what is kept of an answer, and that nothing of the dashboard is shown."""

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, WebSocket, expect
from streamlit.testing.v1 import AppTest

from collectors.contract.items import Checkpoint, Malformed, Resume
from collectors.contract.people import People
from collectors.contract.records import Component, Response
from collectors.survey.collect import collect
from collectors.survey.inbox import COMMENT, Answer, collect_inbox, put
from config.errors import ConfigurationError
from config.settings import Settings
from config.survey import SurveyMeaning
from dashboards.satisfaction.survey_links import (
    BadLink,
    RoundClosed,
    SurveyLink,
    answer,
    opened,
    sign,
    survey_links,
)
from tests.conftest import SURVEY_KEY as KEY
from tests.support.chromium import artifact
from tests.support.places import ROOT
from tests.support.running_dashboard import Running, app_of
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.satisfaction import comments
from warehouse.metrics.values import compute
from warehouse.pipeline import collect as collect_all
from warehouse.progress import Silent
from warehouse.storage.store import open_warehouse

CLOSE = datetime(2026, 11, 20, 22, 59, 59, tzinfo=UTC)
BEFORE = CLOSE - timedelta(days=7)
LINK = SurveyLink("n0nce", "2026-Q4", "payments", CLOSE)
PEOPLE = People(b"key")
HOSTILE = '<img src=x onerror="document.title=1"> :red[**no**] {"score": 5}\n\u202e\x00 ünï'


def settings_in(folder: Path, **page: str) -> Settings:
    return Settings.model_validate(
        {
            "organization": "acme",
            "timezone": "Europe/Berlin",
            "warehouse": folder / "w.duckdb",
            "survey_page": {"key": f"file:{written_key(folder)}", **page},
        }
    )


def written_key(folder: Path) -> Path:
    (folder / "key").write_bytes(KEY)
    return folder / "key"


def kept(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((folder / "inbox").glob("*.json"))]


class TestLinks:
    def test_a_link_says_its_round_team_and_close_and_each_is_another(self, tmp_path):
        made = list(survey_links(settings_in(tmp_path), "2026-Q4", "payments", date(2026, 11, 20), 3, BEFORE))
        tokens = [parse_qs(urlsplit(link).query)["token"][0] for link in made]
        found = [opened(token, KEY, BEFORE) for token in tokens]
        assert {(link.round, link.team, link.closes_at) for link in found} == {("2026-Q4", "payments", CLOSE)}
        assert len({link.number for link in found}) == 3
        assert all(link.startswith("http://127.0.0.1:8501/survey?token=") for link in made)

    def test_links_lead_to_where_people_reach_the_dashboard(self, tmp_path):
        settings = settings_in(tmp_path, url="https://sixkeys.acme.example/")
        (link,) = survey_links(settings, "Q4", "a team", date(2026, 11, 20), 1, BEFORE)
        assert link.startswith("https://sixkeys.acme.example/survey?token=")

    def test_every_altered_token_is_refused(self):
        token = sign(LINK, KEY)
        assert opened(token, KEY, BEFORE) == LINK
        for index in range(len(token)):
            for letter in "Az9_-":
                if letter != token[index]:
                    with pytest.raises(BadLink):
                        opened(token[:index] + letter + token[index + 1 :], KEY, BEFORE)
        for wrong in ("", ".", token[:-1], token + "A", token + "=", "é.ü", token.replace(".", "")):
            with pytest.raises(BadLink):
                opened(wrong, KEY, BEFORE)
        with pytest.raises(BadLink):
            opened(sign(LINK, KEY + b"2"), KEY, BEFORE)

    def test_a_token_is_good_until_its_round_closes(self):
        token = sign(LINK, KEY)
        assert opened(token, KEY, CLOSE - timedelta(seconds=1)) == LINK
        with pytest.raises(RoundClosed):
            opened(token, KEY, CLOSE)

    @pytest.mark.parametrize(
        ("round", "team", "day", "said"),
        [
            ("../../etc", "payments", date(2026, 11, 20), '"../../etc" cannot name a round'),
            ("", "payments", date(2026, 11, 20), '"" cannot name a round'),
            ("Q4", " ", date(2026, 11, 20), "a link is for a team"),
            ("Q4", "payments", date(2026, 11, 1), "2026-11-01 is over"),
        ],
    )
    def test_what_no_link_can_be_made_of_is_refused(self, tmp_path, round, team, day, said):
        with pytest.raises(ConfigurationError, match=said):
            list(survey_links(settings_in(tmp_path), round, team, day, 1, BEFORE))

    def test_without_a_key_there_are_no_links(self):
        with pytest.raises(ConfigurationError, match="the survey page has no key: add survey_page"):
            list(survey_links(Settings(organization="acme"), "Q4", "payments", date(2026, 11, 20), 1, BEFORE))

    def test_a_team_that_no_catalogue_knows_is_refused_with_those_that_come_near(self, tmp_path):
        def team_of(team, **survey):
            settings = settings_in(tmp_path).model_copy(update={"survey": SurveyMeaning(**survey)})
            day = date(2026, 11, 20)
            (link,) = survey_links(
                settings, "Q4", team, day, 1, BEFORE, ["Payments", "discovery", "platform"]
            )
            return opened(parse_qs(urlsplit(link).query)["token"][0], KEY, BEFORE).team

        assert team_of("group:default/payments") == "Payments"
        with pytest.raises(
            ConfigurationError, match=r'no catalogue knows the team "paymets"; did you mean Payments\?'
        ):
            team_of("paymets")
        with pytest.raises(ConfigurationError, match="there are Payments, discovery, platform"):
            team_of("zzz")
        assert team_of("the squad", teams={"The Squad": "PAYMENTS"}) == "Payments"
        assert team_of("guild", teams={"guild": "guild"}) == "guild"

    def test_the_command_prints_them(self, tmp_path):
        written_key(tmp_path)
        (tmp_path / "sixkeys.yaml").write_text("organization: acme\nsurvey_page: {key: file:key}\n")
        day = date.today() + timedelta(days=3)
        command = ["survey", "--round", "Q4", "--team", "web", "--closes", str(day), "--links", "2"]
        done = subprocess.run(
            [sys.executable, str(ROOT / "sixkeys.py"), *command],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        tokens = [parse_qs(urlsplit(line).query)["token"][0] for line in done.stdout.splitlines()]
        assert [opened(token, KEY, datetime.now(UTC)).team for token in tokens] == ["web", "web"]
        assert "no catalogue was read yet" in done.stderr
        with open_warehouse(tmp_path / "warehouse.duckdb") as warehouse:
            warehouse.upsert([Component(name="shop", owner="group:default/webs")])
        done = subprocess.run(
            [sys.executable, str(ROOT / "sixkeys.py"), *command],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert 'no catalogue knows the team "web"; did you mean webs?' in done.stderr


class TestInbox:
    def test_an_answer_becomes_a_response_of_nobody(self, tmp_path):
        put(tmp_path / "inbox", answer(LINK, KEY, 4, HOSTILE, BEFORE))
        (found,) = [i for i in self.collected(tmp_path) if isinstance(i, Response)]
        assert (found.round, found.team, found.question, found.score) == (
            "2026-Q4",
            "payments",
            "satisfaction",
            4,
        )
        assert (found.scale_min, found.scale_max, found.closes_at) == (1, 5, CLOSE)
        assert found.submitted_at == BEFORE.replace(minute=0, second=0)
        (path,) = (tmp_path / "inbox").iterdir()
        for told in (path.name, path.read_text(), found.model_dump_json()):
            assert LINK.number not in told
        assert kept(tmp_path)[0]["comment"] == HOSTILE
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        # even where logins are kept
        (named,) = [
            i for i in collect_inbox(tmp_path / "inbox", Resume(CLOSE, CLOSE), People(b"key", keep_logins=True))
            if isinstance(i, Response)
        ]  # fmt: skip
        assert named.respondent not in path.name

    def test_only_rounds_with_something_new_are_read_again(self, tmp_path):
        inbox = tmp_path / "inbox"
        put(inbox, answer(LINK, KEY, 4, "", BEFORE))
        put(inbox, answer(replace(LINK, round="2026-Q3"), KEY, 2, "", BEFORE))
        cursors = {i.subject: i.cursor for i in self.collected(tmp_path) if isinstance(i, Checkpoint)}
        assert {"inbox 2026-Q3", "inbox 2026-Q4"} <= set(cursors)
        assert not [i for i in self.collected(tmp_path, cursors) if isinstance(i, Response)]
        put(inbox, answer(LINK, KEY, 5, "", BEFORE))
        (again,) = [i for i in self.collected(tmp_path, cursors) if isinstance(i, Response)]
        assert (again.round, again.score) == ("2026-Q4", 5)

    def test_a_file_that_is_no_answer_is_set_aside_without_its_comment(self, tmp_path):
        put(tmp_path / "inbox", answer(LINK, KEY, 4, "", BEFORE))
        (tmp_path / "inbox" / "2026-Q4.x.json").write_text("{")
        (tmp_path / "inbox" / "2026-Q4.y.json").write_text('{"round": "2026-Q4", "comment": "mine"}')
        bad = [i for i in self.collected(tmp_path) if isinstance(i, Malformed)]
        assert bad[0].reason == "is not JSON"
        assert len(bad) == 2
        assert not any("mine" in item.raw for item in bad)

    def test_an_answer_is_whole_or_not_there(self, tmp_path):
        put(tmp_path / "inbox", answer(LINK, KEY, 4, "", BEFORE))
        with pytest.raises(TypeError):
            put(tmp_path / "inbox", Answer(**{**vars(answer(LINK, KEY, 4, "", BEFORE)), "comment": object()}))
        assert [content["score"] for content in kept(tmp_path)] == [4]
        assert len(list((tmp_path / "inbox").iterdir())) == 1

    def collected(self, folder: Path, cursors: dict[str, Any] | None = None) -> list[Any]:
        return list(collect(None, Resume(CLOSE, CLOSE, cursors or {}), PEOPLE, inbox=folder / "inbox"))

    def test_answers_reach_the_numbers(self, tmp_path):
        settings = settings_in(tmp_path)
        for number in range(5):
            put(tmp_path / "inbox", answer(replace(LINK, number=str(number)), KEY, 4, HOSTILE, BEFORE))
        collect_all(settings, Silent(), now=CLOSE + timedelta(days=1))
        with open_facts(settings.warehouse) as facts:
            (value,) = compute(facts, settings, metrics=["developer_satisfaction"])
            said, withheld = comments(facts, "2026-Q4")
        assert (value.value, value.n) == (4, 5)
        assert [(one.team, one.question, withheld) for one in said] == [("payments", COMMENT, 0)] * 5
        assert {one.text.replace("\x00", "") for one in said} == {HOSTILE.replace("\x00", "")}


def script(folder: str, token: str, times: list) -> None:
    from pathlib import Path

    from dashboards.satisfaction.survey_page import show_survey
    from tests.dashboards.pages.test_survey_page import settings_in

    show_survey(settings_in(Path(folder)), Path(folder) / "inbox", token, lambda: times[0])


def page(folder: Path, token: str, now: list[datetime]) -> AppTest:
    return app_of(script, str(folder), token, now).run()


def shown(app: AppTest) -> str:
    return " ".join(str(element.proto.body) for element in app.get("html"))


class TestPage:
    def test_a_score_and_a_comment_are_kept_and_nothing_else(self, tmp_path):
        app = page(tmp_path, sign(LINK, KEY), [BEFORE])
        assert "Round 2026-Q4, team payments, open until Fri 20 Nov 2026, 23:59 CET" in shown(app)
        app.radio[0].set_value(4)
        app.text_area[0].set_value(HOSTILE)
        app.button[0].click().run()
        assert not app.exception
        assert "Thank you" in shown(app)
        assert not app.radio
        assert kept(tmp_path) == [
            {
                "round": "2026-Q4",
                "team": "payments",
                "closes_at": CLOSE.isoformat(),
                "submitted_at": BEFORE.replace(minute=0, second=0).isoformat(),
                "score": 4,
                "comment": HOSTILE,
            }
        ]
        assert "onerror" not in shown(app)

    def test_a_second_answer_replaces_the_first(self, tmp_path):
        for score in (2, 5):
            app = page(tmp_path, sign(LINK, KEY), [BEFORE])
            assert ("was answered before" in shown(app)) == (score == 5)
            app.radio[0].set_value(score)
            app.button[0].click().run()
        assert [content["score"] for content in kept(tmp_path)] == [5]
        other = page(tmp_path, sign(replace(LINK, number="other"), KEY), [BEFORE])
        other.radio[0].set_value(1)
        other.button[0].click().run()
        assert sorted(content["score"] for content in kept(tmp_path)) == [1, 5]

    def test_an_answer_after_the_close_is_refused_also_where_the_page_was_open(self, tmp_path):
        now = [CLOSE - timedelta(seconds=1)]
        app = page(tmp_path, sign(LINK, KEY), now)
        app.radio[0].set_value(1)
        now[0] = CLOSE
        app.button[0].click().run()
        assert "This survey has closed" in shown(app)
        assert not app.exception
        assert "This survey has closed" in shown(page(tmp_path, sign(LINK, KEY), [CLOSE]))
        assert kept(tmp_path) == []

    def test_a_score_is_needed(self, tmp_path):
        app = page(tmp_path, sign(LINK, KEY), [BEFORE])
        app.button[0].click().run()
        assert "Choose a score from 1 to 5 first" in shown(app)
        assert kept(tmp_path) == []

    @pytest.mark.parametrize("token", ["", "x", sign(LINK, KEY)[:-1], sign(LINK, b"another key of 16")])
    def test_a_token_that_is_not_ours_asks_nothing(self, tmp_path, token):
        app = page(tmp_path, token, [BEFORE])
        assert "This link does not work" in shown(app)
        assert not app.radio
        assert not app.exception

    def test_names_in_a_link_are_text(self, tmp_path):
        app = page(tmp_path, sign(replace(LINK, team="<b>x</b>"), KEY), [BEFORE])
        assert "team &lt;b&gt;x&lt;/b&gt;" in shown(app)

    def test_an_inbox_that_cannot_be_written_is_told(self, tmp_path):
        (tmp_path / "inbox").write_text("a file in its place")
        app = page(tmp_path, sign(LINK, KEY), [BEFORE])
        app.radio[0].set_value(1)
        app.button[0].click().run()
        assert "Your answer could not be kept" in shown(app)
        assert not app.exception


@pytest.fixture
def tab(small_dashboard: Running) -> Page:
    tab = small_dashboard.tabs[0]
    tab.set_viewport_size({"width": 720, "height": 900})
    return tab


@pytest.fixture
def frames(tab: Page) -> Iterator[list[str]]:
    """What the dashboard tells the tab through the web sockets that are opened from now on."""
    found: list[str] = []

    def listen(opened: WebSocket) -> None:
        opened.on(
            "framereceived",
            lambda frame: found.append(frame if isinstance(frame, str) else frame.decode("utf-8", "replace")),
        )

    tab.on("websocket", listen)
    yield found
    tab.remove_listener("websocket", listen)


def token_for(team: str = "payments", hours: float = 1) -> str:
    closes_at = (datetime.now(UTC) + timedelta(hours=hours)).replace(microsecond=0)
    return sign(SurveyLink(f"browser {team}", "2026-Q4", team, closes_at), KEY)


class TestBrowser:
    def test_somebody_answers_and_sees_nothing_of_the_dashboard(self, small_dashboard, tab, frames):
        tab.goto(f"{small_dashboard.url}/survey?token={token_for()}")
        tab.get_by_role("radio", name="4").check(force=True)
        tab.get_by_label("What should we know? (optional)").fill(HOSTILE.replace("\x00", ""))
        tab.screenshot(path=artifact("survey.png"))
        tab.get_by_role("button", name="Send").click()
        expect(tab.get_by_text("Thank you")).to_be_visible()
        expect(tab.get_by_role("radio")).to_have_count(0)
        (content,) = kept(small_dashboard.settings.warehouse.parent)
        assert (content["score"], content["team"]) == (4, "payments")
        assert content["comment"] == HOSTILE.replace("\x00", "").strip()
        assert tab.title() == "Survey"
        self.shows_nothing_else(tab, frames)
        # pressed again in an open page, and reloaded
        tab.reload()
        expect(tab.get_by_text("was answered before")).to_be_visible()
        self.shows_nothing_else(tab, frames)

    @pytest.mark.parametrize(
        ("token", "said"),
        [
            (token_for(hours=-1), "This survey has closed"),
            pytest.param(token_for()[:-1], "This link does not work", marks=pytest.mark.soak),
            pytest.param("", "This link does not work", marks=pytest.mark.soak),
        ],
        ids=["closed", "cut", "none"],
    )
    def test_a_link_that_is_not_good_shows_nothing_else(self, small_dashboard, tab, frames, token, said):
        tab.goto(f"{small_dashboard.url}/survey?token={token}")
        expect(tab.get_by_text(said)).to_be_visible()
        self.shows_nothing_else(tab, frames)

    def shows_nothing_else(self, tab: Page, frames: list[str]) -> None:
        assert tab.locator("a:not([href^='#'])").evaluate_all("found => found.map(a => a.outerHTML)") == []
        assert tab.get_by_test_id("stSidebar").count() == 0
        sent = tab.content() + " ".join(frames)
        assert frames
        for word in (
            "Overview",
            "overview",
            "metric",
            "trust",
            "checkout",
            "acme",
            "billing",
            "Deployment Freq",
        ):
            assert word not in sent, word
