"""What `sixkeys check` says of golden paths that fit nothing."""

from datetime import UTC, datetime
from pathlib import Path

from collectors.contract.records import Component, Coverage, Repository, WorkflowRun
from config.settings import Settings
from warehouse.storage.store import open_warehouse
from warehouse.trust.matching import PROBLEMS, report

AT = datetime(2026, 11, 3, tzinfo=UTC)
STEPS = [{"name": "Test"}, {"name": "Scan", "match": {"job": "sonar*"}}, {"name": "Deploy to Staging"}]


def test_a_path_that_fits_nothing_is_told_with_the_jobs_that_were_seen(tmp_path: Path) -> None:
    paths = [
        {"name": "web", "deployment": {"steps": STEPS}},
        {"name": "batch", "deployment": {"steps": [{"name": "Build"}]}},
    ]
    settings = Settings.model_validate(
        {"organization": "acme", "warehouse": tmp_path / "w.duckdb", "golden_paths": paths}
    )
    jobs = [{"name": "unit-tests"}, {"name": "trivy"}]
    runs = [
        WorkflowRun(repo="acme/app", id=n, workflow="ci.yml", created_at=AT, jobs=jobs[: 3 - n])
        for n in (1, 2)
    ]
    elsewhere = WorkflowRun(
        repo="acme/other", id=3, workflow="ci.yml", created_at=AT, jobs=[{"name": "sonar"}]
    )
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(
            [
                *(Repository(repo=f"acme/{name}", created_at=AT) for name in ("app", "other", "lost")),
                Component(name="app", repo="acme/app", golden_path="Web"),
                Component(name="other", repo="acme/other"),
                Component(name="lost", repo="acme/lost", golden_path="wbe"),
                Coverage(source="workflow_jobs", subject="acme/app", from_at=AT, until_at=AT),
                *runs,
                elsewhere,
            ]
        )
    (part,) = [part for part in report(settings) if part.title == PROBLEMS]
    told = [row[0] for row in part.rows]
    assert (
        'step Scan of the golden path "web" matches no job of 1 workflow; seen: `unit-tests`, `trivy`' in told
    )
    assert any(
        one.startswith('step Deploy to Staging of the golden path "web" matches no job') for one in told
    )
    assert not any("step Test" in one for one in told)
    assert 'no service is on the golden path "batch"' in told
    assert 'lost names the golden path "wbe", which nobody describes' in told
