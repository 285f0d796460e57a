-- grain: one service, one reading day, and one guardrail that held for it then
with guarded as (
    select a.day, c.service
    from guarded_applications as a
    inner join claims as c on c.kind = 'application' and c.value = a.application
    union
    select o.day, o.service
    from service_objects as o
)

select distinct g.day, g.service, u.rule
from guarded as g
left join path_services as p on p.service = g.service and p.day = g.day
left join guardrail_paths as n on n.told = p.path
inner join guardrail_rules as u
    on (u.path is null and (not u.on_path_only or p.path is not null)) or u.path = n.path
