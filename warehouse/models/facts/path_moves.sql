-- grain: one service that moved on to a golden path, off it, or from one to another
-- column service: the service that moved
-- column team: who owned it then
-- column system: the system that it was part of then
-- column at: when it moved: when the catalogue was seen to say so, or as an event or an import tells
-- column day: the local day of at
-- column from_path: the path that it was on before; empty where it was on none
-- column to_path: the path that it is on from then; empty where it is on none
select
    s.service,
    o.team,
    o.system,
    s.from_at as at,
    cast(local_time(s.from_at) as date) as day,
    b.path as from_path,
    s.path as to_path
from path_stretches as s
inner join path_stretches as b on b.service = s.service and b.until_at = s.from_at
left join owners as o
    on o.service = s.service
    and (o.from_at is null or o.from_at <= s.from_at)
    and (o.until_at is null or o.until_at > s.from_at)
where s.from_at is not null
