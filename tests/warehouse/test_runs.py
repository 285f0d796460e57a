"""What a run leaves behind besides its rows: what it cost, what it set aside, and what it waited for."""

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from pydantic import SecretStr

from collectors.contract.items import Item, Resume
from config.settings import Settings
from config.sources import ArgoCD, PagerDuty, Sources
from sample_data.servers import faults
from tests.support.faulty_sources import Bench, hours, make_organisation, serving, told
from tests.support.github_organisation import NOW, TOKEN
from warehouse import pipeline
from warehouse.loading.configured import Source
from warehouse.loading.runs import Run
from warehouse.metrics.published_facts import open_facts
from warehouse.pipeline import collect
from warehouse.progress import Silent
from warehouse.storage.store import open_warehouse

# stopped, and waiting for others
NEVER: tuple[Any, ...] = (threading.Event(), lambda names, tell: None)


class Heard(Silent):
    """Progress that keeps what it is told besides the numbers of records."""

    def __init__(self) -> None:
        self.waits: list[tuple[str, str]] = []
        self.parts: list[tuple[str, int, int, str]] = []

    def wait(self, source: str, text: str) -> None:
        self.waits.append((source, text))

    def part(self, source: str, done: int, total: int, of: str, seconds_left: float | None) -> None:
        self.parts.append((source, done, total, of))


def settings_of(bench: Bench, folder: Path) -> Settings:
    token = SecretStr(TOKEN)
    return Settings(
        organization="acme",
        timezone="UTC",
        warehouse=folder / "acme.duckdb",
        sources=Sources(
            argocd=[ArgoCD(url=f"{bench.url}/argocd", token=token)],
            pagerduty=PagerDuty(url=f"{bench.url}/pagerduty", token=token),
        ),
    )


def run(settings: Settings, source: str, **more: Any) -> Run:
    (found,) = collect(settings, only=source, **{"now": NOW, **more})
    return found


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with open_warehouse(settings.warehouse) as warehouse:
        return warehouse.connection.execute(query).fetchall()


COST = "select status, items, requests, failed_requests, bytes, waited_seconds from runs order by started_at"


def test_what_a_run_cost_is_on_record_in_its_summary_and_in_the_facts(tmp_path: Path) -> None:
    heard = Heard()
    with serving(tmp_path, make_organisation()) as bench:
        settings = settings_of(bench, tmp_path)
        bench.faulty.next(faults.status(429, "{}", Retry_After="1"))
        found = run(settings, "argocd", progress=heard)
        asked = len(bench.faulty.asked)
    assert asked == 5
    with open_facts(settings.warehouse) as facts:
        ((status, items, requests, failed, size, waited),) = facts.connection.execute(COST).fetchall()
    assert (status, items, requests, failed) == ("ok", 5, asked, 1)
    assert size > 1000
    assert 0.99 <= waited < 2
    assert found.summary == "4 deployments in 5 requests, 1 kB, 1 s waiting"
    assert heard.waits == [("argocd:main", "waiting 1 s for argocd main's rate limit")]
    assert heard.parts == [("argocd:main", 1, 1, "applications")]


def test_a_run_that_failed_has_its_requests_on_record_and_no_source_another_s(tmp_path: Path) -> None:
    with serving(tmp_path, make_organisation()) as bench:
        settings = settings_of(bench, tmp_path)
        bench.faulty.next(faults.status(401), "/argocd", times=None)
        argocd, pagerduty = collect(settings, now=NOW)
    assert (argocd.meter.requests, argocd.meter.failed_requests) == (1, 1)
    assert (pagerduty.meter.requests, pagerduty.meter.failed_requests) == (8, 0)
    assert [row[:4] for row in rows(settings, COST)] == [("failed", 0, 1, 1), ("ok", 105, 8, 0)]


def test_a_warehouse_of_before_gets_the_columns_of_what_a_run_cost(tmp_path: Path) -> None:
    path = tmp_path / "acme.duckdb"
    with open_warehouse(path):
        pass
    with duckdb.connect(str(path)) as connection:
        connection.execute("update about set version = 1")
        connection.execute("alter table runs drop column bytes")
        connection.execute("alter table quarantine drop column key")
    with serving(tmp_path, make_organisation()) as bench:
        assert run(settings_of(bench, tmp_path), "argocd").error is None


QUARANTINE = "select kind, subject, reason from quarantine"


def without_opening(_: Any, value: Any) -> Any:
    for incident in value["incidents"]:
        incident["created_at"] = incident["created_at"] if incident["id"] != "Q1" else None
    return value


