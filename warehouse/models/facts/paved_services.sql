-- grain: one service of the catalogue and one reading day on which it was there
-- column service: the service
-- column team: who owned it on that day
-- column system: the system that it was part of
-- column at: the beginning of that day
-- column day: the reading day
-- column on_road: whether it kept to the paved road in every aspect; empty where that is unknown
-- column reason: in what it was off the road, else what it was on it with, or what is unknown
-- column excluded_because: why it does not count; empty where it does
-- column is_shared: never: a service has one row a day
-- column url: the page of its repository
select
    s.service,
    o.team,
    o.system,
    cast(p.day as timestamp) as at,
    p.day,
    p.on_road,
    p.reason,
    case
        when w.service is not null then w.reason
        when p.on_road is null then p.reason
    end as excluded_because,
    false as is_shared,
    s.url
from services as s
inner join paved_days as p
    on p.service = s.service
    and (s.repository_created_at is null or cast(local_time(s.repository_created_at) as date) <= p.day)
    and (s.gone_at is null or cast(local_time(s.gone_at) as date) > p.day)
left join without_deployments as w
    on w.service = s.service
    and (w.from_at is null or cast(local_time(w.from_at) as date) <= p.day)
left join owners as o
    on o.service = s.service
    and (o.from_at is null or cast(local_time(o.from_at) as date) <= p.day)
    and (o.until_at is null or cast(local_time(o.until_at) as date) > p.day)
