"""GitHub Actions runs: one of `deploy.yml` behind each deployment object, and `ci.yml` on pull requests."""

from datetime import datetime, timedelta

from sample_data.model import Deployment, PullRequest, Repository, WorkflowJob, WorkflowRun
from sample_data.organisation.platform_team import MISSES, MOVED, ON_PATHS
from sample_data.work.staff import ACTIONS
from sample_data.work.weeks import Weeks

_CONCLUSIONS = {"SUCCESS": "success", "FAILURE": "failure", "ERROR": "failure", "INACTIVE": "cancelled"}
# on a path, in minutes from its beginning
_BUILD, _TEST, _SCAN = (0, 1), (1, 4), (4, 5)


def workflow_runs(repository: Repository, first_id: int, weeks: Weeks) -> list[WorkflowRun]:
    """The runs in the order of their creation; every seventh pull request needed a second attempt."""
    made: list[WorkflowRun] = []
    number = 19_000_000_000 + first_id * 10
    merged = {pull.merge_sha: pull for pull in repository.pull_requests if pull.merge_sha}
    for deployment in repository.deployments:
        number += 2
        made.append(_deploy(deployment, merged.get(deployment.sha), number))
    joined = weeks.at(MOVED.get(repository.name, -1000), "Mon 00:00")
    for pull in repository.pull_requests:
        number += 2
        made += _checks(pull, number, repository.name in ON_PATHS and pull.created_at >= joined)
    return sorted(made, key=lambda run: (run.created_at, run.id, run.attempt))


def _deploy(deployment: Deployment, pull: PullRequest | None, number: int) -> WorkflowRun:
    final = next(
        (status for status in deployment.statuses if status.state in ("SUCCESS", "FAILURE", "ERROR")),
        deployment.statuses[-1],
    )
    conclusion = _CONCLUSIONS.get(final.state)
    created = deployment.created_at - timedelta(seconds=25)
    ended = final.created_at + timedelta(seconds=4)
    job = WorkflowJob(
        number + 1,
        f"deploy to {deployment.environment}",
        deployment.created_at,
        final.created_at,
        conclusion or "",
    )
    is_approved = pull and conclusion == "success" and MISSES.get(pull.title) == "approved by hand"
    return WorkflowRun(
        id=number,
        attempt=1,
        path=".github/workflows/deploy.yml",
        name="deploy",
        event="push",
        branch=deployment.ref.removeprefix("refs/"),
        sha=deployment.sha,
        status="completed" if conclusion else "waiting",
        conclusion=conclusion,
        created_at=created,
        run_started_at=created,
        updated_at=ended,
        actor=ACTIONS.account,
        jobs=(job,) if conclusion else (),
        approvals=((deployment.environment, pull.author),) if pull and is_approved else (),
    )


def _checks(pull: PullRequest, number: int, is_on_path: bool) -> list[WorkflowRun]:
    attempts = ("failure", "success") if pull.number % 7 == 0 else ("success",)
    created = pull.created_at + timedelta(seconds=20)
    runs = []
    for attempt, conclusion in enumerate(attempts, start=1):
        began = created + timedelta(minutes=15 * (attempt - 1))
        first_id = number * 10 + 4 * attempt
        jobs = (
            _path(pull, began, conclusion, first_id)
            if is_on_path
            else _plain(pull, began, conclusion, first_id)
        )
        runs.append(
            WorkflowRun(
                id=number,
                attempt=attempt,
                path=".github/workflows/ci.yml",
                name="ci",
                event="pull_request",
                branch=pull.head_branch,
                sha=pull.commits[-1].sha,
                status="completed",
                conclusion="failure" if any(job.conclusion == "failure" for job in jobs) else "success",
                created_at=created,
                run_started_at=began,
                updated_at=max(job.completed_at for job in jobs),
                actor=pull.author,
                jobs=jobs,
            )
        )
    return runs


def _plain(pull: PullRequest, began: datetime, conclusion: str, id: int) -> tuple[WorkflowJob, ...]:
    tested = began + timedelta(minutes=4 + pull.number % 5)
    return (
        WorkflowJob(id, "test", began + timedelta(seconds=12), tested, conclusion),
        WorkflowJob(id + 1, "lint", began + timedelta(seconds=9), tested + timedelta(seconds=50), "success"),
    )


def _path(pull: PullRequest, began: datetime, conclusion: str, id: int) -> tuple[WorkflowJob, ...]:
    """Build, test and scan one after the other, but for what went otherwise."""
    miss = MISSES.get(pull.title)
    build, test, scan = _BUILD, _TEST, _SCAN
    outcomes = {"build": "success", "test": conclusion, "trivy": "success"}
    if miss == "slow build":
        build, test, scan = (0, 14), (14, 17), (17, 18)
    elif miss == "scan first":
        build, scan, test = (0, 1), (1, 2), (2, 5)
    elif miss == "scan late" and pull.merged_at:
        start = (pull.merged_at - began) // timedelta(minutes=1)
        scan = (start, start + 20)
    elif miss == "scan skipped":
        outcomes["trivy"] = "skipped"
    elif miss == "test failed":
        outcomes["test"] = "failure"
    return tuple(
        WorkflowJob(
            id + place,
            name,
            began + timedelta(minutes=minutes[0]),
            began + timedelta(minutes=minutes[1]),
            outcomes[name],
        )
        for place, (name, minutes) in enumerate((("build", build), ("test", test), ("trivy", scan)))
        if not (name == "trivy" and miss == "no scan")
    )
