"""What of the collected data matches what the configuration and the catalogue say, and what matches nothing."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from config.metrics import metrics as declared
from config.names import same_key
from config.settings import Reports, Settings
from config.text.references import UnresolvedReference
from warehouse.building.steps import create_candidates, model
from warehouse.loading.people_key import wrong_key
from warehouse.metrics.published_facts import NoFacts, OtherFacts, open_facts
from warehouse.storage.store import attach, open_warehouse, told_if_damaged
from warehouse.trust.coverage import ServiceCoverage, coverage
from warehouse.trust.held_targets import TARGET_COLUMNS, TARGETS, target_rows
from warehouse.trust.problems import problems

PROBLEMS = "Problems"


@dataclass(frozen=True)
class MatchReport:
    """One table of the report: what it tells, its columns, its rows, and what to do where a row is a problem."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    advice: str = ""


_PARTS = (
    (
        "Environments of deployments",
        ("environment", "deployments", "counts as"),
        "select coalesce(d.environment, 'production') as environment, count(*),"
        " case when max(p.environment) is null then 'not production' else 'production' end"
        " from source.deployments as d"
        " left join production_environments as p on p.environment = coalesce(d.environment, 'production')"
        " where d.source not in ('argocd', 'releases', 'tags') group by 1 order by 3 desc, 1",
        "production.environments in the configuration decides; add a pattern for one that is missing",
    ),
    (
        "Argo CD applications",
        ("application", "project", "cluster", "namespace", "counts as", "service"),
        "select d.application, d.project, d.cluster, d.namespace,"
        " case when max(p.application) is null then 'not production' else 'production' end,"
        " coalesce(string_agg(distinct a.service, ', '), 'unmapped')"
        " from source.deployments as d"
        " left join production_applications as p on p.application = d.application"
        " and p.project is not distinct from d.project and p.cluster is not distinct from d.cluster"
        " and p.namespace is not distinct from d.namespace"
        " left join claims as a on a.kind = 'application' and a.value = coalesce(d.unit, d.application)"
        " where d.source = 'argocd' group by all order by all",
        "an unmapped one wants the annotation argocd/app-name on its component",
    ),
    (
        "Workflow files",
        ("workflow", "runs", "looks like a deployment", "counts as"),
        "select r.workflow, count(*), case when regexp_matches(lower(r.workflow), 'deploy|release|prod|ship|publish')"
        " or bool_or(len(list_filter(r.jobs, lambda j: regexp_matches(lower(j.name), 'deploy|release|prod'))) > 0)"
        " then 'yes' end, case when count(w.id) > 0"
        " then count(w.id) - count(w.no_deployment_because) || ' deployments' else 'none' end"
        " from source.workflow_runs as r left join workflow_deployments as w on w.repo = r.repo"
        " and w.run_id = r.id and w.attempt = r.attempt"
        " group by r.workflow order by 2 desc, 1",
        "deployments.workflows names those that deploy, with the job, branches and events that do",
    ),
    (
        "Left out, since a source that ranks higher tells of the service",
        ("service", "told by", "left out", "rows", "from (UTC)", "until (UTC)"),
        "select c.service, c.told_by, c.source, count(*), min(cast(coalesce(c.at, c.started_at) as date)),"
        " max(cast(coalesce(c.at, c.started_at) as date)) from candidates as c"
        " where c.told_by is not null group by all order by 4 desc, 1, 2, 3",
        "where the other one is right, the component says sixkeys.dev/deployments-from",
    ),
    (
        "Tags and releases that are deployments",
        ("environment", "tags"),
        "select t.environment, count(*) from tag_environments as t group by 1 order by 1",
        "",
    ),
    (
        "Services",
        ("service", "team", "system", "repository", "production deployments"),
        "select s.service, s.team, s.system, s.repo, count(c.id) from services as s"
        " left join candidates as c on c.service = s.service where s.mapped group by all order by 1",
        "",
    ),
    (
        "Repositories and names without a component in the catalogue",
        ("service", "production deployments"),
        "select s.service, count(c.id) from services as s"
        " left join candidates as c on c.service = s.service"
        " where not s.mapped or coalesce(c.at, c.started_at) > s.gone_at group by 1 order by 2 desc, 1",
        "a component with the annotation github.com/project-slug gives each an owner and a system",
    ),
    (
        "PagerDuty services without a component",
        ("PagerDuty service", "incidents"),
        "select i.source_service, count(*) from source.incidents as i"
        " left join claims as p on p.kind = 'PagerDuty service' and p.value = i.source_service"
        " where i.service is null and p.service is null and i.source_service is not null group by 1 order by 2 desc, 1",
        "their incidents are in the organisation's MTTR only; add the annotation pagerduty.com/service-id",
    ),
    (
        "Teams of survey answers that no catalogue knows",
        ("team", "answers", "rounds"),
        model("unknown_teams") + " order by 2 desc, 1",
        "survey.teams says which team of the catalogue is meant: survey: {teams: {TEXT: TEAM}}",
    ),
    (
        "Golden paths",
        ("golden path", "services"),
        "select s.path, count(*) from path_stretches as s where s.path is not null and s.until_at is null"
        " group by 1 order by 1",
        "",
    ),
    (
        "Quarantine",
        ("source", "kind", "reason", "items"),
        "select q.source, q.kind, q.reason, count(*) from source.quarantine as q group by all order by 4 desc, 1, 2, 3",
        "these items could not be read and were set aside; nothing of them is in the numbers",
    ),
)


