"""The workflow runs of some repositories, with all of their jobs and who approved them (see workflow_runs.py)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from collectors.contract.items import Item, Resume, SetAside
from collectors.contract.people import People
from collectors.github.api import TIMEOUT_SECONDS, GitHubApi
from collectors.github.rate_limit import REST_AT_ONCE
from collectors.github.workflow_runs import WholeRuns, collect_runs
from collectors.transport.in_order import in_order
from collectors.transport.json_values import text
from config.sources import GitHub


def collect(
    source: GitHub,
    resume: Resume,
    people: People,
    repositories: Mapping[str, datetime],
    whole: WholeRuns,
    timeout: int = TIMEOUT_SECONDS,
) -> Iterator[Item]:
    """All runs of `repositories` (name -> when it was created) with their jobs, as far back as `jobs_for` says.

    A request for a hundred runs of a repository, one for the jobs of each attempt, and one for the approvals of each
    run that may deploy. Without repositories there is none.
    """
    if not repositories:
        return
    first = max(resume.since, resume.now - source.jobs_for)
    with GitHubApi(source, timeout) as api:
        yield from in_order(
            lambda repo: collect_runs(api, repo, max(first, repositories[repo]), resume, people, whole=whole),
            sorted(repositories),
            REST_AT_ONCE,
        )


def again(cursors: Mapping[str, Any], items: Iterable[SetAside]) -> dict[str, Any]:
    """The cursors from which the runs of the repositories that hold `items` are read anew."""
    moved = dict(cursors)
    for item in items:
        subject = f"{item.subject.partition('#')[0]} workflow_jobs"
        if from_at := text(moved.get(subject), "from_at"):
            moved[subject] = {**moved[subject], "until": from_at, "attempts": {}}
    return moved
