"""The part `self_service` of the configuration: which files are requests, and what makes them ready."""

import re

from pydantic import Field, field_validator, model_validator

from config.fields import LaterText, Section
from config.platform_team.golden_paths import Globs
from config.text.quoting import quoted


class RequestReady(Section):
    """What makes a request ready: a sync of one of Argo CD's `applications`, or a run of a `workflow`; globs.

    Each has to contain the request, as a deployment contains a change.
    """

    applications: Globs = []
    workflow: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "RequestReady":
        if bool(self.applications) == (self.workflow is not None):
            raise ValueError('needs either applications or a workflow; write applications: ["GLOB"]')
        return self


class RequestRule(Section):
    """Requests of one kind, which people call `name`: entries of the files `paths` (globs) in a repository.

    An entry is a custom object of `kind`, or a Terraform block `module` whose label or source is the glob.
    """

    name: str = Field(min_length=1, max_length=100)
    repository: str
    paths: Globs = Field(min_length=1)
    kind: str | None = None
    module: str | None = None
    ready: RequestReady

    @field_validator("repository")
    @classmethod
    def _owner_and_name(cls, repository: str) -> str:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
            raise ValueError(f'{quoted(repository)} is not a repository; write "owner/name"')
        return repository

    @model_validator(mode="after")
    def _one_form(self) -> "RequestRule":
        if (self.kind is None) == (self.module is None):
            raise ValueError("needs either a kind or a module; write kind: NamespaceRequest")
        return self


class SelfService(Section):
    """What developers ask of the platform by a change to a file, and files of what they ask for by ticket."""

    requests: list[RequestRule] = []
    tickets: list[LaterText] = []

    @field_validator("requests")
    @classmethod
    def _once_each(cls, rules: list[RequestRule]) -> list[RequestRule]:
        names = [rule.name.casefold() for rule in rules]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"{quoted(name)} stands for two kinds of requests; give each a name of its own"
                )
        return rules
