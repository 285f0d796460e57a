"""GitHub Actions runs: one of `deploy.yml` behind each deployment object, and `ci.yml` on pull requests."""

from datetime import timedelta

from sample_data.model import Deployment, PullRequest, Repository, WorkflowJob, WorkflowRun
from sample_data.work.staff import ACTIONS

_CONCLUSIONS = {"SUCCESS": "success", "FAILURE": "failure", "ERROR": "failure", "INACTIVE": "cancelled"}


def workflow_runs(repository: Repository, first_id: int) -> list[WorkflowRun]:
    """The runs in the order of their creation; every seventh pull request needed a second attempt."""
    made: list[WorkflowRun] = []
    number = 19_000_000_000 + first_id * 10
    for deployment in repository.deployments:
        number += 2
        made.append(_deploy(deployment, number))
    for pull in repository.pull_requests:
        number += 2
        made += _checks(pull, number)
    return sorted(made, key=lambda run: (run.created_at, run.id, run.attempt))


def _deploy(deployment: Deployment, number: int) -> WorkflowRun:
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
    )


def _checks(pull: PullRequest, number: int) -> list[WorkflowRun]:
    attempts = ("failure", "success") if pull.number % 7 == 0 else ("success",)
    created = pull.created_at + timedelta(seconds=20)
    runs = []
    for attempt, conclusion in enumerate(attempts, start=1):
        began = created + timedelta(minutes=15 * (attempt - 1))
        tested = began + timedelta(minutes=4 + pull.number % 5)
        ended = tested + timedelta(seconds=50)
        jobs = (
            WorkflowJob(number * 10 + 2 * attempt, "test", began + timedelta(seconds=12), tested, conclusion),
            WorkflowJob(
                number * 10 + 2 * attempt + 1, "lint", began + timedelta(seconds=9), ended, "success"
            ),
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
                conclusion=conclusion,
                created_at=created,
                run_started_at=began,
                updated_at=ended,
                actor=pull.author,
                jobs=jobs,
            )
        )
    return runs
