"""GitHub Actions' workflow runs, by REST: GraphQL has none (https://docs.github.com/en/rest/actions/workflow-runs)."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from collectors.contract.items import Checkpoint, Item, Malformed, Resume
from collectors.contract.people import People
from collectors.contract.records import Coverage, Record, WorkflowRun
from collectors.github.api import GitHubApi, MissingError
from collectors.github.as_records import record_of, without_people
from collectors.github.choice import matches_pattern
from collectors.transport.json_values import Json, as_instant, listing, mapping, objects, text, whole

_REACHABLE = 1000  # results of one search by creation
_MOST_ATTEMPTS = 1000  # of a run: far more than anybody makes
_AGAIN_DAYS = 30  # how long GitHub lets a run be run again
_MAY_DEPLOY = re.compile("deploy|release|promote|rollout|publish|prod|stag|live", re.IGNORECASE)


@dataclass(frozen=True)
class WholeRuns:
    """That runs are read with all that they hold: who approved them, and the steps of jobs that match the globs."""

    steps: tuple[str, ...] = ()


@dataclass
class _Known:
    """What the cursor keeps: all is read up to `until`; the last attempt of each recent run, 0 while it goes on."""

    from_at: datetime
    until: datetime
    looked_back_at: datetime
    attempts: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    whole: WholeRuns | None = None

    def written(self, now: datetime) -> Json:
        recent = now - timedelta(days=_AGAIN_DAYS)
        return {
            **({"steps": list(self.whole.steps)} if self.whole else {}),
            "from_at": self.from_at.isoformat(),
            "until": self.until.isoformat(),
            "looked_back_at": self.looked_back_at.isoformat(),
            "attempts": {
                id: [attempt, at.isoformat()] for id, (attempt, at) in self.attempts.items() if at >= recent
            },
        }


def collect_runs(
    api: GitHubApi,
    repo: str,
    from_at: datetime,
    resume: Resume,
    people: People,
    workflows: Collection[str] = ("*",),
    whole: WholeRuns | None = None,
) -> Iterator[Item]:
    """All attempts of the repository's runs since `from_at`; a later run reads what is new.

    Of runs whose file, or one that they called, matches one of the globs `workflows` their jobs too: a request each.
    Runs that went on are read again each time; new attempts of runs up to 30 days old are looked for once a day.
    With `whole` one more request tells who approved a run that may deploy, and what is covered are jobs.
    """
    kind = "workflow_jobs" if whole else "workflow_runs"
    subject = f"{repo} {kind}"
    known = _read(resume.cursors.get(subject), from_at, whole)
    low = known.until
    if resume.now - known.looked_back_at >= timedelta(days=1):
        low = max(known.from_at, min(low, resume.now - timedelta(days=_AGAIN_DAYS)))
        known.looked_back_at = resume.now
    low = min([low, *(at for attempt, at in known.attempts.values() if attempt == 0)])
    for high, runs in _windows(api, repo, low, resume.now):
        for raw in runs:
            try:
                yield from _attempts(api, repo, raw, known, people, workflows)
            except MissingError as error:  # it was removed since it was listed
                yield _set_aside(repo, raw, f"its parts were not found: {error}", people)
        known.until = max(known.until, high)
        if high < resume.now:
            yield Checkpoint(subject, known.written(resume.now))
    yield Coverage(source=kind, subject=repo, from_at=known.from_at, until_at=resume.now)
    yield Checkpoint(subject, known.written(resume.now))


def _read(cursor: Any, from_at: datetime, whole: WholeRuns | None) -> _Known:
    covered_from, until = as_instant(cursor, "from_at"), as_instant(cursor, "until")
    # of other steps of jobs than before nothing was kept
    is_other = whole is not None and listing(cursor, "steps") != list(whole.steps)
    if covered_from is None or until is None or from_at < covered_from or is_other:
        return _Known(from_at, from_at, from_at, whole=whole)
    attempts = {
        id: (entry[0], at)
        for id, entry in mapping(cursor, "attempts").items()
        if (at := as_instant({"at": entry[1]}, "at"))
    }
    return _Known(covered_from, until, as_instant(cursor, "looked_back_at") or covered_from, attempts, whole)


def _windows(
    api: GitHubApi, repo: str, low: datetime, high: datetime
) -> Iterator[tuple[datetime, list[Json]]]:
    """(end, runs created until then) from `low` to `high`, oldest window first, each within what a search reaches."""
    created = f"{_written(low)}..{_written(high)}"
    path = f"/repos/{repo}/actions/runs"
    first = api.get(path, created=created, per_page=100, page=1)
    total = whole(first, "total_count") or 0
    if total > _REACHABLE and high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        yield from _windows(api, repo, low, middle)
        yield from _windows(api, repo, middle, high)
        return
    runs = api.items(path, first, "workflow_runs")
    if total > len(runs):
        for page in api.pages(path, "workflow_runs", page=2, created=created):
            runs += page
    yield high, runs


def _attempts(
    api: GitHubApi, repo: str, raw: Json, known: _Known, people: People, workflows: Collection[str]
) -> Iterator[Record | Malformed]:
    """The attempts of a run that are not known yet; one that goes on has no jobs yet."""
    number, last = whole(raw, "id"), whole(raw, "run_attempt") if raw.get("run_attempt") is not None else 1
    if number is None or last is None or not 0 < last <= _MOST_ATTEMPTS:
        reason = "a run without an id" if number is None else "run_attempt: is no number of an attempt"
        yield _set_aside(repo, raw, reason, people)
        return
    id = str(number)
    seen, _ = known.attempts.get(id, (0, None))
    is_wanted = matches_pattern(_file(_path(raw)), workflows) or any(
        matches_pattern(file, workflows) for file in _called(raw)
    )
    for attempt in range(seen + 1, last) if is_wanted else ():
        earlier = api.get(f"/repos/{repo}/actions/runs/{id}/attempts/{attempt}")
        yield _record(repo, earlier, _jobs(api, repo, id, attempt), people, known.whole)
    if seen >= last:
        return
    done = raw.get("status") == "completed"
    jobs = _jobs(api, repo, id, last) if done and is_wanted else []
    approved = _approved(api, repo, raw, jobs) if known.whole and done else []
    yield _record(repo, raw, jobs, people, known.whole, approved)
    created_at = as_instant(raw, "created_at")
    if created_at:
        known.attempts[id] = (last if done else 0, created_at)


def _set_aside(repo: str, raw: Json, reason: str, people: People) -> Malformed:
    shown = json.dumps(without_people(raw, people), sort_keys=True)
    return Malformed(WorkflowRun.TABLE, repo, reason, shown)


def _jobs(api: GitHubApi, repo: str, id: str, attempt: int) -> list[Json]:
    return [
        job
        for page in api.pages(f"/repos/{repo}/actions/runs/{id}/attempts/{attempt}/jobs", "jobs")
        for job in page
    ]


def _approved(api: GitHubApi, repo: str, raw: Json, jobs: list[Json]) -> list[str]:
    """The environments that a person approved for a run; only asked of one that may deploy, by its names."""
    names = [_path(raw) or "", *(text(job, "name") or "" for job in jobs)]
    if not any(map(_MAY_DEPLOY.search, names)):
        return []
    approved = (
        text(environment, "name")
        for page in api.pages(f"/repos/{repo}/actions/runs/{raw.get('id')}/approvals")
        for review in objects(page)
        if text(review, "state") == "approved" and text(review, "user", "type") != "Bot"
        for environment in objects(listing(review, "environments"))
    )
    return sorted({name for name in approved if name})


def _steps(job: Json, whole: WholeRuns | None) -> list[Json]:
    if whole is None or not whole.steps:
        return []
    return [
        {
            "name": step.get("name"),
            "started_at": step.get("started_at"),
            "finished_at": step.get("completed_at"),
            "conclusion": step.get("conclusion"),
        }
        for step in objects(listing(job, "steps"))
        if matches_pattern(text(step, "name") or "", whole.steps)
    ]


def _record(
    repo: str,
    raw: Json,
    jobs: list[Json],
    people: People,
    whole: WholeRuns | None = None,
    approved: Sequence[str] = (),
) -> Record | Malformed:
    ended = [at for job in jobs if (at := as_instant(job, "completed_at"))]
    done = raw.get("status") == "completed"
    fields = {
        "repo": repo,
        "id": raw.get("id"),
        "attempt": raw.get("run_attempt") or 1,
        "workflow": _file(_path(raw)),
        "event": raw.get("event"),
        "branch": raw.get("head_branch"),
        "sha": raw.get("head_sha"),
        "conclusion": raw.get("conclusion"),
        "created_at": raw.get("created_at"),
        "started_at": raw.get("run_started_at"),
        # the run's own last update moves when it is run again
        "finished_at": (max(ended) if ended else raw.get("updated_at")) if done else None,
        "jobs": [
            {
                "name": job.get("name"),
                "started_at": job.get("started_at"),
                "finished_at": job.get("completed_at"),
                "conclusion": job.get("conclusion"),
                "url": text(job, "html_url"),
                "steps": _steps(job, whole),
            }
            for job in jobs
        ],
        "referenced_workflows": _called(raw),
        "approved": list(approved),
        "url": raw.get("html_url"),
    }
    return record_of(WorkflowRun, repo, fields, raw, people)


def _path(raw: Json) -> str | None:
    return text(raw, "path") or text(raw, "name")


def _called(raw: Json) -> list[str]:
    """The files of the reusable workflows that a run called."""
    paths = (text(one, "path") for one in listing(raw, "referenced_workflows"))
    return sorted({_file(path) for path in paths if path})


def _file(path: str | None) -> str:
    """The file's name in `.github/workflows/deploy.yml@refs/heads/main`."""
    return (path or "").partition("@")[0].rpartition("/")[2]


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
