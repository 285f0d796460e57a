"""A git history made in memory, and written to a bare repository by `git fast-import`.

The SHAs are computed here, as git does, so that messages and other systems' objects can name commits beforehand.
"""

import hashlib
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sample_data.work.staff import Staff
from sample_data.work.weeks import ZONE

_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
"""


@dataclass(frozen=True)
class Commit:
    """A commit with all its files; `changes` is against the first parent, None for a file that goes."""

    sha: str
    parents: tuple[str, ...]
    author: Staff
    authored_at: datetime
    committer: Staff
    committed_at: datetime
    message: str
    files: Mapping[str, str]
    changes: Mapping[str, str | None]


@dataclass
class History:
    """Commits in the order they were made, branches and pull requests' heads by full name, annotated tags."""

    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, tuple[str, Staff, datetime]] = field(default_factory=dict)

    def commit(
        self,
        parents: Iterable[str],
        changes: Mapping[str, str | None],
        author: Staff,
        authored_at: datetime,
        message: str,
        committer: Staff | None = None,
        committed_at: datetime | None = None,
    ) -> str:
        """Adds a commit whose files are its first parent's with `changes`, and returns its SHA."""
        parents = tuple(parents)
        files = dict(self.commits[parents[0]].files) if parents else {}
        for path, content in changes.items():
            files.pop(path, None) if content is None else files.update({path: content})
        committer, committed_at = committer or author, committed_at or authored_at
        message = message.rstrip("\n") + "\n"
        head = [f"tree {_tree(files)}", *(f"parent {parent}" for parent in parents)]
        head += [
            f"author {_signature(author, authored_at)}",
            f"committer {_signature(committer, committed_at)}",
        ]
        sha = _sha("commit", "\n".join([*head, "", message]).encode())
        self.commits[sha] = Commit(
            sha, parents, author, authored_at, committer, committed_at, message, files, dict(changes)
        )
        return sha

    def write(self, git_dir: Path) -> None:
        """Writes a bare repository that serves blobless clones and single commits by SHA."""
        (git_dir / "objects").mkdir(parents=True)
        (git_dir / "refs").mkdir()
        (git_dir / "HEAD").write_text("ref: refs/heads/main\n")
        (git_dir / "config").write_text(_CONFIG)
        command = [
            "git",
            "-c",
            "fastimport.unpackLimit=0",
            "--git-dir",
            str(git_dir),
            "fast-import",
            "--quiet",
        ]
        subprocess.run(command, input=self._stream(), check=True, capture_output=True)

    def _stream(self) -> bytes:
        marks: dict[str, str] = {}
        lines: list[str] = []
        for mark, commit in enumerate(self.commits.values(), start=1):
            marks[commit.sha] = f":{mark}"
            if not commit.parents:
                lines.append("reset refs/import")
            lines += ["commit refs/import", f"mark :{mark}"]
            lines.append(f"author {_signature(commit.author, commit.authored_at)}")
            lines.append(f"committer {_signature(commit.committer, commit.committed_at)}")
            lines.append(_data(commit.message))
            words = ("from", *["merge"] * len(commit.parents))
            lines += [f"{word} {marks[parent]}" for word, parent in zip(words, commit.parents, strict=False)]
            for path, content in commit.changes.items():
                lines.append(f"D {path}" if content is None else f"M 100644 inline {path}\n{_data(content)}")
        lines += [f"reset {name}\nfrom {marks[sha]}\n" for name, sha in self.refs.items()]
        for name, (sha, tagger, at) in self.tags.items():
            lines += [
                f"tag {name}",
                f"from {marks[sha]}",
                f"tagger {_signature(tagger, at)}",
                _data(f"{name}\n"),
            ]
        lines.append("reset refs/import\nfrom " + "0" * 40 + "\n")
        return ("\n".join(lines) + "\n").encode()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"


def _signature(who: Staff, at: datetime) -> str:
    return f"{who.name} <{who.email}> {int(at.timestamp())} {at.astimezone(ZONE):%z}"


def _sha(kind: str, content: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content).hexdigest()


@lru_cache(maxsize=4096)
def _blob(content: str) -> str:
    return _sha("blob", content.encode())


def _tree(files: Mapping[str, str]) -> str:
    entries: dict[str, tuple[str, str]] = {}
    folders: dict[str, dict[str, str]] = {}
    for path, content in files.items():
        folder, _, rest = path.partition("/")
        if rest:
            folders.setdefault(folder, {})[rest] = content
        else:
            entries[path] = ("100644", _blob(content))
    # git sorts a folder as if its name ended in a slash
    entries |= {f"{name}/": ("40000", _tree(inside)) for name, inside in folders.items()}
    listing = b"".join(
        f"{mode} {name.rstrip('/')}\0".encode() + bytes.fromhex(sha)
        for name, (mode, sha) in sorted(entries.items())
    )
    return _sha("tree", listing)
