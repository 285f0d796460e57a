"""The part `sources` of the configuration: where data comes from."""

import re
from datetime import date

from pydantic import Field, field_validator, model_validator

from config.fields import Address, Plain, Secret, Section


class GitHubApp(Section):
    """A GitHub App that reads in place of a person's token."""

    id: int
    installation: int
    private_key: Secret


class GitHub(Section):
    """GitHub: `repositories` are globs of `owner/name`; `clone` reads commits by git, else through the API."""

    url: Address = "https://api.github.com"
    token: Secret | None = None
    app: GitHubApp | None = None
    repositories: list[str] = Field(min_length=1)
    since: date | None = None
    archived: bool = True
    forks: bool = True
    clone: bool = True
    graphql: bool = True
    workflow_runs: bool = True

    @field_validator("repositories")
    @classmethod
    def _owner_and_name(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            if not re.fullmatch(r"[\w.-]+/\S+", pattern):
                raise ValueError(f'"{pattern}" is not a repository; write "owner/name" or "owner/*"')
        return patterns

    @model_validator(mode="after")
    def _one_identity(self) -> "GitHub":
        if (self.token is None) == (self.app is None):
            raise ValueError('needs either a token or an app; write token: "${GITHUB_TOKEN}"')
        return self


class ArgoCD(Section):
    """One Argo CD instance."""

    name: str = "main"
    url: Address
    token: Secret


class PagerDuty(Section):
    """PagerDuty's REST API."""

    url: Address = "https://api.pagerduty.com"
    token: Secret
    since: date | None = None


class Survey(Section):
    """Survey answers: CSV files by glob, or http(s) addresses."""

    files: list[Plain] = Field(min_length=1)


class Catalog(Section):
    """Backstage descriptors: YAML files by glob, and `catalog-info.yaml` of each repository on GitHub."""

    files: list[Plain] = []
    from_github: bool = False


class Sources(Section):
    """Where data comes from; every source is optional."""

    github: GitHub | None = None
    argocd: list[ArgoCD] = []
    pagerduty: PagerDuty | None = None
    survey: Survey | None = None
    catalog: Catalog = Catalog()

    @field_validator("argocd")
    @classmethod
    def _names_differ(cls, instances: list[ArgoCD]) -> list[ArgoCD]:
        names = [instance.name for instance in instances]
        if len(set(names)) < len(names):
            raise ValueError("two instances have the same name; give each its own")
        return instances
