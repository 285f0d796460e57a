"""The paved road: the few languages, databases, containers and tools that the platform team stands by."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import BeforeValidator, Field, ValidationError

from config.errors import ConfigurationError
from config.mistakes import explained_mistake
from config.platform_team.documents import PlatformDocument, PlatformSection
from config.text.quoting import quoted

_LONGEST = 200
_SEVERAL = re.compile(
    r"\s+(?:/|and|or(?!\s+(?:newer|later|higher)))\s+|\s*[,;]\s+(?![<>=~!])|(?<=\d)/(?=\d)", re.IGNORECASE
)
_VERSION_ALONE = re.compile(r"v?\d+(?:\.\d+)*\s*(?:\+|\.x|LTS)?", re.IGNORECASE)
# "(20 or newer)", "17 LTS", "^8.2", "~> 3.2", "3.11 - 3.13"
_SAID_OF_IT = re.compile(r"[()]|\bLTS\b", re.IGNORECASE)
_CARET = re.compile(r"\^\s*(\d+)((?:\.\d+)*)")
_FROM_TO = re.compile(r"(?<=\s)(\d+(?:\.\d+)*)\s*(?:-|\u2013|to)\s*((?:\d+\.)*)(\d+)")
# "Go 1.21+", "PostgreSQL 15", "Python >=3.11,<3.14", "Node.js 20.x", "python-3.9", "go1.21", "distroless"
_CHOICE = re.compile(
    r"(?P<name>[^<>=~\s]*?[^<>=~\s\d.:_-](?:\s+[^<>=~\d\s]+)*?)[\s:_-]*"
    r"(?:v?(?P<version>\d+(?:\.\d+)*)\s*(?P<open>\+|\.[x*]|(?:\s+or\s+(?:newer|later|higher)))?|(?P<spec>[<>=~!].*))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class RoadChoice:
    """One of the things that are on the road: as it is written, its name alone, and its versions; None: any."""

    told: str
    name: str
    versions: SpecifierSet | None = None

    def __str__(self) -> str:
        return self.told

    def holds(self, version: str | None) -> bool:
        """Whether a version is one of them. One that nobody tells is, and so is one that is told too roughly to say."""
        if version is None or self.versions is None:
            return True
        try:
            found = Version(version)
        except InvalidVersion:
            return True
        for one in self.versions:
            bound = Version(one.version.removesuffix(".*")).release
            if len(found.release) < len(bound) and found.release == bound[: len(found.release)]:
                return True
        return self.versions.contains(found, prereleases=True)


def name_and_version(told: str) -> tuple[str, str | None]:
    """(python, 3.9) of "python-3.9", "python3.9" or "Python 3.9"; (distroless, None) of what tells no version."""
    found = _CHOICE.fullmatch(told.strip()[:_LONGEST])
    return (found["name"], found["version"]) if found else (told.strip(), None)


def choice_of(told: str) -> RoadChoice:
    """What a text such as "Go 1.21+" allows. Raises ValueError for versions that cannot be read."""
    told = told.strip()
    found = _CHOICE.fullmatch(_as_specifiers(told)) if len(told) <= _LONGEST else None
    if not found:
        raise ValueError(
            f'{quoted(told)} cannot be read; write it like "Go 1.21+", "PostgreSQL 15" or "distroless"'
        )
    version, spec = found["version"], found["spec"]
    try:
        if spec and "===" not in spec:
            return RoadChoice(told, found["name"], SpecifierSet(spec))
        if version:
            at_least = found["open"] and not found["open"].startswith(".")
            return RoadChoice(
                told, found["name"], SpecifierSet(f">={version}" if at_least else f"=={version}.*")
            )
        if not spec:
            return RoadChoice(told, found["name"])
    except InvalidSpecifier:
        pass
    raise ValueError(
        f'{quoted(told)} has versions that cannot be read; write them like "1.21+", "15" or ">=3.11,<3.14"'
    )


def _as_specifiers(told: str) -> str:
    """What tools of other languages write, as Python does: `>=8.2,<9` of `^8.2`."""
    plain = _SAID_OF_IT.sub(" ", told).strip()
    plain = _CARET.sub(lambda m: f">={m[1]}{m[2]},<{int(m[1]) + 1}", plain).replace("~>", "~=")
    return _FROM_TO.sub(lambda m: f">={m[1]},<{m[2]}{int(m[3]) + 1}", plain)


def _several(value: Any) -> Any:
    """A text, several with a slash between them, or a list of such, as a list."""
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str | int | float) and not isinstance(text, bool) for text in texts):
        return value
    return [part for text in texts for part in _named_parts(str(text))]


def _named_parts(text: str) -> Iterator[str]:
    """Each of the several, a version alone with the name that stands before it: "Java 17 or 21"."""
    name = ""
    for part in filter(str.strip, _SEVERAL.split(text[: 50 * _LONGEST])):
        is_version = name and _VERSION_ALONE.fullmatch(part.strip())
        yield f"{name} {part.strip()}" if is_version else part
        name = name if is_version else name_and_version(part)[0]


def _readable(value: list[str]) -> list[str]:
    for text in value:
        choice_of(text)
    return value


def _nothing(value: Any) -> Any:
    return [] if value is None else value


Choices = Annotated[list[str], BeforeValidator(_several), BeforeValidator(_nothing)]


class PavedContainers(PlatformSection):
    """What images are made from, and where they lie."""

    base_image: Choices = []
    registry: Choices = []


class PavedCiCd(PlatformSection):
    """What builds and tests, and what deploys."""

    tool: Choices = []
    deployment: Choices = []


class PavedRoad(PlatformSection):
    """The section `platform` as the platform team writes it; `databases` go by what they are for, such as `cache`."""

    language_runtimes: Choices = []
    databases: Annotated[dict[str, Choices], BeforeValidator(lambda told: {} if told is None else told)] = {}
    containers: PavedContainers = Field(default=PavedContainers())
    ci_cd: PavedCiCd = Field(default=PavedCiCd())

    @property
    def choices(self) -> dict[str, list[RoadChoice]]:
        """What is on the road, by aspect; aspects of which nothing is said are not there."""
        told = {
            "runtime": self.language_runtimes,
            "base image": self.containers.base_image,
            "registry": self.containers.registry,
            "ci": self.ci_cd.tool,
            "deployment": self.ci_cd.deployment,
            **{f"databases.{purpose}": entries for purpose, entries in self.databases.items()},
        }
        return {
            aspect: [choice_of(entry) for entry in entries] for aspect, entries in told.items() if entries
        }


def paved_road(documents: Iterable[PlatformDocument]) -> PavedRoad:
    """What all documents of the topic say together; of a key that stands in several the last word counts.

    Raises ConfigurationError with the place and the key.
    """
    found = PavedRoad()
    for document in documents:
        if document.topic == "platform":
            found = found.model_copy(update=_given(road_of(document)))
    return found


def road_of(document: PlatformDocument) -> PavedRoad:
    """What one document says. Raises ConfigurationError."""
    try:
        road = PavedRoad.model_validate(document.content)
    except ValidationError as error:
        location, sentence = explained_mistake(
            error, PavedRoad, document.content, document.source, document.path
        )
        raise ConfigurationError(f"{document.place(*location)}: {sentence}") from None
    told = [
        (("language_runtimes",), road.language_runtimes),
        (("containers", "base_image"), road.containers.base_image),
        (("containers", "registry"), road.containers.registry),
        (("ci_cd", "tool"), road.ci_cd.tool),
        (("ci_cd", "deployment"), road.ci_cd.deployment),
        *((("databases", purpose), entries) for purpose, entries in road.databases.items()),
    ]
    for path, entries in told:
        try:
            _readable(entries)
        except ValueError as error:
            key = ".".join((*map(str, document.path), *path))
            raise ConfigurationError(f"{document.place(*path)}: {key}: {error}") from None
    return road


def _given(road: PavedRoad) -> dict[str, Any]:
    return {name: getattr(road, name) for name in road.model_fields_set if name in PavedRoad.model_fields}
