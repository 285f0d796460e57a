-- grain: one incident and one service that it may concern; an incident that maps to no service has no row
with concerned as (
    select i.source, i.id, s.service, coalesce(i.resolved_at, i.opened_at) as at
    from source.incidents as i
    inner join services as s on s.service = i.service
    union
    select i.source, i.id, s.service, coalesce(i.resolved_at, i.opened_at)
    from source.incidents as i
    inner join pagerduty_services as p on p.source_service = i.source_service
    inner join services as s on s.service = p.service
    where i.service is null
    union
    -- an issue concerns what its repository holds
    select i.source, i.id, s.service, coalesce(i.resolved_at, i.opened_at)
    from source.incidents as i
    inner join services as s on s.repo = i.source_service
    where i.service is null and i.source = 'github_issues'
)

select c.source, c.id, c.service, o.team, o.system
from concerned as c
inner join owners as o
    on o.service = c.service
    and (o.from_at is null or o.from_at <= c.at)
    and (o.until_at is null or o.until_at > c.at)
