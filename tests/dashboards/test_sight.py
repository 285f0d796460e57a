"""What each page shows to those who do not see everything; new pages are covered by being in PAGES."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.frame.navigation import PAGES
from tests.conftest import Small
from tests.support import running_dashboard

# services of other teams than payments, under names that no page says of itself
OTHERS = ("ingest", "legacy-reports", "acme/search")
VIEWS = ("", "service=ingest", "team=discovery", "system=data", "period=all&rows=service")


def limited(config: str, teams: list[str], rollups: bool, draws: list[bool]) -> None:
    """What AppTest runs: the text of this function, without anything around it."""
    from pathlib import Path

    from config.settings import load_settings
    from dashboards import app
    from dashboards.frame import navigation
    from dashboards.frame.access import Access

    page = navigation.chosen_page()
    if draws:
        settings = load_settings(Path(config))
        access = Access(frozenset(teams), rollups, "ada@acme.example")
        app.show_page(page, Path(config), settings, settings.warehouse, access)


@pytest.fixture(scope="module")
def config(small: Small) -> Path:
    return small.config


def shown(config: Path, teams: list[str], rollups: bool, at: str, view: str) -> str:
    """Everything that goes to the browser for a page, as text, without the names that its address asks for."""
    asked = dict(pair.split("=") for pair in view.split("&") if pair)
    app = running_dashboard.turned_to(at, asked, limited, str(config), teams, rollups)
    assert not app.exception
    return "\n".join(sent(app))


def sent(app: AppTest) -> Iterator[str]:
    for element in app.main:
        text = element.proto.SerializeToString().decode("utf-8", "replace") if element.proto else ""
        # the answer to a question may repeat it
        yield "" if "Not for you to see" in text else text


@pytest.mark.parametrize("at", PAGES)
def test_a_team_sees_nothing_of_others(config: Path, at: str) -> None:
    for view in VIEWS:
        text = shown(config, ["payments"], False, at, view)
        assert [name for name in (*OTHERS, "discovery") if name in text] == [], view


@pytest.mark.parametrize("at", ["overview", "incidents", "metric"])
def test_a_team_that_there_is_not_shows_nothing_of_others(config: Path, at: str) -> None:
    text = shown(config, ["ghost"], False, at, "team=ghost")
    assert [name for name in (*OTHERS, "checkout", "discovery") if name in text] == []


@pytest.mark.parametrize("at", PAGES)
def test_roll_ups_are_without_services_and_rows(config: Path, at: str) -> None:
    for view in VIEWS:
        text = shown(config, [], True, at, view)
        assert [name for name in (*OTHERS, "checkout", "billing") if name in text] == [], view


@pytest.mark.parametrize("at", PAGES)
def test_roll_ups_beside_the_own_team_are_without_services_of_others(config: Path, at: str) -> None:
    for view in ("period=all&rows=both", "team=discovery&rows=service"):
        text = shown(config, ["payments"], True, at, view)
        assert [name for name in OTHERS if name in text] == [], view


def test_the_own_team_and_the_numbers_of_all_are_there(config: Path) -> None:
    assert "checkout" in shown(config, ["payments"], False, "overview", "")
    assert "checkout" in shown(config, ["payments"], False, "metric", "team=payments")
    assert "discovery" in shown(config, [], True, "overview", "")
    assert "discovery" in shown(config, [], True, "teams", "")
    several = shown(config, ["payments", "platform"], False, "teams", "")
    assert [name in several for name in ("payments", "platform", "discovery")] == [True, True, False]
    assert "checkout" in shown(config, ["payments"], False, "services", "")


def test_what_a_cache_keeps_for_one_is_not_shown_to_another(config: Path) -> None:
    folder = config.parent
    assert "ingest" in running_dashboard.shown(running_dashboard.opened(folder, team="platform"))
    assert "ingest" not in shown(config, ["payments"], True, "overview", "team=platform")
