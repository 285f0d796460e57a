-- grain: one deployment to production as its source tells it and one service that it may belong to
with told as (
    select
        d.source,
        d.id,
        d.repo,
        d.service,
        d.application,
        cast(null as string) as workflow,
        p.environment,
        d.sha,
        d.sha_method,
        d.ref,
        d.images,
        d.status,
        d.started_at,
        d.finished_at,
        d.config_repo,
        d.config_sha,
        d.url
    from source.deployments as d
    inner join production_deployments as p on p.source = d.source and p.id = d.id
    union all
    select
        'workflow_runs',
        cast(r.id as string) || '/' || cast(r.attempt as string),
        r.repo,
        cast(null as string),
        cast(null as string),
        r.workflow,
        w.environment,
        r.sha,
        'workflow',
        r.branch,
        cast(null as string[]),
        case
            when r.conclusion is null then 'running'
            when r.conclusion = 'success' then 'success'
            when r.conclusion in ('failure', 'timed_out', 'startup_failure') then 'failure'
            else 'cancelled'
        end,
        coalesce(r.started_at, r.created_at),
        r.finished_at,
        cast(null as string),
        cast(null as string),
        r.url
    from source.workflow_runs as r
    inner join workflow_environments as w on w.workflow = r.workflow
),

-- what a source tells is a deployment only where the configuration lists it; imports rank last
ranked as (
    select t.*, coalesce(k.position, 100) as position
    from told as t
    left join source_ranks as k on k.source = t.source
    where k.enabled is null or k.enabled
),

mapped as (
    select r.*, r.service as for_service, false as by_paths
    from ranked as r
    where r.service is not null
    union all
    select r.*, a.service, false
    from ranked as r
    inner join application_services as a on a.application = r.application
    where r.service is null
    union all
    select
        r.*,
        s.service,
        s.has_source_patterns and not s.by_environment
        and not (s.by_workflow and r.source = 'workflow_runs')
        and not (s.by_tag and r.source in ('releases', 'tags'))
    from ranked as r
    inner join told_apart as s on s.repo = r.repo
    left join told_apart_by as e on e.service = s.service and e.kind = 'environment' and e.value = r.environment
    left join told_apart_by as w on w.service = s.service and w.kind = 'workflow' and w.value = r.workflow
    left join told_apart_by as t on t.service = s.service and t.kind = 'tag' and t.value = r.ref
    where
        r.service is null
        and r.application is null
        and (e.value is not null or not s.by_environment)
        and (w.value is not null or not (s.by_workflow and r.source = 'workflow_runs'))
        and (t.value is not null or not (s.by_tag and r.source in ('releases', 'tags')))
),

first_rows as (
    select for_service, position, max(source) as source, min(coalesce(finished_at, started_at)) as first_at
    from mapped
    group by for_service, position
),

higher as (
    select
        m.source,
        m.id,
        m.for_service,
        min_by(f.source, f.position) as told_by
    from mapped as m
    inner join first_rows as f
        on f.for_service = m.for_service
        and f.position < m.position
        and f.first_at <= coalesce(m.finished_at, m.started_at)
    group by m.source, m.id, m.for_service
)

select
    m.source,
    m.id,
    m.for_service as service,
    o.team,
    o.system,
    -- a trailer or an image may write the name in other letters
    case when lower(m.repo) = lower(s.repo) then s.repo else coalesce(m.repo, s.repo) end as repo,
    m.environment,
    m.started_at,
    m.finished_at as at,
    m.sha,
    m.sha_method,
    m.ref,
    m.images,
    m.status,
    m.config_repo,
    m.config_sha,
    m.url,
    m.by_paths,
    h.told_by,
    -- decides wherever one comes before another: by finish, then by id, where 9 comes before 10
    row_number() over (order by m.finished_at nulls last, length(m.id), m.id, m.source, m.for_service) as finish_order
from mapped as m
inner join services as s on s.service = m.for_service
-- who owned it then; where no time is known, who owns it now
inner join owners as o
    on o.service = m.for_service
    and (o.from_at is null or o.from_at <= coalesce(m.finished_at, m.started_at, o.from_at))
    and (o.until_at is null or o.until_at > coalesce(m.finished_at, m.started_at))
left join higher as h on h.source = m.source and h.id = m.id and h.for_service = m.for_service
