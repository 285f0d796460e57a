-- grain: one incident and one counted deployment of a service that it blames, by the strongest method
-- an application's page or an environment's is the address of no deployment
with addresses as (
    select d.url
    from source.deployments as d
    where d.url is not null
    group by d.url
    having count(*) > 1
),

by_link as (
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

-- what a change event says: its links and its details; PagerDuty's guess at the most recent change says nothing
events as (
    select i.source, i.id, i.opened_at, e.id as event, e.links, e.details
    from judged_incidents as i
    cross join lateral unnest(i.change_events) as u (e)
    where coalesce(e.reason, '') <> 'most_recent' and i.ignored_because is null
),

said as (
    select v.source, v.id, v.opened_at, v.event, v.details as words
    from events as v
    where v.details is not null
    union all
    select v.source, v.id, v.opened_at, v.event, link
    from events as v
    cross join lateral unnest(v.links) as u (link)
),

named as (
    select w.source, w.id, w.opened_at, w.event, address, cast(null as string) as sha
    from said as w
    cross join lateral
        unnest(regexp_extract_all(w.words, 'https?:[-0-9A-Za-z/._~%?#=&+@:]*[-0-9A-Za-z/_~%=&]', 0)) as u (address)
    union
    select w.source, w.id, w.opened_at, w.event, cast(null as string), lower(word)
    from said as w
    cross join lateral unnest(regexp_extract_all(w.words, '[0-9A-Fa-f]{7,64}', 0)) as u (word)
),

-- the deployments that an event names, by their address or their commit
found as (
    select w.source, w.id, w.opened_at, w.event, b.source as deployment_source, b.id as deployment_id, b.service
    from named as w
    inner join blameable_deployments as b on b.url = w.address
    where w.address not in (select s.url from addresses as s)
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
