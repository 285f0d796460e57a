-- grain: one service and one stretch of time in which it had one owner and system; the last stretch is open, and is
-- nobody's where the catalogue no longer has the service
with told as (
    select o.component, o.team, o.system, o.from_at, o.is_seen
    from source.owners as o
    -- of two files that contradict each other the more specific one is believed
    where
        not o.is_seen
        or o.origin not in (
            select c.origin
            from source.components as c
            inner join catalogue as w on w.name = c.name and w.origin <> c.origin
            where c.kind = 'Component' and c.gone_at is null and c.name = o.component
        )
),

placed as (
    select
        t.*,
        min(case when t.is_seen then t.from_at end) over (partition by t.component) as first_seen_at,
        max(case when t.is_seen then t.from_at end) over (partition by t.component) as last_seen_at,
        lead(t.from_at) over (partition by t.component, t.is_seen order by t.from_at) as next_at
    from told as t
),

-- what was put right within a week of the first sight, or came in the place of nothing, was never otherwise
settled as (
    select
        p.component,
        p.team,
        p.system,
        case
            when
                p.is_seen
                and p.from_at <= p.first_seen_at + interval 7 days
                then p.first_seen_at
            else p.from_at
        end as from_at
    from placed as p
    where
        not p.is_seen
        or p.next_at is null
        or (p.next_at > p.first_seen_at + interval 7 days and (p.team is not null or p.system is not null))
),

changed as (
    select s.*
    from settled as s
    qualify
        row_number() over (partition by s.component order by s.from_at) = 1
        or s.team is distinct from lag(s.team) over (partition by s.component order by s.from_at)
        or s.system is distinct from lag(s.system) over (partition by s.component order by s.from_at)
),

stretches as (
    select
        c.component as service,
        c.team,
        c.system,
        case when lag(c.from_at) over (partition by c.component order by c.from_at) is not null then c.from_at end
            as from_at,
        lead(c.from_at) over (partition by c.component order by c.from_at) as until_at
    from changed as c
)

select t.service, t.team, t.system, t.from_at, least(t.until_at, s.gone_at) as until_at
from stretches as t
inner join services as s on s.service = t.service
union all
select s.service, s.team, s.system, cast(null as timestamp), s.gone_at
from services as s
where s.service not in (select t.service from stretches as t)
union all
-- a row that names it by itself still has a service
select s.service, cast(null as string), cast(null as string), s.gone_at, cast(null as timestamp)
from services as s
where s.gone_at is not null
