-- grain: one service that does not deploy, or not any more since `from_at`, with the reason
with last_deployed as (
    select c.service, max(c.at) as at
    from candidates as c
    where c.status = 'success' and c.no_deployment_because is null
    group by c.service
)

select
    s.service,
    s.team,
    s.system,
    l.at as from_at,
    case
        when r.is_archived then 'its repository is archived'
        when lower(s.lifecycle) = 'deprecated' then 'its lifecycle is deprecated'
        else 'a ' || s.type || ' that was never deployed'
    end as reason
from services as s
left join last_deployed as l on l.service = s.service
left join source.repositories as r on r.repo = s.repo
where
    coalesce(r.is_archived, false)
    or coalesce(lower(s.lifecycle) = 'deprecated', false)
    or (l.at is null and lower(s.type) not in ('service', 'website'))