def test_a_malformed_item_leaves_the_quarantine_once_it_is_read_well(tmp_path: Path) -> None:
    with serving(tmp_path, make_organisation()) as bench:
        settings = settings_of(bench, tmp_path)
        # each reading of it: as one of two stretches of time
        bench.faulty.next(faults.changed(without_opening), "/incidents?sort_by", times=2)
        assert run(settings, "pagerduty").quarantined == 1
        assert rows(settings, QUARANTINE) == [
            ("incidents", "Q1", "opened_at: Input should be a valid datetime")
        ]
        # not from the first day on: what was not met is not let go for that
        run(settings, "pagerduty", since=date(2026, 10, 1))
    assert rows(settings, QUARANTINE) == []
    assert rows(settings, "select count(*) from incidents where id = 'Q1'") == [(1,)]


def test_what_a_complete_reading_does_not_meet_again_leaves_the_quarantine(tmp_path: Path) -> None:
    organisation = make_organisation()
    history = organisation.argocd.applications[0]["status"]["history"]
    history.insert(0, {"revision": "no id"})
    with serving(tmp_path, organisation) as bench:
        settings = settings_of(bench, tmp_path)
        run(settings, "argocd")
        assert len(rows(settings, QUARANTINE)) == 1
        history.pop(0)
        run(settings, "argocd")
        assert len(rows(settings, QUARANTINE)) == 1, "an ordinary run does not read everything"
        run(settings, "argocd", since=date(2026, 11, 1))
        assert len(rows(settings, QUARANTINE)) == 1, "nor does one from a later day than the first"
        run(settings, "argocd", since=date(2025, 1, 1))
    assert rows(settings, QUARANTINE) == []


def test_a_sync_that_was_seen_running_is_stored_once_when_it_has_ended(tmp_path: Path) -> None:
    organisation = make_organisation()
    status = organisation.argocd.applications[0]["status"]
    status["operationState"] = {
        "startedAt": told(hours(3)),
        "phase": "Running",
        "operation": {"sync": {"revision": "f" * 40}},
    }
    ids = "select id, status from deployments order by finished_at"
    with serving(tmp_path, organisation) as bench:
        settings = settings_of(bench, tmp_path)
        run(settings, "argocd")
        before = rows(settings, ids)
        status["operationState"]["phase"] = "Succeeded"
        status["history"].append({**status["history"][-1], "id": 3, "deployStartedAt": told(hours(3))})
        status["history"][-1]["deployedAt"] = told(hours(3.1))
        run(settings, "argocd", now=NOW + timedelta(minutes=15))
    assert before == [("u1/0", "success"), ("u1/1", "success"), ("u1/2", "success")]
    assert rows(settings, ids) == [*before, ("u1/3", "success")]


def test_of_very_many_runs_the_oldest_are_forgotten_but_the_last_that_went_well(tmp_path: Path) -> None:
    with serving(tmp_path, make_organisation()) as bench:
        settings = settings_of(bench, tmp_path)
        run(settings, "argocd")
        with open_warehouse(settings.warehouse) as warehouse:
            warehouse.connection.execute(
                "insert into runs by name select 'r' || n as run_id, 'pagerduty' as source,"
                " if(n = 1, 'ok', 'failed') as status, timestamp '2026-01-01' + to_minutes(n) as started_at"
                " from range(9010) as t (n)"
            )
        run(settings, "argocd")
    kept = rows(
        settings,
        "select count(*), min(started_at), count_if(run_id = 'r1') from runs where source = 'pagerduty'",
    )
    assert kept == [(9001, datetime(2026, 1, 1, 0, 1), 1)]
    assert rows(settings, "select count(*) from runs where source = 'argocd:main'") == [(2,)]


def test_a_fault_of_the_program_says_where_it_was_and_holds_no_secret(tmp_path: Path) -> None:
    secret = "a-token-of-somebody"
    argo = ArgoCD.model_construct(name="main", url="http://127.0.0.1:9", token=SecretStr(secret))
    sources = Sources.model_construct(argocd=[argo])
    settings = Settings.model_construct(
        organization="acme", warehouse=tmp_path / "w.duckdb", sources=sources, timezone="UTC"
    )

    def broken(_: Resume) -> Iterator[Item]:
        raise RuntimeError(f"no room for {secret}")
        yield

    kept = tmp_path / "w.faults.log"
    for _ in range(3):
        found = pipeline._run(settings, Source("broken", broken), Silent(), None, NOW, False, *NEVER)
        assert found.error is not None
        assert found.error.startswith("broken: RuntimeError: no room for ")
        assert found.error.endswith(f"(a fault of Sixkeys; see run {found.run_id[:8]} in w.faults.log)")
        assert f"run {found.run_id}, broken" in kept.read_text()
        assert secret not in found.error
    assert kept.read_text().count("in broken") == 3
    assert secret not in kept.read_text()

    kept.write_text("x" * 499_999)
    pipeline._run(
        settings,
        Source("broken", broken),
        Silent(),
        None,
        NOW,
        False,
        threading.Event(),
        lambda names, tell: None,
    )
    assert kept.stat().st_size < 10_000
    assert (tmp_path / "w.faults.log.1").stat().st_size == 499_999
