"""Smart HTTP git by `git http-backend`, and what the APIs read of the same repositories."""

import hmac
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from werkzeug import Request, Response

from sample_data.model import Organisation

_CONFIG = {
    "uploadpack.allowFilter": "true",  # partial clone
    "uploadpack.allowAnySHA1InWant": "true",  # a commit that is on no branch, by its SHA
    "safe.directory": "*",  # the repositories may belong to another user than the server's
}


class GitHttp:
    """The organisation's repositories at `/<owner>/<name>.git` by smart HTTP, protocol 2 and partial clone included.

    As on GitHub, the token is the password of Basic authentication and the user name does not matter.
    """

    def __init__(self, organisation: Organisation, token: str) -> None:
        self._organisation = organisation
        self._token = token
        self._empty = tempfile.TemporaryDirectory(prefix="sixkeys-empty-")
        subprocess.run(["git", "init", "--quiet", "--bare", self._empty.name], check=True)

    def __call__(self, request: Request) -> Response:
        given = request.authorization
        password = (given.password or "") if given and given.type == "basic" else ""
        if not hmac.compare_digest(password.encode(), self._token.encode()):
            return Response(
                "Repository not found or authentication failed.\n",
                status=401,
                headers={"WWW-Authenticate": 'Basic realm="GitHub"'},
            )
        name, _, rest = request.path.lstrip("/").partition(".git/")
        for repository in self._organisation.repositories:
            if repository.full_name.lower() == name.lower() and rest in ("info/refs", "git-upload-pack"):
                return _http_backend(request, repository.git_dir or Path(self._empty.name), rest)
        return Response("Repository not found.\n", status=404)


def _http_backend(request: Request, git_dir: Path, path: str) -> Response:
    """What git's own CGI program answers (https://git-scm.com/docs/git-http-backend), streamed."""
    body = request.get_data()
    environ = {
        "PATH": os.environ["PATH"],
        "PATH_TRANSLATED": str(git_dir.absolute() / path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query_string.decode(),
        "CONTENT_TYPE": request.content_type or "",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_CONFIG_COUNT": str(len(_CONFIG)),
    }
    for index, (key, value) in enumerate(_CONFIG.items()):
        environ |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    process = subprocess.Popen(
        ["git", "http-backend"],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin  # noqa: S101  a pipe, as is the next
    assert process.stdout  # noqa: S101
    process.stdin.write(body)
    process.stdin.close()
    status, headers = 200, []
    while line := process.stdout.readline().strip().decode():
        key, _, value = line.partition(": ")
        if key.lower() == "status":
            status = int(value.split()[0])
        else:
            headers.append((key, value))
    return Response(_stream(process, process.stdout), status=status, headers=headers, direct_passthrough=True)


def _stream(process: subprocess.Popen[bytes], output: IO[bytes]) -> Iterator[bytes]:
    try:
        while chunk := output.read(65536):
            yield chunk
    finally:
        output.close()
        process.wait()


@dataclass(frozen=True)
class GitCommit:
    """A commit as the repository on disk has it."""

    sha: str
    parents: tuple[str, ...]
    name: str
    email: str
    authored_at: datetime
    committed_at: datetime
    message: str


def _git(git_dir: Path, *arguments: str) -> str:
    """What git prints; nothing where it fails."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(git_dir), *arguments], capture_output=True
    )
    return done.stdout.decode("utf-8", "replace")


def read_commits(
    git_dir: Path, revision: str, limit: int = 1, without: str | None = None, within: str | None = None
) -> list[GitCommit]:
    """The newest `limit` commits (-1: all) reachable from `revision` and not from `without`, in git's order.

    Of a path `within`, those that touch it. None where there is no such revision.
    """
    excluded = [f"^{without}"] if without else []
    form = "--format=%H%n%P%n%an%n%ae%n%at%n%ct%n%B"
    log = _git(
        git_dir,
        "log",
        "-z",
        f"--max-count={limit}",
        form,
        "--end-of-options",
        revision,
        *excluded,
        "--",
        *filter(None, [within]),
    )
    commits = []
    for text in filter(None, log.split("\0")):
        sha, parents, name, email, authored, committed, message = text.split("\n", 6)
        commits.append(
            GitCommit(
                sha,
                tuple(parents.split()),
                name,
                email,
                datetime.fromtimestamp(int(authored), UTC),
                datetime.fromtimestamp(int(committed), UTC),
                message.rstrip("\n"),
            )
        )
    return commits


def read_tags(git_dir: Path) -> dict[str, str]:
    """The commit of each tag."""
    lines = _git(
        git_dir, "for-each-ref", "--format=%(refname:strip=2) %(objectname) %(*objectname)", "refs/tags"
    )
    return {parts[0]: parts[-1] for parts in map(str.split, lines.splitlines())}


_STATUS = {"A": "added", "D": "removed"}


def read_changes(git_dir: Path, sha: str, base: str | None = None) -> list[dict[str, str]]:
    """The files that a commit changes against its first parent, or against `base`, each with what became of it."""
    form = ("-z", "--name-status", "--no-renames")
    if base:
        printed = _git(git_dir, "diff", *form, base, sha, "--")
    else:
        printed = _git(git_dir, "show", *form, "--diff-merges=first-parent", "--format=", sha, "--")
    parts = iter(part.strip("\n") for part in printed.split("\0"))
    return [
        {"filename": path, "status": _STATUS.get(kind, "modified")}
        for kind, path in zip(parts, parts, strict=False)
    ]


def read_merge_base(git_dir: Path, one: str, other: str) -> str:
    """The commit in which two revisions meet; empty where they do not."""
    return _git(git_dir, "merge-base", one, other).strip()


def read_files(git_dir: Path, sha: str) -> list[str]:
    """The files of a commit."""
    return [path for path in _git(git_dir, "ls-tree", "-r", "-z", "--name-only", sha).split("\0") if path]


def read_file(git_dir: Path, sha: str, path: str) -> str | None:
    """What is in a file of a commit; None where it has none of that name."""
    return _git(git_dir, "show", f"{sha}:{path}") if path in read_files(git_dir, sha) else None
