-- grain: one production deployment of a service as told, with why it does not count and which counted one it stands for
-- what a lower source tells of again stands for what the nearest row of the same commit stands for
with duplicates as (
    select
        c.source,
        c.id,
        c.service,
        s.counted_as_source,
        s.counted_as_id
    from candidates as c
    inner join traces as t on t.source = c.source and t.id = c.id and t.service = c.service
    inner join deployment_steps as s on s.service = c.service and s.sha = t.service_sha
    where
        c.told_by is not null
        and c.no_deployment_because is null
        and c.status = 'success'
        and c.at is not null
    qualify row_number() over (
        partition by c.source, c.id, c.service
        order by abs(seconds_between(c.at, s.at)), s.finish_order
    ) = 1
),

-- a rollback that several environments make is one rollback
repeated as (
    select distinct r.rollback_source, r.rollback_id, r.service
    from rollbacks as r
    where r.is_further_environment
)

select
    c.source,
    c.id,
    c.service,
    c.team,
    c.system,
    t.repo,
    c.environment,
    c.at,
    c.started_at,
    t.sha,
    t.sha_method,
    c.ref,
    s.revision,
    c.status,
    case
        when c.no_deployment_because is not null then 'no deployment'
        when c.told_by is not null then 'duplicate'
        when s.kind is not null then s.kind
        else 'unsuccessful'
    end as kind,
    case
        when c.no_deployment_because is not null then 'no deployment: ' || c.no_deployment_because
        when c.told_by is not null then 'told by ' || coalesce(k.words, c.told_by) || ' for this service'
        when c.status = 'success' and c.at is null then 'success without a time'
        when c.status = 'running' then 'not finished: running, or waiting for approval'
        when c.status <> 'success' then 'unsuccessful: ' || c.status
        when r.rollback_id is not null then 'the same rollback in a further environment'
        else s.excluded_because
    end as excluded_because,
    c.told_by,
    coalesce(d.counted_as_source, s.counted_as_source) as counted_as_source,
    coalesce(d.counted_as_id, s.counted_as_id) as counted_as_id,
    c.finish_order,
    t.is_baseline,
    t.new_commits,
    t.unrelated_commits,
    t.unknown_since,
    c.config_repo,
    c.config_sha,
    c.url
from candidates as c
inner join traces as t on t.source = c.source and t.id = c.id and t.service = c.service
left join deployment_steps as s on s.source = c.source and s.id = c.id and s.service = c.service
left join duplicates as d on d.source = c.source and d.id = c.id and d.service = c.service
left join source_ranks as k on k.source = c.told_by
left join repeated as r on r.rollback_source = c.source and r.rollback_id = c.id and r.service = c.service
