"""What has to come before the deployment, after it, and what may run whenever it does; which commit speaks."""

from datetime import UTC, datetime, timedelta

from config.platform_team.golden_paths import GoldenPath
from config.platform_team.step_kinds import judged_steps
from warehouse.building.standards.conformance import AskedStep, JobRun, ReadOfDeployment, judge_steps

AT = datetime(2026, 11, 3, 12, tzinfo=UTC).replace(tzinfo=None)


def outcomes(path: dict[str, object], jobs: dict[str, tuple[int, int]]) -> dict[str, str]:
    """By step; `jobs` are minutes after the deployment began, which took ten, by the step that each job is."""
    steps = judged_steps(GoldenPath.model_validate({"name": "p", **path}))
    told = ReadOfDeployment("c", None, None, AT, AT + timedelta(minutes=10), None)
    for step in steps:
        if step.name in jobs:
            begun, ended = (AT + timedelta(minutes=minute) for minute in jobs[step.name])
            run = (AT - timedelta(hours=1), 1, 1)
            job = JobRun("c", "ci.yml", run, step.name, begun, ended, "success", None, None)
            told.jobs[step.position].append(job)
    asked = [
        AskedStep(s.position, s.name, s.kind, s.is_required, s.timeout_seconds, s.is_auto, s.has_place)
        for s in steps
    ]
    return {step.name: found.outcome for step, found in zip(steps, judge_steps(asked, told), strict=True)}


def test_scanning_that_only_a_guardrail_asks_for_has_no_place_in_the_order() -> None:
    path = {"deployment": {"github_actions": True}, "guardrails": ["Security scanning"]}
    found = outcomes(path, {"GitHub Actions": (-30, -5), "Security scanning": (-20, -10)})
    assert found == dict.fromkeys(("GitHub Actions", "Deploy to Production", "Security scanning"), "followed")


def test_what_follows_production_may_end_after_the_deployment_and_not_run_before_it() -> None:
    path = {"deployment": {"steps": ["Test", "Deploy to Production", "Smoke test"]}}
    assert outcomes(path, {"Test": (-30, -20), "Smoke test": (12, 15)})["Smoke test"] == "followed"
    assert outcomes(path, {"Test": (-30, -20), "Smoke test": (-10, -5)})["Smoke test"] == "out of order"
    assert outcomes(path, {"Test": (12, 15)})["Test"] == "late"


def test_what_was_skipped_after_the_merge_counts_as_it_ran_in_the_pull_request() -> None:
    step = AskedStep(1, "Test", "test", True, None, False)

    def outcome(*jobs: tuple[str, str]) -> str:
        told = ReadOfDeployment("c", "head", None, AT, AT + timedelta(minutes=10), None)
        run, ended = (AT - timedelta(hours=1), 1, 1), AT - timedelta(minutes=5)
        told.jobs[1] = [JobRun(sha, "ci.yml", run, "t", ended, ended, said, None, None) for sha, said in jobs]
        return judge_steps([step], told)[0].outcome

    assert outcome(("c", "skipped"), ("head", "success")) == "followed"
    assert outcome(("c", "skipped"), ("head", "failure")) == "failed"
    assert outcome(("c", "failure"), ("head", "success")) == "failed"
    assert outcome(("c", "skipped")) == outcome(("c", "skipped"), ("head", "skipped")) == "skipped"
