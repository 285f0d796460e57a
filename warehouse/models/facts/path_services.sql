-- grain: one service of the catalogue and one reading day on which it was there
-- column service: the service
-- column team: who owned it on that day
-- column system: the system that it was part of
-- column at: the beginning of that day
-- column day: the reading day
-- column path: the golden path that it follows; empty where it follows none
-- column on_path: whether it follows one
-- column excluded_because: why it does not count; empty where it does
-- column is_shared: never: a service has one row a day
-- column url: the page of its repository
with known as (
    select count(*) as paths
    from services as s
    where s.golden_path is not null
)

select
    s.service,
    o.team,
    o.system,
    cast(r.day as timestamp) as at,
    r.day,
    s.golden_path as path,
    s.golden_path is not null as on_path,
    case
        when k.paths = 0 then 'unknown: no service names a golden path'
        when w.service is not null then w.reason
    end as excluded_because,
    false as is_shared,
    s.url
from services as s
cross join known as k
inner join reading_days as r
    on (s.repository_created_at is null or cast(local_time(s.repository_created_at) as date) <= r.day)
    and (s.gone_at is null or cast(local_time(s.gone_at) as date) > r.day)
left join without_deployments as w
    on w.service = s.service
    and (w.from_at is null or cast(local_time(w.from_at) as date) <= r.day)
left join owners as o
    on o.service = s.service
    and (o.from_at is null or cast(local_time(o.from_at) as date) <= r.day)
    and (o.until_at is null or cast(local_time(o.until_at) as date) > r.day)
where s.mapped
