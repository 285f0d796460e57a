"""What the sample organisation is made of: what its server serves, before any API's shape is put on it.

All instants are aware and UTC. Argo CD's and PagerDuty's objects are kept as their APIs give them (JSON values).
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Person:
    """A GitHub account; `kind` is GraphQL's type name, `User` or `Bot` (a bot's login has no `[bot]` in GraphQL)."""

    login: str
    kind: str = "User"


@dataclass(frozen=True)
class Review:
    """A submitted review of a pull request."""

    author: Person
    submitted_at: datetime
    state: str = "APPROVED"


@dataclass(frozen=True)
class PullCommit:
    """A commit of a pull request as it was on its branch."""

    sha: str
    authored_at: datetime
    committed_at: datetime
    author: Person
    parents: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class PullRequest:
    """A pull request; `merge_sha` is what the merge put on the base branch."""

    id: int
    number: int
    title: str
    author: Person
    created_at: datetime
    updated_at: datetime
    head_branch: str
    base_branch: str = "main"
    body: str = ""
    is_draft: bool = False
    ready_at: datetime | None = None
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    merge_sha: str | None = None
    labels: tuple[str, ...] = ()
    commits: tuple[PullCommit, ...] = ()
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True)
class DeploymentStatus:
    """One entry of a deployment's history; `state` as GitHub's GraphQL writes it: `SUCCESS`, `INACTIVE` …"""

    state: str
    created_at: datetime
    log_url: str | None = None


@dataclass(frozen=True)
class Deployment:
    """A GitHub deployment object; statuses oldest first."""

    id: int
    sha: str
    ref: str
    environment: str
    created_at: datetime
    creator: Person
    statuses: tuple[DeploymentStatus, ...]


@dataclass(frozen=True)
class Release:
    """A GitHub release of a tag."""

    id: int
    tag: str
    sha: str
    name: str
    created_at: datetime
    published_at: datetime
    author: Person
    is_draft: bool = False
    is_prerelease: bool = False
    updated_at: datetime | None = None  # where it was edited after it was published


@dataclass(frozen=True)
class WorkflowJob:
    """A job of a workflow run; conclusion as REST writes it (`success`); `steps` by their names."""

    id: int
    name: str
    started_at: datetime
    completed_at: datetime
    conclusion: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class WorkflowRun:
    """One attempt of an Actions workflow run; `path` is `.github/workflows/deploy.yml`.

    `approvals` are the environments that it waited for, each with who let it go on.
    """

    id: int
    attempt: int
    path: str
    name: str
    event: str
    branch: str
    sha: str
    status: str
    conclusion: str | None
    created_at: datetime
    run_started_at: datetime
    updated_at: datetime
    actor: Person
    jobs: tuple[WorkflowJob, ...] = ()
    approvals: tuple[tuple[str, Person], ...] = ()


@dataclass(frozen=True)
class Issue:
    """An issue; open where it was not closed. `state_reason` as GraphQL writes it (`NOT_PLANNED`)."""

    id: int
    number: int
    title: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    labels: tuple[str, ...] = ()
    state_reason: str = "COMPLETED"  # of one that was closed


@dataclass
class Repository:
    """A repository and all that GitHub keeps with it; `git_dir` is a bare repository on disk (None: no commits)."""

    id: int
    owner: str
    name: str
    created_at: datetime
    pushed_at: datetime | None
    default_branch: str = "main"
    git_dir: Path | None = None
    is_fork: bool = False
    mirror_url: str | None = None
    template: str | None = None
    is_archived: bool = False
    topics: tuple[str, ...] = ()
    properties: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    language: str | None = None
    catalog_info: str | None = None
    pull_requests: list[PullRequest] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    workflow_runs: list[WorkflowRun] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    has_issues: bool = True  # or they are switched off, and none is shown

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"


@dataclass
class ArgoCD:
    """An Argo CD instance: Application objects as `/api/v1/applications` lists them; revision metadata by
    (application name, config revision) as `/api/v1/applications/{name}/revisions/{revision}/metadata` answers; the
    objects that run by application name, of which `/api/v1/applications/{name}/managed-resources` tells."""

    applications: list[dict[str, Any]] = field(default_factory=list)
    revision_metadata: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass
class PagerDuty:
    """A PagerDuty account: incidents and log entries as its API lists them, related change events by incident id."""

    incidents: list[dict[str, Any]] = field(default_factory=list)
    log_entries: list[dict[str, Any]] = field(default_factory=list)
    change_events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass
class Backstage:
    """A portal: the entities of its catalogue as `/api/catalog/entities/by-query` lists them, each with its uid."""

    entities: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Organisation:
    """The sample organisation as its sources hold it at `now`; files by their path below the configuration's folder."""

    name: str
    now: datetime
    repositories: list[Repository]
    argocd: ArgoCD
    pagerduty: PagerDuty
    survey_files: dict[str, str]
    catalog_files: dict[str, str]
    link_files: dict[str, str]
    event_files: dict[str, str] = field(default_factory=dict)
    backstage: Backstage = field(default_factory=Backstage)
    platform_files: dict[str, str] = field(default_factory=dict)
