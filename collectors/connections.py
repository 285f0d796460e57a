"""Whether each configured source answers: one small request for each permission, nothing is collected."""

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from collectors.argocd import collect as argocd
from collectors.backstage import portal
from collectors.contract.items import SourceError, tried
from collectors.github import permissions as github
from collectors.pagerduty import collect as pagerduty
from collectors.transport.json_api import shown_address
from config.errors import SixkeysError
from config.settings import Settings, asks_for_jobs
from config.text.references import unresolved_references


@dataclass(frozen=True)
class Connection:
    """A source, whether it can be read, and what it answered or what is wrong."""

    source: str
    works: bool
    detail: str


def try_connections(settings: Settings) -> Iterator[Connection]:
    """Tries one source after another, each with what its collection needs; one that fails does not end the rest."""
    sources = settings.sources
    workflows = [entry.workflow for entry in settings.deployments.workflows]
    workflows += [rule.ready.workflow for rule in settings.self_service.requests if rule.ready.workflow]
    # that a golden path asks for jobs needs the same permission
    workflows = workflows or ["*"] * asks_for_jobs(settings)
    if sources.github:
        yield from _of("github", github.try_connection(sources.github, workflows))
    for instance in sources.argocd:
        yield from _of(f"argocd:{instance.name}", argocd.try_connection(instance))
    if sources.pagerduty:
        yield from _of("pagerduty", pagerduty.try_connection(sources.pagerduty))
    if sources.catalog.backstage:
        yield from _of("catalog", portal.try_connection(sources.catalog.backstage))
    for source, patterns in (
        ("survey", [entry.files for entry in sources.survey.files] if sources.survey else []),
        ("catalog", sources.catalog.files),
    ):
        yield from _of(source, (tried(partial(_files, pattern)) for pattern in patterns))


def _of(source: str, answers: Iterable[str | SourceError]) -> Iterator[Connection]:
    try:
        for answer in answers:
            yield Connection(source, isinstance(answer, str), str(answer))
    except SixkeysError as error:
        yield Connection(source, False, str(error))


def _files(pattern: str) -> str:
    if missing := next(unresolved_references(pattern), None):
        raise SourceError(str(missing))
    if pattern.startswith(("http://", "https://")):
        return f"{shown_address(pattern)} (an address, read when collected)"
    n = len(glob.glob(pattern, recursive=True))
    if not n:
        raise SourceError(f"no file matches {pattern}; mend the pattern or put the files there")
    return f"{n} {'file matches' if n == 1 else 'files match'} {pattern}"
