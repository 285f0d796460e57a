"""What the settings and the catalogue say, as small tables that the models join: globs are matched here, in Python."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from fnmatch import translate
from typing import Any, get_args

import duckdb
import pyarrow as pa

from config.settings import DeploymentSource, Settings
from warehouse.loading.instants import naive

_STRING, _BOOL = pa.string(), pa.bool_()


def matcher(globs: Iterable[str]) -> Callable[[str | None], bool]:
    """Whether a text matches any of the globs, letter case ignored; nothing matches no globs."""
    patterns = [translate(glob.lower()) for glob in globs]
    if not patterns:
        return lambda text: False
    pattern = re.compile("|".join(patterns))
    return lambda text: text is not None and pattern.fullmatch(text.lower()) is not None


def selects(selector: str, labels: dict[str, str]) -> bool:
    """Whether a Kubernetes label selector (`a=b,c!=d,e in (f,g),h notin (i),j,!k`) selects `labels`."""
    for requirement in re.split(r",(?![^(]*\))", selector):
        term = requirement.strip()
        if within := re.fullmatch(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)", term):
            values = {value.strip() for value in within[3].split(",")}
            if (labels.get(within[1]) in values) != (within[2] == "in"):
                return False
        elif unequal := re.fullmatch(r"(\S+?)\s*!=\s*(\S*)", term):
            if labels.get(unequal[1]) == unequal[2]:
                return False
        elif equal := re.fullmatch(r"(\S+?)\s*==?\s*(\S*)", term):
            if labels.get(equal[1]) != equal[2]:
                return False
        elif (term.removeprefix("!") in labels) == term.startswith("!"):
            return False
    return True


def create_inputs(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime) -> None:
    """Creates the tables that the models read beside the source tables (`source.…`) of an attached warehouse."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    def table(name: str, columns: dict[str, pa.DataType], content: Sequence[Sequence[Any]]) -> None:
        arrays = [pa.array([row[i] for row in content], kind) for i, kind in enumerate(columns.values())]
        connection.register("content", pa.table(arrays, names=list(columns)))
        connection.execute(f"create table {name} as from content")
        connection.unregister("content")

    incidents, deployments = settings.incidents, settings.deployments
    table(
        "settings",
        {
            "as_of": pa.timestamp("us"),
            "window_seconds": pa.float64(),
            "any_urgency": _BOOL,
            "any_priority": _BOOL,
        },
        [
            (
                naive(as_of),
                incidents.window.total_seconds(),
                bool(incidents.urgencies),
                bool(incidents.priorities),
            )
        ],
    )
    table("counted_urgencies", {"urgency": _STRING}, [(u.lower(),) for u in incidents.urgencies])
    table("counted_priorities", {"priority": _STRING}, [(p.lower(),) for p in incidents.priorities])
    known = get_args(DeploymentSource)
    order = [*deployments.sources, *(source for source in known if source not in deployments.sources)]
    table(
        "source_ranks",
        {"source": _STRING, "position": pa.int64(), "enabled": _BOOL},
        [(source, place, source in deployments.sources) for place, source in enumerate(order)],
    )

    produces = matcher(settings.production.environments)
    environments = rows(
        "select distinct coalesce(environment, 'production') from source.deployments"
        " where source not in ('argocd', 'releases', 'tags') order by 1"
    )
    table("production_environments", {"environment": _STRING}, [e for e in environments if produces(e[0])])
    applications = rows(
        "select distinct application, project, cluster, namespace from source.deployments"
        " where source = 'argocd' order by all"
    )
    table(
        "production_applications",
        dict.fromkeys(("application", "project", "cluster", "namespace"), _STRING),
        [a for a in applications if any(map(produces, a))],
    )
    refs = rows(
        "select distinct ref from source.deployments where source in ('releases', 'tags') and ref is not null"
    )
    table(
        "tag_environments",
        {"ref": _STRING, "environment": _STRING},
        _first_matches(refs, [(t.tag, t.environment) for t in deployments.tags], produces),
    )
    workflows = rows("select distinct workflow from source.workflow_runs")
    table(
        "workflow_environments",
        {"workflow": _STRING, "environment": _STRING},
        _first_matches(workflows, [(w.workflow, w.environment) for w in deployments.workflows], produces),
    )
    is_hotfix = matcher(settings.hotfix.branches)
    branches = rows("select distinct head_branch from source.pull_requests where head_branch is not null")
    table("hotfix_branches", {"branch": _STRING}, [b for b in branches if is_hotfix(b[0])])
    table("hotfix_labels", {"label": _STRING}, [(label.lower(),) for label in settings.hotfix.labels])
    _create_identities(rows, table, refs, workflows)


def _first_matches(
    values: Sequence[tuple[str]], patterns: Sequence[tuple[str, str]], produces: Callable[[str | None], bool]
) -> list[tuple[str, str]]:
    """Each value with the environment of the first pattern that it matches, where that is production."""
    found = []
    for (value,) in values:
        environment = next((place for glob, place in patterns if matcher([glob])(value)), None)
        if produces(environment):
            found.append((value, environment or ""))
    return found


def _create_identities(rows: Callable, table: Callable, refs: Sequence, workflows: Sequence) -> None:
    """Which service an application, a PagerDuty service, an environment, a workflow or a tag speaks of."""
    components = rows(
        "select name, repo, source_patterns, environments, workflows, tag_patterns, argocd_apps, argocd_selector,"
        " pagerduty_services from source.components where kind = 'Component' order by name"
    )
    environments = rows("select distinct environment from source.deployments where environment is not null")
    applications = rows(
        "select application, max_by(labels, coalesce(finished_at, started_at)) from source.deployments"
        " where application is not null group by application order by application"
    )
    told_apart, told_apart_by, application_services, pagerduty_services = [], [], [], []
    for name, repo, paths, *patterns, apps, selector, pagerduty in components:
        told_apart.append((name, repo, bool(paths), *map(bool, patterns)))
        values = {"environment": environments, "workflow": workflows, "tag": refs}
        for (kind, found), globs in zip(values.items(), patterns, strict=True):
            is_own = matcher(globs or ())
            told_apart_by += [(name, kind, value) for (value,) in found if is_own(value)]
        for application, labels in applications:
            # Argo CD names an application of another namespace `namespace/name`; the annotation may do so too
            is_named = application in {app.rpartition("/")[2] for app in apps or ()} | set(apps or ())
            if is_named or (selector and selects(selector, labels or {})):
                application_services.append((application, name))
        pagerduty_services += [(service, name) for service in pagerduty or ()]
    uncatalogued = rows(
        "select r.repo from source.repositories as r where r.repo not in"
        " (select c.repo from source.components as c where c.kind = 'Component' and c.repo is not null)"
    )
    table("uncatalogued_repositories", {"repo": _STRING}, uncatalogued)
    told_apart += [(repo, repo, False, False, False, False) for (repo,) in uncatalogued]
    table(
        "told_apart",
        {
            "service": _STRING,
            "repo": _STRING,
            "has_source_patterns": _BOOL,
            "by_environment": _BOOL,
            "by_workflow": _BOOL,
            "by_tag": _BOOL,
        },
        told_apart,
    )
    table("told_apart_by", dict.fromkeys(("service", "kind", "value"), _STRING), told_apart_by)
    table("application_services", {"application": _STRING, "service": _STRING}, application_services)
    table("pagerduty_services", {"source_service": _STRING, "service": _STRING}, pagerduty_services)
