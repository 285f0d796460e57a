-- grain: one reading day and one namespace of a cluster: whether each traffic that is to be denied is denied by default
with policies as (
    select r.day, s.cluster, s.namespace, j.rule, j.holds
    from object_states as s
    inner join judged_objects as j
        on j.source = s.source
        and j.application = s.application
        and j.kind = s.kind
        and j.namespace = s.namespace
        and j.name = s.name
        and j.from_at = s.from_at
    inner join reading_days as r on s.first_day <= r.day and (s.until_day is null or s.until_day > r.day)
    left join guarded_applications as a on a.application = s.application and a.day = r.day
    where j.rule like 'denies %' and (s.source <> 'argocd' or a.read_at is not null)
),

by_traffic as (
    select
        p.day,
        p.cluster,
        p.namespace,
        p.rule,
        max(case when p.holds then 2 when p.holds is null then 1 else 0 end) as denied
    from policies as p
    group by p.day, p.cluster, p.namespace, p.rule
)

-- 2: all is denied; 1: a policy could not be read; 0: something is not denied
select
    b.day,
    b.cluster,
    b.namespace,
    case when count(*) < (select count(*) from denied_traffic) then 0 else min(b.denied) end as denied
from by_traffic as b
group by b.day, b.cluster, b.namespace
