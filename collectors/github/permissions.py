"""Whether the token may read what is collected from GitHub: one small request for each permission."""

import re
from collections.abc import Collection, Iterator
from functools import partial

from collectors.contract.items import AskedToWait, Malformed, SourceError, tried
from collectors.contract.people import People
from collectors.contract.records import Repository
from collectors.github.api import EmptyError, GitHubApi
from collectors.github.choice import chosen_repositories, matches_pattern, none_matches
from collectors.github.graphql import GraphQLReader
from collectors.github.rest import RestReader
from collectors.transport.json_values import text
from config.sources import GitHub

# by the permissions' names where a token or an App is given them
_PATHS = {"contents": "commits", "pull requests": "pulls", "deployments": "deployments"}
_LOOKS_LIKE_DEPLOYMENT = re.compile("deploy|release|prod|ship|publish")


def try_connection(source: GitHub, workflows: Collection[str]) -> Iterator[str | SourceError]:
    """How many repositories match and what of them may be read, in words, or why not.

    Each permission is tried on the repository with the last push that is not archived. That of issues is needed where
    they are incidents, that of actions where `workflows`, globs of files, are deployments.
    """
    with GitHubApi(source) as api:
        reader = (GraphQLReader if source.graphql else RestReader)(api, People(b""), False)
        found = [
            entry.record
            for entry in chosen_repositories(source, api, reader)
            if not isinstance(entry, Malformed)
        ]
        if not found:
            raise none_matches(source)
        n = len(found)
        yield f"{n} {'repository matches' if n == 1 else 'repositories match'} {', '.join(source.repositories)}"
        for kind, path in _PATHS.items():
            yield tried(partial(_try, api, _newest(found), kind, path))
        if source.incidents:
            globs = source.incidents.repositories
            with_issues = [one for one in found if not globs or matches_pattern(one.repo, globs)]
            yield tried(partial(_try, api, _newest(with_issues or found), "issues", "issues"))
        if source.workflow_runs:
            answer = tried(partial(_workflows, api, _newest(found)))
            if workflows or isinstance(answer, str):
                yield answer


def _newest(found: Collection[Repository]) -> Repository:
    return max(found, key=lambda one: (not one.is_archived, one.pushed_at or one.created_at))


def _try(api: GitHubApi, of: Repository, kind: str, path: str) -> str:
    try:
        api.get(f"/repos/{of.repo}/{path}", per_page=1)
    except EmptyError:
        pass
    except SourceError as error:
        raise _without(kind, error) from None
    return f"may read {kind} (tried on {of.repo})"


def _workflows(api: GitHubApi, of: Repository) -> str:
    """That actions may be read, and which of the repository's workflow files look like deployments."""
    path = f"/repos/{of.repo}/actions/workflows"
    try:
        files = [
            (text(item, "path") or "").rpartition("/")[2]
            for page in api.pages(path, "workflows")
            for item in page
        ]
    except SourceError as error:
        raise _without("actions", error) from None
    alike = [file for file in files if _LOOKS_LIKE_DEPLOYMENT.search(file.lower())]
    told = f"; of its workflow files {', '.join(alike)} may deploy" if alike else ""
    return f"may read actions (tried on {of.repo}{told})"


def _without(kind: str, error: SourceError) -> SourceError:
    if isinstance(error, AskedToWait):
        return error
    return SourceError(f"github: {kind} cannot be read: {str(error).removeprefix('github: ')}")
