"""The service catalogue: https://backstage.io/docs/features/software-catalog/descriptor-format ."""

import glob
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from collectors.contract.items import Checkpoint, Item, Malformed, Resume, SourceError, record_or_malformed
from collectors.contract.records import Component
from collectors.transport.json_values import listing, mapping, text
from collectors.transport.repository_addresses import repository_name
from config.names import bare
from config.text.quoting import LONGEST_VALUE, one_short_line
from config.text.references import require_resolved
from config.text.yaml_documents import CATALOGUE_YAML, UnreadableYaml, yaml_documents

# persons are not kept; a Location stands for the files that it names
_KINDS = get_args(Component.model_fields["kind"].annotation)
_FORM = "letters and digits, joined by -, _ or ., at most 63"
_NAME = re.compile(r"(?=.{1,63}$)[A-Za-z0-9]+(?:[-_.]+[A-Za-z0-9]+)*")
_MOST_ASIDE = 20
_LARGEST = 50_000_000
_LONGEST_TARGET = 1_000
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


def collect(files: Sequence[str], resume: Resume, base: Path = Path("/")) -> Iterator[Item]:
    """The entities of every file that the globs `files` match, and of those that their Locations name.

    A file is known by its place as seen from `base`, so that all may be moved together.
    All are yielded on each run, since reading them costs nothing. Raises SourceError, after the rest was read, where a
    glob matches nothing.
    """
    require_resolved(files)
    yield from few_aside(_all(files, base))


def few_aside(items: Iterable[Item]) -> Iterator[Item]:
    """`items` with no more than `_MOST_ASIDE` malformed ones of a file, and in the place of the others their number.

    A file that holds something else altogether is not to fill the quarantine.
    """
    aside = Counter[str]()
    for item in items:
        if isinstance(item, Malformed):
            aside[item.subject] += 1
        if not isinstance(item, Malformed) or aside[item.subject] <= _MOST_ASIDE:
            yield item
    for where, n in aside.items():
        if n > _MOST_ASIDE:
            reason = (
                f"{n - _MOST_ASIDE:,} more mistakes of this file are not listed; mend those that are first"
            )
            yield Malformed("components", where, reason, "")


def _all(files: Sequence[str], base: Path) -> Iterator[Item]:
    missing = []
    seen: set[str] = set()
    for pattern in files:
        waiting = _matching(pattern)
        if not waiting:
            missing.append(pattern)
        for path in waiting:  # which grows by what a Location names
            if (file := os.path.realpath(path)) in seen:
                continue
            seen.add(file)
            for item in _file(path, path if base == Path("/") else os.path.relpath(path, base)):
                if not isinstance(item, Located):
                    yield item
                    continue
                amiss = item.amiss
                found = [] if amiss else _matching(os.path.normpath(Path(path).parent / item.target))
                waiting += found
                if not found:
                    yield item.unread(amiss or "no file is there")
    if missing:
        raise SourceError(f"catalog: no file matches {', '.join(missing)}; mend sources.catalog.files")


def _matching(pattern: str) -> list[str]:
    found = glob.glob(pattern, recursive=True, include_hidden=True)
    # of several ways to a file, by links, the shortest
    return sorted(
        (path for path in found if Path(path).is_file()), key=lambda path: (path.count(os.sep), path)
    )


def _file(path: str, where: str) -> "Iterator[Item | Located]":
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST + 1)
        descriptors = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        yield Malformed("components", where, f"cannot be read: {reason}", "", hides="")
        return
    if len(content) > _LARGEST:
        yield Malformed("components", where, f"is larger than {_LARGEST:,} bytes; split it", "", hides="")
        return
    yield from parse(descriptors, where)
    yield Checkpoint(where, {"sha256": hashlib.sha256(content).hexdigest()})


@dataclass(frozen=True)
class Located:
    """A target of a Location that stands at `where` on `line`: other descriptors, relative to it or at an address."""

    target: str
    where: str
    line: int

    @property
    def amiss(self) -> str:
        """Why it is not looked for; empty where it is a path or a glob beside the Location itself.

        What matches a glob of several `**` may take for ever to find.
        """
        if re.match(r"[a-z]+:", self.target) or self.target.startswith("/"):
            return "it is at another place"
        is_plain = len(self.target) <= _LONGEST_TARGET and self.target.count("**") < 2
        return "" if is_plain else "it is no plain path"

    def unread(self, why: str) -> Malformed:
        """That the target was not read, and why."""
        target = one_short_line(self.target, 2 * LONGEST_VALUE)
        reason = f"line {self.line}: the Location names {target}, which was not read: {why}"
        return Malformed("components", self.where, reason, "")


def parse(text: str, where: str, repo: str | None = None) -> Iterator[Component | Malformed | Located]:
    """The entities in the YAML documents of `text`, read from `where`, and the targets of its Locations.

    `repo` is the repository that the text lies in, for components that name none themselves. A document that cannot
    be read is set aside with its line, since it may have been a Location with all that this named; the others are read.
    """
    for document in yaml_documents(text, CATALOGUE_YAML):
        if isinstance(document, UnreadableYaml):
            yield Malformed("components", where, str(document), "", hides=f"{repo}/" if repo else "")
        elif document.content is not None:
            yield from _entity(document.content, where, document.line, repo)


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
        "depends_on": [one for one in listing(spec, "dependsOn") if isinstance(one, str)]
        if isinstance(spec.get("dependsOn"), list)
        else None,
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
        return f"a software template's skeleton, with a name that is filled in later ({one_short_line(name)})"
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
