-- grain: one incident and one counted deployment of a service that it blames, by the strongest method
with by_link as (
    select
        l.incident_source,
        l.incident_id,
        b.source,
        b.id,
        b.service,
        b.counted_source,
        b.counted_id,
        b.started_at,
        b.at,
        'link' as method,
        1 as rank,
        l.reason || coalesce(' (' || l."by" || ')', '') as detail
    from source.links as l
    inner join blameable_deployments as b
        on b.id = l.deployment_id and b.source = coalesce(l.deployment_source, b.source)
),

-- what change events name, by its address or its commit
named as (
    select n.*, i.opened_at
    from named_by_events as n
    inner join judged_incidents as i on i.source = n.source and i.id = n.id
    where i.ignored_because is null
),

found as (
    select w.source, w.id, w.opened_at, w.event, b.source as deployment_source, b.id as deployment_id, b.service
    from named as w
    inner join blameable_deployments as b on b.url = w.address
    where w.address not in (select c.url from common_addresses as c)
    union
    select w.source, w.id, w.opened_at, w.event, b.source, b.id, b.service
    from named as w
    inner join blameable_deployments as b on substr(b.sha, 1, 7) = substr(w.sha, 1, 7) and b.sha like (w.sha || '%')
),

by_change_event as (
    select
        f.source as incident_source,
        f.id as incident_id,
        b.source,
        b.id,
        b.service,
        b.counted_source,
        b.counted_id,
        b.started_at,
        b.at,
        'change event',
        2,
        'change event ' || f.event
    from found as f
    inner join blameable_deployments as b
        on b.source = f.deployment_source
        and b.id = f.deployment_id
        and b.service = f.service
        and b.started_at <= f.opened_at
),

by_window as (
    select
        w.incident_source,
        w.incident_id,
        w.source,
        w.id,
        w.service,
        w.counted_source,
        w.counted_id,
        w.started_at,
        w.at,
        'window',
        3,
        'opened ' || cast(w.opened_at as string) || ' UTC'
    from incident_windows as w
    where not w.is_of_several
),

all_methods as (
    select * from by_link
    union all
    select * from by_change_event
    union all
    select * from by_window
),

-- what a person said of an incident stands alone, also where the deployment it names is none that may be blamed
admitted as (
    select m.*, o.service is not null as is_own
    from all_methods as m
    left join source.links as l on l.incident_source = m.incident_source and l.incident_id = m.incident_id
    left join incident_services as o
        on o.source = m.incident_source and o.id = m.incident_id and o.service = m.service
    where m.method = 'link' or l.incident_id is null
),

-- the strongest method, then the incident's own services, then the latest start; services that share the deployment
-- stay together
chosen as (
    select
        a.*,
        rank() over (
            partition by a.incident_source, a.incident_id
            order by
                a.rank, a.is_own desc, a.started_at desc, a.at desc, length(a.id) desc, a.id desc, a.source
        ) as choice
    from admitted as a
)

select
    c.incident_source,
    c.incident_id,
    c.service,
    c.counted_source as deployment_source,
    c.counted_id as deployment_id,
    c.method,
    min(c.detail) as detail
from chosen as c
where c.choice = 1
group by c.incident_source, c.incident_id, c.service, c.counted_source, c.counted_id, c.method
