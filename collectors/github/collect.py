"""GitHub: repositories, pull requests, deployments, releases and workflow runs (https://docs.github.com).

One listing query for many repositories tells what changed since the cursors; only that is asked for, again for many
repositories at once.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from collectors.contract.items import Checkpoint, Item, Malformed, Resume, SetAside
from collectors.contract.people import People
from collectors.contract.records import Coverage
from collectors.github.api import TIMEOUT_SECONDS, GitHubApi
from collectors.github.as_records import Read
from collectors.github.catalogue_files import entities
from collectors.github.choice import chosen_repositories, none_matches
from collectors.github.graphql import GraphQLReader
from collectors.github.rate_limit import REST_AT_ONCE
from collectors.github.rest import RestReader
from collectors.github.sweep import Sweep, covered_from, open_deployments
from collectors.github.workflow_runs import collect_runs
from collectors.transport import cost
from collectors.transport.in_order import in_order
from collectors.transport.json_values import text
from config.settings import GitHub

_KINDS = ("pull_requests", "deployments", "releases")
# how much work an item is, beside the others
_WORK = {"pull_requests": 5, "deployments": 2, "releases": 1}


def collect(
    source: GitHub,
    resume: Resume,
    people: People,
    catalog: bool = False,
    workflows: Collection[str] = (),
    timeout: int = TIMEOUT_SECONDS,
    workflows_of: Mapping[str, Collection[str]] | None = None,
) -> Iterator[Item]:
    """All that is new on GitHub since `resume`'s cursors, kind by kind, each repository with its own checkpoints.

    `workflows` are globs of the files whose runs may be deployments, `workflows_of` of those that are asked for of one
    repository, by its name in small letters; without any no runs are asked for. `catalog` reads each repository's
    `catalog-info.yaml` too. Raises SourceError where GitHub cannot be read or no repository matches.
    """
    with GitHubApi(source, timeout) as api:
        reader = (GraphQLReader if source.graphql else RestReader)(api, people, catalog)
        listed = []
        for entry in chosen_repositories(source, api, reader):
            if isinstance(entry, Malformed):
                yield entry
                continue
            listed.append(entry)
            repo, from_at = entry.record.repo, covered_from(entry, "pull_requests", resume)
            yield entry.record
            yield Coverage(source="repositories", subject=repo, from_at=from_at, until_at=resume.now)
            if entry.catalog or entry.asks_catalog:
                yield from entities(api, repo, entry.catalog)
        if not listed:
            raise none_matches(source)
        yield Checkpoint("repositories", {"listed_at": resume.now.isoformat()})
        again = dict(reader.deployments_again(open_deployments(listed, resume)))
        yield from _read(
            reader, {kind: [Sweep(kind, entry, resume) for entry in listed] for kind in _KINDS}, again
        )
        globs = {
            entry.record.repo: [*workflows, *(workflows_of or {}).get(entry.record.repo.casefold(), ())]
            for entry in listed
        }
        with_runs = [entry.record for entry in listed if source.workflow_runs and globs[entry.record.repo]]
        yield from in_order(
            lambda record: collect_runs(
                api, record.repo, max(resume.since, record.created_at), resume, people, globs[record.repo]
            ),
            with_runs,
            REST_AT_ONCE,
        )
        # what was unchanged is covered until now as well: rows are stored with the checkpoint that follows them
        yield Checkpoint("repositories", {"listed_at": resume.now.isoformat()})


def again(cursors: Mapping[str, Any], items: Iterable[SetAside]) -> dict[str, Any]:
    """The cursors from which the lists that hold `items` are read anew: that asks for less than each item by itself."""
    moved = dict(cursors)
    for item in items:
        repo = item.subject.partition("#")[0]
        kinds = ("deployments", "releases") if item.kind == "deployments" else (item.kind,)
        for subject in (f"{repo} {kind}" for kind in kinds):
            if from_at := text(moved.get(subject), "from_at"):
                # workflow runs say in `until` where to go on; of the others the lack of it says: at the top
                until = {"until": from_at} if item.kind == "workflow_runs" else {}
                moved[subject] = {"from_at": from_at, **until}
    return moved


def _read(
    reader: GraphQLReader | RestReader, sweeps: Mapping[str, Sequence[Sweep]], again: Mapping[str, Read]
) -> Iterator[Item]:
    """What is new, kind by kind: in rounds, each the next page of all repositories that have one."""
    for sweep in chain.from_iterable(sweeps.values()):
        yield from sweep.begin(again)
    lists = sum(map(len, sweeps.values()))
    open_lists = sum(sweep.asked is not None for one in sweeps.values() for sweep in one)
    work = left = sum(_WORK[kind] * sweep.left for kind, one in sweeps.items() for sweep in one)
    if work:
        cost.current_meter().part(lists - open_lists, lists, "lists", 0.0)
    for kind, one in sweeps.items():
        while waiting := {sweep.asked: sweep for sweep in one if sweep.asked}:
            for asked, page in reader.pages(kind, list(waiting)):
                sweep = waiting[asked]
                before = sweep.left
                yield from sweep.take(page)
                left -= _WORK[kind] * (before - sweep.left)
                open_lists -= sweep.asked is None
                cost.current_meter().part(lists - open_lists, lists, "lists", max(0.0, 1 - left / work))
