"""The service catalogue: https://backstage.io/docs/features/software-catalog/descriptor-format ."""

import glob
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import yaml

from collectors.contract.items import Checkpoint, Item, Malformed, Resume, SourceError, record_or_malformed
from collectors.contract.records import Component
from collectors.transport.json_values import listing, mapping, text
from collectors.transport.repository_addresses import repository_name
from config.names import bare

# persons are not kept; a Location stands for the files that it names
_KINDS = get_args(Component.model_fields["kind"].annotation)
_FORM = "letters and digits, joined by -, _ or ., at most 63"
_NAME = re.compile(r"(?=.{1,63}$)[A-Za-z0-9]+(?:[-_.]+[A-Za-z0-9]+)*")
# a line of its own; all before the first are the first document's, its directives too
_NEXT_DOCUMENT = re.compile(r"^---(?=\s|$)", re.MULTILINE)
# annotation -> field, of those that hold a list separated by commas
_LISTS = {
    "argocd/app-name": "argocd_apps",
    "pagerduty.com/service-id": "pagerduty_services",
    "sixkeys.dev/source-patterns": "source_patterns",
    "sixkeys.dev/environments": "environments",
    "sixkeys.dev/workflows": "workflows",
    "sixkeys.dev/tag-patterns": "tag_patterns",
    "sixkeys.dev/formerly": "formerly",
}


