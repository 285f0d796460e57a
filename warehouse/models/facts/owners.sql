-- grain: one service and one stretch of time in which it had one owner and system; the last stretch is open
with former as (
    select
        f.name as service,
        f.owner as team,
        f.system,
        lag(f.until_at) over (partition by f.name order by f.until_at) as from_at,
        f.until_at
    from source.former_owners as f
),

latest as (
    select f.name as service, max(f.until_at) as until_at
    from source.former_owners as f
    group by f.name
)

select f.service, f.team, f.system, f.from_at, f.until_at
from former as f
inner join services as s on s.service = f.service
union all
select s.service, s.team, s.system, l.until_at, cast(null as timestamp)
from services as s
left join latest as l on l.service = s.service
