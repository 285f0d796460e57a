"""What a collector can yield: one frozen class for each of the warehouse's source tables.

Instants are timezone-aware, converted to UTC, and of the years of `config/years.py`; a naive one is refused. Lists
default to empty, other optional fields to None: missing stays missing. `KEY` names the fields by which a record
replaces an earlier one.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from collectors.contract.fields import Id, Instant, Part, Record, Sha, Text, Whole
from config.sources import EventKind, EventScope
from config.survey import SATISFACTION


class Repository(Record):
    """A repository; `repo` is `owner/name`, `external_id` the identity that survives a rename."""

    TABLE = "repositories"
    KEY = ("repo",)
    repo: Text
    external_id: Id | None = None
    created_at: Instant
    pushed_at: Instant | None = None
    default_branch: str | None = None
    is_fork: bool = False
    is_mirror: bool = False
    from_template: str | None = None
    is_archived: bool = False
    topics: tuple[str, ...] = ()
    language: str | None = None
    url: str | None = None


class Commit(Record):
    """A commit; `paths` are the files it touches against its first parent, None where they were not asked for.

    `assisted_by` is the coding agent that wrote it or helped, `picked_from` the commits that it was cherry-picked from,
    as its message says; an instant is None where git's is none.
    """

    TABLE = "commits"
    KEY = ("repo", "sha")
    repo: Text
    sha: Sha
    parents: tuple[Sha, ...] = ()
    authored_at: Instant | None = None
    committed_at: Instant | None = None
    author: str | None = None
    is_bot: bool = False
    assisted_by: str | None = None
    subject: str = ""
    reverts_sha: Sha | None = None
    also_reverts: tuple[Sha, ...] = ()
    picked_from: tuple[Sha, ...] = ()
    paths: tuple[str, ...] | None = None


class PullRequestCommit(Part):
    """One of a pull request's own commits, as it was before the merge."""

    sha: Sha
    authored_at: Instant
    is_merge: bool = False
    is_bot: bool = False
    assisted_by: str | None = None
    subject: str | None = None


class PullRequest(Record):
    """A pull request; `ready_at`: when a draft was made ready, `first_review_at`: by a person other than the author.

    `assisted_by` is the coding agent that opened it; `commit_count` how many commits it has of its own, where the list
    of `commits` may not have them all.
    """

    TABLE = "pull_requests"
    KEY = ("repo", "number")
    repo: Text
    number: Whole
    title: str = ""
    author: str | None = None
    is_bot: bool = False
    assisted_by: str | None = None
    created_at: Instant
    ready_at: Instant | None = None
    first_review_at: Instant | None = None
    merged_at: Instant | None = None
    closed_at: Instant | None = None
    merge_sha: Sha | None = None
    head_branch: str | None = None
    base_branch: str | None = None
    labels: tuple[str, ...] = ()
    commits: tuple[PullRequestCommit, ...] = ()
    commit_count: Whole | None = None
    reverts: Whole | None = None
    also_reverts: tuple[Whole, ...] = ()
    url: str | None = None


class Deployment(Record):
    """A deployment as a source tells it.

    `source` is `argocd`, `deployments` (GitHub deployment objects), `releases`, `tags`, or an import's own word; `unit`
    what is replaced as a whole within the service, such as an application of Argo CD with its instance and namespace.
    `finished_at` is the first success; `sha` the application's commit, `sha_method` how it was found.
    """

    TABLE = "deployments"
    KEY = ("source", "id")
    source: Text
    id: Id
    repo: str | None = None
    service: str | None = None
    application: str | None = None
    project: str | None = None
    labels: dict[str, str] = Field(default={})
    cluster: str | None = None
    namespace: str | None = None
    workflow: str | None = None
    unit: str | None = None
    environment: str | None = None
    sha: Sha | None = None
    sha_method: str | None = None
    ref: str | None = None
    status: Literal["success", "failure", "cancelled", "running"]
    started_at: Instant | None = None
    finished_at: Instant | None = None
    config_repo: str | None = None
    config_sha: Sha | None = None
    images: tuple[str, ...] = ()
    is_prerelease: bool = False
    creator: str | None = None
    url: str | None = None


class ChangeEvent(Part):
    """A change event that PagerDuty relates to an incident; `reason` is why it thinks so."""

    id: Id
    reason: str | None = None
    links: tuple[str, ...] = ()
    details: str | None = None


class Incident(Record):
    """An incident; `source_service` is the source's own id of the service, mapped through the catalogue."""

    TABLE = "incidents"
    KEY = ("source", "id")
    source: Text
    id: Id
    service: str | None = None
    source_service: str | None = None
    title: str = ""
    urgency: str | None = None
    priority: str | None = None
    status: str = ""
    opened_at: Instant
    acknowledged_at: Instant | None = None
    resolved_at: Instant | None = None
    merged_into: str | None = None
    change_events: tuple[ChangeEvent, ...] = ()
    url: str | None = None


class Response(Record):
    """One answer to one question of a survey round; `score` lies between `scale_min` and `scale_max`."""

    TABLE = "responses"
    KEY = ("round", "respondent", "question")
    round: Id
    respondent: Id
    question: Id = SATISFACTION
    team: str | None = None
    submitted_at: Instant
    closes_at: Instant
    score: float
    scale_min: float = 1
    scale_max: float = 5


