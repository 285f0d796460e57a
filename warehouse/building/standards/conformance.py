"""Whether a deployment followed the steps of its golden path: what its runs and deployments say of each step, in words.

Nothing is read here. A step is judged by the jobs of the deployed commit; where none of it ran, by those of the last
commit of the pull request that became it. What was not read is unknown, and neither good nor bad.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

FOLLOWED = "followed"
# kinds of steps that deploy to a place before production
_DEPLOYS_BEFORE = ("staging", "elsewhere")
_FAILED = {
    "failure": "failed",
    "timed_out": "ran out of time",
    "startup_failure": "could not start",
    "cancelled": "was cancelled",
    "action_required": "waits for somebody",
    "stale": "was given up",
}


class JobRun(NamedTuple):
    """A job, or a step of one, that is a step of the path, in an attempt of a run."""

    sha: str
    workflow: str
    run: tuple[datetime, int, int]  # in order of time: when it was created, its id, the attempt
    name: str
    started_at: datetime | None
    finished_at: datetime | None
    conclusion: str | None
    url: str | None
    run_url: str | None


class PlacedDeployment(NamedTuple):
    """A deployment that holds the commit, to an environment of the step."""

    environment: str
    started_at: datetime | None
    finished_at: datetime | None
    status: str
    url: str | None


class AskedStep(NamedTuple):
    """A step of the path, as it is asked for."""

    position: int
    name: str
    kind: str
    is_required: bool
    timeout_seconds: float | None
    is_auto: bool
    has_place: bool = True  # whether it follows the step before it


@dataclass
class ReadOfDeployment:
    """What was read of one deployment; `pull` is the last commit of the pull request that became its commit."""

    sha: str | None
    pull: str | None
    url: str | None
    started_at: datetime | None
    at: datetime
    unread: str | None  # why not all runs at the commit are known; None where they are
    jobs: dict[int, list[JobRun]] = field(default_factory=lambda: defaultdict(list))
    places: dict[int, list[PlacedDeployment]] = field(default_factory=lambda: defaultdict(list))
    approved: dict[int, str] = field(default_factory=dict)  # by step: an environment that a person approved
    deploying: set[tuple[tuple[datetime, int, int], str]] = field(
        default_factory=set
    )  # jobs, by run and name
    after: set[int] = field(default_factory=set)  # steps that follow the way to production


class Finding(NamedTuple):
    """What became of a step: the outcome, a sentence, where to look, and when it ran, for the steps after it."""

    outcome: str
    reason: str
    run_url: str | None = None
    job_url: str | None = None
    sha: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


def judge_steps(steps: Sequence[AskedStep], told: ReadOfDeployment) -> list[Finding]:
    """What became of each of a path's steps, which come in their order."""
    by_position = {step.position: step for step in steps}
    told.deploying = {
        (job.run, job.name)
        for position, jobs in told.jobs.items()
        for job in jobs
        if by_position[position].kind == "production"
    }
    reached = next((step.position for step in steps if step.kind == "production"), None)
    told.after = {step.position for step in steps if step.has_place and reached and step.position > reached}
    found: list[Finding] = []
    before: tuple[AskedStep, Finding] | None = None
    for step in steps:
        finding = _in_order(step, _judged(step, told), before, told)
        found.append(finding)
        if finding.finished_at is not None:
            before = step, finding
    return found


def _judged(step: AskedStep, told: ReadOfDeployment) -> Finding:
    if told.sha is None:
        return Finding("unknown", "unknown: nobody knows which commit was deployed")
    if step.kind == "production":
        return _production(step, told)
    placed = _placed(step, told) if told.places[step.position] else None
    if placed and placed.outcome != "late":
        return placed
    jobs = told.jobs[step.position]
    at_commit = [job for job in jobs if job.sha == told.sha or step.kind == "run"]
    at_pull = [job for job in jobs if job.sha == told.pull]
    # a workflow may leave to pull requests what it need not do again after the merge
    if all(job.conclusion == "skipped" for job in at_commit):
        at_commit = at_pull or at_commit
    if at_commit:
        by_jobs = _by_jobs(step, at_commit, told)
        return by_jobs if placed is None or by_jobs.outcome == FOLLOWED else placed
    return placed or _nothing(step, told)


def _nothing(step: AskedStep, told: ReadOfDeployment) -> Finding:
    if told.unread:
        return Finding("unknown", f"unknown: {told.unread}")
    if step.kind in _DEPLOYS_BEFORE:
        where = "staging" if step.kind == "staging" else "its environment"
        return Finding(
            "missing", f"no deployment to {where} holds this commit, and no run at it has such a job"
        )
    nor = " nor one at its pull request's last commit" if told.pull else ""
    return Finding("missing", f"no run at this commit{nor} has such a job")


def _production(step: AskedStep, told: ReadOfDeployment) -> Finding:
    """The deployment itself is the step; a run at its commit says who approved it."""
    jobs = [job for job in told.jobs[step.position] if job.sha == told.sha]
    newest = max(jobs, key=lambda job: job.run, default=None)
    ran = Finding(
        FOLLOWED,
        "the deployment",
        (newest and newest.run_url) or told.url,
        newest and newest.url,
        told.sha,
        told.started_at,
        told.at,
    )
    spent = [(told.started_at, told.at)] if told.started_at else []
    found = _held(step, ran, spent, told)
    if found.outcome == FOLLOWED and step.is_auto and told.unread and not jobs:
        return ran._replace(outcome="unknown", reason=f"unknown whether a person approved: {told.unread}")
    return found


