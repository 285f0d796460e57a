-- grain: one service and one stretch of time in which it was on one golden path, or on none; the last stretch is open
with told as (
    select m.component, p.path, m.from_at, m.is_seen
    from source.memberships as m
    inner join member_paths as p
        on p.component = m.component and p.from_at = m.from_at and p.origin = m.origin
    -- of two files that contradict each other the more specific one is believed
    where
        not m.is_seen
        or m.origin not in (
            select c.origin
            from source.components as c
            inner join catalogue as w on w.name = c.name and w.origin <> c.origin
            where c.kind = 'Component' and c.gone_at is null and c.name = m.component
        )
),

placed as (
    select
        t.*,
        min(case when t.is_seen then t.from_at end) over (partition by t.component) as first_seen_at,
        lead(t.from_at) over (partition by t.component, t.is_seen order by t.from_at) as next_at
    from told as t
),

-- what was put right within a week of the first sight was never otherwise
settled as (
    select
        p.component,
        p.path,
        case
            when p.is_seen and p.from_at <= p.first_seen_at + interval 7 days then p.first_seen_at
            else p.from_at
        end as from_at,
        p.is_seen and p.from_at <= p.first_seen_at + interval 7 days as is_first_sight
    from placed as p
    where not p.is_seen or p.next_at is null or p.next_at > p.first_seen_at + interval 7 days
),

-- an event says when what was seen first came to be so
moved as (
    select s.component, min(e.at) as at
    from settled as s
    inner join source.events as e on e.kind = 'golden path' and e.scope = 'service ' || s.component
    where s.is_first_sight and s.path is not null and e.at < s.from_at
    group by s.component
),

dated as (
    select s.component, s.path, case when s.is_first_sight then coalesce(m.at, s.from_at) else s.from_at end as from_at
    from settled as s
    left join moved as m on m.component = s.component
    union all
    select m.component, cast(null as string), timestamp '1970-01-01 00:00:00'
    from moved as m
    where m.component not in (select t.component from told as t where not t.is_seen and t.from_at < m.at)
),

changed as (
    select d.*
    from dated as d
    qualify
        row_number() over (partition by d.component order by d.from_at) = 1
        or d.path is distinct from lag(d.path) over (partition by d.component order by d.from_at)
),

stretches as (
    select
        c.component as service,
        c.path,
        case when lag(c.from_at) over (partition by c.component order by c.from_at) is not null then c.from_at end
            as from_at,
        lead(c.from_at) over (partition by c.component order by c.from_at) as until_at
    from changed as c
)

select t.service, t.path, t.from_at, least(t.until_at, s.gone_at) as until_at
from stretches as t
inner join services as s on s.service = t.service
where t.from_at is null or s.gone_at is null or t.from_at < s.gone_at
union all
select s.service, cast(null as string), cast(null as timestamp), s.gone_at
from services as s
where s.service not in (select t.service from stretches as t)
