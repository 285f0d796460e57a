"""`sixkeys.yaml` as objects: read, checked, secrets resolved from the environment or from files."""

import difflib
import os
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from apscheduler.triggers.cron import CronTrigger
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from config.errors import ConfigurationError
from config.metrics import find, metrics
from config.targets import Target, parse_target

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _resolve(value: Any) -> Any:
    """`value` with `${NAME}` taken from the environment and `file:PATH` from a file; raises ValueError."""
    if not isinstance(value, str):
        return value
    if value.startswith("file:"):
        path = Path(value.removeprefix("file:"))
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ValueError(f"cannot read the file {path} ({error.strerror}); create it or mend the path") from None

    def from_environment(found: re.Match[str]) -> str:
        name = found[1]
        if not os.environ.get(name):
            raise ValueError(f"the environment variable {name} is not set; set it, or remove the key")
        return os.environ[name]

    return _REFERENCE.sub(from_environment, value)


def _reference_only(value: Any) -> Any:
    if isinstance(value, str) and not value.startswith("file:") and not _REFERENCE.search(value):
        raise ValueError('a secret is written as "${ENV_NAME}" or "file:PATH", never in the file itself')
    return _resolve(value)


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError):
        raise ValueError(f'"{name}" is not a time zone; write one like "Europe/Berlin" or "UTC"') from None
    return name


def _cron(text: str) -> str:
    try:
        CronTrigger.from_crontab(text)
    except ValueError as error:
        raise ValueError(f'"{text}" is not a schedule ({error}); write it like "0 8 * * MON"') from None
    return text


def _duration(value: Any) -> Any:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([mhd])\s*", value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f'"{value}" is not a duration; write it like "24h", "30m" or "2d"')
    return timedelta(minutes=float(found[1]) * {"m": 1, "h": 60, "d": 1440}[found[2]])


Plain = Annotated[str, BeforeValidator(_resolve)]
Secret = Annotated[SecretStr, BeforeValidator(_reference_only)]
Address = Annotated[str, BeforeValidator(_resolve), Field(pattern=r"^https?://[^\s@]+$")]
Cron = Annotated[str, AfterValidator(_cron)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]


class Section(BaseModel):
    """The base of every part of the file: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


class Production(Section):
    """What counts as production: globs over environment, or over Argo CD's cluster, namespace and project."""

    environments: list[str] = ["production", "prod*", "live"]


class WorkflowDeployment(Section):
    """A workflow whose runs are deployments, and to which environment."""

    workflow: str
    environment: str = "production"


class TagDeployment(Section):
    """A pattern of tags (and releases) that are deployments, and to which environment."""

    tag: str
    environment: str = "production"


def _named(key: str) -> BeforeValidator:
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


DeploymentSource = Literal["argocd", "deployments", "workflow_runs", "releases", "tags"]


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
            near = difflib.get_close_matches(self.name, known, n=1, cutoff=0.3)
            raise ValueError(f'"{self.name}" is not a metric; did you mean "{(near or known)[0]}"?')
        for text in (self.target, *(override.target for override in self.overrides)):
            parse_target(text, metric)
        return self


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


class GoldenPath(Section):
    """A paved road of the platform team; a component names it in its annotation `sixkeys.dev/golden-path`."""

    name: str
    description: str = ""
    url: Address | None = None


class Schedule(Section):
    """When `sixkeys serve` collects and sends the scorecard: five cron fields in the configured time zone."""

    collect: Cron = "*/15 * * * *"
    scorecard: Cron = "0 8 * * MON"


