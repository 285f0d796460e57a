"""`sixkeys.yaml` as objects: read and checked; what it refers to is looked up where it is used."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from config.access import Auth, Dashboard
from config.agents import AGENTS, with_known_agents
from config.errors import ConfigurationError
from config.fields import Cron, Duration, LaterText, Place, Section, SigningKey, Timezone
from config.metrics import find
from config.mistakes import explain_mistakes
from config.platform_team.documents import Platform, PlatformDocument, platform_documents
from config.platform_team.golden_paths import GoldenPath, golden_path_of, merged_paths
from config.platform_team.guardrails import Guardrails, Security, guardrails_in
from config.platform_team.paved_road import PavedRoad, paved_road
from config.platform_team.self_service import SelfService
from config.reports import Email, Recipients, Reports, Webhook
from config.sources import ArgoCD, Catalog, EventEntry, GitHub, GitHubApp, PagerDuty, Sources
from config.survey import Survey, SurveyMeaning, SurveyPage
from config.targets import DEFAULT_TARGETS, HeldTarget, MetricTarget, SignalSettings, TargetOverride
from config.text.references import UnresolvedText, name_references
from config.text.yaml_documents import SETTINGS_YAML, UnreadableYaml, YamlDocument, read_yaml

# sources, survey, reports and targets are part of the settings to everyone else
__all__ = [
    "ArgoCD",
    "Auth",
    "Catalog",
    "Dashboard",
    "Email",
    "GitHub",
    "GitHubApp",
    "GoldenPath",
    "MetricTarget",
    "PagerDuty",
    "Recipients",
    "Reports",
    "Settings",
    "Sources",
    "Survey",
    "SurveyPage",
    "TargetOverride",
    "Webhook",
    "load_settings",
]


PRODUCTION_WORDS = ("production", "prod", "live")
# "pre-prod" and "non-prod" are two words each
NOT_PRODUCTION_WORDS = (
    "preview",
    "pr",
    "staging",
    "stage",
    "dev",
    "test",
    "qa",
    "nonprod",
    "non",
    "preprod",
    "pre",
    "sandbox",
)


class Production(Section):
    """What counts as production.

    `environments` are globs over an environment, or over Argo CD's cluster, namespace and project; without them a name
    that has one of PRODUCTION_WORDS. `applications` are globs over Argo CD's applications. `excepted` are words, or
    globs, of names that are never production.
    """

    environments: list[str] | None = None
    applications: list[str] = []
    excepted: list[str] = Field(default=list(NOT_PRODUCTION_WORDS), alias="except")


class WorkflowDeployment(Section):
    """A workflow whose runs are deployments, and to which environment.

    `unit` is what they replace, where several workflows replace the same; without it each file has its own.
    `job` is a glob of the jobs that deploy; `branches` and `events` are globs of what the runs may be of. Without them
    runs of the default branch and of tags, whatever they were started by but pull requests and merge queues.
    """

    workflow: str
    environment: str = "production"
    unit: str | None = None
    job: str | None = None
    branches: list[str] = []
    events: list[str] = []


class TagDeployment(Section):
    """A pattern of tags (and releases) that are deployments, `prereleases` too or not, and to which environment."""

    tag: str
    environment: str = "production"
    prereleases: bool = False


def _named(key: str) -> BeforeValidator:
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


DeploymentSource = Literal["argocd", "deployments", "workflow_runs", "releases", "tags"]
# what people call each
DEPLOYMENT_SOURCES: dict[str, str] = {
    "argocd": "Argo CD",
    "deployments": "GitHub deployments",
    "workflow_runs": "workflow runs",
    "releases": "releases",
    "tags": "tags",
}


class Deployments(Section):
    """Which sources tell of deployments, the first ranking highest, and which runs and tags are deployments."""

    sources: list[DeploymentSource] = ["argocd", "deployments", "workflow_runs", "releases", "tags"]
    workflows: list[Annotated[WorkflowDeployment, _named("workflow")]] = []
    tags: list[Annotated[TagDeployment, _named("tag")]] = []


class Incidents(Section):
    """Which incidents count, how long after a deployment an incident is blamed on it, and files of links by hand."""

    window: Duration = timedelta(hours=24)
    urgencies: list[str] = ["high"]
    priorities: list[str] = []
    links: list[LaterText] = []


class Hotfix(Section):
    """How a hotfix pull request is recognised: labels, or globs of its head branch."""

    labels: list[str] = ["hotfix"]
    branches: list[str] = ["hotfix/*"]


class Schedule(Section):
    """When `sixkeys serve` collects and sends the scorecard: five cron fields in the configured time zone."""

    collect: Cron = "*/15 * * * *"
    scorecard: Cron = "0 8 * * MON"


class Privacy(Section):
    """What is kept of people: a hash keyed with `key` (a random one beside the warehouse by default), or logins."""

    key: SigningKey | None = None
    logins: bool = False


class Settings(Section):
    """The whole file. Relative paths are taken from the folder of the file itself."""

    organization: str = Field(min_length=1)
    timezone: Timezone = "UTC"
    warehouse: Place = Path("warehouse.duckdb")
    sources: Sources = Sources()
    production: Production = Production()
    deployments: Deployments = Deployments()
    bots: list[str] = ["*[bot]", "scaffolder", "scaffolder@*"]
    agents: Annotated[dict[str, list[str]], AfterValidator(with_known_agents)] = AGENTS
    incidents: Incidents = Incidents()
    hotfix: Hotfix = Hotfix()
    metrics: list[MetricTarget] = DEFAULT_TARGETS
    signals: SignalSettings = SignalSettings()
    stated_paths: list[GoldenPath] = Field(default=[], alias="golden_paths")
    security: Security = Security()
    platform: Platform = Platform()
    self_service: SelfService = SelfService()
    # what the last collection told is forgotten by an empty list, not by none
    events: Annotated[list[EventEntry] | None, BeforeValidator(lambda told: [] if told is None else told)] = (
        None
    )
    schedule: Schedule = Schedule()
    reports: Reports = Reports()
    dashboard: Dashboard = Dashboard()
    privacy: Privacy = Privacy()
    survey: SurveyMeaning = SurveyMeaning()
    survey_page: SurveyPage | None = None
    _documents: list[PlatformDocument] = PrivateAttr(default=[])
    _paths: list[GoldenPath] = PrivateAttr(default=[])
    _road: PavedRoad = PrivateAttr(default=PavedRoad())
    _guardrails: Guardrails = PrivateAttr(default=Guardrails())

    @property
    def platform_documents(self) -> list[PlatformDocument]:
        """What the platform team wrote, in its files and in this one."""
        return self._documents

    @property
    def golden_paths(self) -> list[GoldenPath]:
        """The platform's paths, each once, whether they stand in its files or in this one."""
        return self._paths

    @property
    def paved_road(self) -> PavedRoad:
        """What the platform team stands by, wherever it says so."""
        return self._road

    @property
    def guardrails(self) -> Guardrails:
        """The rules that all of the platform team's documents come to."""
        return self._guardrails

    @model_validator(mode="after")
    def _with_platform(self, info: ValidationInfo) -> Self:
        context = info.context or {}
        folder, document = context.get("folder", Path()), context.get("document")
        own = {"security": self.security.model_dump(exclude_unset=True, by_alias=True)}
        written = document.content if document else own
        name = context.get("name", "sixkeys.yaml")
        self._documents = platform_documents(written, self.platform, folder, name, document)
        of_files = [
            golden_path_of(found, folder)
            for found in self._documents
            if found.topic == "golden_path" and found.source is not document
        ]
        self._paths = merged_paths([*of_files, *self.stated_paths])
        self._road = paved_road(self._documents)
        self._guardrails = guardrails_in(self._documents, self._paths)
        return self

    @field_validator("metrics")
    @classmethod
    def _once_each(cls, targets: list[MetricTarget]) -> list[MetricTarget]:
        seen: dict[str, str] = {}
        for target in targets:
            metric = find(target.name)
            if metric and metric.id in seen:
                raise ValueError(
                    f'"{target.name.strip()}" and "{seen[metric.id]}" are the same metric; keep one'
                )
            if metric:
                seen[metric.id] = target.name
        return targets

    def target(
        self,
        metric: str,
        scope: str = "organisation",
        name: str | None = None,
        above: Sequence[tuple[str, str]] = (),
    ) -> HeldTarget | None:
        """The target that holds for metric id `metric` in a scope (`team`, `payments`), or None where there is none.

        `above` are the scopes that it lies in, the nearest first, without the organisation.
        """
        for entry in self.metrics:
            declared = find(entry.name)
            if declared and declared.id == metric:
                return entry.holding(scope, name, above)
        return None


