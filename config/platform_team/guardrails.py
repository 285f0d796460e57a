"""Guardrails: what `security.defaults` and a golden path's `guardrails` come to as rules.

Beside the platform team's own keys stand Sixkeys' own, below `security.guardrails`: what their words leave open.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pydantic import Field, ValidationError, field_validator

from config.errors import ConfigurationError
from config.fields import Section
from config.mistakes import explained_mistake
from config.platform_team.documents import PlatformDocument, PlatformSection
from config.platform_team.golden_paths import Globs, GoldenPath
from config.platform_team.quantities import Quantity
from config.text.quoting import quoted

Rule = Literal[
    "Required labels",
    "Resource limits",
    "Network policy",
    "Images",
    "Secrets",
    "Least privilege",
    "Security scanning",
]
Traffic = Literal["ingress", "egress"]
# how a path's list may call each rule: the first that fits
_CALLED: tuple[tuple[str, Rule], ...] = (
    (r"scan|vulnerab", "Security scanning"),
    (r"\blabel", "Required labels"),
    (r"resource|limit|quota", "Resource limits"),
    (r"network|default.deny|deny.all", "Network policy"),
    (r"\bimage|registr", "Images"),
    (r"secret", "Secrets"),
    (r"\brbac\b|privilege|\brole", "Least privilege"),
)
# what a registry is called -> globs of its hosts
_REGISTRIES = (
    (r"\bghcr\b|github", ("ghcr.io",)),
    (r"\becr\b|elastic container", ("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn")),
    (r"artifact registry|\bgar\b", ("*-docker.pkg.dev",)),
    (r"\bgcr\b|google container", ("gcr.io", "*.gcr.io")),
    (r"docker.?hub", ("docker.io",)),
    (r"\bacr\b|azure container", ("*.azurecr.io",)),
    (r"\bquay\b", ("quay.io",)),
    (r"gitlab", ("registry.gitlab.com",)),
)
_HOST = re.compile(r"[\w*-]+(\.[\w*-]+)+(:[0-9]+)?(/\S*)?", re.ASCII)


class ResourceAmounts(PlatformSection):
    """The most of each resource."""

    cpu: Quantity | None = None
    memory: Quantity | None = None


class SecurityResources(PlatformSection):
    """The most that a container may request, and that it may be limited to."""

    requests: ResourceAmounts = ResourceAmounts()
    limits: ResourceAmounts = ResourceAmounts()


class SecurityDefaults(PlatformSection):
    """What each workload holds, in the platform team's words."""

    network_policy: Any = None
    resources: SecurityResources | None = None
    secrets: Any = None
    image_scanning: Any = None
    dependency_scanning: Any = None
    rbac: Any = None


class GuardrailOptions(Section):
    """What the platform team's words leave open.

    `registries` are globs of hosts, or of hosts with the beginning of a path. `deny` is what a default-deny policy has
    to deny. `scope` is whose the defaults are: all services', or those' that are on a golden path. `excepted` are rules
    that nobody is held to, by any name that a path's list may call them.
    """

    required_labels: Globs = ["app.kubernetes.io/name"]
    registries: Globs = []
    deny: list[Traffic] = ["ingress"]
    scope: Literal["all services", "golden paths"] = "all services"
    excepted: Globs = Field(default=[], alias="except")

    @field_validator("excepted")
    @classmethod
    def _rules(cls, names: list[str]) -> list[str]:
        for name in names:
            if rule_called(name) is None:
                raise ValueError(f"{quoted(name)} is no guardrail; it is one of {', '.join(get_args(Rule))}")
        return names


class Security(PlatformSection):
    """What a file of the platform team has below `security`, and Sixkeys' own `guardrails` beside it."""

    defaults: SecurityDefaults = SecurityDefaults()
    guardrails: GuardrailOptions = GuardrailOptions()


@dataclass(frozen=True)
class Guardrails:
    """The rules that hold: `for_all` those of the defaults, `by_path` those that a golden path names beside them.

    `most` is what a container may have at most, by what it is (`cpu_request`); without any each has to be told.
    `registries` are None where none is declared, and empty where it is one that is not known.
    """

    for_all: tuple[Rule, ...] = ()
    by_path: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    most: Mapping[str, str] = field(default_factory=dict)
    registries: tuple[str, ...] | None = None
    options: GuardrailOptions = field(default_factory=GuardrailOptions)

    @property
    def ask_for_objects(self) -> bool:
        """Whether any rule is about what runs in a cluster."""
        named = {*self.for_all, *(rule for rules in self.by_path.values() for rule in rules)}
        return bool(named - {"Security scanning"})


