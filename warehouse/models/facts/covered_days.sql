-- grain: one kind of fact, one service (or none, where rows may belong to none) and one local day that was read
select distinct c.fact, c.service, o.team, o.system, d.day
from service_coverage as c
inner join days as d
    on d.day >= cast(local_time(c.from_at) as date)
    and d.day <= cast(local_time(c.until_at - interval 1 microsecond) as date)
left join owners as o
    on o.service = c.service
    and (o.from_at is null or cast(local_time(o.from_at) as date) <= d.day)
    and (o.until_at is null or cast(local_time(o.until_at) as date) > d.day)
where c.fact <> 'changes'
