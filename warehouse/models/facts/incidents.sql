-- grain: one incident, with the service or the smallest scope that it belongs to
-- column source: who told of it: pagerduty, github_issues, or the word that an import gave
-- column id: what it is known by at its source
-- column service: the service that it belongs to; empty where it belongs to several or to none
-- column team: who owned that service then; of several services, where they have one team
-- column system: the system that the service was part of then; of several services, where they have one
-- column title: what it says of itself
-- column urgency: as its source says, such as high
-- column priority: as its source says, such as P1
-- column status: as its source says, such as resolved
-- column opened_at: when it was opened
-- column acknowledged_at: when somebody took it
-- column resolved_at: when it was resolved; empty while it is not, or where nobody knows when
-- column at: the same as resolved_at: the time by which Mean Time to Recovery counts it
-- column day: the local day of at
-- column open_seconds: seconds from opened to resolved
-- column blames_source: source of the counted deployment that it is blamed on; empty where it is blamed on none
-- column blames_id: id of that deployment
-- column blames_day: the local day under which that deployment is listed
-- column blamed_by: how that is known: link, change event or window; or why a person's link led nowhere
-- column possible_causes: the services whose deployments could each have caused it, so that none is blamed
-- column link_reason: what the person said who linked it, and who
-- column excluded_because: why it does not count; empty where it does
-- column source_service: the id of the service that its source has it under
-- column is_shared: false: an incident has one row
-- column change_events: the change events that PagerDuty relates to it
-- column url: its page at the source
with concerned as (
    select s.source, s.id, s.service, s.team, s.system, b.service is not null as is_blamed
    from incident_services as s
    left join incident_blames as b
        on b.incident_source = s.source and b.incident_id = s.id and b.service = s.service
),

-- of several services, the one whose deployment it blames
narrowed as (
    select c.*
    from concerned as c
    qualify c.is_blamed or not bool_or(c.is_blamed) over (partition by c.source, c.id)
),

scoped as (
    select
        n.source,
        n.id,
        case when count(*) = 1 then max(n.service) end as service,
        case when count(distinct coalesce(n.team, '')) = 1 then max(n.team) end as team,
        case when count(distinct coalesce(n.system, '')) = 1 then max(n.system) end as system
    from narrowed as n
    group by n.source, n.id
),

blamed as (
    select
        b.incident_source,
        b.incident_id,
        max(b.deployment_source) as deployment_source,
        max(b.deployment_id) as deployment_id,
        max(b.method) as method,
        max(d.listed_day) as listed_day
    from incident_blames as b
    left join deployments as d on d.source = b.deployment_source and d.id = b.deployment_id
    group by b.incident_source, b.incident_id
),

-- of a source's service that several of ours share, none of which can be told to be the cause
several as (
    select w.incident_source, w.incident_id, in_order(array_agg(distinct w.service), ', ') as services
    from incident_windows as w
    where w.is_of_several
    group by w.incident_source, w.incident_id
),

known_links as (
    select distinct l.incident_source, l.incident_id
    from source.links as l
    inner join arrivals as a on a.id = l.deployment_id and a.source = coalesce(l.deployment_source, a.source)
)

select
    i.source,
    i.id,
    s.service,
    s.team,
    s.system,
    i.title,
    i.urgency,
    i.priority,
    i.status,
    i.opened_at,
    i.acknowledged_at,
    i.resolved_at,
    i.resolved_at as at,
    cast(local_time(i.resolved_at) as date) as day,
    seconds_between(i.opened_at, i.resolved_at) as open_seconds,
    b.deployment_source as blames_source,
    b.deployment_id as blames_id,
    b.listed_day as blames_day,
    case
        when b.method is not null then b.method
        when l.incident_id is null then null
        when l.deployment_id is null then 'link: blames none'
        when n.incident_id is null then 'link: to no known production deployment'
        else 'link: to a deployment that does not count'
    end as blamed_by,
    case when b.method is null and l.incident_id is null then v.services end as possible_causes,
    l.reason || coalesce(' (' || l."by" || ')', '') as link_reason,
    case
        when i.ignored_because is not null then i.ignored_because
        when i.resolved_at is null and lower(i.status) in ('resolved', 'closed')
            then 'resolved, but it is not known when'
        when i.resolved_at is null then 'not resolved'
        when i.resolved_at < i.opened_at then 'resolved before it was opened'
    end as excluded_because,
    i.source_service,
    false as is_shared,
    i.change_events,
    i.url
from judged_incidents as i
left join scoped as s on s.source = i.source and s.id = i.id
left join several as v on v.incident_source = i.source and v.incident_id = i.id
left join blamed as b on b.incident_source = i.source and b.incident_id = i.id
left join source.links as l on l.incident_source = i.source and l.incident_id = i.id
left join known_links as n on n.incident_source = i.source and n.incident_id = i.id
