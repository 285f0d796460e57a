"""Golden paths: the platform team's own two forms, and beside them Sixkeys' own `match` and `members`."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError, model_validator

from config.errors import ConfigurationError
from config.fields import Address, Section
from config.mistakes import explained_mistake
from config.platform_team.documents import PlatformDocument, PlatformSection
from config.text.quoting import quoted

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = r"([0-9]+(?:\.[0-9]+)?)\s*(s|m|h|d)(?:ec|econds?|ecs|in|ins|inutes?|rs?|ours?|ays?)?"
_TIMEOUT = re.compile(rf"\s*{_PART}(?:\s*{_PART})?\s*", re.IGNORECASE)


def _timeout(value: Any) -> Any:
    """A duration as people write it: `10 minutes`, `90s`, `1h 30m`."""
    if isinstance(value, timedelta):
        return value
    found = _TIMEOUT.fullmatch(value) if isinstance(value, str) and len(value) < 50 else None
    if not found:
        raise ValueError(f'{quoted(value)} is not a duration; write it like "10 minutes" or "1h"')
    parts = zip(found.groups()[::2], found.groups()[1::2], strict=True)
    seconds = sum(float(number) * _UNITS[unit.lower()] for number, unit in parts if number)
    if not 0 < seconds <= 10 * 86400:
        raise ValueError(f'{quoted(value)} is no time for a step; write one like "10 minutes"')
    return timedelta(seconds=seconds)


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _joined(value: Any) -> Any:
    is_words = isinstance(value, list) and all(isinstance(word, str) for word in value)
    return " / ".join(value) if is_words else _text(value)


def _text(value: Any) -> Any:
    """Numbers and days as they are written in YAML, too: `name: 2026`."""
    return str(value) if isinstance(value, int | float | date) and not isinstance(value, bool) else value


def _names(value: Any) -> Any:
    """A list of names, which may be written as `{name: ...}`."""
    listed = [value] if isinstance(value, str | int | float) else value
    if not isinstance(listed, list):
        return value
    return [
        _text(entry["name"] if isinstance(entry, dict) and "name" in entry else entry) for entry in listed
    ]


def _by_name(value: Any) -> Any:
    """An entry that is its name alone: `steps: [Build, Test]`."""
    return {"name": value} if isinstance(value, str | int | float) else value


Timeout = Annotated[timedelta, BeforeValidator(_timeout)]
Globs = Annotated[list[str], BeforeValidator(_several)]
PlainText = Annotated[str, BeforeValidator(_text)]
Names = Annotated[list[str], BeforeValidator(_names)]


class PathComponent(PlatformSection):
    """A part of the platform that the path offers."""

    name: PlainText
    provider: Any = None
    access: Any = None
    config: Any = None
    options: Any = None


class StepMatch(Section):
    """Which jobs are a step, where their names do not say it: globs; or to which environments it deploys."""

    workflow: Globs = []
    job: Globs = []
    step: Globs = []
    environment: Globs = []


class PathStep(PlatformSection):
    """A step on the way to production, in its place. `timeout` is how long it may take."""

    name: PlainText
    tool: Annotated[str, BeforeValidator(_joined)] = ""
    timeout: Timeout | None = None
    required: bool | None = None
    auto: bool | None = None
    match: StepMatch | None = None


class PathDeployment(PlatformSection):
    """How a service on the path gets to production."""

    name: PlainText = ""
    github_actions: bool | None = None
    approval_required: bool | None = None
    steps: list[Annotated[PathStep, BeforeValidator(_by_name)]] = []


class PathMembers(Section):
    """Who is on a path without naming it: globs of the templates that it was made from, and tags."""

    templates: Globs = []
    tags: Globs = []


class GoldenPath(PlatformSection):
    """A paved road of the platform team; a component names it in its annotation `sixkeys.dev/golden-path`."""

    name: PlainText
    description: PlainText = ""
    url: Address | None = None
    components: list[Annotated[PathComponent, BeforeValidator(_by_name)]] = []
    deployment: PathDeployment = PathDeployment()
    guardrails: Names = []
    members: PathMembers = PathMembers()

    @model_validator(mode="before")
    @classmethod
    def _named(cls, content: Any) -> Any:
        """Takes the entry `golden_path: {…}` of a list, and the name of its deployment where it has none itself."""
        if isinstance(content, dict) and list(content) == ["golden_path"]:
            content = content["golden_path"]
        deployment = content.get("deployment") if isinstance(content, dict) else None
        if isinstance(deployment, dict) and "name" not in content and isinstance(deployment.get("name"), str):
            return {"name": deployment["name"], **content}
        return content


def golden_path_of(document: PlatformDocument, folder: Path) -> GoldenPath:
    """The path that a document describes. Raises ConfigurationError with file, line and column."""
    try:
        return GoldenPath.model_validate(document.content, context={"folder": folder})
    except ValidationError as error:
        path, sentence = explained_mistake(
            error, GoldenPath, document.content, document.source, document.path
        )
        raise ConfigurationError(f"{document.place(*path)}: {sentence}") from None


def merged_paths(paths: Iterable[GoldenPath]) -> list[GoldenPath]:
    """Each path once, by its name; what is said of it at several places comes together, the last word counts."""
    said = defaultdict[str, list[GoldenPath]](list)
    for path in paths:
        said[path_key(path.name)].append(path)
    return [_merged(of_one) for of_one in said.values()]


def path_key(name: str) -> str:
    """What all ways to write a path's name have in common: `Standard Web Application`, `standard-web-application`."""
    return re.sub(r"[\s_-]+", "-", name.strip()).casefold()


def _merged(paths: Sequence[GoldenPath]) -> GoldenPath:
    if len(paths) == 1:
        return paths[0]
    whole: Any = {}
    for path in paths:
        whole = _together(whole, path.model_dump(exclude_unset=True, by_alias=True))
    return GoldenPath.model_validate({**whole, "name": paths[0].name})


def _together(one: Any, other: Any) -> Any:
    """`other` over `one`, key by key, and entries of lists by their name."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {key: _together(one.get(key), value) for key, value in other.items()}
    if _is_named(one) and _is_named(other):
        by_name = {path_key(entry["name"]): entry for entry in one}
        for entry in other:
            key = path_key(entry["name"])
            known = by_name.get(key, entry)
            by_name[key] = {**_together(known, entry), "name": known["name"]}
        return list(by_name.values())
    return other


def _is_named(entries: Any) -> bool:
    return isinstance(entries, list) and all(isinstance(entry, dict) and "name" in entry for entry in entries)
