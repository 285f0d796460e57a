"""YAML within limits: what cannot be read ends in a sentence with line and column, soon and without much memory.

A kilobyte may stand for more than any memory holds, by anchors of anchors, and what PyYAML raises for a day, a number
or a depth that is none depends on Python. Here a text is composed by PyYAML, and its values are made and counted in
one walk, aliases unfolded.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import yaml
from yaml.composer import ComposerError
from yaml.reader import ReaderError

from config.errors import DataError
from config.text.quoting import LONGEST_VALUE, one_short_line, quoted

DEEPEST = 100
LONGEST_NUMBER = 100
_TOO_DEEP = f"is nested in more than {DEEPEST} levels; write it flatter"
MOST_DOCUMENTS = 20_000
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_TEXTS = (f"{_TAG}str", f"{_TAG}value", _MERGE)
_NUMBERS = (f"{_TAG}int", f"{_TAG}float")
# what is said of a scalar that is not of its tag; of other tags nobody knows what they mean
_MENDED = {
    f"{_TAG}null": "is not null; put it in quotes where it is a text",
    f"{_TAG}bool": "is neither true nor false; put it in quotes where it is a text",
    **dict.fromkeys(_NUMBERS, "is no number; put it in quotes where it is a text"),
    f"{_TAG}timestamp": "is no day of the calendar; write one like 2026-01-31",
}
# NUL ends a text in C, half a character is in no file; both come by escapes only
_UNFIT = re.compile("[\0\ud800-\udfff]")
_NEXT_DOCUMENT = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_PREAMBLE = re.compile(r"\ufeff?(?:%.*\n|[ \t]*(?:#.*)?\n)*")


class UnreadableYaml(DataError):
    """A document that cannot be read: what is wrong (`problem`), its line and column from 1, and below which key."""

    def __init__(self, problem: str, line: int, column: int, path: Sequence[object] = ()) -> None:
        self.problem = problem
        self.line, self.column = line, column
        self.key = one_short_line(".".join(str(part)[:LONGEST_VALUE] for part in path[:50]))
        super().__init__(f"line {line}, column {column}: {f'{self.key}: ' if self.key else ''}{problem}")

    def below(self, lines: int) -> "UnreadableYaml":
        """The same in a text that has so many lines before."""
        moved = UnreadableYaml(self.problem, self.line + lines, self.column)
        moved.key = self.key
        return moved


class _Composing:
    """Bounds what PyYAML's composer does not: how deep, and how many nodes."""

    most = 0

    def __init__(self, stream: str) -> None:
        super().__init__(stream)  # type: ignore[call-arg]
        self._path: list[Any] = []
        self._count = 0

    # the composer calls these as it enters a node and leaves it

    def descend_resolver(self, parent: yaml.Node | None, index: Any) -> None:
        self._path.append(index)
        self._count += 1
        if len(self._path) > DEEPEST:
            raise self._refused(_TOO_DEEP)
        if self._count > self.most:
            raise self._refused(_too_many(self.most))

    def ascend_resolver(self) -> None:
        self._path.pop()

    def _refused(self, problem: str) -> UnreadableYaml:
        mark = self.peek_event().start_mark  # type: ignore[attr-defined]
        keys = [part.value if isinstance(part, yaml.ScalarNode) else part for part in self._path]
        return UnreadableYaml(
            problem, mark.line + 1, mark.column + 1, [key for key in keys if key is not None]
        )


class _Settings(_Composing, yaml.SafeLoader):
    """YAML 1.1: `no` and `on` are no words, and a day is one."""

    most = 20_000


class _Catalogue(_Composing, yaml.SafeLoader):
    """YAML 1.2, as Backstage reads it: `no` and `on` are words, and so is a day."""

    most = 20_000