def source_names(settings: Settings) -> list[str]:
    """The sources that are configured, by the names of their runs; `warehouse/loading/configured.py` reads them."""
    configured = settings.sources
    github = configured.github
    is_there = {
        "catalog": configured.catalog.files or configured.catalog.backstage,
        "github": github,
        "git": github,
        "requests": github and settings.self_service.requests,
        "github_jobs": github and github.workflow_runs and asks_for_jobs(settings),
        "github_issues": github and github.incidents,
        "pagerduty": configured.pagerduty,
        "survey": configured.survey or settings.survey_page,
        "links": settings.incidents.links,
        "tickets": settings.self_service.tickets,
    }
    return [
        *(f"argocd:{instance.name}" for instance in configured.argocd),
        *(name for name, section in is_there.items() if section),
    ]


def asks_for_jobs(settings: Settings) -> bool:
    """Whether a golden path says how its services are deployed, which the jobs of their runs tell."""
    deployments = [path.deployment for path in settings.golden_paths]
    return any(
        one.steps or one.model_fields_set & {"github_actions", "approval_required"} for one in deployments
    )


def load_settings(path: Path) -> Settings:
    """The settings in the YAML file at `path`, relative paths made absolute from its folder.

    Raises ConfigurationError with the file, the key and what to do; secrets never appear in its text.
    """
    document = settings_document(path)
    folder = path.resolve().parent
    try:
        context = {"folder": folder, "document": document, "name": path.name}
        settings = Settings.model_validate(document.content, context=context)
    except ValidationError as error:
        raise ConfigurationError(f"{path}{explain_mistakes(error, Settings, document)}") from None
    name_references(settings)
    return _anchored(settings, folder)


