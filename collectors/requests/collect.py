"""Requests of the platform: which entries of the configured files came or changed with which commit or pull request.

What became of them is not read here: it follows from what landed where, as for changes of services.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collectors.contract.items import (
    Checkpoint,
    Gone,
    Item,
    Malformed,
    Resume,
    SetAside,
    SourceError,
    record_or_malformed,
)
from collectors.contract.records import Coverage, Request
from collectors.requests.changed_files import ChangedFile, FileReader, Landing, ProposedChange
from collectors.requests.entries import LONGEST_YAML, Entry, UnreadableFile, entries, folder_of, is_of
from collectors.transport.json_values import as_instant, mapping, text
from config.platform_team.self_service import RequestRule

SOURCE = "git"
# of a run; what is left is read by the next one
_LANDINGS_AT_ONCE = 100
_CHARACTERS_A_RUN = 20_000_000
# to see whether any file has an entry of a kind of which no request is known
_FILES_LOOKED_AT = 200

_Entries = dict[tuple[str, str], Entry]  # by path, and what it is called there


@dataclass(frozen=True)
class RequestRepository:
    """A repository with requests: what of it may be one, its pull requests that are not merged, and known ids."""

    repo: str
    url: str | None
    rules: Sequence[RequestRule]
    proposed: Sequence[ProposedChange] = ()
    known: Collection[str] = ()


def collect(
    repositories: Iterable[RequestRepository],
    resume: Resume,
    reader_of: Callable[[RequestRepository], FileReader],
) -> Iterator[Item]:
    """The requests of each repository since its cursor, and a checkpoint (subject: the repository).

    The cursor: `head` (read up to that commit), `from_at` (covered since), `form` (what was asked for), `proposed` (the
    last commit of each pull request that was read, by its number), `seen` (by rule, which paths have no file, and
    whether any file has an entry). Raises SourceError at the end, after the others were read, where a repository could
    not be.
    """
    failed: list[SourceError] = []
    for repository in repositories:
        try:
            yield from _Reading(repository, resume, reader_of(repository)).items()
        except SourceError as error:
            failed.append(error)
    if failed:
        others = f" ({len(failed) - 1} more repositories failed)" if len(failed) > 1 else ""
        raise SourceError(f"{failed[0]}{others}")


def again(cursors: Mapping[str, Any], items: Iterable[SetAside]) -> dict[str, Any]:
    """The cursors from which the repositories that hold `items` are read anew."""
    repos = {item.subject.partition(":")[0] for item in items}
    return {repo: cursor for repo, cursor in cursors.items() if repo not in repos}


@dataclass
class _Reading:
    repository: RequestRepository
    resume: Resume
    reader: FileReader
    yielded: set[str] = field(default_factory=set)
    characters: int = 0
    _read: dict[tuple[str, str], list[Entry] | UnreadableFile] = field(default_factory=dict)

    def items(self) -> Iterator[Item]:
        repo, rules = self.repository.repo, self.repository.rules
        told = [rule.model_dump(include={"name", "paths", "kind", "module"}) for rule in rules]
        form = hashlib.sha256(json.dumps([2, told]).encode()).hexdigest()[:16]
        cursor = mapping(self.resume.cursors.get(repo))
        after, head = text(cursor, "head"), self.reader.head()
        covered = as_instant(cursor, "from_at")
        is_other = cursor.get("form") != form or covered is None or self.resume.since < covered
        is_new = is_other or not after or not self.reader.is_behind(after)
        if is_new:
            covered, after = self.resume.since, None
            cursor = {"form": form, "from_at": covered.isoformat()}
        if head is None or covered is None:
            return
        folders = sorted({_folder(glob) for rule in rules for glob in rule.paths})
        if after != head:
            for landings in _batches(self.reader.landings(after, self.resume.since, folders)):
                yield from self._landed(landings)
                cursor = {**cursor, "head": landings[-1].sha}
                yield Checkpoint(repo, cursor)
                if self.characters > _CHARACTERS_A_RUN:
                    return
        yield from self._proposed(mapping(cursor.get("proposed")), folders)
        if is_new:
            stale = set(self.repository.known) - self.yielded
            yield from (Gone(Request, (SOURCE, id)) for id in sorted(stale))
        if after != head or "seen" not in cursor:
            cursor = {**cursor, "seen": self._seen(folders)}
        yield Coverage(source="requests", subject=repo, from_at=covered, until_at=self.resume.now)
        states = {str(change.number): _state(change) for change in self.repository.proposed}
        yield Checkpoint(repo, {**cursor, "head": head, "proposed": states})

    def _landed(self, landings: Sequence[Landing]) -> Iterator[Item]:
        self._fetch(file for landing in landings for file in landing.files)
        for landing in landings:
            common = {
                "sha": landing.sha,
                "opened_at": landing.authored_at,
                "merged_at": landing.committed_at,
                "url": self.repository.url and f"{self.repository.url}/commit/{landing.sha}",
            }
            yield from self._requests(landing.files, f"@{landing.sha}", common)

    def _proposed(self, before: Mapping[str, Any], folders: Sequence[str]) -> Iterator[Item]:
        """What is asked for in pull requests; one that has other commits now asks for what these hold."""
        fresh = [
            change for change in self.repository.proposed if before.get(str(change.number)) != _state(change)
        ]
        found = list(self.reader.proposed(fresh, folders)) if fresh else []
        self._fetch(file for _, files in found for file in files)
        for change, files in found:
            common = {
                "number": change.number,
                "sha": change.head,
                "opened_at": change.opened_at,
                "withdrawn_at": change.closed_at,
                "url": self.repository.url and f"{self.repository.url}/pull/{change.number}",
            }
            yield from self._requests(files, f"#{change.number}", common)
        now = {f"{self.repository.repo}#{change.number}:" for change in fresh}
        stale = (
            id for id in self.repository.known if f"{id.partition(':')[0]}:" in now and id not in self.yielded
        )
        yield from (Gone(Request, (SOURCE, id)) for id in sorted(stale))

    def _requests(self, files: Sequence[ChangedFile], at: str, common: Mapping[str, Any]) -> Iterator[Item]:
        for rule in self.repository.rules:
            before: _Entries = {}
            after: _Entries = {}
            for file in (file for file in files if is_of(rule, file.path)):
                try:
                    was, now = self._entries(rule, file.before, "before it "), self._entries(rule, file.after)
                except UnreadableFile as error:
                    subject = f"{self.repository.repo}:{at[1:]}"
                    raw = {"repo": self.repository.repo, "at": at, "path": file.path, "kind": rule.name}
                    reason = f"{file.path}: {error}; what it asks for is not known"
                    yield Malformed("requests", subject, reason, json.dumps(raw))
                    continue
                before |= {(file.path, entry.called): entry for entry in was}
                after |= {(file.path, entry.called): entry for entry in now}
            gone = {key: entry for key, entry in before.items() if key not in after}
            # what stands in another folder or file as it was has moved
            moved = {(called, entry.digest) for (_, called), entry in gone.items()}
            renamed = {(folder_of(path), called): entry for (path, called), entry in gone.items()}
            for (path, called), entry in after.items():
                earlier = before.get((path, called)) or renamed.get((folder_of(path), called))
                if earlier.digest == entry.digest if earlier else (called, entry.digest) in moved:
                    continue
                id = f"{self.repository.repo}{at}:{path}:{rule.name}/{called}"
                self.yielded.add(id)
                fields = {
                    "source": SOURCE,
                    "id": id,
                    "kind": rule.name,
                    "name": entry.name,
                    "way": "self-service",
                    "is_change": earlier is not None,
                    "team": entry.team,
                    "environment": entry.environment,
                    "repo": self.repository.repo,
                    "path": path,
                    **common,
                }
                yield record_or_malformed(Request, f"{self.repository.repo}:{at[1:]}", fields, fields)

    def _entries(self, rule: RequestRule, content: str | None, when: str = "") -> list[Entry]:
        read = self._read[rule.name, content] if content else []
        if isinstance(read, UnreadableFile):
            raise UnreadableFile(f"{when}{read}")
        return read

    def _fetch(self, files: Iterable[ChangedFile]) -> None:
        """Reads what the rules look at, each content once; of it only the entries are kept."""
        wanted = [
            (rule, content)
            for file in files
            for rule in self.repository.rules
            if is_of(rule, file.path)
            for content in (file.before, file.after)
            if content and (rule.name, content) not in self._read
        ]
        texts = self.reader.contents({content for _, content in wanted}, LONGEST_YAML)
        for rule, content in wanted:
            told = texts.get(content)
            self.characters += len(told or "")
            try:
                if told is None:
                    raise UnreadableFile("is too large, or is not there")
                self._read[rule.name, content] = entries(rule, told)
            except UnreadableFile as error:
                self._read[rule.name, content] = error

    def _seen(self, folders: Sequence[str]) -> dict[str, Any]:
        """By rule, the paths that no file has, and whether any file has, or had, an entry."""
        there = list(self.reader.files(folders))
        known = {*self.repository.known, *self.yielded}
        seen: dict[str, Any] = {}
        for rule in self.repository.rules:
            own = [(path, content) for path, content in there if is_of(rule, path)]
            has_entry = any(f":{rule.name}/" in id for id in known)
            if own and not has_entry:
                looked_at = own[:_FILES_LOOKED_AT]
                self._fetch(ChangedFile(path, None, content) for path, content in looked_at)
                found = (self._read[rule.name, content] for _, content in looked_at)
                # what cannot be read may have one
                has_entry = any(isinstance(read, UnreadableFile) or read for read in found)
            empty = [
                glob
                for glob in rule.paths
                if not any(is_of(rule.model_copy(update={"paths": [glob]}), path) for path, _ in own)
            ]
            seen[rule.name] = {"empty": empty, "has_entry": has_entry}
        return seen


def _state(change: ProposedChange) -> str:
    """What a pull request asks for is the same as long as this is."""
    return f"{change.head} closed" if change.closed_at else change.head


def _folder(glob: str) -> str:
    """The folder that a glob is certain to lie in, or the path that it is; empty where it is anywhere."""
    parts = glob.strip().strip("/").removeprefix("./").split("/")
    plain = next((n for n, part in enumerate(parts) if set(part) & set("*?[")), len(parts))
    return "/".join(parts[:plain])


def _batches(landings: Iterator[Landing]) -> Iterator[list[Landing]]:
    batch: list[Landing] = []
    for landing in landings:
        batch.append(landing)
        if len(batch) == _LANDINGS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
