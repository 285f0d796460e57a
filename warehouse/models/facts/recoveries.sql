-- grain: one failed deployment of one service and how it was recovered, or that it was not yet
-- column source: who told of the failed deployment
-- column id: what that deployment is known by at its source
-- column service: the service that it was to
-- column team: who owned the service at the recovery, or at the deployment where there is none
-- column system: the system that the service was part of then
-- column environment: where to, as the source calls it
-- column at: when it was recovered; empty while it is not
-- column day: the local day of at
-- column finished_at: when the failed deployment was in production
-- column recovered_by: what recovered it first: a rollback, the deployment of its revert, or the last incident resolved
-- column assisted_by: the coding agents that helped with what the failed deployment shipped
-- column recovery_seconds: seconds from finished_at to at
-- column excluded_because: why it does not count; empty where it does
-- column is_shared: whether the same deployment was to several services, each of which has a row
-- column url: the failed deployment's page at the source
with by_incidents as (
    select
        b.deployment_source,
        b.deployment_id,
        b.service,
        case when count(*) = count(i.resolved_at) then max(i.resolved_at) end as resolved_at
    from incident_blames as b
    inner join judged_incidents as i on i.source = b.incident_source and i.id = b.incident_id
    group by b.deployment_source, b.deployment_id, b.service
),

ways as (
    select r.source, r.id, r.service, r.rolled_back_at as at, 'rollback ' || r.rollback_id as way
    from rollbacks as r
    union all
    select v.source, v.id, v.service, v.reverted_at, 'revert deployed by ' || v.revert_id
    from reverts as v
    union all
    select i.deployment_source, i.deployment_id, i.service, i.resolved_at, 'last incident resolved'
    from by_incidents as i
    where i.resolved_at is not null
),

earliest as (
    select w.*
    from ways as w
    qualify row_number() over (partition by w.source, w.id, w.service order by w.at, w.way) = 1
)

select
    d.source,
    d.id,
    d.service,
    o.team,
    o.system,
    d.environment,
    e.at,
    cast(local_time(e.at) as date) as day,
    d.at as finished_at,
    e.way as recovered_by,
    d.assisted_by,
    seconds_between(d.at, e.at) as recovery_seconds,
    case
        when e.at is null then 'not yet recovered'
        when e.at < d.at then 'recovered before it finished'
    end as excluded_because,
    count(*) over (partition by d.source, d.id) > 1 as is_shared,
    d.url
from deployments as d
left join earliest as e on e.source = d.source and e.id = d.id and e.service = d.service
left join owners as o
    on o.service = d.service
    and (o.from_at is null or o.from_at <= coalesce(e.at, d.at))
    and (o.until_at is null or o.until_at > coalesce(e.at, d.at))
where d.failed = 1
