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
        {"name": "cluster", "deployment": {"steps": [{"name": "Build"}, {"name": "Sign"}]}},
    ]
    settings = Settings.model_validate(
        {"organization": "acme", "warehouse": tmp_path / "w.duckdb", "golden_paths": paths}
    )
    jobs = [{"name": "unit-tests"}, {"name": "trivy"}]
    runs = [
        WorkflowRun(repo="acme/app", id=n, workflow="ci.yml", created_at=AT, jobs=jobs[: 3 - n])
        for n in (1, 2)
    ]
    # of a service on no path, and of one whose jobs are read only where they deploy
    elsewhere = [
        WorkflowRun(repo=repo, id=3, workflow="ci.yml", created_at=AT, jobs=[{"name": "sonar"}])
        for repo in ("acme/other", "acme/new")
    ]
    imported = WorkflowRun(
        repo="acme/tekton", id=4, workflow="main", created_at=AT, jobs=[{"name": "kaniko"}]
    )
    with open_warehouse(settings.warehouse) as warehouse, warehouse.transaction():
        warehouse.upsert(
            [
                *(
                    Repository(repo=f"acme/{name}", created_at=AT)
                    for name in ("app", "other", "lost", "new", "tekton")
                ),
                Component(name="app", repo="acme/app", golden_path="Web"),
                Component(name="other", repo="acme/other"),
                Component(name="new", repo="acme/new", golden_path="web"),
                Component(name="tekton", repo="acme/tekton", golden_path="cluster"),
                Component(name="lost", repo="acme/lost", golden_path="wbe"),
                *(
                    Coverage(source=source, subject=f"acme/{name}", from_at=AT, until_at=AT)
                    for source, name in (
                        ("workflow_jobs", "app"),
                        ("workflow_jobs", "other"),
                        ("workflow_runs", "new"),
                        ("import workflow_runs", "tekton"),
                    )
                ),
                *runs,
                *elsewhere,
                imported,
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
    assert [one for one in told if '"cluster"' in one] == [
        'step Sign of the golden path "cluster" matches no job of 1 workflow; seen: `kaniko`'
    ]
    assert 'no service is on the golden path "batch"' in told
    assert 'lost names the golden path "wbe", which nobody describes' in told
