-- grain: one incident and one service that it may concern; an incident that maps to no service has no row
with concerned as (
    select
        i.source,
        i.id,
        s.service,
        coalesce(i.resolved_at, i.opened_at) as at,
        cast(null as timestamp) as seen_at,
        cast(null as timestamp) as gone_at
    from source.incidents as i
    inner join services as s on s.service = i.service
    union
    select i.source, i.id, s.service, coalesce(i.resolved_at, i.opened_at), p.seen_at, p.gone_at
    from source.incidents as i
    inner join claims as p on p.kind = 'PagerDuty service' and p.value = i.source_service
    inner join services as s on s.service = p.service
    where i.service is null
    union
    -- an issue concerns what its repository holds
    select i.source, i.id, p.service, coalesce(i.resolved_at, i.opened_at), p.seen_at, p.gone_at
    from source.incidents as i
    inner join claimants as p on p.repo = i.source_service
    inner join services as s on s.service = p.service
    where i.service is null and i.source = 'github_issues'
),

-- what happened before a component was gone stays its own, and is not claimed by what came in its place
claimed as (
    select c.*
    from concerned as c
    where c.gone_at is null or c.at <= c.gone_at
    qualify
        c.gone_at is not null
        or max(c.gone_at) over (partition by c.source, c.id) is null
        or c.seen_at is null
        or c.seen_at < max(c.gone_at) over (partition by c.source, c.id) - interval 1 day
)

-- a component that another file tells of now claims the same by both
select distinct c.source, c.id, c.service, o.team, o.system
from claimed as c
inner join owners as o
    on o.service = c.service
    and (o.from_at is null or o.from_at <= c.at)
    and (o.until_at is null or o.until_at > c.at)
