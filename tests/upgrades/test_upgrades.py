"""Warehouses that earlier programs made: each is opened, built, published and delivered, and tells what it told."""

import json
import math
import re
import tarfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from config.metrics import keys
from config.settings import Recipients, Settings, load_settings
from dashboards.commands.steps import deliver_due, make_scorecards
from dashboards.delivery.scorecard_parcels import file_stem
from dashboards.frame.navigation import PAGES
from dashboards.scorecards.rendering import FORMATS
from sample_data.servers.server import SampleServer
from sample_data.settings import demo_settings
from tests.conftest import Sample
from tests.support.command_line import run
from tests.support.loopback import Receiver, webhook
from tests.support.running_dashboard import opened, shown
from warehouse.building.build import build
from warehouse.metrics.published_facts import OtherFacts, open_facts
from warehouse.metrics.values import compute
from warehouse.pipeline import collect
from warehouse.scorecards.archive import archived_scorecards
from warehouse.scorecards.published import frozen
from warehouse.storage.migration import VERSION

HERE = Path(__file__).parent
KEPT = sorted(path.name.partition(".")[0] for path in HERE.glob("*.tar.xz"))
# for `make test`; `make soak` takes the others
QUICK = ("983c8ac", "df571b0", "a709d19")
ALL_OR_QUICK, ALL_OR_OLDEST = (
    [one if one in quick else pytest.param(one, marks=pytest.mark.soak) for one in KEPT]
    for quick in (QUICK, QUICK[:1])
)
NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
NEXT_WEEK = datetime(2026, 11, 23, 9, tzinfo=UTC)
READING = (["metrics"], ["explain", "DF"], ["export", "report"], ["scorecard"], ["deliver"])
FILES = {
    "organisation-acme.html",
    *(f"system-{name}.html" for name in ("payments", "platform", "shop")),
    *(f"team-{name}.html" for name in ("fulfilment", "payments", "platform", "storefront")),
}
# numbers that are others today: (metric, scope, name) -> n, with the change of what counts
GROUPS = {f"group-{name}.html" for name in ("commerce", "products")}
# those with groups and the platform, of the sample as it is told today
OF_TODAYS_SAMPLE = {"987af9c"}
# whose past the sample told otherwise to those before: identity's before its move, and the last scan
OTHERWISE = {"identity", "platform", "fraud-scoring", "payments"}
CONFIGURATION = "a sync of changed configuration alone is a deployment, not a repeat"
CHANGED = {
    "983c8ac": {
        ("deployment_frequency", "organisation", "acme"): (392, CONFIGURATION),
        ("change_failure_rate", "organisation", "acme"): (392, CONFIGURATION),
        ("deployment_rework_rate", "organisation", "acme"): (412, CONFIGURATION),
        ("deployment_frequency", "team", "payments"): (86, CONFIGURATION),
        ("change_failure_rate", "team", "payments"): (86, CONFIGURATION),
        ("deployment_rework_rate", "team", "payments"): (86, CONFIGURATION),
    }
}


@dataclass(frozen=True)
class Older:
    """A folder as the program of `commit` left it: its configuration, its warehouse and its facts."""

    commit: str
    folder: Path

    @property
    def settings(self) -> Settings:
        return load_settings(self.folder / "sixkeys.yaml")

    @property
    def is_of_today(self) -> bool:
        """Whether nothing of its form or of the definitions has changed since."""
        try:
            with open_facts(self.settings.warehouse):
                return True
        except OtherFacts:
            return False

    @property
    def numbers(self) -> list[dict[str, Any]]:
        told = json.loads((HERE / f"{self.commit}.json").read_text())
        return [number for number in told if number["metric"] in keys()]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def published(self) -> dict[tuple[str, str, str], str]:
        """What was published, by scope, name and week, as it is kept."""
        return {
            (scope, name if scope != "organisation" else "", week): content
            for scope, name, week, content in self.rows("select scope, name, week, content from scorecards")
        }

    def forms(self) -> dict[tuple[str, str], dict[str, str]]:
        """What was rendered of them when they were published, where that was kept."""
        if not self.rows("select 1 from duckdb_tables() where table_name = 'scorecard_forms'"):
            return {}
        found: dict[tuple[str, str], dict[str, str]] = {}
        for scope, name, form, text in self.rows("select scope, name, form, text from scorecard_forms"):
            found.setdefault((scope, name), {})[form] = zlib.decompress(text).decode()
        return found


