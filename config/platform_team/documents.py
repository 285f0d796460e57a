"""The platform team's own YAML, from files and from `sixkeys.yaml`: documents by their topic, as plain values.

Nobody is told how to write it: what means nothing here is kept, and `sixkeys check` says that it is not used.
"""

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, ValidationInfo, field_validator, model_validator

from config.errors import ConfigurationError
from config.fields import Section
from config.text.quoting import one_short_line, quoted
from config.text.yaml_documents import SETTINGS_YAML, UnreadableYaml, YamlDocument, yaml_documents

Topic = Literal["golden_path", "security", "platform", "request", "unknown"]
# a document's top key -> its topic
_TOPICS: dict[str, Topic] = {
    "golden_path": "golden_path",
    "golden_paths": "golden_path",
    "security": "security",
    "platform": "platform",
}
_MOST_CHARACTERS = 5_000_000


class PlatformSection(Section):
    """The base of what stands in the platform team's own YAML: keys that mean nothing here are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _said(cls, content: Any) -> Any:
        """What is left empty is not said."""
        if not isinstance(content, dict):
            return content
        return {key: value for key, value in content.items() if value is not None}


class Platform(PlatformSection):
    """The platform team's files, and beside them what such a file has below `platform`."""

    files: list[str] = []

    @field_validator("files")
    @classmethod
    def _there(cls, patterns: list[str], info: ValidationInfo) -> list[str]:
        for pattern in patterns:
            if not _matching(pattern, (info.context or {}).get("folder", Path())):
                raise ValueError(f"{quoted(pattern)} matches no file; mend the path")
        return patterns


@dataclass(frozen=True)
class PlatformDocument:
    """What is said of one topic, as plain values, and where: `file`, and `path` below which it stands in its document.

    Of a request, and of what is of no topic, `content` is the whole document, else what stands below the topic's key.
    """

    topic: Topic
    content: Any
    file: str
    path: tuple[int | str, ...] = ()
    source: YamlDocument | None = field(default=None, compare=False, repr=False)

    @property
    def line(self) -> int | None:
        """The line at which it stands in its file, from 1; None where it came from no file."""
        if self.source is None:
            return None
        return self.source.line_of(self.path) or self.source.line

    def place(self, *path: int | str) -> str:
        """Where a part of the content stands, as messages name it: `platform.yaml:12:5`, line and column from 1."""
        mark = self.source and self.source.mark_of((*self.path, *path))
        if mark:
            return f"{self.file}:{mark[0]}:{mark[1]}"
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def key(self) -> str:
        """The keys that lead to its content, as messages name them: `golden_paths.0`."""
        return ".".join(map(str, self.path))


def platform_documents(
    written: Mapping[str, Any], platform: Platform, folder: Path, file: str, source: YamlDocument | None
) -> list[PlatformDocument]:
    """What the platform's `files` below `folder` say, in their order, and then what `written`, in `file`, says itself.

    Raises ConfigurationError with file, line and column.
    """
    found = [document for path in _files(platform.files, folder) for document in _read(path, folder)]
    own = {key: value for key, value in written.items() if key in ("golden_paths", "security")}
    if platform.model_extra:
        own["platform"] = platform.model_extra
    return [*found, *(document for document in _by_topic(own, file, source) if document.content)]


def _files(patterns: Sequence[str], folder: Path) -> Iterator[Path]:
    found = (path for pattern in patterns for path in _matching(pattern, folder))
    yield from {path.resolve(): path for path in found}.values()


def _matching(pattern: str, folder: Path) -> list[Path]:
    return sorted(filter(Path.is_file, map(Path, glob.glob(str(folder / pattern), recursive=True))))


def _read(path: Path, folder: Path) -> Iterator[PlatformDocument]:
    shown = str(path.relative_to(folder) if path.is_relative_to(folder) else path)
    try:
        with path.open(encoding="utf-8-sig") as opened:
            text = opened.read(_MOST_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(f"{shown}: cannot be read: {reason}") from None
    if len(text) > _MOST_CHARACTERS:
        raise ConfigurationError(f"{shown}: is longer than {_MOST_CHARACTERS:,} characters; split it")
    for document in yaml_documents(text, SETTINGS_YAML):
        if isinstance(document, UnreadableYaml):
            key = f"{document.key}: " if document.key else ""
            raise ConfigurationError(f"{shown}:{document.line}:{document.column}: {key}{document.problem}")
        if document.content is not None:
            yield from _of_document(document, shown)


def _of_document(document: YamlDocument, file: str) -> Iterator[PlatformDocument]:
    content = document.content
    if isinstance(content, dict) and content.keys() & _TOPICS.keys():
        yield from _by_topic(content, file, document)
    elif isinstance(content, dict) and isinstance(content.get("kind"), str) and "apiVersion" in content:
        yield PlatformDocument("request", content, file, (), document)
    else:
        yield PlatformDocument("unknown", content, file, (), document)


def _by_topic(
    content: Mapping[str, Any], file: str, source: YamlDocument | None
) -> Iterator[PlatformDocument]:
    for key, value in content.items():
        topic = _TOPICS.get(key, "unknown") if isinstance(key, str) else "unknown"
        document = PlatformDocument(topic, {} if value is None else value, file, (str(key),), source)
        if topic == "golden_path" and isinstance(value, list):
            for index, entry in enumerate(value):
                yield from _entry(PlatformDocument(topic, entry, file, (key, index), source))
        elif topic != "unknown" and not isinstance(document.content, dict):
            raise not_a_section(document)
        else:
            yield document


def _entry(entry: PlatformDocument) -> Iterator[PlatformDocument]:
    """A golden path of a list, which may repeat the key that it stands below."""
    content, path = entry.content, entry.path
    if isinstance(content, dict) and list(content) == ["golden_path"]:
        content, path = content["golden_path"], (*path, "golden_path")
    found = PlatformDocument(entry.topic, content, entry.file, path, entry.source)
    if not isinstance(content, dict):
        raise not_a_section(found)
    yield found


def not_a_section(document: PlatformDocument) -> ConfigurationError:
    """That there is a word or a list where keys are expected."""
    return ConfigurationError(
        f"{document.place()}: {one_short_line(document.key)}: is a section; write its keys below it, indented"
    )
