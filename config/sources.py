"""The parts `sources` and `events` of the configuration: where data comes from."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from config.fields import Day, DayOrInstant, Duration, LaterAddress, LaterText, Secret, Section
from config.names import in_one_way
from config.survey import Survey
from config.text.quoting import quoted


class GitHubApp(Section):
    """A GitHub App that reads in place of a person's token."""

    id: int = Field(ge=1, lt=2**63)
    installation: int = Field(ge=1, lt=2**63)
    private_key: Secret


class GitHubIncidents(Section):
    """Issues that are incidents: those with any of `labels`; `priorities` are globs of the labels that tell theirs."""

    labels: list[str] = Field(min_length=1)
    priorities: list[str] = []
    repositories: list[str] = []


class GitHub(Section):
    """GitHub: `repositories` are globs of `owner/name`; `clone` reads commits by git, else through the API.

    Where there are `topics`, a repository needs one of them; of `properties` (custom ones, by name) it needs all.
    """

    url: LaterAddress = "https://api.github.com"
    token: Secret | None = None
    app: GitHubApp | None = None
    repositories: list[str] = Field(min_length=1)
    topics: list[str] = []
    properties: dict[str, str] = {}
    since: Day | None = None
    archived: bool = True
    forks: bool = True
    clone: bool = True
    graphql: bool = True
    workflow_runs: bool = True
    jobs_for: Duration = timedelta(days=90)
    incidents: GitHubIncidents | None = None

    @field_validator("repositories")
    @classmethod
    def _owner_and_name(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            if not re.fullmatch(r"[\w.-]+/\S+", pattern):
                raise ValueError(f'{quoted(pattern)} is not a repository; write "owner/name" or "owner/*"')
        return patterns

    @field_validator("properties", mode="before")
    @classmethod
    def _as_github_writes_them(cls, properties: object) -> object:
        if not isinstance(properties, dict):
            return properties
        # YAML takes true and 1 for more than text, GitHub does not
        return {
            name: str(value).lower()
            if isinstance(value, bool)
            else str(value)
            if isinstance(value, int)
            else value
            for name, value in properties.items()
        }

    @model_validator(mode="after")
    def _one_identity(self) -> "GitHub":
        if (self.token is None) == (self.app is None):
            raise ValueError('needs either a token or an app; write token: "${GITHUB_TOKEN}"')
        if self.incidents and not self.graphql:
            raise ValueError("reads issues by GraphQL only; remove either graphql: false or incidents")
        return self


class ArgoCD(Section):
    """One Argo CD instance."""

    name: str = "main"
    url: LaterAddress
    token: Secret


class PagerDuty(Section):
    """PagerDuty's REST API."""

    url: LaterAddress = "https://api.pagerduty.com"
    token: Secret
    since: Day | None = None


class Backstage(Section):
    """Backstage's own catalogue: the backend at `url`, and the `portal` that people open where that is elsewhere."""

    url: LaterAddress
    token: Secret
    portal: LaterAddress | None = None


class Catalog(Section):
    """The catalogue: Backstage itself, YAML files by glob, and `catalog-info.yaml` of each repository on GitHub."""

    backstage: Backstage | None = None
    files: list[LaterText] = []
    from_github: bool = False


class Sources(Section):
    """Where data comes from, and how long a run waits for a source that asks for it; every source is optional."""

    github: GitHub | None = None
    argocd: list[ArgoCD] = []
    pagerduty: PagerDuty | None = None
    survey: Survey | None = None
    catalog: Catalog = Catalog()
    longest_wait: Duration = timedelta(minutes=15)

    @field_validator("argocd")
    @classmethod
    def _names_differ(cls, instances: list[ArgoCD]) -> list[ArgoCD]:
        names = [instance.name for instance in instances]
        if len(set(names)) < len(names):
            raise ValueError("two instances have the same name; give each its own")
        return instances


EventKind = Literal["freeze", "reorganisation", "roll-out", "golden path", "other"]
# "team payments" in the one way in which it is kept
EventScope = Annotated[str, AfterValidator(in_one_way)]


class EventEntry(Section):
    """Something that happened, or `files` of the record `events`, as a glob.

    A day as `at` is its beginning, as `until` its end. After one that `resets`, limits begin anew.
    """

    files: LaterText | None = None
    at: DayOrInstant | None = None
    until: DayOrInstant | None = None
    title: str = ""
    kind: EventKind = "other"
    scope: EventScope = "organisation"
    resets: bool = False
    url: str | None = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> "EventEntry":
        if self.files is not None:
            if self.model_fields_set != {"files"}:
                raise ValueError("names files, and so has no other key; make two entries of it")
        elif self.at is None or not self.title.strip():
            raise ValueError("needs at and title, or files; write {at: 2026-12-20, title: Christmas freeze}")
        elif self.until is not None and _beginning(self.until) < _beginning(self.at):
            raise ValueError("ends before it begins; mend at or until")
        return self


def _beginning(told: date | datetime) -> datetime:
    """The instant, or of a day its beginning in UTC: near enough to compare days with."""
    return told if isinstance(told, datetime) else datetime.combine(told, time(), UTC)