class _Loader(yaml.SafeLoader):
    """YAML 1.2, as Backstage reads it: `no` and `on` are words, and so is a date."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":timestamp"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF")
)


def collect(files: Sequence[str], resume: Resume, base: Path = Path("/")) -> Iterator[Item]:
    """The entities of every file that the globs `files` match, and of those that their Locations name.

    A file is known by its place as seen from `base`, so that all may be moved together.
    All are yielded on each run, since reading them costs nothing. Raises SourceError, after the rest was read, where a
    glob matches nothing.
    """
    missing = []
    seen: set[str] = set()
    for pattern in files:
        paths = _matching(pattern)
        if not paths:
            missing.append(pattern)
        for path in paths:
            yield from _file(path, seen, base)
    if missing:
        raise SourceError(f"catalog: no file matches {', '.join(missing)}; mend sources.catalog.files")


def _matching(pattern: str) -> list[str]:
    found = glob.glob(pattern, recursive=True, include_hidden=True)
    return sorted(path for path in found if Path(path).is_file())


def _file(path: str, seen: set[str], base: Path) -> Iterator[Item]:
    if path in seen:
        return
    seen.add(path)
    where = path if base == Path("/") else os.path.relpath(path, base)
    try:
        content = Path(path).read_bytes()
        descriptors = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        yield Malformed("components", where, f"cannot be read: {reason}", "")
        return
    for item in parse(descriptors, where):
        if not isinstance(item, Located):
            yield item
            continue
        target = str(Path(path).parent / item.target)
        found = _matching(target) if item.is_within else []
        if not found:
            yield item.unread("no file is there" if item.is_within else "it is at another place")
        for one in found:
            yield from _file(one, seen, base)
    yield Checkpoint(where, {"sha256": hashlib.sha256(content).hexdigest()})


@dataclass(frozen=True)
class Located:
    """A target of a Location that stands at `where` on `line`: other descriptors, relative to it or at an address."""

    target: str
    where: str
    line: int

    @property
    def is_within(self) -> bool:
        """Whether it lies beside the Location itself."""
        return not re.match(r"[a-z]+:", self.target) and not self.target.startswith("/")

    def unread(self, why: str) -> Malformed:
        """That the target was not read, and why."""
        reason = f"line {self.line}: the Location names {self.target}, which was not read: {why}"
        return Malformed("components", self.where, reason, "")


def parse(text: str, where: str, repo: str | None = None) -> Iterator[Component | Malformed | Located]:
    """The entities in the YAML documents of `text`, read from `where`, and the targets of its Locations.

    `repo` is the repository that the text lies in, for components that name none themselves. A document that cannot
    be read is set aside with its line; the others are read.
    """
    starts = [0, *(found.start() for found in _NEXT_DOCUMENT.finditer(text))]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        first = text.count("\n", 0, start)
        document = text[start:end]
        try:
            node = yaml.compose(document, Loader=_Loader)
            if node is None:
                continue
            line = first + node.start_mark.line + 1
            entity = _Loader("").construct_document(node)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = first + (mark.line if mark else 0) + 1
            problem = getattr(error, "problem", None) or "it holds a character that YAML does not allow"
            yield Malformed("components", where, f"line {line}: is not YAML: {problem}", "")
            continue
        except (ValueError, RecursionError) as error:
            yield Malformed("components", where, f"line {first + 1}: {error}", "")
            continue
        if entity is not None:
            yield from _entity(entity, where, line, repo)


def _entity(
    entity: Any, where: str, line: int, repo: str | None
) -> Iterator[Component | Malformed | Located]:
    kind = text(entity, "kind")
    if not kind:
        yield Malformed("components", where, f"line {line}: an entity has a kind; this document has none", "")
        return
    if kind not in _KINDS and kind != "Location":
        return
    metadata, spec = mapping(entity, "metadata"), mapping(entity, "spec")
    annotations = mapping(metadata, "annotations")
    if kind == "Location":
        targets = [*listing(spec, "targets"), spec.get("target")]
        yield from (Located(target, where, line) for target in targets if isinstance(target, str))
        return
    if wrong := _wrong_name(metadata):
        yield Malformed("components", where, f"line {line}: {wrong}", "")
        return
    namespace = text(metadata, "namespace") or "default"
    qualified = "" if namespace.lower() == "default" else f"{namespace}/"
    own_repo = _slug(text(annotations, "github.com/project-slug")) or repository_name(
        (text(annotations, "backstage.io/source-location") or "").removeprefix("url:")
    )
    fields = {
        "name": f"{qualified}{metadata.get('name')}",
        "kind": kind,
        "owner": _name_in(text(spec, "owner"), "group"),
        "system": _name_in(text(spec, "system"), "system"),
        "lifecycle": text(spec, "lifecycle"),
        "type": text(spec, "type"),
        "tags": [tag for tag in listing(metadata, "tags") if isinstance(tag, str)],
        "repo": own_repo or (repo if kind == "Component" else None),
        "argocd_selector": text(annotations, "argocd/app-selector"),
        "golden_path": text(annotations, "sixkeys.dev/golden-path"),
        "deployments_from": text(annotations, "sixkeys.dev/deployments-from"),
        "origin": where,
        **{field: _listed(annotations.get(key)) for key, field in _LISTS.items()},
    }
    # what was read of it: the descriptor itself may name persons, as owners and members
    record = record_or_malformed(Component, where, fields, fields)
    if isinstance(record, Malformed):
        yield replace(record, reason=f"line {line}: {record.reason}")
    elif isinstance(record, Component):
        yield record


def _wrong_name(metadata: dict[str, Any]) -> str | None:
    """What no catalogue takes of an entity's name, in words."""
    name = metadata.get("name")
    if isinstance(name, str) and "{{" in name:
        return f"a software template's skeleton, with a name that is filled in later ({name})"
    if isinstance(name, str) and _NAME.fullmatch(name):
        return None
    # an alias may make a list of what fits in no memory when it is written out
    told = json.dumps(name)[:80] if isinstance(name, str | int | float | None) else f"a {type(name).__name__}"
    return f"metadata.name: {told} is no name; it has {_FORM}"


def _name_in(reference: str | None, kind: str) -> str | None:
    """The name in an entity reference: `group:default/payments`, `default/payments` and `payments` are the same.

    A namespace is kept unless it is the default one; a person is no team.
    """
    if reference is None or reference.lower().startswith("user:"):
        return None
    return bare(re.sub(rf"^{kind}:", "", reference, flags=re.IGNORECASE)) or None


def _slug(told: str | None) -> str | None:
    """`owner/name`, also where somebody wrote the address or put the host before it."""
    plain = (told or "").strip(" /")
    spellings = (plain, f"https://{plain}", f"https://github.com/{plain}")
    return next(filter(None, map(repository_name, spellings)), plain) or None


def _listed(value: Any) -> list[str]:
    return (
        [part for part in (part.strip() for part in value.split(",")) if part]
        if isinstance(value, str)
        else []
    )
