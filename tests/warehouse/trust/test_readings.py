"""Until when the sources were read well, of what, and what a first collection tells while it runs."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr
from werkzeug import Request, Response

from config.settings import Incidents, Settings, source_names
from config.sources import ArgoCD, Catalog, GitHub, GitHubIncidents, PagerDuty, Sources
from config.survey import Survey
from sample_data.servers import faults
from tests.support.faulty_sources import make_organisation, serving
from tests.support.github_organisation import TOKEN
from tests.support.loopback import PATIENCE, Loopback
from warehouse.loading.configured import sources
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import current_facts, open_facts
from warehouse.pipeline import collect
from warehouse.progress import CollectionProgress, progress_of
from warehouse.storage.instants import naive
from warehouse.trust.readings import Reading, oldest_reading, readings, source_name

NOW = datetime(2026, 11, 16, 8, tzinfo=UTC)
FRIDAY = NOW - timedelta(days=3)
NOTHING = Settings(organization="acme")
COVERED = (
    ("deployments", "argocd", "eu/checkout", "checkout", "payments", False),
    ("deployments", "argocd", "us/search", "search", "discovery", False),
    ("changes", "git", "acme/checkout", "checkout", "payments", False),
    ("changes", "pull_requests", "acme/search", "search", "discovery", False),
    # Argo CD speaks for it since
    ("deployments", "deployments", "acme/search", "search", "discovery", True),
    ("incidents", "import incidents", "search", "search", "discovery", False),
    ("responses", "survey", "*", None, None, False),
)
RUNS = (
    ("argocd:eu", "ok", NOW),
    ("argocd:us", "failed", NOW),
    ("argocd:us", "ok", FRIDAY),
    ("git", "ok", NOW + timedelta(minutes=5)),
    ("github", "failed", NOW),
    ("survey", "ok", NOW),
)


@pytest.fixture
def facts() -> Iterator[Facts]:
    """What readings are made of, in memory."""
    with duckdb.connect() as connection:
        connection.execute(
            "create table service_coverage (fact varchar, source varchar, subject varchar, service varchar,"
            " team varchar, is_superseded boolean, until_at timestamp)"
        )
        rows = [(*row, naive(FRIDAY)) for row in COVERED]
        connection.executemany("insert into service_coverage values (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute(
            "create table covered_days (fact varchar, service varchar, team varchar, day date)"
        )
        connection.execute(
            "insert into covered_days values ('deployments', 'search', 'discovery', '2026-05-18')"
        )
        connection.execute("insert into covered_days values ('responses', null, null, '2026-01-01')")
        connection.execute(
            "create table runs (run_id varchar, source varchar, status varchar, started_at timestamp,"
            " finished_at timestamp, error varchar, items bigint, quarantined bigint, requests bigint,"
            " failed_requests bigint, bytes bigint, waited_seconds double)"
        )
        for source, status, at in RUNS:
            connection.execute(
                "insert into runs (run_id, source, status, started_at) values (?, ?, ?, ?)",
                [f"{source}{at}", source, status, naive(at)],
            )
        yield Facts(connection, Path(), NOW, "UTC", "acme")


def told(facts: Facts, settings: Settings = NOTHING, **where: str) -> dict[str, tuple[Any, ...]]:
    return {
        one.name: (one.kinds, one.read_at, one.is_failing) for one in readings(facts, settings, where).sources
    }


def test_a_source_is_as_old_as_its_last_good_reading(facts: Facts) -> None:
    assert told(facts) == {
        "Argo CD (eu)": (("deployments",), NOW, False),
        "Argo CD (us)": (("deployments",), FRIDAY, True),
        # nothing is newer than the facts
        "Git": (("changes",), NOW, False),
        "GitHub": (("changes",), None, True),
        "The survey": (("responses",), NOW, False),
    }


def test_a_team_is_told_of_the_sources_that_tell_of_it(facts: Facts) -> None:
    assert set(told(facts, team="payments")) == {"Argo CD (eu)", "Git", "The survey"}
    assert set(told(facts, team="discovery")) == {"Argo CD (us)", "GitHub", "The survey"}
    found = readings(facts, NOTHING, {"team": "discovery"})
    assert (found.imported, found.begins) == ({"incidents": FRIDAY}, {"deployments": date(2026, 5, 18)})
    assert readings(facts, NOTHING, {"team": "payments"}).begins == {}


def test_a_scorecard_is_as_old_as_the_source_that_was_read_longest_ago(facts: Facts) -> None:
    assert oldest_reading(facts, NOTHING, {}) == FRIDAY
    assert oldest_reading(facts, NOTHING, {"team": "payments"}) == NOW
    facts.connection.execute("delete from runs")
    assert oldest_reading(facts, NOTHING, {}) == NOW


def test_a_source_that_is_no_longer_configured_is_no_news(facts: Facts) -> None:
    token = SecretStr("x")
    left = Settings(
        organization="acme", sources=Sources(argocd=[ArgoCD(name="eu", url="http://a", token=token)])
    )
    assert set(told(facts, left)) == {"Argo CD (eu)"}


def test_what_may_be_wrong_is_said_of_what_the_source_tells(facts: Facts) -> None:
    found = {one.name: one for one in readings(facts, NOTHING, {}).sources}
    assert found["GitHub"].sentence("") == "GitHub has not been read yet: lead times may be missing changes"
    facts.connection.execute("update service_coverage set is_superseded = false")
    found = {one.name: one for one in readings(facts, NOTHING, {}).sources}
    assert found["GitHub"].wanting == "deployments and lead times may be incomplete"
    assert found["Argo CD (us)"].sentence("Friday") == (
        "Argo CD (us) has not been read since Friday: deployments may be missing"
    )


def test_every_configured_source_is_named(tmp_path: Path) -> None:
    token = SecretStr("x")
    settings = Settings(
        organization="acme",
        warehouse=tmp_path / "w.duckdb",
        incidents=Incidents(links=["*.csv"]),
        sources=Sources(
            argocd=[ArgoCD(name="eu", url="http://a", token=token)],
            catalog=Catalog(files=["*.yaml"]),
            github=GitHub(
                repositories=["acme/*"], token=token, incidents=GitHubIncidents(labels=["incident"])
            ),
            pagerduty=PagerDuty(token=token),
            survey=Survey(files=["*.csv"]),
        ),
    )
    assert sorted(source_names(settings)) == sorted(one.name for one in sources(settings))
    assert source_names(NOTHING) == []


def test_each_source_is_called_as_people_call_it(sample) -> None:
    runs = [one.name for one in sources(sample.settings)]
    assert "events" in runs
    assert not [run for run in runs if source_name(run)[0].islower()]


def test_a_source_that_stops_answering_is_as_old_as_it_was_then(tmp_path: Path) -> None:
    with serving(tmp_path, make_organisation()) as bench:
        settings = Settings(
            organization="acme",
            warehouse=tmp_path / "w.duckdb",
            sources=Sources(pagerduty=PagerDuty(url=f"{bench.url}/pagerduty", token=SecretStr(TOKEN))),
        )
        before = datetime.now(UTC)
        (run,) = collect(settings)
        assert run.error is None
        bench.faulty.next(faults.status(401, "{}"))
        (failed,) = collect(settings)
        assert failed.error
    with open_facts(settings.warehouse) as opened:
        (found,) = readings(opened, settings, {}).sources
    assert found.is_failing
    assert found.read_at is not None
    assert before <= found.read_at < failed.started_at


def test_a_first_collection_tells_what_runs_and_shows_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: checkout}\n"
        "spec: {type: service, lifecycle: production, owner: payments}\n"
    )
    warehouse = tmp_path / "w.duckdb"
    seen: list[CollectionProgress | None] = []
    services: list[int] = []

    def answer(_: Request) -> Response:
        # what the catalogue told is built while PagerDuty is being read
        until = time.monotonic() + PATIENCE
        while not (tmp_path / "w.facts").exists() and time.monotonic() < until:
            time.sleep(0.02)
        seen.append(progress_of(warehouse))
        with open_facts(warehouse) as facts:
            services.append(len(facts.connection.execute("from services").fetchall()))
        return Response("{}", 401)

    with Loopback(answer) as server:
        settings = Settings(
            organization="acme",
            warehouse=warehouse,
            sources=Sources(
                catalog=Catalog(files=[str(tmp_path / "*.yaml")]),
                pagerduty=PagerDuty(url=server.url, token=SecretStr("x")),
            ),
        )
        collect(settings, build_every=timedelta())
        built = current_facts(warehouse)
        collect(settings, build_every=timedelta())
    first, again = seen[0], seen[-1]
    assert first is not None
    assert again is not None
    assert (first.is_first, again.is_first) == (True, False)
    assert [(one.source, one.status) for one in first.sources] == [
        ("catalog", "read"),
        ("pagerduty", "reading"),
    ]
    assert first.sources[0].counts == {"components": 1}
    assert services[0] == 1
    assert built != current_facts(warehouse)
    assert progress_of(warehouse) is None


@pytest.mark.parametrize("text", ["", "[]", '{"sources": [1]}', '{"started_at": 1, "told_at": 2}'])
def test_progress_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "w.progress").write_text(text)
    assert progress_of(tmp_path / "w.duckdb") is None


def test_a_reading_of_no_kind_concerns_every_page() -> None:
    assert Reading("The service catalogue", (), "", None, True).concerns(())
    assert not Reading("PagerDuty", ("incidents",), "", None, True).concerns(("changes",))