def _placed(step: AskedStep, told: ReadOfDeployment) -> Finding:
    """The first deployment to the step's environments that holds the commit and went well."""
    places = sorted(
        told.places[step.position],
        key=lambda p: (p.finished_at is None, p.finished_at or p.started_at or told.at),
    )
    well = [place for place in places if place.status == "success" and place.finished_at]
    first = next(iter(well or places))
    ran = Finding(
        FOLLOWED,
        f"deployed to {first.environment}",
        first.url,
        None,
        told.sha,
        first.started_at or first.finished_at,
        first.finished_at,
    )
    if not well:
        return ran._replace(
            outcome="failed", reason=f"its deployment to {first.environment} failed", finished_at=None
        )
    if first.finished_at and first.finished_at > told.at:
        return ran._replace(outcome="late", reason=_late(first.finished_at, told.at))
    spent = [(first.started_at, first.finished_at)] if first.started_at and first.finished_at else []
    return _held(step, ran, spent, told)


def _by_jobs(step: AskedStep, jobs: Sequence[JobRun], told: ReadOfDeployment) -> Finding:
    """What the jobs say: of each workflow file those of the newest run that was done before the deployment."""
    if step.kind == "run":
        jobs = [job for job in jobs if job.conclusion == "success"] or jobs
    in_time: list[JobRun] = []
    after: list[JobRun] = []
    for of_file in _grouped(jobs, lambda job: job.workflow):
        runs = sorted(_grouped(of_file, lambda job: job.run), key=lambda run: run[0].run)
        done = [run for run in runs if all(_is_in_time(step, job, told) for job in run)]
        if done:
            in_time += done[-1]
        else:
            after += runs[0]
    counted = in_time or after
    worst = next((job for job in counted if job.conclusion in _FAILED), None)
    ran = [job for job in counted if job.conclusion != "skipped"]
    shown = worst or max(ran or counted, key=lambda job: (job.finished_at or datetime.max, job.name))
    where = Finding(
        FOLLOWED,
        _by_which(ran or counted),
        shown.run_url,
        shown.url,
        shown.sha,
        min(filter(None, (job.started_at or job.finished_at for job in ran)), default=None),
        max(filter(None, (job.finished_at for job in ran)), default=None),
    )
    if worst:
        return where._replace(
            outcome="failed", reason=f"its job {worst.name} {_FAILED[worst.conclusion or '']}"
        )
    if not ran:
        return where._replace(outcome="skipped", reason=f"its job {shown.name} was skipped")
    if not in_time:
        ended = [job.finished_at for job in ran if job.finished_at]
        reason = (
            _late(max(ended), told.at) if len(ended) == len(ran) else "it had not ended by the deployment"
        )
        return where._replace(outcome="late", reason=reason)
    return _held(step, where, [(job.started_at, job.finished_at) for job in ran], told)


def _is_in_time(step: AskedStep, job: JobRun, told: ReadOfDeployment) -> bool:
    """Whether a job was over by the deployment; one that deploys itself, or any run, has begun by then.

    What follows the deployment, such as a smoke test, may end whenever it does.
    """
    if step.position in told.after:
        return job.finished_at is not None
    deploys = step.kind == "run" or (job.run, job.name) in told.deploying
    at = job.started_at or job.finished_at if deploys else job.finished_at
    return at is not None and at <= told.at


def _grouped(jobs: Iterable[JobRun], key: Callable[[JobRun], Hashable]) -> list[list[JobRun]]:
    groups: dict[Hashable, list[JobRun]] = defaultdict(list)
    for job in jobs:
        groups[key(job)].append(job)
    return list(groups.values())


def _by_which(jobs: Sequence[JobRun]) -> str:
    names = sorted({job.name for job in jobs})
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"by its job {names[0]}{more}"


def _held(
    step: AskedStep,
    ran: Finding,
    spent: Sequence[tuple[datetime | None, datetime | None]],
    told: ReadOfDeployment,
) -> Finding:
    """What went well held to the time that the path allows, and to whether a person may have a say."""
    seconds = _at_work(spent)
    if step.timeout_seconds is not None and seconds > step.timeout_seconds:
        took = f"it took {_minutes(seconds)} where the path allows {_minutes(step.timeout_seconds)}"
        return ran._replace(outcome="too long", reason=took)
    if step.is_auto and (environment := told.approved.get(step.position)):
        return ran._replace(
            outcome="approved by hand", reason=f"a person approved {environment} where the path is automatic"
        )
    return ran


def _in_order(
    step: AskedStep, found: Finding, before: tuple[AskedStep, Finding] | None, told: ReadOfDeployment
) -> Finding:
    """Jobs may run beside each other; what deploys has to wait for what it follows."""
    if before is None or found.outcome != FOLLOWED or step.kind == "production" or not step.has_place:
        return found
    earlier, there = before
    if found.sha != there.sha or found.started_at is None or found.finished_at is None:
        return found
    if there.started_at is None or there.finished_at is None or there.outcome == "late":
        return found
    if step.kind in _DEPLOYS_BEFORE:
        is_before = found.started_at < there.finished_at
    else:
        is_before = found.finished_at <= there.started_at and found.started_at < there.started_at
    if not is_before:
        return found
    return found._replace(outcome="out of order", reason=f"it ran before {earlier.name}, which it follows")


def _at_work(spent: Sequence[tuple[datetime | None, datetime | None]]) -> float:
    """The seconds in which something ran; what runs at once counts once."""
    total, reached = timedelta(), datetime.min
    for start, end in sorted((start, end) for start, end in spent if start and end and end > start):
        total += max(end - max(start, reached), timedelta())
        reached = max(reached, end)
    return total.total_seconds()


def _minutes(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def _late(ended: datetime, at: datetime) -> str:
    form = "%H:%M:%S" if ended.date() == at.date() else "%Y-%m-%d %H:%M"
    return f"it ended at {ended:{form}} UTC, after the deployment at {at:{form}} UTC"