class Email(Section):
    """Delivery of the scorecard by SMTP."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: Plain | None = None
    password: Secret | None = None
    sender: str
    recipients: list[str] = Field(min_length=1)


class Reports(Section):
    """Where a published scorecard goes."""

    directory: Path = Path("scorecards")
    slack_webhook: Secret | None = None
    email: Email | None = None


class Dashboard(Section):
    """Where the dashboard listens; loopback unless said otherwise."""

    host: str = "127.0.0.1"
    port: int = Field(8501, ge=0, le=65535)


class Privacy(Section):
    """What is kept of people: a hash keyed with `key` (a random one beside the warehouse by default), or logins."""

    key: Secret | None = None
    logins: bool = False


class Settings(Section):
    """The whole file. Relative paths are taken from the folder of the file itself."""

    organization: str = Field(min_length=1)
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    warehouse: Path = Path("warehouse.duckdb")
    sources: Sources = Sources()
    production: Production = Production()
    deployments: Deployments = Deployments()
    bots: list[str] = ["*[bot]"]
    incidents: Incidents = Incidents()
    hotfix: Hotfix = Hotfix()
    metrics: list[MetricTarget] = DEFAULT_TARGETS
    golden_paths: list[GoldenPath] = []
    schedule: Schedule = Schedule()
    reports: Reports = Reports()
    dashboard: Dashboard = Dashboard()
    privacy: Privacy = Privacy()

    @field_validator("metrics")
    @classmethod
    def _once_each(cls, targets: list[MetricTarget]) -> list[MetricTarget]:
        seen: dict[str, str] = {}
        for target in targets:
            metric = find(target.name)
            if metric and metric.id in seen:
                raise ValueError(f'"{target.name}" and "{seen[metric.id]}" are the same metric; keep one')
            if metric:
                seen[metric.id] = target.name
        return targets

    def target(self, metric: str, scope: str = "organisation", name: str | None = None) -> Target | None:
        """The target that holds for metric id `metric` in a scope (`team`, `payments`), or None where there is none."""
        for entry in self.metrics:
            declared = find(entry.name)
            if declared and declared.id == metric:
                own = (o.target for o in entry.overrides if o.scope == (scope, name))
                return parse_target(next(own, entry.target), declared)
        return None


def load_settings(path: Path) -> Settings:
    """The settings in the YAML file at `path`, relative paths made absolute from its folder.

    Raises ConfigurationError with the file, the key and what to do; secrets never appear in its text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f'{path}: there is no such file; "sixkeys init" writes one') from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(f"{path}: cannot be read: {reason}") from None
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigurationError(f"{path}{where}: is not YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f'{path}: holds no settings; "sixkeys init" writes a commented example')
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {_explain(error)}") from None
    return _anchored(settings, path.resolve().parent)


def _anchored(settings: Settings, folder: Path) -> Settings:
    def from_folder(pattern: str) -> str:
        return pattern if re.match(r"https?://", pattern) else str(folder / pattern)

    sources = settings.sources
    survey = sources.survey and Survey(files=[from_folder(f) for f in sources.survey.files])
    catalog = sources.catalog.model_copy(update={"files": [from_folder(f) for f in sources.catalog.files]})
    reports = settings.reports.model_copy(update={"directory": folder / settings.reports.directory})
    return settings.model_copy(
        update={
            "warehouse": folder / settings.warehouse,
            "sources": sources.model_copy(update={"survey": survey, "catalog": catalog}),
            "incidents": settings.incidents.model_copy(
                update={"links": [from_folder(f) for f in settings.incidents.links]}
            ),
            "reports": reports,
        }
    )


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        parent, unknown = first["loc"][:-1], str(first["loc"][-1])
        near = difflib.get_close_matches(unknown, _known_keys(parent), n=1, cutoff=0)
        return f'unknown key "{key}"; did you mean "{near[0]}"?' if near else f'unknown key "{key}"; remove it'
    if first["type"] == "missing":
        return f'the key "{key}" is missing; add it'
    message = first["msg"].removeprefix("Value error, ")
    return f"{key}: {message}"


def _known_keys(parent: tuple[int | str, ...]) -> list[str]:
    section: Any = Settings
    for part in parent:
        if isinstance(part, int):
            continue
        if part not in section.model_fields:
            return []
        section = _section_in(section.model_fields[part].annotation)
        if section is None:
            return []
    return list(section.model_fields)


def _section_in(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    inner = (_section_in(part) for part in getattr(annotation, "__args__", ()))
    return next((section for section in inner if section is not None), None)
