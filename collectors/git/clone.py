"""A bare clone without file contents, kept in the cache: cloned once, fetched later, repaired where it broke.

The token reaches git through its environment only: it is in no address, no process list and no stored configuration.
"""

import base64
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import stamina

from collectors.contract.items import SourceError
from collectors.git.printed import printed_commits, printed_files, tokens
from collectors.transport import cost
from collectors.transport.pacing import Hold
from config.text.hidden import hide

STALL_SECONDS = 60
_FETCH_SECONDS = 3600
_READ_SECONDS = 1800
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# what a deployment or an earlier run needs although no branch or tag holds it any more
_KEPT = "refs/sixkeys/kept/"
_BRANCHES_AND_TAGS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_CONFIGURATION = {
    "credential.helper": "",  # nobody else's token, and nobody is asked
    "http.followRedirects": "false",  # a token is not carried elsewhere
    "http.lowSpeedLimit": "1000",
    "gc.autoDetach": "false",
    "maintenance.autoDetach": "false",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "protocol.http.allow": "always",
    "log.showSignature": "false",
}


# what the host, or the way to it, is to blame for: no reason to clone again
_NOT_GIVEN = re.compile(
    r"unable to access|Authentication failed|could not read (Username|Password)|repository .* not found"
    r"|RPC failed|early EOF|hung up|unexpected disconnect|took longer than"
)
_PASSING = re.compile(
    r"returned error: (429|5\d\d)|transfer closed|Recv failure|Operation too slow|RPC failed|early EOF|hung up"
    r"|unexpected disconnect|Empty reply|Could not resolve host|Failed to connect"
)
_ATTEMPTS = 3
_LIMITED_SECONDS = 10.0  # git does not tell how long a 429 asks to wait


class GitError(SourceError):
    """A repository that git could not read: which, what git said, and what to do. Never holds the token."""


class UnreachableError(GitError):
    """The host does not answer as it should, for whichever repository."""