@pytest.fixture
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Older:
    with tarfile.open(HERE / f"{request.param}.tar.xz") as tar:
        tar.extractall(tmp_path, filter="data")
    return Older(request.param, tmp_path)


def told(*contents: dict[str, Any]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """By name and metric what scorecards say, whether each is of one scope or of all."""
    return {
        (one["name"], metric["metric"]): (metric["value"], metric["n"], metric["target"], metric["status"])
        for content in contents
        for one in content.get("scopes", [content])
        for metric in one["metrics"]
    }


def test_at_least_three_earlier_programs_are_held_to() -> None:
    assert len(KEPT) >= 3
    assert {*QUICK, *CHANGED} <= set(KEPT)
    assert all((HERE / f"{one}.tar.xz").stat().st_size < 400_000 for one in KEPT)


@pytest.mark.parametrize("older", ALL_OR_QUICK, indirect=True)
def test_it_says_what_to_run_and_then_has_the_numbers_that_it_had(older: Older) -> None:
    for command in () if older.is_of_today else READING:
        done = run(older.folder, *command)
        assert done.returncode == 1
        assert done.stderr.endswith('was built by another version of Sixkeys; run "sixkeys build"\n')
    build(older.settings, NOW)
    assert older.rows("select version from about") == [(VERSION,)]
    changed = CHANGED.get(older.commit, {})
    now = {
        (number["metric"], number["scope"], number["name"]): number
        for by in ("organisation", "team")
        for number in json.loads(run(older.folder, "metrics", "--by", by, "--format", "json").stdout)
        if number["metric"] in keys()  # most knew nothing of the platform
    }
    assert set(now) == {(was["metric"], was["scope"], was["name"]) for was in older.numbers}
    for was in older.numbers:
        key = (was["metric"], was["scope"], was["name"])
        n, _ = changed.get(key, (was["n"], ""))
        # the organisation's frequency was each team's target, before they had one of their own
        inherited = key[:2] == ("deployment_frequency", "team") and was["status"] == "missed"
        inherited &= older.commit not in OF_TODAYS_SAMPLE
        assert (now[key]["n"], now[key]["status"]) == (n, "value" if inherited else was["status"]), key
        if key not in changed and was["value"] is not None:
            assert math.isclose(now[key]["value"], was["value"], rel_tol=1e-9), key
        assert (now[key]["value"] is None) == (was["value"] is None), key


@pytest.mark.soak
@pytest.mark.parametrize("older", KEPT, indirect=True)
def test_a_build_tells_what_moves_or_that_it_cannot_be_told(older: Older) -> None:
    done = run(older.folder, "build")
    assert done.returncode == 0
    told = re.findall(
        r"(?m)^none of the organisation's numbers moves|^[\w ]+: .* -> |^which numbers that moves cannot be",
        done.stderr,
    )
    assert bool(told) == ("the definitions changed" in done.stderr)


@pytest.mark.parametrize("older", ALL_OR_OLDEST, indirect=True)
def test_what_it_published_stands_and_the_next_week_is_delivered(
    older: Older, capsys: pytest.CaptureFixture[str]
) -> None:
    published, forms = older.published(), older.forms()
    with Receiver() as server:
        reports = {"webhook": webhook(server), "alerts": Recipients(webhook=webhook(server))}
        of = older.settings
        settings = of.model_copy(update={"reports": of.reports.model_copy(update=reports)})
        build(settings, NEXT_WEEK)
        _, failed = make_scorecards(settings, "2026-W46", send=False)
        assert not failed, capsys.readouterr().err
        assert older.published() == published
        assert not deliver_due(settings, NEXT_WEEK), capsys.readouterr().err
        (body,) = [json.loads(body) for body in server.bodies]
    assert (body["type"], body["data"]["week"]) == ("scorecard", "2026-W47")
    for week in ("2026-W46", "2026-W47"):
        files = FILES | GROUPS if older.commit in OF_TODAYS_SAMPLE else FILES
        assert {path.name for path in (settings.reports.directory / week).glob("*.html")} == files
    now = frozen(settings.warehouse, "2026-W46")
    assert told(*now.values()) == told(*map(json.loads, published.values()))
    for scope, name in now:
        stem = settings.reports.directory / "2026-W46" / file_stem(scope, name or "acme")
        texts = {form: stem.with_suffix(f".{form}").read_text() for form in FORMATS}
        if (scope, name) in forms:
            assert texts == forms[scope, name]
        # what a file that was kept told stands; this version knows of more
        filed = json.loads(texts["json"])["metrics"]
        metrics = zip(filed, now[scope, name]["metrics"], strict=True)
        assert filed == [{key: one[key] for key in was} for was, one in metrics]
        if older.commit == "983c8ac":  # which knew nothing of changes, and so said nothing of them
            assert "too little history" not in texts["txt"] + texts["md"] + texts["html"]


@pytest.mark.soak
@pytest.mark.parametrize("older", KEPT, indirect=True)
def test_every_page_is_drawn_and_the_archive_has_what_was_published(older: Older) -> None:
    told = "was built by another version of Sixkeys; run &#34;sixkeys build" in shown(opened(older.folder))
    assert told != older.is_of_today
    build(older.settings, NOW)
    for page in PAGES:
        named = {"team": {"team": "payments"}, "service": {"service": "checkout"}}.get(page, {})
        app = opened(older.folder, page, **named)
        assert not app.exception, page
        assert "cannot be read" not in shown(app), page
    for scope in ({}, {"team": "payments"}, {"system": "shop"}):
        app = opened(older.folder, "scorecards", week="2026-W46", **scope)
        assert not app.exception
        assert "Lead Time for Changes" in shown(app)
    with open_facts(older.settings.warehouse) as facts:
        archived = archived_scorecards(facts)
    met, scopes = (1, 10) if older.commit in OF_TODAYS_SAMPLE else (0, 8)
    assert [(one.met, one.judged) for one in archived if one.scope == "organisation"] == [(met, 5)]
    assert len(archived) == scopes


@pytest.mark.soak
# of one of today's sample nothing is new: no repository would be cloned again
@pytest.mark.parametrize("older", [one for one in KEPT if one not in OF_TODAYS_SAMPLE], indirect=True)
def test_a_collection_goes_on_to_the_numbers_of_one_that_began_anew(older: Older, sample: Sample) -> None:
    with SampleServer(sample.organisation) as server:
        config = demo_settings(sample.organisation, server.url, older.folder, server.token)
        runs = collect(load_settings(config), now=sample.organisation.now)
    assert [run.error for run in runs] == [None] * len(runs)
    # one repository has come since then
    pulls = {one.name: len(one.pull_requests) for one in sample.organisation.repositories}
    read = {run.source: run.counts["pull_requests"] for run in runs}["github"]
    assert 0 <= read - pulls["infrastructure"] <= pulls["identity"] + pulls["fraud-scoring"]
    expected = {
        key: (value if value is None else pytest.approx(value), *rest)
        for key, (value, *rest) in values(sample.settings).items()
        if is_as_it_was(*key)
    }
    assert {key: value for key, value in values(older.settings).items() if is_as_it_was(*key)} == expected


def is_as_it_was(metric: str, scope: str, name: str) -> bool:
    """Whether the sample tells the rows behind a number as it told them to earlier programs."""
    # a change event is asked for once more, and names its commit as today's sample does; its deployment is known by
    # the commit that the sample had then
    if name == "payments-api" and metric in ("change_failure_rate", "failed_deployment_recovery_time"):
        return False
    return scope != "organisation" and name not in OTHERWISE and metric != "developer_satisfaction"


def values(settings: Settings) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    with open_facts(settings.warehouse) as facts:
        return {
            (one.metric, one.scope, one.name): (one.value, one.n, one.status)
            for scope in ("organisation", "team", "service")
            for one in compute(facts, settings, scope)  # type: ignore[arg-type]
        }