def settings_document(path: Path) -> YamlDocument:
    """The YAML in the file at `path`, a mapping. Raises ConfigurationError."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(SETTINGS_YAML.characters + 1)
        document = read_yaml(text, SETTINGS_YAML)
    except FileNotFoundError:
        raise ConfigurationError(f'{path}: there is no such file; "sixkeys init" writes one') from None
    except UnreadableYaml as error:
        key = f"{error.key}: " if error.key else ""
        raise ConfigurationError(f"{path}:{error.line}:{error.column}: {key}{error.problem}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(f"{path}: cannot be read: {reason}") from None
    if document is None or not isinstance(document.content, dict):
        raise ConfigurationError(f'{path}: holds no settings; "sixkeys init" writes a commented example')
    return document


def _anchored(settings: Settings, folder: Path) -> Settings:
    def from_folder(pattern: str) -> str:
        is_place = not isinstance(pattern, UnresolvedText) and not re.match(r"https?://", pattern)
        return str(folder / pattern) if is_place else pattern

    sources = settings.sources
    survey = sources.survey and sources.survey.model_copy(
        update={
            "files": [
                entry.model_copy(update={"files": from_folder(entry.files)}) for entry in sources.survey.files
            ]
        }
    )
    catalog = sources.catalog.model_copy(update={"files": [from_folder(f) for f in sources.catalog.files]})
    events = settings.events and [
        entry.model_copy(update={"files": entry.files and from_folder(entry.files)})
        for entry in settings.events
    ]
    export = settings.reports.export
    reports = settings.reports.model_copy(
        update={
            "directory": folder / settings.reports.directory,
            "export": export and export.model_copy(update={"directory": folder / export.directory}),
        }
    )
    return settings.model_copy(
        update={
            "warehouse": folder / settings.warehouse,
            "sources": sources.model_copy(update={"survey": survey, "catalog": catalog}),
            "incidents": settings.incidents.model_copy(
                update={"links": [from_folder(f) for f in settings.incidents.links]}
            ),
            "events": events,
            "self_service": settings.self_service.model_copy(
                update={"tickets": [from_folder(f) for f in settings.self_service.tickets]}
            ),
            "reports": reports,
        }
    )