def security_of(document: PlatformDocument) -> Security:
    """What a document says below `security`. Raises ConfigurationError with file, line and column."""
    try:
        return Security.model_validate(document.content)
    except ValidationError as error:
        path, sentence = explained_mistake(error, Security, document.content, document.source, document.path)
        raise ConfigurationError(f"{document.place(*path)}: {sentence}") from None


def rule_called(name: str) -> Rule | None:
    """The rule that a golden path's list means, such as `Resource limits`; None where it is none of ours."""
    return next((rule for pattern, rule in _CALLED if re.search(pattern, name, re.IGNORECASE)), None)


def hosts_called(registry: Any) -> tuple[str, ...]:
    """Globs of the hosts of what people call `ECR` or `ghcr.io/acme`; none where it is not known."""
    told = registry.strip() if isinstance(registry, str) else ""
    if _HOST.fullmatch(told):
        return (told,)
    return next((hosts for called, hosts in _REGISTRIES if re.search(called, told, re.IGNORECASE)), ())


def default_rules(defaults: SecurityDefaults) -> Iterator[tuple[str, Rule]]:
    """(key, the rule that it comes to) of each of the defaults that is one."""
    if re.search(r"deny", str(defaults.network_policy or ""), re.IGNORECASE):
        yield "network_policy", "Network policy"
    if defaults.resources is not None:
        yield "resources", "Resource limits"
    if re.search(r"external.?secret|\beso\b", str(defaults.secrets or ""), re.IGNORECASE):
        yield "secrets", "Secrets"
    for key in ("image_scanning", "dependency_scanning"):
        if getattr(defaults, key):
            yield key, "Security scanning"
    if re.search(r"least|privilege", str(defaults.rbac or ""), re.IGNORECASE):
        yield "rbac", "Least privilege"


def guardrails_in(documents: Sequence[PlatformDocument], paths: Iterable[GoldenPath]) -> Guardrails:
    """The rules of all that the platform team wrote; of two documents that say the same the last word counts."""
    said = [security_of(one) for one in documents if one.topic == "security"]
    whole = _together(said)
    registry = _registry(documents)
    own = tuple(whole.guardrails.registries)
    known = own or (hosts_called(registry) if registry is not None else None)
    rules: list[Rule] = [rule for _, rule in default_rules(whole.defaults)]
    if known is not None:
        rules.append("Images")
    if "required_labels" in whole.guardrails.model_fields_set:
        rules.append("Required labels")
    called = {path.name: map(rule_called, path.guardrails) for path in paths}
    excepted = {None, *map(rule_called, whole.guardrails.excepted)}
    by_path = {
        name: tuple(rule for rule in named if rule and rule not in excepted) for name, named in called.items()
    }
    return Guardrails(
        for_all=tuple(rule for rule in dict.fromkeys(rules) if rule not in excepted),
        by_path={name: rules for name, rules in by_path.items() if rules},
        most=dict(_most(whole.defaults.resources)),
        registries=known,
        options=whole.guardrails,
    )


def _together(said: Sequence[Security]) -> Security:
    whole: dict[str, dict[str, Any]] = {"defaults": {}, "guardrails": {}}
    for one in said:
        for part, keys in whole.items():
            keys |= getattr(one, part).model_dump(exclude_unset=True, by_alias=True)
    return Security.model_validate(whole)


def _registry(documents: Iterable[PlatformDocument]) -> Any:
    found = None
    for one in documents:
        containers = one.content.get("containers") if one.topic == "platform" else None
        if isinstance(containers, dict) and containers.get("registry") is not None:
            found = containers["registry"]
    return found


def _most(resources: SecurityResources | None) -> Iterator[tuple[str, str]]:
    for bound, amounts in (
        ("request", resources and resources.requests),
        ("limit", resources and resources.limits),
    ):
        for resource in ("cpu", "memory"):
            if amounts and (most := getattr(amounts, resource)):
                yield f"{resource}_{bound}", most
