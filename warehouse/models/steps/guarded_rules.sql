-- grain: one service, one reading day, and one guardrail that held for it then
select distinct
    p.day,
    p.service,
    u.rule
from path_services as p
left join without_deployments as w
    on w.service = p.service
    and (w.from_at is null or cast(local_time(w.from_at) as date) <= p.day)
left join guardrail_paths as n on n.told = p.path
inner join guardrail_rules as u
    on (u.path is null and (not u.on_path_only or p.path is not null)) or u.path = n.path
where w.service is null
