"""Which repositories the configuration means: by pattern, topic and custom property, archived ones and forks or not."""

from collections.abc import Collection, Iterator
from fnmatch import fnmatch
from typing import Any

from collectors.contract.items import Malformed, SourceError
from collectors.contract.records import Repository
from collectors.github.api import GitHubApi, MissingError
from collectors.github.as_records import Listed
from collectors.github.graphql import GraphQLReader
from collectors.github.rest import RestReader
from collectors.transport.json_values import listing, text
from config.sources import GitHub


def matches_pattern(repo: str, patterns: Collection[str]) -> bool:
    """Whether one of the globs is that of `owner/name`; capitals do not matter."""
    return any(fnmatch(repo.lower(), pattern.lower()) for pattern in patterns)


def chosen_repositories(
    source: GitHub, api: GitHubApi, reader: GraphQLReader | RestReader
) -> Iterator[Listed | Malformed]:
    """The repositories that are meant: an owner with a glob is listed, others are asked for by name."""
    globs = [pattern for pattern in source.repositories if set(pattern) & set("*?[")]
    owners = {pattern.partition("/")[0].lower(): pattern.partition("/")[0] for pattern in globs}
    names = [p for p in source.repositories if p not in globs and p.partition("/")[0].lower() not in owners]
    having = _with_properties(source, api)
    seen = set()
    found = [reader.owned(owner) for owner in owners.values()] + [reader.named(names)]
    for entries in found:
        for entry in entries:
            if isinstance(entry, Malformed):
                yield entry
                continue
            record = entry.record
            is_named = entries is found[-1] or matches_pattern(record.repo, source.repositories)
            # a repository that was renamed answers to both of its names
            if is_named and _is_wanted(source, record, having) and record.repo not in seen:
                seen.add(record.repo)
                yield entry


def none_matches(source: GitHub) -> SourceError:
    """What to say where no repository is meant."""
    narrowed = [f"topics {', '.join(source.topics)}"] if source.topics else []
    narrowed += [f"properties {', '.join(source.properties)}"] if source.properties else []
    return SourceError(
        f"github: no repository that the token can see at {source.url} matches "
        f"{' with '.join([', '.join(source.repositories), *narrowed])}; "
        "mend sources.github.repositories, or widen the token"
    )


def _is_wanted(source: GitHub, record: Repository, having: Collection[str] | None) -> bool:
    return (
        (source.archived or not record.is_archived)
        and (source.forks or not record.is_fork)
        and (not source.topics or bool({t.lower() for t in source.topics} & set(record.topics)))
        and (having is None or record.repo.lower() in having)
    )


def _with_properties(source: GitHub, api: GitHubApi) -> set[str] | None:
    """The repositories, in small letters, that have all the configured custom properties; None where none are.

    By REST, 100 a request, for GraphQL does not know them: https://docs.github.com/en/rest/orgs/custom-properties
    """
    if not source.properties:
        return None
    having = set()
    for owner in {pattern.partition("/")[0].lower() for pattern in source.repositories}:
        try:
            for page in api.pages(f"/orgs/{owner}/properties/values"):
                having |= {
                    (text(item, "repository_full_name") or "").lower()
                    for item in page
                    if _has_all(source.properties, item)
                }
        except MissingError:  # a person's repositories have no such properties
            continue
    return having


def _has_all(wanted: dict[str, str], item: Any) -> bool:
    values = {text(found, "property_name"): found.get("value") for found in listing(item, "properties")}
    return all(
        value in (has if isinstance(has := values.get(name), list) else [has])
        for name, value in wanted.items()
    )
