"""What the collector of requests needs to know of the warehouse: repositories, and what is not merged yet."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

from collectors.contract.items import Item, Resume, SourceError
from collectors.git.clone import Clone
from collectors.github.api import GitHubApi
from collectors.requests import collect as requests
from collectors.requests.by_api import ApiReader
from collectors.requests.changed_files import CloneReader, FileReader, ProposedChange
from collectors.requests.collect import RequestRepository
from collectors.transport import cost
from collectors.transport.pacing import Hold
from config.platform_team.self_service import RequestRule, SelfService
from config.settings import GitHub
from warehouse.storage.store import open_warehouse

_REPOSITORIES = "select r.repo, r.default_branch, r.url from repositories as r order by r.repo"
_PROPOSED = (
    "select p.number, p.commits[-1].sha, p.created_at, p.closed_at from pull_requests as p where p.repo = ?"
    " and p.merged_at is null and len(p.commits) > 0 and (p.closed_at is null or p.closed_at >= ?) order by p.number"
)
_KNOWN = "select q.id from requests as q where q.source = ? and q.repo = ?"


def workflows_of(self_service: SelfService) -> dict[str, list[str]]:
    """The workflows that make requests ready, by repository in small letters."""
    found: dict[str, list[str]] = defaultdict(list)
    for rule in self_service.requests:
        if rule.ready.workflow:
            found[rule.repository.casefold()].append(rule.ready.workflow)
    return found


def collect_requests(
    warehouse: Path, source: GitHub, self_service: SelfService, cache: Path, resume: Resume
) -> Iterator[Item]:
    """The requests in the repositories that are named and were listed; raises SourceError for one that was not."""
    rules: dict[str, list[RequestRule]] = defaultdict(list)
    for rule in self_service.requests:
        rules[rule.repository.casefold()].append(rule)
    wanted, branches = [], {}
    with open_warehouse(warehouse) as opened:
        ask = opened.connection.execute
        for repo, branch, url in ask(_REPOSITORIES).fetchall():
            if not (own := rules.pop(repo.casefold(), None)):
                continue
            proposed = [
                ProposedChange(
                    number, head, opened_at.replace(tzinfo=UTC), closed_at and closed_at.replace(tzinfo=UTC)
                )
                for number, head, opened_at, closed_at in ask(
                    _PROPOSED, [repo, resume.since.astimezone(UTC).replace(tzinfo=None)]
                ).fetchall()
            ]
            known = [id for (id,) in ask(_KNOWN, [requests.SOURCE, repo]).fetchall()]
            branches[repo] = branch
            wanted.append(RequestRepository(repo, url, own, proposed, known))
    with GitHubApi(source) as api:
        hold = Hold(cost.current_meter(), "git")

        def reader_of(repository: RequestRepository) -> FileReader:
            repo, branch = repository.repo, branches[repository.repo]
            if not source.clone:
                return ApiReader(api, repo, branch)
            clone = Clone(repo, api.web, api.token(), cache, hold)
            if not clone.is_here:  # whose clones are lost: git takes up a repository when it is pushed to
                clone.update()
            return CloneReader(clone, branch)

        yield from requests.collect(wanted, resume, reader_of)
    if rules:
        named = ", ".join(rule.repository for of_repository in rules.values() for rule in of_repository[:1])
        raise SourceError(
            f"requests: {named} was not collected; add it to sources.github.repositories, or mend"
            " self_service.requests"
        )
