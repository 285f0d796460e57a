-- grain: one deployment to production as its source tells it and one service that it may belong to
with told as (
    select
        d.source,
        d.id,
        d.repo,
        d.service,
        d.application,
        d.workflow,
        coalesce(d.unit, d.application, d.workflow) as unit,
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
        d.url,
        p.no_deployment_because
    from source.deployments as d
    inner join production_deployments as p on p.source = d.source and p.id = d.id
    union all
    select
        'workflow_runs',
        w.id,
        w.repo,
        cast(null as string),
        cast(null as string),
        w.workflow,
        w.unit,
        w.environment,
        w.sha,
        'workflow',
        w.branch,
        null,
        w.status,
        w.started_at,
        w.finished_at,
        cast(null as string),
        cast(null as string),
        w.url,
        w.no_deployment_because
    from workflow_deployments as w
),

-- what a source tells is a deployment only where the configuration lists it; imports rank last
ranked as (
    select t.*, coalesce(k.position, 100) as position
    from told as t
    left join source_ranks as k on k.source = t.source
    where k.enabled is null or k.enabled
),

mapped as (
    select
        r.*,
        r.service as for_service,
        false as by_paths,
        cast(null as timestamp) as seen_at,
        cast(null as timestamp) as gone_at
    from ranked as r
    where r.service is not null
    union all
    select r.*, a.service, false, a.seen_at, a.gone_at
    from ranked as r
    inner join claims as a on a.kind = 'application' and a.value = r.unit
    where r.service is null and r.application is not null
    union all
    select
        r.*,
        s.service,
        s.has_source_patterns and not s.by_environment
        and not (s.by_workflow and r.source = 'workflow_runs')
        and not (s.by_tag and r.source in ('releases', 'tags')),
        s.seen_at,
        s.gone_at
    from ranked as r
    inner join claimants as s on s.repo = r.repo
    left join claims as e on e.service = s.service and e.kind = 'environment' and e.value = r.environment
    left join claims as w on w.service = s.service and w.kind = 'workflow' and w.value = r.workflow
    left join claims as t on t.service = s.service and t.kind = 'tag' and t.value = r.ref
    where
        r.service is null
        and r.application is null
        and (e.value is not null or not s.by_environment)
        and (w.value is not null or not (s.by_workflow and r.source = 'workflow_runs'))
        and (t.value is not null or not (s.by_tag and r.source in ('releases', 'tags')))
),

-- what happened before a component was gone stays its own, and is not claimed by what came in its place
still_claimed as (
    select m.*
    from mapped as m
    where m.gone_at is null or coalesce(m.finished_at, m.started_at) <= m.gone_at
    qualify
        m.gone_at is not null
        or max(m.gone_at) over (partition by m.source, m.id) is null
        or m.seen_at is null
        or m.seen_at < max(m.gone_at) over (partition by m.source, m.id) - interval 1 day
),

-- a component that another file tells of now claims the same by both
claimed as (
    select m.*
    from still_claimed as m
    qualify
        row_number() over (
            partition by m.source, m.id, m.for_service order by m.gone_at is not null, m.gone_at desc, m.by_paths
        ) = 1
),

-- a source speaks for a service from its first deployment that reached production to two weeks after its last; where
-- the catalogue says which one does, that one always
speaking as (
    select
        m.for_service,
        m.position,
        max(m.source) as source,
        case when m.source = s.deployments_from then null else min(m.finished_at) end as from_at,
        case when m.source = s.deployments_from then null else max(m.finished_at) + interval 14 days end as until_at,
        coalesce(m.source = s.deployments_from, false) as is_chosen
    from claimed as m
    inner join services as s on s.service = m.for_service
    where m.status = 'success' and m.finished_at is not null and m.no_deployment_because is null
    group by m.for_service, m.position, m.source, s.deployments_from
),

higher as (
    select
        m.source,
        m.id,
        m.for_service,
        min_by(f.source, case when f.is_chosen then -1 else f.position end) as told_by
    from claimed as m
    inner join speaking as f
        on f.for_service = m.for_service
        and f.source <> m.source
        and (
            f.is_chosen
            or (
                f.position < m.position
                and f.from_at <= coalesce(m.finished_at, m.started_at)
                and f.until_at >= coalesce(m.finished_at, m.started_at)
            )
        )
    left join services as s on s.service = m.for_service and s.deployments_from = m.source
    where m.no_deployment_because is null and s.service is null
    group by m.source, m.id, m.for_service
)

select
    m.source,
    m.id,
    m.for_service as service,
    o.team,
    o.system,
    coalesce(m.repo, s.repo) as repo,
    m.environment,
    m.unit,
    -- what is replaced as a whole: a rollback, a repeat and a return are judged within it
    concat_ws(' ', lower(m.environment), m.unit) as sequence,
    -- two clocks: what ends before it starts took no time
    case when m.started_at > m.finished_at then m.finished_at else m.started_at end as started_at,
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
    m.no_deployment_because,
    h.told_by,
    -- decides wherever one comes before another: by finish, then by id, where 9 comes before 10
    row_number() over (order by m.finished_at nulls last, length(m.id), m.id, m.source, m.for_service) as finish_order
from claimed as m
inner join services as s on s.service = m.for_service
-- who owned it then; where no time is known, who owns it now
inner join owners as o
    on o.service = m.for_service
    and (o.from_at is null or o.from_at <= coalesce(m.finished_at, m.started_at, o.from_at))
    and (o.until_at is null or o.until_at > coalesce(m.finished_at, m.started_at))
left join higher as h on h.source = m.source and h.id = m.id and h.for_service = m.for_service
