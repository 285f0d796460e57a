-- grain: one stretch of time for which a source that tells one kind of fact of a service (or of none) was read
with read as (
    select
        case
            when c.source in ('argocd', 'deployments', 'releases', 'tags', 'workflow_runs', 'import deployments')
                then 'deployments'
            when c.source in ('git', 'pull_requests') then 'changes'
            when c.source in ('pagerduty', 'github_issues', 'import incidents') then 'incidents'
            when c.source in ('repositories', 'import repositories') then 'repositories'
            when c.source in ('survey', 'import responses') then 'responses'
            when c.source in ('requests', 'import requests') then 'requests'
        end as fact,
        c.source,
        c.subject,
        c.from_at,
        c.until_at
    from source.coverage as c
    left join source_ranks as k on k.source = c.source
    where k.enabled is null or k.enabled
),

-- an application that is not production can tell nothing of production
production as (
    select distinct coalesce(d.unit, d.application) as unit, d.application
    from source.deployments as d
    inner join production_deployments as p on p.source = d.source and p.id = d.id
    where d.source = 'argocd'
),

read_of as (
    -- what is read of a repository says nothing of the time before there was one
    select r.fact, r.source, r.subject, greatest(r.from_at, s.repository_created_at) as from_at, r.until_at, s.service
    from read as r
    inner join services as s on s.repo = r.subject
    where
        r.source in (
            'deployments', 'releases', 'tags', 'workflow_runs', 'git', 'pull_requests', 'repositories', 'github_issues'
        )
    union
    select r.*, s.service
    from read as r
    inner join services as s on s.repo = r.subject
    where r.source like 'import %'
    union
    select r.*, s.service
    from read as r
    inner join services as s on s.service = r.subject
    where r.fact = 'deployments' or r.source like 'import %'
    union
    -- a file that is complete for its days speaks of every service
    select r.*, s.service
    from read as r
    cross join services as s
    where r.subject = 'every service'
    union
    select r.*, a.service
    from read as r
    inner join production as p on r.subject in (p.unit, p.application)
    inner join claims as a on a.kind = 'application' and a.value = p.unit
    where r.fact = 'deployments'
    union
    select r.*, p.service
    from read as r
    inner join claims as p
        on p.kind = 'PagerDuty service'
        and (p.value = r.subject or (r.source = 'pagerduty' and r.subject = '*'))
    where r.fact = 'incidents'
    union
    -- what may belong to no service at all
    select r.*, cast(null as string)
    from read as r
    where r.fact in ('incidents', 'repositories', 'responses', 'requests')
),

-- imports of one service are one stretch, by whichever of its names: service, repository, PagerDuty service; not what
-- a file was said to be complete for
concerned as (
    select r.*
    from read_of as r
    union
    select r.fact, r.source, min(r.subject), min(r.from_at), max(r.until_at), r.service
    from read_of as r
    left join read as e
        on e.subject = 'every service'
        and e.source = r.source
        and e.from_at = r.from_at
        and e.until_at = r.until_at
    where r.source like 'import %' and r.service is not null and r.subject <> 'every service' and e.subject is null
    group by r.fact, r.source, r.service
    having count(distinct r.subject) > 1
),

-- the sources that tell of a service's deployments: each but in the time in which one that ranks higher speaks
ranked as (
    select
        c.service,
        case when k.position is null then 'import deployments' else c.source end as source,
        case when c.source = s.deployments_from then -1 else coalesce(k.position, 100) end as position,
        c.told_by,
        c.at,
        c.at is not null and c.status = 'success' as is_live,
        coalesce(c.at, c.started_at) as told_at
    from candidates as c
    inner join services as s on s.service = c.service
    left join source_ranks as k on k.source = c.source
    where c.no_deployment_because is null
),

spoken as (
    select r.service, r.source, r.position, min(r.at) as first_at, max(r.at) as last_at
    from ranked as r
    where r.is_live
    group by r.service, r.source, r.position
),

silenced as (
    select
        r.service,
        r.source,
        max(h.first_at) as higher_from,
        max(h.last_at) + interval 14 days as higher_until,
        bool_or(r.told_by is null and (h.first_at is null or r.told_at < h.first_at)) as tells_before,
        bool_or(r.told_by is null and r.told_at > h.last_at + interval 14 days) as tells_after
    from ranked as r
    left join (
        select l.service, l.source, min(h.first_at) as first_at, max(h.last_at) as last_at
        from (select distinct r.service, r.source, r.position from ranked as r) as l
        inner join spoken as h on h.service = l.service and h.position < l.position
        group by l.service, l.source
    ) as h on h.service = r.service and h.source = r.source
    group by r.service, r.source
    having bool_or(r.told_by is null)
),

telling as (
    select s.service, s.source, cast(null as timestamp) as from_at, s.higher_from as until_at
    from silenced as s
    where s.tells_before
    union all
    select s.service, s.source, s.higher_until, cast(null as timestamp)
    from silenced as s
    where s.tells_after
),

told as (
    select distinct t.service
    from telling as t
),

bounded as (
    select
        c.fact,
        c.source,
        c.subject,
        c.service,
        greatest(c.from_at, t.from_at) as from_at,
        least(
            c.until_at,
            s.gone_at,
            case when c.fact = 'deployments' then t.until_at end,
            -- what deploys no more has no days without a deployment
            case when c.fact = 'deployments' then w.from_at end
        ) as until_at,
        coalesce(c.fact = 'deployments' and t.until_at < c.until_at, false) as is_superseded,
        coalesce(c.fact = 'deployments' and t.from_at > c.from_at, false) as is_resumed,
        s.team,
        s.system
    from concerned as c
    left join services as s on s.service = c.service
    left join telling as t on t.service = c.service and t.source = c.source
    left join told as a on a.service = c.service
    left join without_deployments as w on w.service = c.service
    -- where none has told of any deployment yet, all that could; but a repository that is in no catalogue and was
    -- never deployed need not be a service at all, so that it is missing there says nothing
    where
        c.fact <> 'deployments'
        or (
            (w.service is null or w.from_at is not null)
            and (
                t.source is not null
                or c.subject = 'every service'
                or (a.service is null and coalesce(s.mapped, true))
            )
        )
)

select b.*
from bounded as b
where b.fact is not null and b.from_at < b.until_at
