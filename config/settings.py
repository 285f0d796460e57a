"""`sixkeys.yaml` as objects: read, checked, secrets resolved from the environment or from files."""

import difflib
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from config.access import Auth, Dashboard
from config.agents import AGENTS, with_known_agents
from config.errors import ConfigurationError
from config.fields import Address, Cron, Duration, Place, Plain, Secret, Section, Timezone
from config.metrics import find, metrics
from config.mistakes import explain_mistakes
from config.names import same_key
from config.reports import Email, Recipients, Reports, Webhook
from config.sources import ArgoCD, Catalog, EventEntry, GitHub, GitHubApp, PagerDuty, Sources
from config.survey import Survey, SurveyPage
from config.targets import Target, parse_size, parse_target
from config.text.quoting import LONGEST_VALUE, quoted
from config.text.yaml_documents import SETTINGS_YAML, UnreadableYaml, YamlDocument, read_yaml

# sources, survey and reports are part of the settings to everyone else
__all__ = [
    "ArgoCD",
    "Auth",
    "Catalog",
    "Dashboard",
    "Email",
    "GitHub",
    "GitHubApp",
    "PagerDuty",
    "Recipients",
    "Reports",
    "Settings",
    "Sources",
    "Survey",
    "SurveyPage",
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
    links: list[Plain] = []


class Hotfix(Section):
    """How a hotfix pull request is recognised: labels, or globs of its head branch."""

    labels: list[str] = ["hotfix"]
    branches: list[str] = ["hotfix/*"]


class TargetOverride(Section):
    """A target that holds for one team, system or service instead of the metric's own."""

    team: str | None = None
    system: str | None = None
    service: str | None = None
    target: str

    @model_validator(mode="after")
    def _one_scope(self) -> "TargetOverride":
        if [self.team, self.system, self.service].count(None) != 2:
            raise ValueError("names one of team, system or service")
        return self

    @property
    def scope(self) -> tuple[str, str]:
        """(`team`, its name), and so on."""
        return next((k, v) for k in ("team", "system", "service") if (v := getattr(self, k)) is not None)


class MetricTarget(Section):
    """A metric as the user names and describes it, with its target in words."""

    name: str
    description: str = ""
    target: str
    overrides: list[TargetOverride] = []

    @model_validator(mode="after")
    def _parses(self) -> "MetricTarget":
        metric = find(self.name)
        if metric is None:
            known = [m.names[0] for m in metrics().values()]
            near = difflib.get_close_matches(self.name[:LONGEST_VALUE], known, n=1, cutoff=0.3)
            meant = (near or known)[0]
            raise _mistake(("name",), f'{quoted(self.name)} is not a metric; did you mean "{meant}"?')
        texts: dict[tuple[str | int, ...], str] = {("target",): self.target}
        texts |= {("overrides", i, "target"): override.target for i, override in enumerate(self.overrides)}
        for location, text in texts.items():
            try:
                parse_target(text, metric)
            except ValueError as error:
                raise _mistake(location, str(error)) from None
        return self


def _mistake(location: tuple[str | int, ...], sentence: str) -> ValidationError:
    # a ValueError would name the entry only, not the key in it
    wrong = PydanticCustomError("target", "{sentence}", {"sentence": sentence})
    details = InitErrorDetails(type=wrong, loc=location, input=None)
    return ValidationError.from_exception_data("MetricTarget", [details])


DEFAULT_TARGETS = [
    MetricTarget(name=name, description=description, target=target)
    for name, description, target in (
        ("Time to First Commit (TTFC)", "Time from repo creation to first commit", "< 30 minutes"),
        ("Deployment Frequency", "How often deployments occur", "> 10/day"),
        ("Lead Time for Changes", "Time from commit to production", "< 1 hour"),
        ("Change Failure Rate", "% of deployments causing failures", "< 5%"),
        ("MTTR", "Time to recover from failures", "< 30 minutes"),
        ("Developer Satisfaction (DSAT)", "Platform satisfaction score", "> 4.5/5"),
    )
]


LEAST_SIZES = {
    "time_to_first_commit": "10 minutes",
    "deployment_frequency": "1/week",
    "lead_time": "1 hour",
    "change_failure_rate": "2%",
    "mttr": "10 minutes",
    "developer_satisfaction": "0.2/5",
    "failed_deployment_recovery_time": "10 minutes",
    "deployment_rework_rate": "2%",
}


def _sizes(told: dict[str, str]) -> dict[str, str]:
    """The least size of each metric by its id: those `told`, by any of its names, in the place of the default."""
    found: dict[str, str] = {}
    for name, text in told.items():
        metric = find(name)
        if metric is None:
            raise ValueError(f"{quoted(name)} is not a metric; known: {', '.join(metrics())}")
        if metric.id in found:
            raise ValueError(f"{quoted(name)} is told twice; keep one")
        parse_size(text, metric)
        found[metric.id] = text
    return LEAST_SIZES | found


class SignalSettings(Section):
    """What is called a change: by how much each metric has to differ to matter, `least`, by the metric's name."""

    least: Annotated[dict[str, str], AfterValidator(_sizes)] = LEAST_SIZES

    def least_of(self, metric: str) -> float:
        """By how much the metric of this id has to differ to matter, in its own unit."""
        return parse_size(self.least[metric], metrics()[metric])


class GoldenPath(Section):
    """A paved road of the platform team; a component names it in its annotation `sixkeys.dev/golden-path`."""

    name: str
    description: str = ""
    url: Address | None = None


class Schedule(Section):
    """When `sixkeys serve` collects and sends the scorecard: five cron fields in the configured time zone."""

    collect: Cron = "*/15 * * * *"
    scorecard: Cron = "0 8 * * MON"


class Privacy(Section):
    """What is kept of people: a hash keyed with `key` (a random one beside the warehouse by default), or logins."""

    key: Secret | None = None
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
    golden_paths: list[GoldenPath] = []
    # what the last collection told is forgotten by an empty list, not by none
    events: Annotated[list[EventEntry] | None, BeforeValidator(lambda told: [] if told is None else told)] = (
        None
    )
    schedule: Schedule = Schedule()
    reports: Reports = Reports()
    dashboard: Dashboard = Dashboard()
    privacy: Privacy = Privacy()
    survey_page: SurveyPage | None = None

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

    def target(self, metric: str, scope: str = "organisation", name: str | None = None) -> Target | None:
        """The target that holds for metric id `metric` in a scope (`team`, `payments`), or None where there is none."""
        for entry in self.metrics:
            declared = find(entry.name)
            if declared and declared.id == metric:
                own = (
                    o.target
                    for o in entry.overrides
                    if o.scope[0] == scope and name is not None and same_key(o.scope[1]) == same_key(name)
                )
                return parse_target(next(own, entry.target), declared)
        return None


def load_settings(path: Path) -> Settings:
    """The settings in the YAML file at `path`, relative paths made absolute from its folder.

    Raises ConfigurationError with the file, the key and what to do; secrets never appear in its text.
    """
    document = settings_document(path)
    folder = path.resolve().parent
    try:
        settings = Settings.model_validate(document.content, context={"folder": folder})
    except ValidationError as error:
        raise ConfigurationError(f"{path}{explain_mistakes(error, Settings, document)}") from None
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
        return pattern if re.match(r"https?://", pattern) else str(folder / pattern)

    sources = settings.sources
    survey = sources.survey and Survey(
        files=[entry.model_copy(update={"files": from_folder(entry.files)}) for entry in sources.survey.files]
    )
    catalog = sources.catalog.model_copy(update={"files": [from_folder(f) for f in sources.catalog.files]})
    events = settings.events and [
        entry.model_copy(update={"files": entry.files and from_folder(entry.files)})
        for entry in settings.events
    ]
    reports = settings.reports.model_copy(update={"directory": folder / settings.reports.directory})
    return settings.model_copy(
        update={
            "warehouse": folder / settings.warehouse,
            "sources": sources.model_copy(update={"survey": survey, "catalog": catalog}),
            "incidents": settings.incidents.model_copy(
                update={"links": [from_folder(f) for f in settings.incidents.links]}
            ),
            "events": events,
            "reports": reports,
        }
    )
