"""What a file holds that is a request: custom objects by their kind, Terraform's `module` blocks by label or source.

Of an entry only its name, team and environment leave this module, and a digest that tells whether it changed: such
files hold secrets at times. What cannot be read ends in a sentence without a word of the file.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from collectors.transport.json_values import listing, mapping, text
from config.platform_team.self_service import RequestRule
from config.text.yaml_documents import MANIFEST_YAML, UnreadableYaml, yaml_documents

# python-hcl2 reads some 120,000 characters in a second
LONGEST_YAML, LONGEST_TERRAFORM = 1_000_000, 200_000
_LONGEST_NAME = 253  # as Kubernetes has it
_TEAMS = ("team", "owner")
_ENVIRONMENTS = ("environment", "env", "stage")
_LITERAL = re.compile(r'"([^"$\\\n]*)"')


class UnreadableFile(ValueError):
    """A file that cannot be read as what it is to be; what is wrong, in words that hold nothing of it."""


@dataclass(frozen=True)
class Entry:
    """A request as a file has it now; `digest` is another one as soon as anything that it asks for is."""

    name: str
    team: str | None
    environment: str | None
    digest: str
    namespace: str = ""

    @property
    def called(self) -> str:
        """Its name, which another object of another namespace may have as well."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def is_of(rule: RequestRule, path: str) -> bool:
    """Whether `path` is a file of the rule, by its name: YAML for a kind, Terraform for a module."""
    suffixes = (".yaml", ".yml") if rule.kind else (".tf",)
    return path.endswith(suffixes) and any(_below(glob.strip().strip("/"), path) for glob in rule.paths)


def _below(glob: str, path: str) -> bool:
    plain = glob.removeprefix("./").removesuffix("/**")
    # `**/` stands for any folder, and for none
    globs = {plain, plain.replace("**/", "")}
    return not plain or any(fnmatchcase(path, one) or fnmatchcase(path, f"{one}/*") for one in globs)


def entries(rule: RequestRule, content: str) -> list[Entry]:
    """The entries of the rule in a file's content, in their order. Raises UnreadableFile."""
    longest = LONGEST_YAML if rule.kind else LONGEST_TERRAFORM
    if len(content) > longest:
        raise UnreadableFile(f"is longer than {longest:,} characters; split it")
    return list(_objects(rule.kind, content) if rule.kind else _modules(rule.module or "", content))


def _objects(kind: str, content: str) -> Iterator[Entry]:
    for document in yaml_documents(content, MANIFEST_YAML):
        if isinstance(document, UnreadableYaml):
            raise UnreadableFile(f"is no YAML from line {document.line}, column {document.column} on")
        is_list = text(document.content, "kind") == "List"
        for whole in listing(document.content, "items") if is_list else [document.content]:
            if text(whole, "kind") != kind:
                continue
            metadata, spec = mapping(whole, "metadata"), mapping(whole, "spec")
            told = [spec, mapping(metadata, "labels"), mapping(metadata, "annotations")]
            name = text(metadata, "name") or text(metadata, "generateName")
            entry = _entry(name, told, spec, document.line)
            yield replace(entry, namespace=(text(metadata, "namespace") or "").strip()[:_LONGEST_NAME])


def _modules(glob: str, content: str) -> Iterator[Entry]:
    for block in _terraform(content).get("module", ()):
        for label, body in mapping(block).items():
            literals = _literals(mapping(body))
            name, source = label.strip('"'), str(literals.get("source") or "")
            # `./modules/database`, `app.terraform.io/acme/database/aws`, `git::https://…//database?ref=v1`
            parts = [
                part.removesuffix(".git") for part in re.split(r"[/?]+", source.partition("?")[0]) if part
            ]
            if not any(fnmatchcase(one, glob) for one in (name, source, *parts[-2:])):
                continue
            asked = {key: value for key, value in mapping(body).items() if not key.startswith("__")}
            yield _entry(name, [mapping(literals.get("tags")), literals], asked, 0)


def _entry(name: str | None, told: list[dict[str, Any]], asked: Any, line: int) -> Entry:
    name = (name or "").strip()
    if not name or len(name) > _LONGEST_NAME:
        raise UnreadableFile(f"has an entry without a name{f', on line {line}' if line else ''}")
    digest = hashlib.sha256(
        json.dumps(asked, sort_keys=True, default=str).encode("utf-8", "replace")
    ).hexdigest()
    return Entry(name, _first(told, _TEAMS), _first(told, _ENVIRONMENTS), digest)


def _first(told: list[dict[str, Any]], names: tuple[str, ...]) -> str | None:
    """What the first of the mappings says that has one of `names`, whatever stands before a `/`, letter case aside."""
    for part in told:
        plain = {
            key.rpartition("/")[2].casefold(): value for key, value in part.items() if isinstance(key, str)
        }
        for name in names:
            value = plain.get(name)
            if isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST_NAME:
                return value.strip()
    return None


def _literals(body: dict[str, Any]) -> dict[str, Any]:
    """The values that are plain texts, and those of mappings: what Terraform works out is known to nobody here."""
    found: dict[str, Any] = {}
    for key, value in body.items():
        if isinstance(value, str) and (literal := _LITERAL.fullmatch(value)):
            found[key.strip('"')] = literal[1]
        elif isinstance(value, dict):
            found[key.strip('"')] = _literals(value)
    return found


@cache
def _parser() -> Any:
    # a second of a process that reads no Terraform
    import hcl2

    return hcl2.loads


def _terraform(content: str) -> dict[str, Any]:
    from lark.exceptions import LarkError

    try:
        return mapping(_parser()(content if content.endswith("\n") else f"{content}\n"))
    except RecursionError:
        raise UnreadableFile("is nested too deep to be read as Terraform") from None
    except LarkError as error:
        line = getattr(error, "line", None)
        where = f" from line {line} on" if isinstance(line, int) and line > 0 else ""
        raise UnreadableFile(f"is no Terraform{where}") from None


def folder_of(path: str) -> str:
    """The folder in which an entry has a name of its own."""
    return str(PurePosixPath(path).parent)
