"""Alerts: a target that is crossed by more than noise is told once, and once more when it is met again."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from collectors.contract.records import Commit, Component, Coverage, Deployment, Record, Repository
from config.settings import Dashboard, MetricTarget, Recipients, Reports, Settings
from dashboards.delivery.alert_parcels import alert_parcels, alert_sentences
from dashboards.delivery.deliver import Delivery, deliver
from dashboards.frame.navigation import PAGES
from dashboards.scorecards.published_forms import made
from tests.support.loopback import Receiver, webhook
from tests.support.mail_server import email, mail_server
from warehouse.building.build import build
from warehouse.metrics.published_facts import open_facts
from warehouse.scorecards.alerts import Alert, evaluate
from warehouse.scorecards.content import scorecard
from warehouse.scorecards.delivery_book import delivering
from warehouse.scorecards.published import publish
from warehouse.storage.store import open_warehouse

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
A_WEEK = 8
STEADY = [0.5, 0.6, 0.4, 0.5, 0.6, 0.4, 0.5, 0.6, 0.4, 0.5, 0.6, 0.4]
TARGET = MetricTarget(name="Lead Time for Changes", target="< 1 hour")


def organisation(
    folder: Path, weeks: Sequence[float] | Mapping[str, Sequence[float]], **reports: Any
) -> Settings:
    """Settings of an organisation of one service, whose changes took so many hours in each of the weeks from the first;
    or of a service for each team of `weeks`, all of which end with the same week.

    The thirteenth of `weeks` ends on 16 November 2026; the facts are built an hour into the week after the last.
    """
    settings = Settings(
        organization="acme",
        warehouse=folder / "w.duckdb",
        metrics=[TARGET],
        dashboard=Dashboard(url="https://sixkeys.acme.example"),
        reports=Reports(directory=folder / "scorecards", **reports),
    )
    teams = weeks if isinstance(weeks, Mapping) else {"payments": weeks}
    last = max(map(len, teams.values()))
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert([record for team in teams for record in _records(team, teams[team], last)])
    build(settings, _begin(last) + timedelta(hours=1))
    return settings


def _begin(week: int) -> datetime:
    return MONDAY + timedelta(weeks=week - 13)


def _records(team: str, weeks: Sequence[float], last: int) -> Iterator[Record]:
    service, repo, before = f"checkout of {team}", f"acme/{team}", last - len(weeks) - 1
    yield Component(name=service, owner=team, system=f"shop of {team}", repo=repo)
    yield Repository(repo=repo, created_at=_begin(before))
    for source in ("import deployments", "import incidents"):
        yield Coverage(source=source, subject=service, from_at=_begin(before), until_at=_begin(last + 1))
    parent: tuple[str, ...] = ()
    for week, hours in enumerate([0.5, *weeks], start=before):  # what the first deployment brings is history
        for n in range(A_WEEK):
            at = _begin(week) + timedelta(hours=20 * n + 1)
            sha = f"{week + 1:020x}{n:020x}"
            authored = at - timedelta(hours=hours)
            yield Commit(repo=repo, sha=sha, parents=parent, authored_at=authored, committed_at=authored)
            yield Deployment(
                source="import", id=f"{team}-{week}-{n}", repo=repo, service=service, environment="production",
                sha=sha, status="success", started_at=at - timedelta(minutes=4), finished_at=at,
            )  # fmt: skip
            parent = (sha,)


def found(settings: Settings) -> list[Alert]:
    with open_facts(settings.warehouse) as facts:
        return evaluate(facts, settings)


def announced(settings: Settings) -> list[Delivery]:
    with delivering(settings.warehouse):
        return deliver(settings, alert_parcels(found(settings), settings), attempts=1)


def test_a_target_crossed_by_more_than_noise_is_told_once_and_once_when_it_is_met_again(
    tmp_path: Path,
) -> None:
    with Receiver() as server, mail_server() as (port, box):
        reports = {
            "alerts": Recipients(
                email=["lead@acme.example"],
                slack_webhook=SecretStr(f"{server.url}/s3cret"),
                webhook=webhook(server),
            ),
            "email": email(port),
        }
        settings = organisation(tmp_path, [*STEADY, 6], **reports)
        done = announced(settings)
        assert {(one.message.scope, one.channel, one.error) for one in done} == {
            (scope, channel, None)
            for scope in ("organisation", "system", "team")
            for channel in ("slack", "webhook", "email")
        }
        assert announced(settings) == []
        # late data makes the week a good one: it was told, and is not taken back before another week
        assert announced(organisation(tmp_path, [*STEADY, 0.5], **reports)) == []
        back = announced(organisation(tmp_path, [*STEADY, 6, 0.5], **reports))
        assert {one.message.kind for one in back} == {"alert lead_time met"}
        assert len(back) == 9
        assert announced(organisation(tmp_path, [*STEADY, 6, 0.5, 0.6], **reports)) == []
    payments = next(m for m in box.messages if "payments (team)" in m.get_content())
    assert payments["Subject"] == "acme: payments misses its target: Lead Time for Changes"
    said = payments.get_content()
    assert (
        "Lead Time for Changes of payments (team), week 2026-W46: 6 h, target < 1 hour, from 8 changes."
        in said
    )
    assert "6 h against 0.5 h in the 12 weeks before" in said
    address = re.search(r"https://sixkeys.acme.example/(\w+)[?]", said)
    assert address is not None
    assert address[1] in PAGES
    assert "team=payments" in said
    posted = [json.loads(body) for body in server.bodies]
    blocks = [one for one in posted if "blocks" in one]
    assert len(blocks) == 6
    assert "&lt; 1 hour" in json.dumps(blocks)
    told = next(one for one in posted if one.get("type") == "alert" and one["data"]["scope"] == "team")
    assert {key: told["data"][key] for key in ("name", "metric", "state", "week", "since", "n")} == {
        "name": "payments",
        "metric": "lead_time",
        "state": "missed",
        "week": "2026-W46",
        "since": "2026-W46",
        "n": 8,
    }


@pytest.fixture(scope="module")
def told_of(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str, str]]:
    """(scope, name, since) of what is told where each of `TEAMS` has a service and a system."""
    settings = organisation(tmp_path_factory.mktemp("teams"), TEAMS)
    return {(one.scope, one.name, one.since) for one in found(settings)}


TEAMS = {
    "always varying": [0.5, 1.5] * 6 + [1.4],
    "always missing": [3.0, 3.2] * 6 + [30],
    "slower but within": [*STEADY, 0.95],
    "new": [0.5, 0.5, 0.5, 6],
    "missing before": [*STEADY[:10], 1.02, 1.04, 3],
}


@pytest.mark.parametrize("team", [team for team in TEAMS if team != "missing before"])
def test_nothing_is_told_where_no_target_was_crossed(told_of: set[tuple[str, str, str]], team: str) -> None:
    assert [name for _, name, _ in told_of if name.endswith(team)] == []


def test_a_target_that_is_missed_since_before_the_signal_says_since_when(
    told_of: set[tuple[str, str, str]],
) -> None:
    assert {one for one in told_of if one[1].endswith("missing before")} == {
        ("system", "shop of missing before", "2026-W44"),
        ("team", "missing before", "2026-W44"),
    }


def test_each_week_is_held_against_the_target_of_its_time_and_a_new_one_is_told(tmp_path: Path) -> None:
    settings = organisation(tmp_path, [*STEADY, 6])
    with open_facts(settings.warehouse) as facts:
        publish(facts, settings, scorecard(facts, settings, "2026-W45", "team", "payments"), made)
    stricter = MetricTarget(name="Lead Time for Changes", target="< 20 minutes")
    settings = settings.model_copy(update={"metrics": [stricter]})
    build(settings, _begin(13) + timedelta(hours=1))
    (alert,) = found(settings)  # the others have missed the stricter one all the time
    assert (alert.name, alert.since) == ("payments", "2026-W46")
    assert alert_sentences(alert)[-1] == "Until week 2026-W45 the target was < 1 hour."
