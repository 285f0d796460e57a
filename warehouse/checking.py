"""What of the collected data matches what the configuration and the catalogue say, and what matches nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from config.settings import Settings
from warehouse.build import create_days, create_macros, model
from warehouse.catalogue import create_inputs
from warehouse.store import open_warehouse


@dataclass(frozen=True)
class Part:
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
        " left join application_services as a on a.application = d.application"
        " where d.source = 'argocd' group by all order by all",
        "an unmapped one wants the annotation argocd/app-name on its component",
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
        " left join candidates as c on c.service = s.service where not s.mapped group by 1 order by 2 desc, 1",
        "a component with the annotation github.com/project-slug gives each an owner and a system",
    ),
    (
        "PagerDuty services without a component",
        ("PagerDuty service", "incidents"),
        "select i.source_service, count(*) from source.incidents as i"
        " left join pagerduty_services as p on p.source_service = i.source_service"
        " where i.service is null and p.service is null and i.source_service is not null group by 1 order by 2 desc, 1",
        "their incidents are in the organisation's MTTR only; add the annotation pagerduty.com/service-id",
    ),
    (
        "Golden paths",
        ("golden path", "services"),
        "select s.golden_path, count(*) from services as s where s.golden_path is not null group by 1 order by 1",
        "",
    ),
    (
        "Quarantine",
        ("source", "kind", "reason", "items"),
        "select q.source, q.kind, q.reason, count(*) from source.quarantine as q group by all order by 4 desc, 1, 2, 3",
        "these items could not be read and were set aside; nothing of them is in the numbers",
    ),
)


def report(settings: Settings) -> list[Part]:
    """The parts that have something to tell about the warehouse as it is; empty where nothing was collected yet."""
    if not settings.warehouse.exists():
        return []
    with open_warehouse(settings.warehouse):
        pass  # migrates what an older version left
    with duckdb.connect() as connection:
        quoted = str(settings.warehouse).replace("'", "''")
        connection.execute(f"attach '{quoted}' as source (read_only)")
        now = datetime.now(UTC)
        create_macros(connection, settings.timezone)
        create_inputs(connection, settings, now)
        create_days(connection, settings, now)
        for table in ("services", "candidates"):
            connection.execute(f"create table {table} as {model(table)}")
        parts = [
            Part(title, columns, connection.execute(sql).fetchall(), advice)
            for title, columns, sql, advice in _PARTS
        ]
    return [part for part in parts if part.rows]
