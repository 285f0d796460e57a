"""The service catalogue from Backstage's descriptor files, and from the files that their Locations name."""

import glob
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from collectors.backstage.entities import KINDS, component_of
from collectors.contract.items import Checkpoint, Item, Malformed, Resume, SourceError
from collectors.contract.records import Record
from collectors.transport.json_values import listing, mapping, text
from config.text.quoting import LONGEST_VALUE, one_short_line
from config.text.references import require_resolved
from config.text.yaml_documents import CATALOGUE_YAML, UnreadableYaml, yaml_documents

_MOST_ASIDE = 20
_LARGEST = 50_000_000
_LONGEST_TARGET = 1_000


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


def parse(text: str, where: str, repo: str | None = None) -> Iterator[Record | Malformed | Located]:
    """The entities in the YAML documents of `text`, read from `where`, and the targets of its Locations.

    `repo` is the repository that the text lies in, for components that name none themselves. A document that cannot
    be read is set aside with its line, since it may have been a Location with all that this named; the others are read.
    """
    for document in yaml_documents(text, CATALOGUE_YAML):
        if isinstance(document, UnreadableYaml):
            yield Malformed("components", where, str(document), "", hides=f"{repo}/" if repo else "")
        elif document.content is not None:
            yield from _entity(document.content, where, document.line, repo)


def _entity(entity: Any, where: str, line: int, repo: str | None) -> Iterator[Record | Malformed | Located]:
    kind = text(entity, "kind")
    if not kind:
        yield Malformed("components", where, f"line {line}: an entity has a kind; this document has none", "")
        return
    if kind == "Location":  # it stands for the files that it names
        spec = mapping(entity, "spec")
        targets = [*listing(spec, "targets"), spec.get("target")]
        yield from (Located(target, where, line) for target in targets if isinstance(target, str))
        return
    if kind not in KINDS:
        return
    found = component_of(entity, where, repo)
    yield replace(found, reason=f"line {line}: {found.reason}") if isinstance(found, Malformed) else found
