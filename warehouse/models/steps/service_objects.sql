-- grain: one service, one reading day, and one object that ran for it then
select
    a.day,
    c.service,
    s.source,
    s.application,
    coalesce(s.cluster, a.cluster) as cluster,
    s.kind,
    s.namespace,
    s.name,
    s.from_at,
    a.read_at as seen_at,
    coalesce(s.url, a.url) as url
from guarded_applications as a
inner join claims as c on c.kind = 'application' and c.value = a.application
inner join object_states as s
    on s.source = 'argocd'
    and s.application = a.application
    and s.first_day <= a.day
    and (s.until_day is null or s.until_day > a.day)
where a.read_at is not null
union
-- what an import tells holds until it tells otherwise
select
    r.day,
    coalesce(s.service, c.service),
    s.source,
    s.application,
    s.cluster,
    s.kind,
    s.namespace,
    s.name,
    s.from_at,
    s.from_at,
    s.url
from object_states as s
inner join reading_days as r on s.first_day <= r.day and (s.until_day is null or s.until_day > r.day)
left join claims as c on c.kind = 'application' and c.value = s.application and s.service is null
where s.source <> 'argocd' and coalesce(s.service, c.service) is not null
