-- grain: one piece of evidence that a counted deployment of a service failed
select
    b.deployment_source as source,
    b.deployment_id as id,
    b.service,
    b.method,
    case b.method when 'link' then 1 when 'change event' then 4 else 5 end as rank,
    'incident ' || b.incident_id || ': ' || b.detail as detail,
    b.incident_source as by_source,
    b.incident_id as by_id
from incident_blames as b
union all
select r.source, r.id, r.service, 'rollback', 2, 'rolled back by ' || r.rollback_id, r.rollback_source,
    r.rollback_id
from rollbacks as r
where r.is_blamed and not r.is_further_environment
union all
select v.source, v.id, v.service, 'revert', 3, v.sha || ' reverted by ' || v.revert_id, v.revert_source,
    v.revert_id
from reverts as v
