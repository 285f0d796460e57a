"""What of the platform team's documents means something here, for `sixkeys check`, and which keys are not used."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from config.platform_team.documents import PlatformDocument
from config.platform_team.golden_paths import GoldenPath, golden_path_of
from config.platform_team.guardrails import SecurityDefaults, default_rules, rule_called, security_of
from config.platform_team.paved_road import road_of
from config.settings import Settings
from config.text.quoting import one_short_line


@dataclass(frozen=True)
class Understood:
    """What a document says, in a few words, and its keys that mean nothing here, such as `deployment.owner`."""

    what: str
    unused: list[str]


def understood_documents(settings: Settings) -> list[tuple[str, Understood]]:
    """(`platform.yaml:12:1`, what was understood) of each document that the platform team wrote, in their order."""
    return [
        (one.place(), _request(one, settings) if one.topic == "request" else _READERS[one.topic](one))
        for one in settings.platform_documents
    ]


def unused_keys(section: BaseModel, below: str = "") -> Iterator[str]:
    """The keys of a section, and of those in it, that no field has."""
    yield from (f"{below}{key}" for key in section.model_extra or {})
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        for index, part in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(part, BaseModel):
                entry = f"{index}." if isinstance(value, list) else ""
                yield from unused_keys(part, f"{below}{field.alias or name}.{entry}")


def _golden_path(document: PlatformDocument) -> Understood:
    path = golden_path_of(document, Path())
    unknown = (f"guardrails: {name}" for name in path.guardrails if rule_called(name) is None)
    return Understood(
        f'golden path "{path.name}": {", ".join(_said(path)) or "its name"}', [*unused_keys(path), *unknown]
    )


def _said(path: GoldenPath) -> Iterator[str]:
    deployment = path.deployment
    if path.components:
        yield f"{len(path.components)} component{'s' if len(path.components) > 1 else ''}"
    if deployment.steps:
        yield f"steps {_listed(step.name for step in deployment.steps)}"
    if deployment.github_actions:
        yield "deployed by GitHub Actions"
    if deployment.approval_required is not None:
        yield "approval required" if deployment.approval_required else "no approval required"
    if path.guardrails:
        yield f"guardrails {_listed(path.guardrails)}"
    if path.members.templates or path.members.tags:
        yield f"members by {_listed([*path.members.templates, *path.members.tags])}"


def _listed(names: Iterator[str] | Sequence[str]) -> str:
    return " → ".join(names) if isinstance(names, Iterator) else "; ".join(names)


def _security(document: PlatformDocument) -> Understood:
    section = security_of(document)
    rules = list(default_rules(section.defaults))
    used = {key for key, _ in rules}
    # a word that no rule knows asks for nothing
    words = (key for key in SecurityDefaults.model_fields if getattr(section.defaults, key) is not None)
    unknown = [f"defaults.{key}" for key in words if key not in used]
    said: list[str] = [*dict.fromkeys(rule for _, rule in rules)]
    if "guardrails" in section.model_fields_set:
        said.append("what is Sixkeys' own")
    return Understood(f"guardrails: {_listed(said) or 'none'}", [*unused_keys(section), *unknown])


def _platform(document: PlatformDocument) -> Understood:
    road = road_of(document)
    said = (f"{aspect} {' / '.join(map(str, choices))}" for aspect, choices in road.choices.items())
    return Understood(f"paved road: {', '.join(said) or 'nothing'}", [*unused_keys(road)])


def _request(document: PlatformDocument, settings: Settings) -> Understood:
    kind = one_short_line(str(document.content["kind"]))
    if str(document.content["apiVersion"]).startswith("backstage.io/"):
        return Understood(
            f"not used: an entity of Backstage, {kind}; sources.catalog.files names such files", []
        )
    asked = [
        rule.repository for rule in settings.self_service.requests if rule.kind == document.content["kind"]
    ]
    where = ", ".join(asked) or "no repository yet; self_service.requests names it"
    return Understood(f"requests of kind {kind}: made in {where}", [])


def _unknown(document: PlatformDocument) -> Understood:
    content: Any = document.content
    keys = [str(key) for key in content] if isinstance(content, dict) and not document.path else []
    what = "no golden_path, security or platform, and no apiVersion with a kind"
    return Understood(f"not used: {what}", keys or list(filter(None, [document.key])))


# a topic -> what reads its documents
_READERS: dict[str, Callable[[PlatformDocument], Understood]] = {
    "golden_path": _golden_path,
    "security": _security,
    "platform": _platform,
    "unknown": _unknown,
}
