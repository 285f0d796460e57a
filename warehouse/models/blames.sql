-- grain: one incident and one counted deployment of a service that it blames, by the strongest method
with blameable as (
    select
        a.source,
        a.id,
        a.service,
        a.repo,
        a.sha,
        a.url,
        a.at,
        coalesce(a.started_at, a.at) as started_at,
        coalesce(a.counted_as_source, a.source) as counted_source,
        coalesce(a.counted_as_id, a.id) as counted_id
    from arrivals as a
    where a.excluded_because is null or a.counted_as_id is not null
),

by_link as (
    select
        l.incident_source,
        l.incident_id,
        b.service,
        b.counted_source,
        b.counted_id,
        b.started_at,
        b.at,
        'link' as method,
        1 as rank,
        l.reason || coalesce(' (' || l."by" || ')', '') as detail
    from source.links as l
    inner join blameable as b
        on b.id = l.deployment_id and b.source = coalesce(l.deployment_source, b.source)
    left join incident_services as own
        on own.source = l.incident_source and own.id = l.incident_id and own.service = b.service
    left join incident_services as others
        on others.source = l.incident_source and others.id = l.incident_id
    where own.service is not null or others.service is null
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

by_change_event as (
    select
        w.source,
        w.id,
        b.service,
        b.counted_source,
        b.counted_id,
        b.started_at,
        b.at,
        'change event',
        2,
        'change event ' || w.event
    from said as w
    inner join blameable as b
        on (w.words = b.url or w.words like ('%' || b.sha || '%'))
        and b.started_at <= w.opened_at
    left join incident_services as own on own.source = w.source and own.id = w.id and own.service = b.service
    left join incident_services as others on others.source = w.source and others.id = w.id
    where own.service is not null or others.service is null
),

by_window as (
    select
        i.source,
        i.id,
        b.service,
        b.counted_source,
        b.counted_id,
        b.started_at,
        b.at,
        'window',
        3,
        'opened ' || cast(i.opened_at as string) || ' UTC'
    from judged_incidents as i
    inner join incident_services as s on s.source = i.source and s.id = i.id
    cross join settings as g
    inner join blameable as b
        on b.service = s.service
        and i.opened_at >= b.started_at
        and seconds_between(b.at, i.opened_at) <= g.window_seconds
    where i.ignored_because is null
),

all_methods as (
    select * from by_link
    union all
    select * from by_change_event
    union all
    select * from by_window
),

-- "blames none", said by hand, leaves an incident without a deployment whatever else speaks
silenced as (
    select l.incident_source, l.incident_id
    from source.links as l
    where l.deployment_id is null
),

-- the strongest method, then the latest start; services that share this deployment stay together
chosen as (
    select
        m.*,
        rank() over (
            partition by m.incident_source, m.incident_id
            order by m.rank, m.started_at desc, m.at desc, m.counted_id desc, m.counted_source
        ) as choice
    from all_methods as m
    left join silenced as s on s.incident_source = m.incident_source and s.incident_id = m.incident_id
    where s.incident_id is null
)

select distinct
    c.incident_source,
    c.incident_id,
    c.service,
    c.counted_source as deployment_source,
    c.counted_id as deployment_id,
    c.method,
    c.detail
from chosen as c
where c.choice = 1
