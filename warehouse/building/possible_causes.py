"""Which incidents a deployment could have caused, before any of them is known to have."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import duckdb

from collectors.contract.records import Incident
from config.settings import Settings
from warehouse.building.steps import create_candidates, model
from warehouse.storage.instants import aware
from warehouse.storage.lock import turn_of_thread
from warehouse.storage.store import attach, told_if_damaged

# what PagerDuty relates was deployed shortly before: a weekend, or the window of failures where that is longer
_REACH = timedelta(days=3)
_POSSIBLE = """
with asked as (
    select j.source, j.id, j.opened_at
    from judged_incidents as j
    where j.source = 'pagerduty' and j.ignored_because is null and list_contains($ids, j.id)
        and not exists
            (select 1 from source.links as l where l.incident_source = j.source and l.incident_id = j.id)
),
deployed as (
    select c.service, coalesce(c.started_at, c.at) as started_at, coalesce(c.at, c.started_at) + $reach as until_at
    from candidates as c
    where c.no_deployment_because is null
),
concerned as (
    select a.id, a.opened_at, s.service
    from asked as a
    inner join incident_services as s on s.source = a.source and s.id = a.id
),
-- and what they depend on, by the last part of `component:default/orders`
depended as (
    select c.id, c.opened_at, s.service
    from concerned as c
    inner join source.components as k on lower(k.name) = lower(c.service) and k.kind = 'Component'
    cross join lateral unnest(k.depends_on) as u (reference)
    inner join services as s
        on lower(regexp_extract(s.service, '[^/]+$')) = lower(regexp_extract(reference, '[^:/]+$'))
),
own as (
    select w.*
    from (from concerned union from depended) as w
    where w.service in (select d.service from deployed as d)
)
select o.id
from own as o
inner join deployed as d on d.service = o.service and o.opened_at between d.started_at and d.until_at
union
-- of what has no deployments of its own, such as a database, any may be the cause
select a.id
from asked as a
inner join deployed as d on a.opened_at between d.started_at and d.until_at
where a.id not in (select o.id from own as o)
"""


def possibly_caused(settings: Settings, ids: Collection[str]) -> list[Incident]:
    """Those of PagerDuty's incidents `ids` that a deployment may have caused, by their opening.

    One to production, in the three days before, of their services or of what these depend on by the catalogue; where
    none of that is deployed at all, one of anything. Without those that are no evidence, or that a link explains.
    """
    with (
        turn_of_thread(settings.warehouse),
        told_if_damaged(settings.warehouse),
        duckdb.connect() as connection,
    ):
        attach(connection, settings.warehouse)
        create_candidates(connection, settings, datetime.now(UTC))
        for step in ("incident_services", "judged_incidents"):
            connection.execute(f"create table {step} as {model(step)}")
        reach = max(_REACH, settings.incidents.window)
        found = connection.execute(
            f"select i.* from source.incidents as i where i.source = 'pagerduty' and i.id in ({_POSSIBLE})"
            " order by i.opened_at, i.id",
            {"ids": list(ids), "reach": reach},
        )
        columns = [column[0] for column in found.description or ()]
        rows = found.fetchall()
    return [Incident.model_validate(dict(zip(columns, map(aware, row), strict=True))) for row in rows]
