-- grain: one kind of fact, one service (or none, where rows may belong to none) and one local day that was read
select distinct c.fact, c.service, c.team, c.system, d.day
from service_coverage as c
inner join days as d
    on d.day >= cast(local_time(c.from_at) as date)
    and d.day <= cast(local_time(c.until_at - interval 1 microsecond) as date)
where c.fact <> 'changes'
