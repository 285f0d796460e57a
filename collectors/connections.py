"""Whether each configured source answers: one small request each, nothing is collected."""

import glob
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from collectors.argocd import collect as argocd
from collectors.github import collect as github
from collectors.pagerduty import collect as pagerduty
from collectors.transport.json_api import shown_address
from config.errors import SixkeysError
from config.sources import Sources


@dataclass(frozen=True)
class Connection:
    """A source, whether it can be read, and what it answered or what is wrong."""

    source: str
    works: bool
    detail: str


def try_connections(sources: Sources) -> Iterator[Connection]:
    """Tries one source after another; a failing one is told and does not end the rest."""
    if sources.github:
        yield _tried("github", partial(github.try_connection, sources.github))
    for instance in sources.argocd:
        yield _tried(f"argocd:{instance.name}", partial(argocd.try_connection, instance))
    if sources.pagerduty:
        yield _tried("pagerduty", partial(pagerduty.try_connection, sources.pagerduty))
    for source, patterns in (
        ("survey", [entry.files for entry in sources.survey.files] if sources.survey else []),
        ("catalog", sources.catalog.files),
    ):
        for pattern in patterns:
            yield _tried(source, partial(_files, pattern))


def _tried(source: str, attempt: Callable[[], str]) -> Connection:
    try:
        return Connection(source, True, attempt())
    except SixkeysError as error:
        return Connection(source, False, str(error))


def _files(pattern: str) -> str:
    if pattern.startswith(("http://", "https://")):
        return f"{shown_address(pattern)} (an address, read when collected)"
    n = len(glob.glob(pattern, recursive=True))
    if not n:
        raise SixkeysError(f"no file matches {pattern}; mend the pattern or put the files there")
    return f"{n} {'file matches' if n == 1 else 'files match'} {pattern}"
