"""What the numbers rest on: traced, linked, read, lost; and what an import covers."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collectors.contract.items import Malformed
from collectors.contract.records import (
    ChangeEvent,
    Commit,
    Component,
    Coverage,
    Deployment,
    Incident,
    PullRequest,
    PullRequestCommit,
    Record,
    Repository,
)
from config.errors import ConfigurationError
from config.settings import Settings
from tests.conftest import Sample
from warehouse.building.build import build
from warehouse.loading.imports import import_file
from warehouse.metrics.facts import Facts
from warehouse.metrics.published_facts import open_facts
from warehouse.metrics.values import SCOPES, compute
from warehouse.rows.explain import explain
from warehouse.storage.store import open_warehouse
from warehouse.trust.coverage import Gap, ServiceCoverage, coverage
from warehouse.trust.matching import report

NOW = datetime(2024, 11, 16, 9, tzinfo=UTC)
MONDAY = datetime(2024, 11, 2, 10, tzinfo=UTC)
PRODUCTION: dict[str, Any] = {
    "source": "argocd",
    "application": "pay-prod",
    "cluster": "prod",
    "namespace": "pay",
}


def day(n: int) -> datetime:
    return MONDAY + timedelta(days=n)


def sync(number: int, **fields: Any) -> Deployment:
    finished_at = day(fields.pop("on", number))
    return Deployment(
        **PRODUCTION | {"id": f"u/{number}", "status": "success", "finished_at": finished_at} | fields
    )


def told(number: int, service: str, **fields: Any) -> Deployment:
    defaults: dict[str, Any] = {"environment": "production", "status": "success", "finished_at": day(number)}
    return Deployment(source="import", id=f"{service}{number}", service=service, **defaults | fields)


def incident(id: str, service: str | None = "pay", opened_at: datetime = MONDAY, **fields: Any) -> Incident:
    resolved_at = opened_at + timedelta(hours=1)
    return Incident(**{"source": "import", "id": id, "service": service, "opened_at": opened_at,
                       "resolved_at": resolved_at} | fields)  # fmt: skip


EVENT = ChangeEvent(id="e1", reason="related_service", links=("https://argo.example/2",))
RECORDS: list[Record] = [
    Component(name="pay", owner="payments", system="shop", repo="acme/pay", argocd_apps=("pay-prod",)),
    Component(name="bill", owner="payments", system="shop", repo="acme/bill"),
    Repository(repo="acme/pay", created_at=day(-90)),
    Repository(repo="acme/loose", created_at=day(-90)),
    Commit(repo="acme/pay", sha="a0", authored_at=day(-1), committed_at=day(-1)),
    Commit(repo="acme/pay", sha="a1", parents=("a0",), authored_at=day(0), committed_at=day(0)),
    Commit(repo="acme/pay", sha="a2", parents=("a1",), authored_at=day(1), committed_at=day(1)),
    PullRequest(
        repo="acme/pay",
        number=1,
        created_at=day(0),
        merged_at=day(1),
        merge_sha="a1",
        commits=(PullRequestCommit(sha="a1", authored_at=day(0)),),
    ),
    # the 0th is the baseline, the 2nd brings a1 and a2, the 3rd's commit was never read; 4 and 5 were lost
    sync(0, sha="a0", sha_method="trailer", repo="acme/pay"),
    sync(2, sha="a2", sha_method="image label", repo="acme/pay", on=1, url="https://argo.example/2"),
    sync(3, sha="f9f9f9f", sha_method="trailer", repo="acme/pay", on=2),
    sync(6, config_repo="acme/config", config_sha="c6", on=8),
    sync(9, application="elsewhere", on=3),
    # an import told of cart until GitHub did
    Component(name="cart", repo="acme/cart"),
    told(1, "cart"),
    Deployment(
        source="deployments",
        id="g2",
        repo="acme/cart",
        environment="production",
        status="success",
        finished_at=day(2),
    ),
    Coverage(source="import deployments", subject="cart", from_at=day(0), until_at=day(9)),
    Coverage(source="deployments", subject="acme/cart", from_at=day(0), until_at=day(10)),
    told(1, "bill"),
    told(2, "bill"),
    Component(name="how", repo="acme/how"),
    Commit(repo="acme/how", sha="b0", authored_at=day(0), committed_at=day(0)),
    told(1, "how", repo="acme/how", sha="b0"),
    told(2, "how", repo="acme/how", sha="e9e9e9e"),
    incident("opens in the window of the 2nd sync", opened_at=day(1) + timedelta(hours=2)),
    incident("is said by a change event", opened_at=day(2), change_events=(EVENT,)),
    incident("nothing explains", opened_at=day(6)),
    incident("is still open", opened_at=day(6), resolved_at=None, status="triggered"),
    incident("is merged", opened_at=day(6), merged_into="nothing explains"),
    incident("belongs to nobody", service=None, opened_at=day(6)),
    incident("is of an unknown service", service=None, source_service="P9", opened_at=day(6)),
    Coverage(source="argocd", subject="pay-prod", from_at=day(0), until_at=day(3)),
    Coverage(source="argocd", subject="pay-prod", from_at=day(8), until_at=day(10)),
    Coverage(source="git", subject="acme/pay", from_at=day(-90), until_at=day(9)),
    Coverage(source="import deployments", subject="bill", from_at=day(0), until_at=day(5)),
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(organization="acme", warehouse=tmp_path_factory.mktemp("coverage") / "w.duckdb")
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(RECORDS)
        aside = [("acme/pay#7", "no title"), ("pay-prod", "no time"), ("acme/payroll#1", "no title")]
        warehouse.quarantine("github", [Malformed("x", subject, why, "{}") for subject, why in aside], NOW)
    build(settings, NOW)
    return settings


def of(settings: Settings, by: Any, name: str, **asked: Any) -> ServiceCoverage:
    with open_facts(settings.warehouse) as facts:
        (found,) = [one for one in coverage(facts, settings, by, **asked) if one.name == name]
    return found


def test_a_service_tells_how_its_deployments_were_traced(settings: Settings) -> None:
    pay = of(settings, "service", "pay")
    assert (pay.deployments, pay.traced, pay.traced_share) == (4, 2, 0.5)
    assert pay.traced_by == {"commit unknown": 2, "image label": 1, "trailer": 1}


def test_what_an_import_does_not_tell_is_not_untraced(settings: Settings) -> None:
    bill = of(settings, "service", "bill")
    assert (bill.deployments, bill.untold, bill.traceable, bill.traced_share) == (2, 2, 0, None)
    assert bill.traced_by == {"imported without a commit": 2}
    # a commit that is told is traced or not, also where nothing says how it is known
    how = of(settings, "service", "how")
    assert how.traced_by == {"commit unknown": 1, "import": 1}
    everything = of(settings, "organisation", "acme")
    assert (everything.are_nameless, everything.incidents - everything.linkable) == (False, 1)


def test_a_service_tells_which_changes_had_a_pull_request(settings: Settings) -> None:
    pay = of(settings, "service", "pay")
    assert (pay.changes, pay.changes_with_pull_request, pay.pull_request_share) == (2, 1, 0.5)
    assert of(settings, "service", "bill").pull_request_share is None


def test_a_service_tells_what_links_its_incidents_and_which_are_unlinked(settings: Settings) -> None:
    pay = of(settings, "service", "pay")
    assert pay.linked_by == {"change event": 1, "window": 1}
    # the merged one can be no evidence; the open one can
    assert (pay.incidents, pay.unlinked, pay.linked_share) == (4, 2, 0.5)


def test_a_gap_has_its_dates_and_what_is_known_to_be_lost(settings: Settings) -> None:
    pay = of(settings, "service", "pay")
    assert pay.gaps == (Gap("deployments", "argocd", "pay-prod", day(3), day(8), 2),)
    assert pay.lost_entries == 2
    assert of(settings, "service", "bill").gaps == ()


def test_a_source_is_as_fresh_as_its_last_reading_about_the_service(settings: Settings) -> None:
    def fresh(name: str) -> dict[str, datetime]:
        return {one.source: one.read_until for one in of(settings, "service", name).freshness}

    assert fresh("pay") == {"argocd": day(10), "git": day(9)}
    assert fresh("bill") == {"import deployments": day(5)}
    # what another source took over from is no measure of freshness
    assert fresh("cart") == {"deployments": day(10)}
    assert fresh("acme/loose") == {}


def test_the_quarantine_counts_for_the_service_that_an_item_names(settings: Settings) -> None:
    assert of(settings, "service", "pay").quarantined == 2
    assert of(settings, "service", "bill").quarantined == 0
    assert of(settings, "organisation", "acme").quarantined == 3


def test_what_is_unmapped_is_told_of_the_organisation(settings: Settings) -> None:
    unmapped = {(one.kind, one.name): one.rows for one in of(settings, "organisation", "acme").unmapped}
    assert unmapped == {
        ("Argo CD application", "elsewhere"): 1,
        ("PagerDuty service", "P9"): 1,
        ("incident without a service", ""): 1,
        ("repository", "acme/loose"): 0,
    }
    loose = of(settings, "service", "acme/loose")
    assert not loose.is_mapped
    assert [one.name for one in loose.unmapped] == ["acme/loose"]
    assert of(settings, "team", "payments").unmapped == ()


def test_a_roll_up_pools_its_services(settings: Settings) -> None:
    team = of(settings, "team", "payments")
    assert (team.services, team.deployments, team.traced) == (2, 6, 2)
    assert of(settings, "system", "shop").incidents == 4
    # those of no service are in the organisation's only
    assert of(settings, "organisation", "acme").incidents == 6


def test_a_range_narrows_the_counts(settings: Settings) -> None:
    pay = of(settings, "service", "pay", start=day(1).date(), end=day(2).date())
    assert (pay.deployments, pay.changes, pay.incidents) == (1, 2, 1)
    assert pay.statuses["lead_time"] == "insufficient"
    assert pay.statuses["developer_satisfaction"] == "no data"


@pytest.mark.parametrize("scope", SCOPES)
def test_the_counts_are_those_of_the_numbers(sample: Sample, sample_facts: Facts, scope: Any) -> None:
    values = compute(sample_facts, sample.settings, scope, metrics=["deployment_frequency", "lead_time"])
    n = {(value.metric, value.name): value.n for value in values}
    found = coverage(sample_facts, sample.settings, scope)
    assert found
    for one in found:
        assert one.deployments == n["deployment_frequency", one.name]
        assert one.changes == n["lead_time", one.name]


def test_check_tells_what_the_numbers_rest_on(settings: Settings) -> None:
    parts = {part.title: part.rows for part in report(settings)}
    rests = {row[0]: row[1:] for row in parts["What the numbers rest on"]}
    assert rests["pay"] == (4, "commit unknown 2, image label 1, trailer 1", "1 of 2", 4,
                            "change event 1, window 1, nothing 2")  # fmt: skip
    fresh = {row[0]: row[1:] for row in parts["How fresh they are"]}
    assert fresh["pay"] == ("2024-11-11 10:00", 2, "LT")
    assert fresh["acme/loose"][0] == "never"
    assert parts["Gaps"] == [
        ("pay", "deployments", "argocd pay-prod", "2024-11-05 10:00", "2024-11-10 10:00", 2)
    ]


def test_check_tells_nothing_of_numbers_before_any_are_built(tmp_path: Path) -> None:
    settings = Settings(organization="acme", warehouse=tmp_path / "w.duckdb")
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(RECORDS[:3])
    assert "What the numbers rest on" not in {part.title for part in report(settings)}


# --- what an import covers

DEPLOYMENTS = """source,id,service,repo,application,environment,status,started_at,finished_at
ours,1,pay,,,production,success,2024-11-03T23:30:00Z,2024-11-04T09:00:00Z
ours,2,bill,,,production,success,2024-11-06T09:00:00Z,2024-11-06T22:30:00Z
"""


def covers(
    folder: Path, kind: str, text: str, days: tuple[date, date] | None = None
) -> list[tuple[str, str, str, str]]:
    folder.mkdir(exist_ok=True)
    (folder / "rows.csv").write_text(text, encoding="utf-8")
    settings = Settings(organization="acme", timezone="Europe/Berlin", warehouse=folder / "w.duckdb")
    import_file(settings, kind, folder / "rows.csv", days)
    with open_warehouse(settings.warehouse) as warehouse:
        rows = warehouse.connection.execute(
            "select source, subject, strftime(from_at, '%d %H:%M'), strftime(until_at, '%d %H:%M')"
            " from coverage order by all"
        ).fetchall()
    return rows


def test_an_import_covers_the_days_from_its_first_to_its_last_row(tmp_path: Path) -> None:
    # 23:30 and 22:30 UTC are half past midnight and half past eleven in Berlin
    assert covers(tmp_path, "deployments", DEPLOYMENTS) == [
        ("import deployments", "bill", "03 23:00", "06 23:00"),
        ("import deployments", "pay", "03 23:00", "06 23:00"),
    ]


def test_an_import_covers_what_it_is_told_to(tmp_path: Path) -> None:
    found = covers(tmp_path, "deployments", DEPLOYMENTS, (date(2024, 11, 1), date(2024, 11, 16)))
    assert found == [
        ("import deployments", "bill", "31 23:00", "15 23:00"),
        ("import deployments", "every service", "31 23:00", "15 23:00"),
        ("import deployments", "pay", "31 23:00", "15 23:00"),
    ]


def test_no_file_is_complete_for_days_that_have_not_begun(tmp_path: Path) -> None:
    today = datetime.now(ZoneInfo("Europe/Berlin")).date()
    begun = covers(tmp_path, "deployments", DEPLOYMENTS, (date(2024, 11, 1), today + timedelta(days=1)))
    assert covers(tmp_path, "deployments", DEPLOYMENTS, (date(2024, 11, 1), date(2099, 1, 1))) == begun
    assert covers(tmp_path / "later", "deployments", DEPLOYMENTS, (date(2098, 1, 1), date(2099, 1, 1))) == []


def test_an_import_of_a_collectors_rows_is_a_reading_of_that_source(tmp_path: Path) -> None:
    text = (
        "source,id,service,repo,application,environment,status,finished_at\n"
        "deployments,1,,acme/pay,,production,success,2024-11-04T09:00:00Z\n"
        "argocd,u/1,,acme/pay,pay-prod,,success,2024-11-04T09:00:00Z\n"
    )
    assert [row[:2] for row in covers(tmp_path, "deployments", text)] == [
        ("argocd", "pay-prod"),
        ("deployments", "acme/pay"),
    ]


def test_an_import_of_workflow_runs_covers_their_repositories(tmp_path: Path) -> None:
    text = "repo,id,workflow,created_at\nacme/pay,1,deploy.yml,2024-11-04T09:00:00Z\n"
    days = ("acme/pay", "03 23:00", "04 23:00")
    # a file has the jobs of its runs, so that it speaks of the steps of golden paths too
    assert covers(tmp_path, "workflow_runs", text) == [("workflow_jobs", *days), ("workflow_runs", *days)]


def test_an_import_of_incidents_covers_the_services_that_it_names(tmp_path: Path) -> None:
    text = (
        "source,id,service,source_service,opened_at\n"
        "ours,1,pay,,2024-11-04T09:00:00Z\nours,2,,P9,2024-11-04T09:00:00Z\nours,3,,,2024-11-04T09:00:00Z\n"
    )
    assert [row[:2] for row in covers(tmp_path, "incidents", text)] == [
        ("import incidents", "*"),
        ("import incidents", "P9"),
        ("import incidents", "pay"),
    ]


def test_an_empty_file_covers_the_days_that_it_is_told_to_be_complete_for(tmp_path: Path) -> None:
    header = "source,id,service,opened_at\n"
    assert covers(tmp_path, "incidents", header) == []
    found = covers(tmp_path, "incidents", header, (date(2024, 11, 1), date(2024, 11, 3)))
    assert found == [("import incidents", "every service", "31 23:00", "02 23:00")]
    settings = Settings(organization="acme", timezone="Europe/Berlin", warehouse=tmp_path / "w.duckdb")
    build(settings, NOW)
    with open_facts(settings.warehouse) as facts:
        values = compute(facts, settings, period="day", metrics=["mttr"], end=date(2024, 11, 4))
    assert [value.status for value in values] == ["none", "none", "no data"]


def test_an_imported_row_of_a_collectors_source_counts_as_covered(tmp_path: Path) -> None:
    text = DEPLOYMENTS.replace("ours", "deployments")
    covers(tmp_path, "deployments", text)
    settings = Settings(organization="acme", timezone="Europe/Berlin", warehouse=tmp_path / "w.duckdb")
    build(settings, NOW)
    with open_facts(settings.warehouse) as facts:
        (value,) = compute(
            facts, settings, where={"service": "pay"}, metrics=["deployment_frequency"],
            start=date(2024, 11, 1), end=date(2024, 11, 16),
        )  # fmt: skip
    assert (value.value, value.n) == (1 / 3, 1)


# --- what has no instant, and what there is not


def test_a_row_without_an_instant_is_listed_by_its_start(tmp_path: Path) -> None:
    settings = Settings(organization="acme", timezone="Europe/Berlin", warehouse=tmp_path / "w.duckdb")
    running = told(
        1, "pay", status="running", finished_at=None, started_at=datetime(2024, 11, 3, 23, 30, tzinfo=UTC)
    )
    still_open = incident("open", opened_at=datetime(2024, 11, 3, 23, 30, tzinfo=UTC), resolved_at=None)
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert([running, still_open])
    build(settings, NOW)

    def listed(metric: str, of: date) -> list[str]:
        with open_facts(settings.warehouse) as facts:
            rows = explain(facts, settings, metric, {}, of, of + timedelta(days=1)).rows
        return [row["excluded_because"] for row in rows]

    for metric, reason in (
        ("deployment_frequency", "not finished: running, or waiting for approval"),
        ("mttr", "not resolved"),
    ):
        assert listed(metric, date(2024, 11, 3)) == []
        assert listed(metric, date(2024, 11, 4)) == [reason]


def test_a_range_without_a_day_is_refused(settings: Settings) -> None:
    with open_facts(settings.warehouse) as facts, pytest.raises(ConfigurationError, match="holds no day"):
        coverage(facts, settings, "service", date(2024, 11, 3), date(2024, 11, 3))
