-- grain: one service of the catalogue and one reading day on which it was there
-- column service: the service
-- column team: who owned it on that day
-- column system: the system that it was part of
-- column at: the beginning of that day
-- column day: the reading day
-- column holds: whether it held every guardrail; empty where that is unknown
-- column reason: the first object that does not hold of each guardrail, and why
-- column excluded_because: why it does not count; empty where it does
-- column is_shared: never: a service has one row a day
-- column url: the page of its application, else of its repository
with by_rule as (
    select
        g.day,
        g.service,
        g.rule,
        count_if(g.holds is null) as unknown,
        count_if(not g.holds) as broken,
        count_if(g.holds is null and g.kind = 'Application') as unread,
        count_if(g.reason = 'nothing that it runs in production was read') as unseen,
        min_by(concat_ws(' ', g.kind, g.name) || ' (' || g.reason || ')', concat_ws(' ', g.kind, g.name))
            filter (where not g.holds) as first_broken,
        max(g.url) filter (where not g.holds) as url
    from guardrail_days as g
    group by g.day, g.service, g.rule
),

judged as (
    select
        b.day,
        b.service,
        sum(b.unknown) as unknown,
        sum(b.broken) as broken,
        sum(b.unread) as unread,
        sum(b.unseen) as unseen,
        in_order(array_agg(b.rule) filter (where b.unknown > 0), ', ') as unknown_rules,
        in_order(
            array_agg(
                b.rule || ': ' || b.first_broken
                || case when b.broken > 1 then ' (and ' || cast(b.broken - 1 as string) || ' more)' else '' end
            ) filter (where b.broken > 0),
            '; '
        ) as reason,
        max(b.url) as url
    from by_rule as b
    group by b.day, b.service
),

known as (
    select count(*) as rules
    from guardrail_rules
)

select
    p.service,
    p.team,
    p.system,
    p.at,
    p.day,
    case when j.unknown = 0 then j.broken = 0 end as holds,
    j.reason,
    case
        when k.rules = 0 then 'unknown: no guardrail is declared'
        when w.service is not null then w.reason
        when j.service is null then 'no guardrail is for it: it is on no golden path that names one'
        when j.unseen > 0 then 'unknown: nothing that it runs in production was read'
        when j.unread > 0 then 'unknown: not all that it runs was read'
        when j.unknown > 0 then 'unknown: ' || j.unknown_rules
    end as excluded_because,
    false as is_shared,
    coalesce(j.url, p.url) as url
from path_services as p
cross join known as k
left join judged as j on j.service = p.service and j.day = p.day
left join without_deployments as w
    on w.service = p.service
    and (w.from_at is null or cast(local_time(w.from_at) as date) <= p.day)