_Catalogue.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":timestamp"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Catalogue.add_implicit_resolver(f"{_TAG}bool", re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF"))


class _Manifest(_Composing, yaml.BaseLoader):
    """Every scalar is a text, whatever its tag: 0123456 names an image."""

    most = 100_000


@dataclass(frozen=True)
class YamlDialect:
    """How values are read, and how much a document may hold: `characters`, also once aliases are unfolded."""

    loader: type[_Composing]
    characters: int
    is_typed: bool = True


SETTINGS_YAML = YamlDialect(_Settings, 500_000)
CATALOGUE_YAML = YamlDialect(_Catalogue, 1_000_000)
MANIFEST_YAML = YamlDialect(_Manifest, 1_000_000, is_typed=False)


@dataclass(frozen=True)
class YamlDocument:
    """A document: its content as plain values, and the line at which it begins, from 1."""

    content: Any
    line: int
    _root: yaml.Node
    _entries: dict[int, dict[str, tuple[yaml.Node, yaml.Node]]] = field(default_factory=dict)

    def line_of(self, path: Sequence[int | str]) -> int | None:
        """The line, from 1, of the innermost part of `path` that the document has; None where it has none of it."""
        mark = self.mark_of(path)
        return mark and mark[0]

    def mark_of(self, path: Sequence[int | str]) -> tuple[int, int] | None:
        """The line and the column, from 1, of the same."""
        node, mark = self._root, None
        before = self.line - node.start_mark.line
        for part in path:
            if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                at = node = node.value[part]
            elif isinstance(node, yaml.MappingNode) and str(part) in self._below(node):
                at, node = self._below(node)[str(part)]
            else:
                break
            mark = before + at.start_mark.line, at.start_mark.column + 1
        return mark

    def _below(self, node: yaml.MappingNode) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """(key, value) of each entry of a mapping by its key; made once, since there may be many mistakes."""
        if id(node) not in self._entries:
            self._entries[id(node)] = {key.value: (key, value) for key, value in node.value}
        return self._entries[id(node)]


def read_yaml(text: str, dialect: YamlDialect) -> YamlDocument | None:
    """The one document in `text`, None where it holds none. Raises UnreadableYaml."""
    if len(text) > dialect.characters:
        raise UnreadableYaml(f"is longer than {dialect.characters:,} characters; make it shorter", 1, 1)
    loader: Any = None
    try:
        loader = dialect.loader(text)
        node = loader.get_single_node()
        return node and YamlDocument(
            _Making(loader, dialect).made(node).value, node.start_mark.line + 1, node
        )
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        raise UnreadableYaml(
            f"is not YAML: it holds a character that YAML does not allow (U+{error.character:04X}); remove it",
            line,
            column,
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise UnreadableYaml(f"is not YAML: {_said(error)}", line, column) from None
    finally:
        if loader:
            loader.dispose()


def yaml_documents(text: str, dialect: YamlDialect) -> Iterator[YamlDocument | UnreadableYaml]:
    """The documents of `text` in order, and in the place of one that cannot be read why; lines are those of `text`."""
    starts = [found.start() for found in _NEXT_DOCUMENT.finditer(text)]
    # directives and comments before the first line of dashes are the first document's
    if starts and _PREAMBLE.fullmatch(text, 0, starts[0]):
        starts[0] = 0
    else:
        starts.insert(0, 0)
    lines = 0
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(text)], strict=True)):
        if number == MOST_DOCUMENTS:
            yield UnreadableYaml(f"has more than {MOST_DOCUMENTS:,} documents; split it", lines + 1, 1)
            return
        piece = text[start:end]
        try:
            if found := read_yaml(piece, dialect):
                yield replace(found, line=found.line + lines)
        except UnreadableYaml as error:
            yield error.below(lines)
        lines += piece.count("\n")


@dataclass(slots=True)
class _Made:
    """A value, and what it holds with its aliases unfolded."""

    value: Any
    nodes: int
    characters: int
    height: int


