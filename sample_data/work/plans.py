"""What happens in a repository, declared: `organisation/playback.py` turns it into commits and GitHub objects.

A `key` names a plan so that another can refer to it: a revert to what it reverts, a rollback to what it returns to.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sample_data.work.staff import Staff

Method = Literal["squash", "rebase", "merge"]
MAIN, LIVE, PREVIOUS = "main", "live", "previous"


@dataclass(frozen=True)
class Change:
    """A commit on a pull request's branch; `merges_main` for the merge commit of an update from the base branch.

    `helped_by` is in the trailer of its message; `files` are those whose content matters.
    """

    at: datetime
    message: str
    paths: tuple[str, ...] = ()
    author: Staff | None = None
    merges_main: bool = False
    helped_by: Staff | None = None
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Review:
    """A submitted review."""

    by: Staff
    at: datetime
    state: str = "APPROVED"


@dataclass(frozen=True)
class Pull:
    """A pull request; without `merged` and `closed` it is open. `reverts` is the key of what it takes back."""

    title: str
    author: Staff
    commits: tuple[Change, ...]
    opened: datetime
    merged: datetime | None = None
    method: Method = "squash"
    merger: Staff | None = None
    reviews: tuple[Review, ...] = ()
    ready: datetime | None = None
    closed: datetime | None = None
    is_draft: bool = False
    labels: tuple[str, ...] = ()
    branch: str | None = None
    key: str | None = None
    reverts: str | None = None


@dataclass(frozen=True)
class Push:
    """A commit straight to main; `authored` where it differs from the push."""

    at: datetime
    author: Staff
    message: str
    paths: tuple[str, ...]
    authored: datetime | None = None
    committer: Staff | None = None
    files: dict[str, str] = field(default_factory=dict)
    key: str | None = None


@dataclass(frozen=True)
class Deploy:
    """A GitHub deployment object of `what`: main's tip, the revision before, a key's commit, or `head:KEY` for the
    branch of a pull request. `outcome` is the last word of its status history before a later success took over."""

    at: datetime
    finished: datetime
    environment: str = "production"
    what: str = MAIN
    outcome: Literal["success", "failure", "error", "cancelled", "waiting"] = "success"
    key: str | None = None


@dataclass(frozen=True)
class Sync:
    """A promotion through the config repository: the commit at `at`, then Argo CD's sync of one application.

    `what` is as in a deployment, or `live`. `config` says what a change of configuration alone does; a `resync`
    brings the config repository's revision that runs already.
    """

    at: datetime
    started: datetime
    finished: datetime
    application: str
    what: str = MAIN
    config: str | None = None
    resync: bool = False
    succeeded: bool = True
    key: str | None = None


@dataclass(frozen=True)
class Release:
    """A GitHub release with an annotated tag at main's tip; a draft has no tag yet."""

    at: datetime
    tag: str
    by: Staff
    is_draft: bool = False


Plan = Pull | Push | Deploy | Sync | Release


@dataclass(frozen=True)
class ChangeEvent:
    """A change event that PagerDuty relates to an incident; names the commit of plan `deployment` where given."""

    at: datetime
    summary: str
    reason: Literal["most_recent", "related_service", "intelligent"]
    repo: str
    deployment: str | None = None


@dataclass(frozen=True)
class Incident:
    """An incident; `service` is PagerDuty's service. `link` is the deployment's key that a person blames, or `none`."""

    key: str
    service: str
    title: str
    opened: datetime
    resolved: datetime | None
    acknowledged: datetime | None = None
    urgency: Literal["high", "low"] = "high"
    priority: str | None = None
    merged_into: str | None = None
    change_events: tuple[ChangeEvent, ...] = ()
    link: str | None = None
    link_reason: str = ""
