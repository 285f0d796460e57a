"""What the settings and the catalogue say, as small tables that the models join: globs are matched here, in Python."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from config.settings import DEPLOYMENT_SOURCES, Settings, WorkflowDeployment
from warehouse.building.standards.guardrail_rules import create_guardrail_inputs
from warehouse.building.survey_inputs import create_survey_inputs
from warehouse.loading.production_names import ProductionNames, has_words, matcher
from warehouse.loading.survey_batches import FLOOR
from warehouse.storage.arrow_tables import create_table
from warehouse.storage.instants import naive

_STRING, _BOOL = pa.string(), pa.bool_()


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
        create_table(connection, name, pa.table(arrays, names=list(columns)))

    incidents, deployments = settings.incidents, settings.deployments
    table(
        "settings",
        {
            "as_of": pa.timestamp("us"),
            "window_seconds": pa.float64(),
            "fewest_people": pa.int64(),
            "any_urgency": _BOOL,
            "any_priority": _BOOL,
        },
        [
            (
                naive(as_of),
                incidents.window.total_seconds(),
                FLOOR,
                bool(incidents.urgencies),
                bool(incidents.priorities),
            )
        ],
    )
    table("counted_urgencies", {"urgency": _STRING}, [(u.lower(),) for u in incidents.urgencies])
    table("counted_priorities", {"priority": _STRING}, [(p.lower(),) for p in incidents.priorities])
    others = (source for source in DEPLOYMENT_SOURCES if source not in deployments.sources)
    order = [*deployments.sources, *others]
    table(
        "source_ranks",
        {"source": _STRING, "words": _STRING, "position": pa.int64(), "enabled": _BOOL},
        [
            (source, DEPLOYMENT_SOURCES[source], place, source in deployments.sources)
            for place, source in enumerate(order)
        ],
    )

    production = ProductionNames(settings.production)
    environments = rows(
        "select distinct coalesce(environment, 'production') from source.deployments"
        " where source not in ('argocd', 'releases', 'tags') order by 1"
    )
    table(
        "production_environments",
        {"environment": _STRING},
        [e for e in environments if production.environment(e[0])],
    )
    applications = rows(
        "select distinct application, project, cluster, namespace from source.deployments"
        " where source = 'argocd' order by all"
    )
    table(
        "production_applications",
        dict.fromkeys(("application", "project", "cluster", "namespace"), _STRING),
        [a for a in applications if production.application(*a)],
    )
    refs = rows(
        "select distinct ref from source.deployments where source in ('releases', 'tags') and ref is not null"
    )
    by_tag = {ref: next((t for t in deployments.tags if matcher([t.tag])(ref)), None) for (ref,) in refs}
    table(
        "tag_environments",
        {"ref": _STRING, "environment": _STRING, "with_prereleases": _BOOL},
        [
            (ref, entry.environment, entry.prereleases)
            for ref, entry in by_tag.items()
            if entry and production.environment(entry.environment)
        ],
    )
    _create_workflow_rules(rows, table, deployments.workflows, production)
    is_hotfix = matcher(settings.hotfix.branches)
    branches = rows("select distinct head_branch from source.pull_requests where head_branch is not null")
    table("hotfix_branches", {"branch": _STRING}, [b for b in branches if is_hotfix(b[0])])
    table("hotfix_labels", {"label": _STRING}, [(label.lower(),) for label in settings.hotfix.labels])
    _create_claims(rows, table, refs)
    create_survey_inputs(connection, table, settings.survey)
    create_guardrail_inputs(connection, table, settings.guardrails)


def _create_workflow_rules(
    rows: Callable, table: Callable, entries: Sequence[WorkflowDeployment], production: ProductionNames
) -> None:
    """What the configuration says of workflows (`workflow_rules`), and what it names of what was read."""
    table(
        "workflow_rules",
        {
            "rule": pa.int64(),
            "environment": _STRING,
            "is_production": _BOOL,
            "unit": _STRING,
            "job": _STRING,
            "has_branches": _BOOL,
            "has_events": _BOOL,
        },
        [
            (
                rule,
                entry.environment,
                production.environment(entry.environment),
                entry.unit,
                entry.job,
                bool(entry.branches),
                bool(entry.events),
            )
            for rule, entry in enumerate(entries)
        ],
    )
    found: list[tuple[int, str, str, bool]] = []
    if entries:
        read = {kind: [value for (value,) in rows(sql)] for kind, sql in _READ_OF_RUNS.items()}
        for rule, entry in enumerate(entries):
            own_job = matcher([entry.job]) if entry.job else has_words([entry.environment])
            wanted = {
                "workflow": matcher([entry.workflow]),
                "branch": matcher(entry.branches),
                "event": matcher(entry.events),
                "job": own_job,
            }
            found += [
                (rule, kind, value, bool(entry.job) or _DEPLOYS.search(value) is not None)
                for kind, matches in wanted.items()
                for value in read[kind]
                if matches(value)
            ]
    table(
        "workflow_values",
        {"rule": pa.int64(), "kind": _STRING, "value": _STRING, "says_so": _BOOL},
        found,
    )


# what runs are told apart by
_READ_OF_RUNS = {
    "workflow": "select distinct workflow from source.workflow_runs"
    " union select distinct unnest(referenced_workflows) from source.workflow_runs",
    "branch": "select distinct branch from source.workflow_runs where branch is not null",
    "event": "select distinct event from source.workflow_runs where event is not null",
    "job": "select distinct job.name from (select unnest(jobs) as job from source.workflow_runs)",
}
_DEPLOYS = re.compile(r"deploy|release|promote|rollout", re.IGNORECASE)


def _create_claims(rows: Callable, table: Callable, tags: Sequence[tuple[Any, ...]]) -> None:
    """What each service says is its own: `claimants` what kinds of things, `claims` which of those that were told.

    An application of Argo CD is known by its unit, which has its instance and namespace.
    """
    components = rows(
        "select name, repo, source_patterns, environments, workflows, tag_patterns, argocd_apps, argocd_selector,"
        " pagerduty_services, seen_at, gone_at from catalogue"
        " union all select c.name, c.repo, c.source_patterns, c.environments, c.workflows, c.tag_patterns,"
        " c.argocd_apps, c.argocd_selector, c.pagerduty_services, w.seen_at, c.gone_at from source.components as c"
        " inner join catalogue as w on w.name = c.name and w.gone_at is null"
        " where c.kind = 'Component' and c.gone_at is not null order by 1"
    )
    values = {
        "environment": rows(
            "select distinct environment from source.deployments where environment is not null"
        ),
        "workflow": rows("select distinct workflow from source.workflow_runs"),
        "tag": tags,
    }
    applications = rows(
        "select coalesce(unit, application) as name, max(application),"
        " max_by(labels, coalesce(finished_at, started_at)) from source.deployments"
        " where application is not null group by name order by name"
    )
    spelled = [(unit, labels, _application_names(unit, name)) for unit, name, labels in applications]
    claimants: list[tuple[Any, ...]] = []
    claims: list[tuple[Any, ...]] = []
    for name, repo, paths, *patterns, apps, selector, pagerduty, seen_at, gone_at in components:
        when = (seen_at, gone_at)
        claimants.append((name, repo, bool(paths), *map(bool, patterns), *when))
        for (kind, found), globs in zip(values.items(), patterns, strict=True):
            is_own = matcher(globs or ())
            claims += [(kind, value, name, *when) for (value,) in found if is_own(value)]
        for unit, labels, names in spelled:
            if names & set(apps or ()) or (selector and selects(selector, labels or {})):
                claims.append(("application", unit, name, *when))
        claims += [("PagerDuty service", service, name, *when) for service in pagerduty or ()]
    # a repository is a service of its own name where no component says that it is its
    uncatalogued = rows(
        "with known as (select repo from source.repositories"
        " union select repo from source.workflow_runs"
        " union select repo from source.deployments where service is null and application is null)"
        " select k.repo from known as k where k.repo is not null and k.repo not in"
        " (select c.repo from catalogue as c where c.repo is not null and c.gone_at is null)"
    )
    # it comes in the place of the component that was there before
    claimants += [(repo, repo, False, False, False, False, _NOT_SEEN, None) for (repo,) in uncatalogued]
    table("uncatalogued_repositories", {"repo": _STRING}, uncatalogued)
    flags = ("has_source_patterns", "by_environment", "by_workflow", "by_tag")
    when_columns = dict.fromkeys(("seen_at", "gone_at"), pa.timestamp("us"))
    about = {"service": _STRING, "repo": _STRING} | dict.fromkeys(flags, _BOOL)
    table("claimants", about | when_columns, claimants)
    said = dict.fromkeys(("kind", "value", "service"), _STRING)
    table("claims", said | when_columns, list(dict.fromkeys(claims)))


_NOT_SEEN = datetime(9999, 12, 31)


def _application_names(unit: str, name: str) -> set[str]:
    """How an annotation may name an application: `web`, `team-a/web`, `main/web` or `main/team-a/web`."""
    instance, *namespace = unit.split("/")[:-1] or ("",)
    within = [*namespace, name] if namespace else ["argocd", name]
    return {name, "/".join(within), f"{instance}/{name}", "/".join((instance, *within))}
