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
        end as fact,
        c.source,
        c.subject,
        -- Argo CD's are `instance/application`
        case when c.source = 'argocd' then regexp_extract(c.subject, '([^/]+)$', 1) else c.subject end as application,
        c.from_at,
        c.until_at
    from source.coverage as c
    left join source_ranks as k on k.source = c.source
    where k.enabled is null or k.enabled
),

-- an application that is not production can tell nothing of production
production as (
    select distinct p.application
    from production_applications as p
),

concerned as (
    select r.*, s.service
    from read as r
    inner join services as s on s.repo = r.subject
    where
        r.source in (
            'deployments', 'releases', 'tags', 'workflow_runs', 'git', 'pull_requests', 'repositories', 'github_issues'
        )
        or r.source like 'import %'
    union
    select r.*, s.service
    from read as r
    inner join services as s on s.service = r.subject
    where r.fact = 'deployments' or r.source like 'import %'
    union
    select r.*, a.service
    from read as r
    inner join application_services as a on a.application = r.application
    inner join production as p on p.application = r.application
    where r.fact = 'deployments'
    union
    select r.*, p.service
    from read as r
    inner join pagerduty_services as p
        on p.source_service = r.subject or (r.source = 'pagerduty' and r.subject = '*')
    where r.fact = 'incidents'
    union
    -- what may belong to no service at all
    select r.*, cast(null as string)
    from read as r
    where r.fact in ('incidents', 'repositories', 'responses')
),

first_told as (
    select
        c.service,
        c.source,
        coalesce(k.position, 100) as position,
        min(coalesce(c.at, c.started_at)) as first_at,
        bool_or(c.told_by is null) as tells
    from candidates as c
    left join source_ranks as k on k.source = c.source
    group by c.service, c.source, k.position
),

-- the sources that tell of a service's deployments, each until the first row of one that ranks higher
telling as (
    select
        t.service,
        case when t.position < 100 then t.source else 'import deployments' end as source,
        min(h.first_at) as until_at
    from first_told as t
    left join first_told as h on h.service = t.service and h.position < t.position
    where t.tells
    group by t.service, case when t.position < 100 then t.source else 'import deployments' end
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
        -- an import may hold what is older than the repository; a service that did not exist was not read
        case
            when c.source like 'import %' then c.from_at
            else greatest(c.from_at, s.repository_created_at)
        end as from_at,
        case when c.fact = 'deployments' then least(c.until_at, t.until_at) else c.until_at end as until_at,
        coalesce(c.fact = 'deployments' and t.until_at < c.until_at, false) as is_superseded,
        s.team,
        s.system
    from concerned as c
    left join services as s on s.service = c.service
    left join telling as t on t.service = c.service and t.source = c.source
    left join told as a on a.service = c.service
    -- where none has told of any deployment yet, all that could; but a repository that is in no catalogue and was
    -- never deployed need not be a service at all, so that it is missing there says nothing
    where
        c.fact <> 'deployments'
        or t.source is not null
        or (a.service is null and coalesce(s.mapped, true))
)

select b.*
from bounded as b
where b.fact is not null and b.from_at < b.until_at