def report(settings: Settings) -> list[MatchReport]:
    """The parts that have something to tell about the warehouse as it is; empty where nothing was collected yet."""
    if not settings.warehouse.exists():
        return []
    with open_warehouse(settings.warehouse):
        pass  # migrates what an older version left
    with told_if_damaged(settings.warehouse), duckdb.connect() as connection:
        attach(connection, settings.warehouse)
        create_candidates(connection, settings, datetime.now(UTC))
        parts = [
            MatchReport(title, columns, connection.execute(sql).fetchall(), advice)
            for title, columns, sql, advice in _PARTS
        ]
        parts.append(_recipients(connection, settings.reports))
        parts.append(MatchReport(TARGETS, TARGET_COLUMNS, target_rows(settings, connection)))
        found = [(one.what, one.advice) for one in problems(connection, settings)]
    with suppress(UnresolvedReference):  # which is told by itself
        if wrong := wrong_key(settings):
            found.insert(0, wrong)
    try:
        parts += _coverage(settings)
    except OtherFacts:
        found.append(("the facts were built by another version of Sixkeys", 'run "sixkeys build"'))
    parts.insert(0, MatchReport(PROBLEMS, ("problem", "what to do"), found))
    return [part for part in parts if part.rows]


def _recipients(connection: duckdb.DuckDBPyConnection, reports: Reports) -> MatchReport:
    """The names to which scorecards are to be sent and that no team, group or system has."""
    sql = (
        "select 'team', team from owners where until_at is null union select 'team', team from source.responses"
        " union select 'system', system from owners where until_at is null"
        " union select 'group', name from groups"
    )
    known = {(kind, same_key(name)) for kind, name in connection.execute(sql).fetchall() if name}
    return MatchReport(
        "Recipients of scorecards that nobody has",
        ("kind", "name"),
        [(kind, name) for kind, name in reports.named() if (kind, same_key(name)) not in known],
        "reports.teams, reports.groups and reports.systems go by the names in the catalogue; mend the name",
    )


def stated_targets(settings: Settings) -> MatchReport:
    """Which targets are stated for which level, where nothing was collected yet."""
    return MatchReport(TARGETS, TARGET_COLUMNS, target_rows(settings))


def _coverage(settings: Settings) -> list[MatchReport]:
    """What the published numbers rest on, for each service and for all; nothing where none can be read.

    Raises OtherFacts.
    """
    try:
        with open_facts(settings.warehouse) as facts:
            everything = coverage(facts, settings, "organisation")
            of_services = coverage(facts, settings)
            not_counted = facts.connection.execute(
                "select n.source, n.reason, n.entries from not_counted as n order by n.entries desc, n.source, n.reason"
            ).fetchall()
    except OtherFacts:
        raise
    except NoFacts:
        return []
    scopes = [*of_services, *everything]
    return [
        MatchReport(
            "What the numbers rest on",
            ("service", "deployments", "traced by", "changes with a pull request", "incidents", "linked by"),
            [_rests_on(one) for one in scopes],
            "an untraced deployment has no lead time, an unlinked incident no deployment to blame;"
            " docs/metrics.md says how both are found",
        ),
        MatchReport("Told and counted nowhere", ("source", "reason", "rows"), not_counted),
        MatchReport(
            "How fresh they are",
            ("service", "last read (UTC)", "set aside", "too few rows for"),
            [_state(one) for one in scopes],
        ),
        MatchReport(
            "Gaps",
            ("service", "of", "source", "from (UTC)", "until (UTC)", "entries lost"),
            [
                (
                    one.name,
                    gap.fact,
                    f"{gap.source} {gap.subject}",
                    _time(gap.from_at),
                    _time(gap.until_at),
                    gap.lost_entries,
                )
                for one in of_services
                for gap in one.gaps
            ],
            "days that no source covered are left out of rates; collect more often than the source forgets",
        ),
    ]


def _rests_on(one: ServiceCoverage) -> tuple[Any, ...]:
    rest = {"nothing": one.unlinked, "imported without a service": one.incidents - one.linkable}
    return (
        one.name,
        one.deployments,
        _counted(one.traced_by),
        f"{one.changes_with_pull_request:,} of {one.changes:,}" if one.changes else None,
        one.incidents,
        _counted({**one.linked_by, **{word: n for word, n in rest.items() if n}}),
    )


def _state(one: ServiceCoverage) -> tuple[Any, ...]:
    insufficient = [declared()[id].short for id, status in one.statuses.items() if status == "insufficient"]
    oldest = min((source.read_until for source in one.freshness), default=None)
    return one.name, _time(oldest) if oldest else "never", one.quarantined, ", ".join(insufficient)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{word} {n:,}" for word, n in counts.items())
