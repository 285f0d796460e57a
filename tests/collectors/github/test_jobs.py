"""Runs that are read whole: their jobs with links and steps, and who approved them, of few repositories."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from collectors.contract.items import Checkpoint, Resume, SetAside
from collectors.contract.records import Coverage, WorkflowRun
from collectors.github.jobs import again, collect
from collectors.github.workflow_runs import WholeRuns
from sample_data.model import Person, WorkflowJob
from sample_data.servers.server import SampleServer
from tests.support.github_organisation import (
    ANNA,
    CREATED,
    NOW,
    PEOPLE,
    SINCE,
    make_repository,
    make_run,
    of,
    serve,
    settings,
)

ROBOT = Person("robot", "Bot")


def whole(
    server: SampleServer,
    repositories: Mapping[str, datetime],
    cursors: dict[str, Any],
    now: datetime = NOW,
    steps: tuple[str, ...] = (),
) -> list[Any]:
    resume = Resume(now, SINCE, dict(cursors))
    items = list(collect(settings(server.url), resume, PEOPLE, repositories, WholeRuns(steps)))
    cursors.update({item.subject: item.cursor for item in items if isinstance(item, Checkpoint)})
    return items


def test_jobs_and_approvals_are_read_of_the_named_repositories_alone_and_counted() -> None:
    checks = replace(
        make_run(1, path=".github/workflows/ci.yml"),
        jobs=(WorkflowJob(7, "main", NOW, NOW, "success", ("Checkout", "Quality gate")),),
    )
    deploying = replace(make_run(2), approvals=(("production", ANNA), ("canary", ROBOT)))
    repository = make_repository(workflow_runs=[checks, deploying])
    with serve(repository, make_repository("other", workflow_runs=[make_run(9)])) as server:
        cursors: dict[str, Any] = {}
        found = whole(server, {"acme/checkout": CREATED}, cursors, steps=("quality *",))
        runs = {run.id: run for run in of(found, WorkflowRun)}
        assert set(runs) == {1, 2}
        (job,) = runs[1].jobs
        assert job.url
        assert job.url.endswith("/acme/checkout/actions/runs/1/job/7")
        assert [step.name for step in job.steps] == ["Quality gate"]
        assert (runs[1].approved, runs[2].approved) == ((), ("production",)), "a robot is nobody who approves"
        assert [(c.source, c.subject, c.until_at) for c in of(found, Coverage)] == [
            ("workflow_jobs", "acme/checkout", NOW)
        ]
        # the list, the jobs of two runs, and the approvals of the one that may deploy
        assert server.requests["github rest"] == 4
        server.requests.clear()
        assert of(whole(server, {"acme/checkout": CREATED}, cursors, steps=("quality *",)), WorkflowRun) == []
        assert server.requests["github rest"] == 1
        # of other steps nothing was kept: all is read anew
        assert (
            len(of(whole(server, {"acme/checkout": CREATED}, cursors, steps=("check*",)), WorkflowRun)) == 2
        )


def test_jobs_are_read_as_far_back_as_the_settings_say_and_on_from_there() -> None:
    old = make_run(1, at=NOW - timedelta(days=100))
    repository = make_repository(workflow_runs=[old, make_run(2, at=NOW - timedelta(days=80))])
    with serve(repository) as server:
        cursors: dict[str, Any] = {}
        found = whole(server, {"acme/checkout": CREATED - timedelta(days=200)}, cursors)
        assert [run.id for run in of(found, WorkflowRun)] == [2]
        (first,) = of(found, Coverage)
        assert first.from_at == max(SINCE, NOW - timedelta(days=90))
        later = whole(server, {"acme/checkout": CREATED}, cursors, now=NOW + timedelta(days=5))
        assert [c.from_at for c in of(later, Coverage)] == [first.from_at], "one stretch that grows"
        moved = again(cursors, [SetAside("workflow_runs", "acme/checkout#2", None)])
        assert (
            moved["acme/checkout workflow_jobs"]["until"] == moved["acme/checkout workflow_jobs"]["from_at"]
        )


def test_without_a_repository_on_a_path_nothing_is_asked() -> None:
    with serve(make_repository(workflow_runs=[make_run(1)])) as server:
        assert whole(server, {}, {}) == []
        assert server.requests["github rest"] == 0