class Comment(Record):
    """What a respondent of a survey round wrote in free text; an empty `text` takes an earlier one back."""

    TABLE = "comments"
    KEY = ("round", "respondent", "question")
    round: Id
    respondent: Id
    question: Id = "comment"
    text: str = ""


class Job(Part):
    """A job of a workflow run."""

    name: str
    started_at: Instant | None = None
    finished_at: Instant | None = None
    conclusion: str | None = None


class WorkflowRun(Record):
    """One attempt of a workflow run; `workflow` is the file's name, such as `deploy.yml`.

    `referenced_workflows` are the names of the files that it called.
    """

    TABLE = "workflow_runs"
    KEY = ("repo", "id", "attempt")
    repo: Text
    id: Whole
    attempt: Whole = 1
    workflow: str
    event: str | None = None
    branch: str | None = None
    sha: Sha | None = None
    conclusion: str | None = None
    created_at: Instant
    started_at: Instant | None = None
    finished_at: Instant | None = None
    jobs: tuple[Job, ...] = ()
    referenced_workflows: tuple[str, ...] = ()
    url: str | None = None


class Component(Record):
    """An entity of the service catalogue; services are those of kind `Component`.

    `repo` is `owner/name`; `argocd_selector` a Kubernetes label selector; the patterns are globs. `name` has its
    namespace before it where that is not the default one. `origin` is the file that tells of it, `formerly` what it was
    called before, `gone_at` since when no file tells of it any more. `parent` and `children` are the groups above and
    below a group, `portal_url` its page in Backstage. `depends_on` are references such as `resource:orders-db`, None
    where it says nothing of what it depends on.
    """

    TABLE = "components"
    KEY = ("name", "kind", "origin")
    name: Text
    kind: Literal["Component", "API", "System", "Group", "Domain", "Resource", "Template"] = "Component"
    owner: str | None = None
    system: str | None = None
    lifecycle: str | None = None
    type: str | None = None
    tags: tuple[str, ...] = ()
    repo: str | None = None
    source_patterns: tuple[str, ...] = ()
    argocd_apps: tuple[str, ...] = ()
    argocd_selector: str | None = None
    environments: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    tag_patterns: tuple[str, ...] = ()
    pagerduty_services: tuple[str, ...] = ()
    golden_path: str | None = None
    deployments_from: str | None = None
    formerly: tuple[str, ...] = ()
    origin: str = ""
    gone_at: Instant | None = None
    title: str | None = None
    parent: str | None = None
    children: tuple[str, ...] = ()
    portal_url: str | None = None
    depends_on: tuple[str, ...] | None = None


class Owner(Record):
    """Who a component belonged to from an instant on; `is_seen` where the catalogue showed it then, `origin` its file.

    What a person tells (an import) holds from `from_at`; what was seen may have been so before.
    """

    TABLE = "owners"
    KEY = ("component", "from_at", "origin")
    component: Text
    team: str | None = None
    system: str | None = None
    from_at: Instant
    is_seen: bool = False
    origin: str = ""


class Link(Record):
    """What a person says of an incident: the deployment that caused it, or, with no deployment, that none did."""

    TABLE = "links"
    KEY = ("incident_source", "incident_id")
    incident_source: Text
    incident_id: Id
    deployment_source: str | None = None
    deployment_id: Id | None = None
    reason: Text
    by: str | None = None


class Event(Record):
    """What happened to the organisation or to a part of it: `scope` is `organisation`, `team payments` and so on.

    Without `until` it happened at once. After one that `resets`, what is usual begins anew.
    """

    TABLE = "events"
    KEY = ("id",)
    id: Id
    at: Instant
    until: Instant | None = None
    title: Text
    kind: EventKind = "other"
    scope: EventScope = "organisation"
    resets: bool = False
    url: str | None = None

    @field_validator("until")
    @classmethod
    def _after_it_began(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        at = info.data.get("at")
        if until is not None and at is not None and until <= at:
            raise ValueError(f"{until:%Y-%m-%dT%H:%MZ} is not after {at:%Y-%m-%dT%H:%MZ}, when it began")
        return until


class Request(Record):
    """What somebody asked of the platform; `kind` is what the configuration calls it, or an import's own word.

    Of `source` `git` it is an entry of the file `path` that came with the commit `sha`, or is in the pull request
    `number`, and what became of it follows from that. A ticket tells its instants itself.
    """

    TABLE = "requests"
    KEY = ("source", "id")
    source: Text
    id: Id
    kind: Text
    name: str | None = None
    way: Literal["self-service", "ticket"] = "ticket"
    is_change: bool = False
    team: str | None = None
    environment: str | None = None
    repo: str | None = None
    path: str | None = None
    sha: Sha | None = None
    number: Whole | None = None
    opened_at: Instant
    merged_at: Instant | None = None
    ready_at: Instant | None = None
    withdrawn_at: Instant | None = None
    url: str | None = None


class Coverage(Record):
    """A stretch of time for which `source` was read about `subject` (a repository, an application, or `*` for all)."""

    TABLE = "coverage"
    KEY = ("source", "subject", "from_at")
    source: Text
    subject: Text
    from_at: Instant
    until_at: Instant


RECORDS: dict[str, type[Record]] = {
    record.TABLE: record
    for record in (
        Repository,
        Commit,
        PullRequest,
        Deployment,
        Incident,
        Response,
        Comment,
        WorkflowRun,
        Component,
        Owner,
        Link,
        Event,
        Request,
        Coverage,
    )
}
