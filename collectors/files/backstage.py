"""The service catalogue: https://backstage.io/docs/features/software-catalog/descriptor-format ."""

import glob
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from collectors.contract.items import Checkpoint, Item, Malformed, Resume, SourceError, record_or_malformed
from collectors.contract.records import Component
from collectors.transport.json_values import listing, mapping, text
from collectors.transport.repository_addresses import repository_name

_KINDS = ("Component", "API", "System", "Group")
# annotation -> field, of those that hold a list separated by commas
_LISTS = {
    "argocd/app-name": "argocd_apps",
    "pagerduty.com/service-id": "pagerduty_services",
    "sixkeys.dev/source-patterns": "source_patterns",
    "sixkeys.dev/environments": "environments",
    "sixkeys.dev/workflows": "workflows",
    "sixkeys.dev/tag-patterns": "tag_patterns",
}


def collect(files: Sequence[str], resume: Resume) -> Iterator[Item]:
    """The entities of every file that the globs `files` match, a checkpoint per file (subject: its path).

    All are yielded on each run, since reading them costs nothing; the cursor lists the file's entities as [name, kind].
    A file that holds something malformed keeps the entities that it had.
    Raises SourceError, after the rest was read, where a glob matches nothing.
    """
    missing = []
    seen: set[str] = set()
    for pattern in files:
        paths = sorted(path for path in glob.glob(pattern, recursive=True) if Path(path).is_file())
        if not paths:
            missing.append(pattern)
        for path in paths:
            if path not in seen:
                seen.add(path)
                yield from _file(Path(path), listing(resume.cursors.get(path), "entities"))
    if missing:
        raise SourceError(f"catalog: no file matches {', '.join(missing)}; mend sources.catalog.files")


def _file(path: Path, before: list[Any]) -> Iterator[Item]:
    try:
        content = path.read_bytes()
        descriptors = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        yield Malformed("components", str(path), f"cannot be read: {reason}", "")
        return
    entities: list[Any] = []
    for item in parse(descriptors, str(path)):
        if isinstance(item, Component):
            entities.append([item.name, item.kind])
        else:
            # an entity that cannot be read just now is not gone
            entities += [entity for entity in before if entity not in entities]
        yield item
    yield Checkpoint(str(path), {"sha256": hashlib.sha256(content).hexdigest(), "entities": entities})


def parse(text: str, where: str, repo: str | None = None) -> Iterator[Component | Malformed]:
    """The entities in the YAML documents of `text`, read from `where`; other kinds are passed over.

    `repo` is the repository that the text lies in, for components that name none themselves. A document that cannot
    be read is set aside with its line; after one that is no YAML at all nothing more can be read.
    """
    line = 1
    try:
        loader = yaml.SafeLoader(text)
        while loader.check_node() and (node := loader.get_node()):
            line = node.start_mark.line + 1
            entity = loader.construct_document(node)
            if entity is not None and (read := _entity(entity, where, line, repo)):
                yield read
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "it holds a character that YAML does not allow"
        yield Malformed("components", where, f"line {line}: is not YAML: {problem}", "")
    except ValueError as error:
        yield Malformed("components", where, f"line {line}: {error}", "")


def _entity(entity: Any, where: str, line: int, repo: str | None) -> Component | Malformed | None:
    kind = text(entity, "kind")
    if not kind:
        return Malformed(
            "components", where, f"line {line}: an entity has a kind; this document has none", ""
        )
    if kind not in _KINDS:
        return None
    metadata, spec = mapping(entity, "metadata"), mapping(entity, "spec")
    annotations = mapping(metadata, "annotations")
    own_repo = text(annotations, "github.com/project-slug") or repository_name(
        (text(annotations, "backstage.io/source-location") or "").removeprefix("url:")
    )
    fields = {
        "name": metadata.get("name"),
        "kind": kind,
        "owner": _name_in(text(spec, "owner"), "group"),
        "system": _name_in(text(spec, "system"), "system"),
        "lifecycle": text(spec, "lifecycle"),
        "type": text(spec, "type"),
        "tags": [tag for tag in listing(metadata, "tags") if isinstance(tag, str)],
        "repo": own_repo or (repo if kind == "Component" else None),
        "argocd_selector": text(annotations, "argocd/app-selector"),
        "golden_path": text(annotations, "sixkeys.dev/golden-path"),
        **{field: _listed(annotations.get(key)) for key, field in _LISTS.items()},
    }
    # what was read of it: the descriptor itself may name persons, as owners and members
    record = record_or_malformed(Component, where, fields, fields)
    if isinstance(record, Malformed):
        return replace(record, reason=f"line {line}: {record.reason}")
    assert isinstance(record, Component)  # noqa: S101  what was asked for
    return record


def _name_in(reference: str | None, kind: str) -> str | None:
    """The name in an entity reference: `group:default/payments`, `default/payments` and `payments` are the same.

    A namespace that stands without a kind is kept, unless it is the default one; a person is no team.
    """
    if reference is None or reference.lower().startswith("user:"):
        return None
    named = re.fullmatch(rf"(?i:{kind}):(?:[^/]+/)?(.+)|default/(.+)", reference)
    return (named[1] or named[2]) if named else reference


def _listed(value: Any) -> list[str]:
    return (
        [part for part in (part.strip() for part in value.split(",")) if part]
        if isinstance(value, str)
        else []
    )
