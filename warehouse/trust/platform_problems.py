"""What is wrong with what the configuration says of requests and of the paved road: it meets nothing that was read."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from collectors.transport.json_values import listing, mapping
from config.names import same_key
from config.platform_team.self_service import RequestRule
from config.settings import Settings
from config.text.quoting import one_short_line
from warehouse.building.standards import paved_names
from warehouse.building.standards.paved_names import plain_name

_Rows = Callable[[str], list[tuple[Any, ...]]]
_MOST_NAMED = 8
_SEEN = "select c.subject, c.cursor from source.cursors as c where c.source = 'requests' order by 1"
_APPLICATIONS = (
    "select distinct d.application, d.config_repo from source.deployments as d where d.source = 'argocd'"
    " and d.application is not null and d.config_repo is not null order by 1, 2"
)
_FILES = "select r.repo, r.workflow, count(*) from source.workflow_runs as r group by 1, 2 order by 3 desc, 2"
_TEAMS = (
    "select q.team, count(*) from source.requests as q where q.team is not null group by 1 order by 2 desc, 1"
)
_WORDS = {
    "runtime": paved_names.RUNTIMES,
    "base image": paved_names.BASES,
    "registry": paved_names.REGISTRIES,
    "ci": paved_names.CI_TOOLS,
    "deployment": paved_names.DEPLOYERS,
}


def platform_problems(rows: _Rows, settings: Settings) -> Iterator[tuple[str, str]]:
    """(what is wrong, what to write) of a connection with the tables up to `candidates`."""
    rules = settings.self_service.requests
    if rules:
        yield from _of_requests(rows, rules)
    known = {same_key(team) for (team,) in rows("select k.team from known_teams as k")}
    unknown = [f"{team} ({n:,})" for team, n in rows(_TEAMS) if same_key(team) not in known]
    if unknown and known:
        yield (
            f"requests name teams that no catalogue knows: {_few(unknown)}",
            "mend the team where it is asked for; such requests are in the organisation's number only",
        )
    for aspect, choices in settings.paved_road.choices.items():
        words = _WORDS.get(aspect, paved_names.DATABASES | paved_names.CACHES)
        strange = [
            str(choice)
            for choice in choices
            if plain_name(choice.name) not in words and "." not in choice.name
        ]
        if strange:
            yield (
                f"platform: {_few(strange)} is no {aspect.removeprefix('databases.')} that is known here",
                f"services meet it only where they use the same word; known are {_few(dict.fromkeys(words.values()))}",
            )


def _of_requests(rows: _Rows, rules: Iterable[RequestRule]) -> Iterator[tuple[str, str]]:
    listed = {repo.casefold() for (repo,) in rows("select r.repo from source.repositories as r")}
    seen = {repo.casefold(): mapping(mapping(json.loads(told)).get("seen")) for repo, told in rows(_SEEN)}
    applications, files = rows(_APPLICATIONS), rows(_FILES)
    ready = {kind for (kind,) in rows("select k.kind from request_applications as k")}
    ready |= {kind for (kind,) in rows("select k.kind from request_workflows as k")}
    for rule in rules:
        of = f"self_service.requests: {one_short_line(rule.name)}"
        repo = rule.repository.casefold()
        if listed and repo not in listed:
            yield (
                f"{of}: the repository {rule.repository} was not collected",
                "add it to sources.github.repositories, or mend the name",
            )
            continue
        told = mapping(seen.get(repo, {}).get(rule.name))
        if empty := [str(glob) for glob in listing(told, "empty")]:
            suffix = "*.yaml" if rule.kind else "*.tf"
            yield (
                f"{of}: {_few(map(_quoted, empty))} matches no file of {rule.repository}",
                f"mend self_service.requests.paths; a folder is written as requests/**, and files end in {suffix}",
            )
        elif told and not told.get("has_entry"):
            entry = f"an object of kind {rule.kind}" if rule.kind else f'a module "{rule.module}"'
            yield (
                f"{of}: no file has {entry}",
                "mend self_service.requests.kind or module; it is written as in the files, letter case too",
            )
        if rule.name in ready or repo not in listed:
            continue
        if rule.ready.workflow:
            there = [f"{file} ({n:,})" for of_repo, file, n in files if of_repo.casefold() == repo]
            yield (
                f"{of}: the workflow {_quoted(rule.ready.workflow)} meets no run of {rule.repository}",
                f"the files that were seen, with their runs: {_few(there) if there else 'no run of any file'}",
            )
        elif applications:
            own = [application for application, config in applications if config.casefold() == repo]
            yield (
                f"{of}: {_few(map(_quoted, rule.ready.applications))} matches no application that is deployed from"
                f" {rule.repository}",
                f"there are {_few(own)}" if own else "no application that was seen is deployed from it",
            )


def _few(names: Iterable[str]) -> str:
    known = list(names)
    more = len(known) - _MOST_NAMED
    return ", ".join(known[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _quoted(text: str) -> str:
    return f'"{one_short_line(text)}"'
