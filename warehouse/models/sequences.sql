-- grain: one successful production deployment of a service, in the sequence of its environment
with arrived as (
    select
        c.source,
        c.id,
        c.service,
        c.environment,
        c.at,
        t.repo,
        t.service_sha as sha,
        coalesce(t.service_sha, c.config_repo || '@' || c.config_sha, c.source || '/' || c.id) as revision
    from candidates as c
    inner join traces as t on t.source = c.source and t.id = c.id and t.service = c.service
    where c.status = 'success' and c.at is not null and c.told_by is null
)

select
    a.*,
    row_number() over here as place,
    lag(a.revision) over here as previous_revision,
    lag(a.sha) over here as previous_sha,
    row_number() over (partition by a.service, a.environment, a.revision order by a.at, a.id, a.source)
        as arrival_here,
    row_number() over (partition by a.service, a.revision order by a.at, a.id, a.source) as arrival,
    first_value(a.environment) over (partition by a.service, a.revision order by a.at, a.id, a.source)
        as first_environment,
    min(a.at) over (partition by a.service, a.revision) as first_at
from arrived as a
window here as (partition by a.service, a.environment order by a.at, a.id, a.source)
