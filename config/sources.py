"""The part `sources` of the configuration: where data comes from."""

import re
from datetime import timedelta

from pydantic import Field, field_validator, model_validator

from config.fields import Day, Duration, LaterAddress, LaterText, Secret, Section
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


class Catalog(Section):
    """Backstage descriptors: YAML files by glob, and `catalog-info.yaml` of each repository on GitHub."""

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