class Clone:
    """The repository `repo` (`owner/name`) of the host at `web`, below the folder `cache`.

    A transfer that stalls for `stall_seconds` ends. What is asked of the network is told to the current meter, and
    waits for `hold`, where a host that was asked too much is left in peace.
    """

    def __init__(
        self, repo: str, web: str, token: str, cache: Path, hold: Hold, stall_seconds: int = STALL_SECONDS
    ) -> None:
        host = urlsplit(web)
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo) or repo.split("/")[1] in (".", ".."):
            raise GitError(f'git: "{repo}" is not a name of a repository; mend sources.github.repositories')
        if host.scheme != "https" and not (
            host.scheme == "http" and host.netloc.rpartition(":")[0] in _LOOPBACK
        ):
            raise GitError(
                f"git: {web} is not https, so the token would be readable on its way; mend sources.github.url"
            )
        self.repo = repo
        self.url = f"{web}/{repo}.git"
        self._path = cache / f"{repo}.git"
        secret = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        configuration = {
            **_CONFIGURATION,
            "http.lowSpeedTime": str(stall_seconds),
            f"http.{web}/.extraHeader": f"Authorization: Basic {secret}",
        }
        self._environment = _environment(configuration)
        self._secrets = (token, secret)
        self._meter = cost.current_meter()
        self._hold = hold

    def update(self) -> None:
        """All branches and tags as the host has them now, by a fetch, or by a new clone where there is none to mend.

        Raises GitError where the host does not give them; what was in the cache is then still there.
        """
        self._unlock()
        if self.is_here:
            os.utime(self._path)
            self._follow_host()
            done = self._fetch_all("--prune")
            if done.returncode == 0:
                self._refuse_what_is_no_repository(self._path)
                return
            if _NOT_GIVEN.search(_stderr(done)):
                raise self._refused(done)
        self._clone()

    def refresh(self) -> None:
        """The branches and tags as the host has them now, if it gives them, while others read the clone."""
        self._fetch_all()

    def fetch(self, shas: Collection[str]) -> set[str]:
        """Those of `shas` that are here afterwards: asked for by name where they are on no branch or tag."""
        wanted = {sha for sha in shas if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", sha)}
        missing = sorted(wanted - self._present(wanted))
        if missing and not self._fetch_by_name(missing) and len(missing) > 1:
            for sha in missing:  # one that is gone spoils the request for all
                self._fetch_by_name([sha])
        return self._present(wanted)

    def keep(self, shas: Collection[str]) -> None:
        """Holds exactly `shas`, and what they reach, in the cache although branches may leave them."""
        held = self._checked("for-each-ref", "--format=%(objectname)", _KEPT).split()
        orders = [f"delete {_KEPT}{sha}\n" for sha in held if sha not in shas]
        orders += [f"update {_KEPT}{sha} {sha}\n" for sha in shas if sha not in held]
        if orders:
            self._checked("update-ref", "--stdin", given="".join(orders))

    def log(self, without: Collection[str], with_paths: bool) -> Iterator[list[str]]:
        """Of each commit that is here and not reachable from `without`, parents first, its fields:

        sha, parents, author's name, author's address, authored and committed in seconds since 1970, message,
        then the files that it touches against its first parent (without `with_paths` none).
        """
        form = "--format=%x01%H%x00%P%x00%an%x00%ae%x00%at%x00%ct%x00%B%x00"
        # no renames, no mailmap: either would fetch file contents, one by one
        arguments = [
            "log",
            "-z",
            "--reverse",
            "--topo-order",
            "--no-renames",
            "--no-mailmap",
            "--encoding=UTF-8",
        ]
        arguments.append(form)
        arguments += ["--name-only", "--diff-merges=first-parent"] if with_paths else []
        revisions = "".join(f"^{sha}\n" for sha in without)
        arguments += ["--all", "--ignore-missing", "--stdin"]
        yield from printed_commits(self.parts(*arguments, given=revisions))

    def parts(self, *arguments: str, given: str = "") -> Iterator[str]:
        """What lies between the NULs that a command prints of the clone alone. Raises GitError."""
        with tempfile.TemporaryFile() as output:
            self._checked(*arguments, given=given, output=output)
            output.seek(0)
            yield from tokens(output)

    def tags(self) -> list[tuple[str, str, str]]:
        """(tag, commit, made at in seconds since 1970: tagged, or committed where the tag is no object of its own)."""
        of_tag = "%(refname:strip=2)%00%(objecttype)%00%(objectname)%00%(creatordate:unix)"
        of_commit = "%(*objecttype)%00%(*objectname)%00%(*committerdate:unix)"
        printed = self._checked("for-each-ref", f"--format={of_tag}%00{of_commit}", "refs/tags")
        tags = []
        for line in printed.splitlines():
            name, kind, sha, at, peeled_kind, peeled, committed_at = line.split("\0")
            if "commit" in (kind, peeled_kind):
                tags.append((name, peeled or sha, at or committed_at))
        return tags

    @property
    def is_here(self) -> bool:
        """Whether it was cloned."""
        return (self._path / "HEAD").is_file()

    def message(self, sha: str) -> str | None:
        """The message of a commit; None where it is not here."""
        known = self._present({sha})
        return (
            self._checked("log", "-1", "--no-mailmap", "--encoding=UTF-8", "--format=%B", sha)
            if known
            else None
        )

    def files(self, sha: str, folder: str) -> list[tuple[str, str]]:
        """(name, blob) of the files directly in `folder` of a commit that is here; none where it has no such folder."""
        done = self._run("ls-tree", "-z", f"{sha}:{folder}")
        entries = done.stdout.decode("utf-8", "replace").split("\0") if done.returncode == 0 else []
        found = (re.fullmatch(r"100\d{3} blob (\w+)\t([^/]+)", entry) for entry in entries)
        return [(match[2], match[1]) for match in found if match]

    def content(self, blob: str) -> str:
        """What is in a file, fetched unless it is here; raises GitError where the host does not give it."""
        done = self._ask("-C", str(self._path), "cat-file", "blob", blob)
        if done.returncode:
            raise self._refused(done)
        return done.stdout.decode("utf-8", "replace")

    def contents(self, blobs: Collection[str], longest: int) -> dict[str, str | None]:
        """What is in each of several files, fetched in one go; None of more than `longest` bytes. Raises GitError."""
        wanted = "".join(f"{blob}\n" for blob in sorted(set(blobs)))
        if not wanted:
            return {}
        arguments = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--filter=blob:none",
            "--stdin",
        ]
        done = self._ask("-C", str(self._path), *arguments, "origin", given=wanted)
        if done.returncode:
            raise self._refused(done)
        with tempfile.TemporaryFile() as output:
            self._checked("cat-file", "--batch", given=wanted, output=output)
            output.seek(0)
            return dict(printed_files(output, longest))

    def _follow_host(self) -> None:
        """Lets git ask where the repository is now: what is fetched later, file by file, comes from there, too."""
        if f"\turl = {self.url}\n" not in (self._path / "config").read_text("utf-8", "replace"):
            self._run("remote", "set-url", "origin", self.url)

    def _unlock(self) -> None:
        """Removes what a git that was killed left locked; of two runs at once only one reads, so nobody holds it."""
        for lock in (*self._path.glob("*.lock"), *(self._path / "refs").rglob("*.lock")):
            lock.unlink(missing_ok=True)

    def _clone(self) -> None:
        folder = self._path.parent
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = f".{self._path.name}-"
        for left in folder.glob(f"{unfinished}*"):  # of a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=unfinished, dir=folder) as temporary:
            made = Path(temporary) / "clone.git"
            done = self._ask("clone", "--quiet", "--bare", "--filter=blob:none", "--", self.url, str(made))
            if done.returncode:
                raise self._refused(done)
            self._refuse_what_is_no_repository(made)
            shutil.rmtree(self._path, ignore_errors=True)
            made.rename(self._path)

    def _present(self, shas: Collection[str]) -> set[str]:
        """Those of `shas` that are in the cache, without fetching the others."""
        arguments = ("rev-list", "--no-walk", "--ignore-missing", "--missing=allow-any", "--stdin")
        return set(self._run(*arguments, given="\n".join(shas)).stdout.decode().split()) if shas else set()

    def _fetch_all(self, *options: str) -> subprocess.CompletedProcess[bytes]:
        arguments = ("fetch", "--quiet", *options, "--no-write-fetch-head", "origin", *_BRANCHES_AND_TAGS)
        return self._ask("-C", str(self._path), *arguments)

    def _fetch_by_name(self, shas: list[str]) -> bool:
        kept = (f"{sha}:{_KEPT}{sha}" for sha in shas)
        arguments = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "origin", *kept)
        return self._ask("-C", str(self._path), *arguments).returncode == 0

    def _ask(
        self, *arguments: str, given: str = "", **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        """A command that goes over the network, again after a while where that may help; each counts as a request."""
        for attempt in stamina.retry_context(
            on=cost.AttemptFailed, attempts=_ATTEMPTS, wait_initial=1, wait_max=15, wait_jitter=1
        ):
            with attempt:
                self._hold.wait()
                done = _git([*arguments], self._environment | environment, _FETCH_SECONDS, given)
                self._meter.request(failed=done.returncode != 0)
                is_passing = _PASSING.search(_stderr(done)) and "Failed to connect" not in _stderr(done)
                if done.returncode and "returned error: 429" in _stderr(done):
                    self._hold.back(_LIMITED_SECONDS * attempt.num, "for the rate limit of git's host")
                if done.returncode and attempt.num < _ATTEMPTS and is_passing:
                    raise cost.AttemptFailed(_said(done), f"since {self.url} cannot be read", self._meter)
                return done
        raise AssertionError("unreachable: the last attempt returns")

    def _refuse_what_is_no_repository(self, path: Path) -> None:
        """Raises GitError where a clone has no refs since its address answered with a page: git takes that for none."""
        refs = _git(
            ["-C", str(path), "for-each-ref", "--count=1", "refs/heads", "refs/tags"], self._environment, 60
        )
        if refs.stdout:
            return
        shown = self._ask("ls-remote", self.url, GIT_TRACE_PACKET="1")
        if shown.stdout or b"packet:" not in shown.stderr:
            raise GitError(
                f"git: {self.url} answered with something other than a repository; check sources.github.url"
            )

    def _refused(self, done: subprocess.CompletedProcess[bytes]) -> GitError:
        kind = UnreachableError if _PASSING.search(_stderr(done)) else GitError
        return kind(f"git: {self.url} cannot be read: {hide(_said(done), self._secrets)}")

    def _checked(self, *arguments: str, given: str = "", output: IO[bytes] | None = None) -> str:
        done = self._run(*arguments, given=given, output=output)
        if done.returncode:
            raise GitError(
                f"git: the clone of {self.repo} cannot be read: {hide(_said(done), self._secrets)}"
            )
        return (done.stdout or b"").decode("utf-8", "replace")

    def _run(
        self,
        *arguments: str,
        given: str = "",
        output: IO[bytes] | None = None,
        timeout: int = _READ_SECONDS,
    ) -> subprocess.CompletedProcess[bytes]:
        return _git(["-C", str(self._path), *arguments], self._environment, timeout, given, output)


def _environment(configuration: Mapping[str, str]) -> dict[str, str]:
    """The process's own, without what would point git at another repository, with `configuration` and no questions."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("GIT_") or key.startswith("GIT_SSL_")
    }
    kept |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_CONFIG_COUNT": str(len(configuration))}
    for index, (key, value) in enumerate(configuration.items()):
        kept |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return kept


def _git(
    arguments: list[str],
    environment: dict[str, str],
    timeout: int,
    given: str = "",
    output: IO[bytes] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    command = ["git", *arguments]
    try:
        return subprocess.run(
            command,
            env=environment,
            input=given.encode(),
            stdout=output or subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout,
        )
    except FileNotFoundError:
        raise GitError(
            "git: the program is not installed; install git, or set sources.github.clone to false"
        ) from None
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, b"", f"took longer than {timeout} s".encode())


def _stderr(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode("utf-8", "replace")


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """The line of git's complaint that says why, and what to do about it."""
    lines = [line for line in _stderr(done).splitlines() if line.strip()]
    why = next(
        (line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "no reason"
    )
    why = why.removeprefix("fatal: ").removeprefix("error: ")
    if "Authentication failed" in why or "could not read Username" in why:
        return f"{why}; the token is wrong or may not read contents: set sources.github.token"
    return f"{why}; check sources.github.url and the token, or set sources.github.clone to false"
