"""What another version published or kept is read as it can be, and what cannot be read costs nothing else."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from config.settings import Recipients, Reports
from dashboards.commands.steps import deliver_due, make_scorecards
from dashboards.delivery.deliver import deliver
from dashboards.delivery.scorecard_parcels import scorecard_parcels
from tests.support import small_scorecard
from tests.support.loopback import Receiver, webhook
from tests.warehouse.scorecards.conftest import MONDAY, NEXT, Organisation, incident
from warehouse.metrics.published_facts import open_facts
from warehouse.scorecards.alerts import evaluate
from warehouse.scorecards.archive import archived_scorecards
from warehouse.scorecards.published import frozen
from warehouse.storage.older_scorecards import CONTENT_VERSION, UnreadableScorecard, scorecards_in
from warehouse.storage.store import open_warehouse

DUE = NEXT + timedelta(hours=2)
TEAM = "where scope = 'team' and name = 'payments'"


def changed(of: Organisation, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes what was published for the team, of which nothing rendered is kept then."""
    with open_warehouse(of.settings.warehouse) as warehouse:
        ((text,),) = warehouse.connection.execute(f"select content from scorecards {TEAM}").fetchall()
        content = json.loads(text)
        change(content)
        warehouse.connection.execute(f"update scorecards set content = ? {TEAM}", [json.dumps(content)])
        warehouse.connection.execute(f"delete from scorecard_forms {TEAM}")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda one: one.update(version=CONTENT_VERSION + 1), "a newer Sixkeys has published it"),
        (lambda one: one.update(version="two"), "not supported between"),
        (lambda one: one.pop("sentences"), "it lacks sentences"),
        (lambda one: one["metrics"][0].pop("floor"), "it lacks floor"),
        (lambda one: one.update(version=1, scopes=[{"scope": "team", "metrics": []}]), "KeyError: 'name'"),
        (lambda one: one.update(metrics=[1]), "has no attribute"),
    ],
)
def test_what_is_in_no_form_that_is_known_is_told_with_whose_it_is(
    change: Callable[[dict[str, Any]], object], why: str
) -> None:
    content = small_scorecard.scorecard(scope="team", name="payments")
    assert scorecards_in("team", "payments", "2026-W46", json.dumps(content)) == [content]
    change(content)
    told = rf"^team payments, 2026-W46: what was published cannot be read \(.*{why}.*\); it stands as it is"
    with pytest.raises(UnreadableScorecard, match=told):
        scorecards_in("team", "payments", "2026-W46", json.dumps(content))


@pytest.mark.parametrize("text", ['{"version": 99}', pytest.param("half of {", marks=pytest.mark.soak)])
def test_a_published_scorecard_that_cannot_be_read_is_told_and_holds_up_no_other(
    published: Organisation, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    with open_warehouse(published.settings.warehouse) as warehouse:
        warehouse.connection.execute(f"update scorecards set content = ? {TEAM}", [text])
    published.build_at(NEXT)
    directory = published.settings.reports.directory
    for of_week in (
        lambda: deliver_due(published.settings, DUE),
        lambda: make_scorecards(published.settings, "2026-W45")[1],
    ):
        assert of_week()
        lines = [line for line in capsys.readouterr().err.splitlines() if "cannot be read" in line]
        assert len(lines) == 1
        assert lines[0].startswith("sixkeys: team payments, 2026-W45: what was published cannot be read (")
        assert {path.stem for path in directory.glob("*/*.html")} == {"organisation-acme", "system-shop"}
    with pytest.raises(UnreadableScorecard):
        published.scorecard("2026-W45", scope="team", name="payments")
    with open_facts(published.settings.warehouse) as facts:
        assert {one.scope for one in archived_scorecards(facts)} == {"organisation", "system"}
    with open_warehouse(published.settings.warehouse) as warehouse:
        assert warehouse.connection.execute(f"select content from scorecards {TEAM}").fetchall() == [(text,)]


def test_a_scorecard_that_cannot_be_rendered_fails_by_itself(published: Organisation) -> None:
    changed(published, lambda one: one["metrics"][0].update(status="unheard of"))
    found = frozen(published.settings.warehouse, "2026-W45").values()
    told = deliver(published.settings, scorecard_parcels(found, published.settings), attempts=1)
    assert [one.message.scope for one in told if one.error] == ["team"]
    files = {path.stem for path in published.settings.reports.directory.glob("*/*.html")}
    assert files == {"organisation-acme", "system-shop"}


def test_a_scorecard_without_a_version_is_of_the_one_before_versions_were_written_down(
    published: Organisation,
) -> None:
    before = frozen(published.settings.warehouse, "2026-W45")
    changed(published, lambda one: one.pop("version"))
    # of that version nothing was told of the platform
    before["team", "payments"] |= {"platform": []}
    assert frozen(published.settings.warehouse, "2026-W45") == before


def test_rows_that_another_version_kept_in_another_form_are_told_as_such(published: Organisation) -> None:
    with open_warehouse(published.settings.warehouse) as warehouse:
        warehouse.connection.execute("update scorecard_rows set rows = 'of another form'::blob")
    published.add(incident("i-2", MONDAY + timedelta(days=4), 20))
    (restated,) = [one for one in published.scorecard("2026-W46")["restatements"] if one["metric"] == "mttr"]
    assert restated["old"] != restated["new"]
    assert restated["why"] == [{"text": "an older version kept no rows of it that can be compared"}]


def test_alerts_go_on_beside_those_that_cannot_be_read(published: Organisation) -> None:
    with Receiver() as server:
        reports = Reports(
            directory=published.settings.reports.directory, alerts=Recipients(webhook=webhook(server))
        )
        settings = published.settings.model_copy(update={"reports": reports})
        with open_warehouse(settings.warehouse) as warehouse:
            for content in ("{}", "half of {", '{"scope": "team", "of": "another version"}', "[1]"):
                warehouse.connection.execute(
                    "insert into alerts values ('team', 'payments', 'mttr', ?, timestamp '2026-11-02')",
                    [content],
                )
        with open_facts(settings.warehouse) as facts:
            found = evaluate(facts, settings)
        assert not deliver_due(settings, DUE)
        assert len(server.bodies) == len(found)
