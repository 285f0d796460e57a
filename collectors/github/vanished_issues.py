"""Issues that left their repository's list without a trace: deleted, transferred, or their label was deleted.

No list tells of them. What tells is that fewer are counted than are stored; then those are asked for one by one.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

from collectors.github.api import GitHubApi
from collectors.github.queries import QuerySize
from collectors.transport.json_values import listing, mapping, text

_A_QUERY = 100


def vanished(api: GitHubApi, repo: str, numbers: Collection[int], labels: Collection[str]) -> Iterator[int]:
    """Those of `numbers` that `repo` has no more, or without any of `labels`, by 100 a request.

    None where issues are switched off for the repository: then its history is not wrong, only out of reach.
    """
    room = QuerySize(_A_QUERY)
    left = sorted(numbers)
    while left:
        batch, (data, errors) = room.fitting(partial(_ask, api, repo, left), len(left))
        left = left[len(batch) :]
        repository = mapping(data, "repository")
        if not repository.get("hasIssuesEnabled"):
            return
        missing = {listing(error, "path")[-1] for error in errors if _is_missing(error)}
        for number in batch:
            issue = mapping(repository, f"i{number}")
            names = {text(label, "name") or "" for label in listing(issue, "labels", "nodes")}
            home = text(issue, "repository", "nameWithOwner")
            is_elsewhere = home is not None and home != text(repository, "nameWithOwner")
            is_other = bool(mapping(issue, "labels")) and not has_label(names, labels)
            if f"i{number}" in missing or is_elsewhere or is_other:
                yield number


def has_label(names: Collection[str], wanted: Collection[str]) -> bool:
    """Whether any of `names` is one of `wanted`: GitHub's labels know no capitals."""
    return bool({name.lower() for name in names} & {name.lower() for name in wanted})


def vanished_query(repo: str, numbers: Collection[int]) -> str:
    """A query for the issues of these numbers under the aliases i1, i2 …"""
    owner, _, name = repo.partition("/")
    fields = "repository { nameWithOwner } labels(first: 100) { nodes { name } }"
    issues = " ".join(f"i{number}: issue(number: {number}) {{ {fields} }}" for number in numbers)
    return (
        f"query Vanished {{ repository(owner: {json.dumps(owner)}, name: {json.dumps(name)})"
        f" {{ nameWithOwner hasIssuesEnabled {issues} }} }}"
    )


def _ask(
    api: GitHubApi, repo: str, left: Sequence[int], size: int
) -> tuple[Sequence[int], tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The first `size` of `left`, and the answer to a query for them."""
    return left[:size], api.graphql(vanished_query(repo, left[:size]))


def _is_missing(error: dict[str, Any]) -> bool:
    return error.get("type") == "NOT_FOUND" and len(listing(error, "path")) > 1
