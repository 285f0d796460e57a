-- grain: one deployment of a service that was rework, with the reason
-- what may have resolved an incident
with arrived as (
    select
        a.source,
        a.id,
        a.service,
        a.at,
        row_number() over (partition by a.service order by a.finish_order) as place
    from arrivals as a
    where a.at is not null and (a.excluded_because is null or a.excluded_because = 'rollback')
),

resolved as (
    select b.incident_source, b.incident_id, b.service, b.deployment_source, b.deployment_id, i.opened_at, i.resolved_at
    from incident_blames as b
    inner join judged_incidents as i on i.source = b.incident_source and i.id = b.incident_id
    where i.resolved_at is not null
),

-- the last that came until then
followed as (
    select e.*, max(e.place) over (
        partition by e.service
        order by e.at, e.place nulls last
        rows between unbounded preceding and current row
    ) as last_place
    from (
        select a.service, a.at, a.place, cast(null as string) as incident_source, cast(null as string) as incident_id
        from arrived as a
        union all
        select distinct r.service, r.resolved_at, cast(null as bigint), r.incident_source, r.incident_id
        from resolved as r
    ) as e
),

-- or, where that is the one it blames, the last before it
looked_at as (
    select f.service, f.incident_source, f.incident_id, f.last_place as place
    from followed as f
    where f.place is null
    union all
    select f.service, f.incident_source, f.incident_id, f.last_place - 1
    from followed as f
    where f.place is null
),

resolving as (
    select a.source, a.id, a.service, r.incident_id
    from looked_at as l
    inner join arrived as a on a.service = l.service and a.place = l.place
    inner join resolved as r
        on r.incident_source = l.incident_source
        and r.incident_id = l.incident_id
        and r.service = l.service
        and a.at >= r.opened_at
        and (a.source <> r.deployment_source or a.id <> r.deployment_id)
    qualify row_number() over (
        partition by r.incident_source, r.incident_id, r.service order by a.place desc
    ) = 1
),

reasons as (
    select r.source, r.id, r.service, 'rollback' as reason, 1 as rank
    from arrivals as r
    where r.kind = 'rollback' and r.excluded_because = 'rollback'
    union all
    select
        c.deployment_source,
        c.deployment_id,
        c.service,
        case when count_if(c.is_hotfix) > 0 then 'hotfix' else 'revert' end,
        2
    from changes as c
    where c.excluded_because is null
    group by c.deployment_source, c.deployment_id, c.service
    having count(*) = count_if(c.is_revert or c.is_hotfix)
    union all
    select r.source, r.id, r.service, 'resolved incident ' || r.incident_id, 3
    from resolving as r
)

select *
from reasons
qualify row_number() over (partition by source, id, service order by rank, reason) = 1