class _Making:
    """Makes plain values of nodes, each node once, however many aliases it has."""

    def __init__(self, loader: Any, dialect: YamlDialect) -> None:
        self._loader = loader
        self._dialect = dialect
        self._done: dict[int, _Made | None] = {}
        self._path: list[Any] = []

    def made(self, node: yaml.Node) -> _Made:
        """What `node` stands for. Raises UnreadableYaml."""
        key = id(node)
        if key in self._done:
            known = self._done[key]
            if known is None:
                raise self._refused(node, "stands inside of itself, by its own anchor; write it out")
            return known
        if isinstance(node, yaml.ScalarNode):
            made = _Made(self._scalar(node), 1, len(node.value), 1)
        else:
            self._done[key] = None
            made = (
                self._sequence(node)
                if isinstance(node, yaml.SequenceNode)
                else self._mapping(cast(yaml.MappingNode, node))
            )
            self._limit(node, made)
        self._done[key] = made
        return made

    def _limit(self, node: yaml.Node, made: _Made) -> None:
        if made.nodes > self._loader.most:
            raise self._refused(node, _too_many(self._loader.most))
        if made.characters > self._dialect.characters:
            most = f"{self._dialect.characters:,}"
            raise self._refused(node, f"stands for more than {most} characters with its aliases; write fewer")
        if made.height > DEEPEST:
            raise self._refused(node, _TOO_DEEP)

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text = node.value
        if node.style == '"' and _UNFIT.search(text):
            text = self._whole(node)
        if not self._dialect.is_typed:
            return text
        if node.tag in _TEXTS:
            return text
        if node.tag not in _MENDED:
            raise self._refused(node, _unknown_tag(node))
        if node.tag in _NUMBERS and len(text) > LONGEST_NUMBER:
            raise self._refused(
                node, f"is a number of {len(text):,} digits; put it in quotes where it is a text"
            )
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, ArithmeticError, LookupError, ValueError, AttributeError):
            raise self._refused(node, f"{quoted(text)} {_MENDED[node.tag]}") from None

    def _whole(self, node: yaml.ScalarNode) -> str:
        """The text with halves of characters joined, as JSON writes them."""
        try:
            text = node.value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise self._refused(
                node, "holds half a character, such as half an emoji; mend its escape"
            ) from None
        if "\0" in text:
            raise self._refused(node, "holds the character NUL, which no text has; remove it")
        return cast(str, text)

    def _sequence(self, node: yaml.SequenceNode) -> _Made:
        self._known_tag(node, f"{_TAG}seq")
        values, nodes, characters, height = [], 1, 0, 0
        for index, part in enumerate(node.value):
            self._path.append(index)
            made = self.made(part)
            self._path.pop()
            values.append(made.value)
            nodes, characters, height = (
                nodes + made.nodes,
                characters + made.characters,
                max(height, made.height),
            )
        return _Made(values, nodes, characters, height + 1)

    def _mapping(self, node: yaml.MappingNode) -> _Made:
        self._known_tag(node, f"{_TAG}map")
        own: dict[Any, Any] = {}
        merged: dict[Any, Any] = {}
        nodes, characters, height = 1, 0, 0
        for key_node, part in node.value:
            key = self._key(key_node)
            self._path.append(key)
            made = self.made(part)
            self._path.pop()
            nodes += 1 + made.nodes
            characters += len(key_node.value) + made.characters
            height = max(height, made.height)
            if key_node.tag == _MERGE:
                merged |= self._merged(part, made.value)
            elif key in own and self._dialect.is_typed:
                raise self._refused(key_node, f"the key {quoted(key)} comes a second time; keep one of them")
            else:
                own[key] = made.value
        return _Made(merged | own, nodes, characters, height + 1)

    def _key(self, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise self._refused(node, "a list or a mapping cannot be a key; write a word")
        return self.made(node).value

    def _merged(self, node: yaml.Node, value: Any) -> dict[Any, Any]:
        """The keys that `<<` brings; of several mappings the first one's come first."""
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            raise self._refused(node, "<< takes a mapping, or a list of them; mend its alias")
        found: dict[Any, Any] = {}
        for part in reversed(parts):
            found |= part
        return found

    def _known_tag(self, node: yaml.Node, tag: str) -> None:
        if self._dialect.is_typed and node.tag != tag:
            raise self._refused(node, _unknown_tag(node))

    def _refused(self, node: yaml.Node, problem: str) -> UnreadableYaml:
        mark = node.start_mark
        return UnreadableYaml(problem, mark.line + 1, mark.column + 1, self._path)


def _said(error: yaml.YAMLError) -> str:
    """What PyYAML says of a mistake; its composer says it in two halves."""
    told = [getattr(error, "context", None)] if isinstance(error, ComposerError) else []
    told += [getattr(error, "problem", None)]
    return one_short_line(" ".join(filter(None, told)), 2 * LONGEST_VALUE) or str(error)


def _unknown_tag(node: yaml.Node) -> str:
    return f"has the tag {quoted(node.tag.removeprefix(_TAG))}, which means nothing here; remove it"


def _too_many(most: int) -> str:
    return f"holds more than {most:,} values with its aliases; write fewer"
