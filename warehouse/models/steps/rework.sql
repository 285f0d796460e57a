-- grain: one deployment of a service that was rework, with the reason
with reasons as (
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
    (
        select a.source, a.id, a.service, 'resolved incident ' || i.id, 3
        from incident_blames as b
        inner join judged_incidents as i on i.source = b.incident_source and i.id = b.incident_id
        inner join arrivals as a
            on a.service = b.service
            and a.at >= i.opened_at
            and a.at <= i.resolved_at
            and (a.source <> b.deployment_source or a.id <> b.deployment_id)
            and (a.excluded_because is null or a.excluded_because = 'rollback')
        qualify row_number() over (
            partition by b.incident_source, b.incident_id, b.service order by a.finish_order desc
        ) = 1
    )
)

select *
from reasons
qualify row_number() over (partition by source, id, service order by rank, reason) = 1
