-- grain: one kind of fact, one service (or none, where a source is read for all) and one local day that was read
with read as (
    select
        case
            when c.source in ('argocd', 'deployments', 'releases', 'tags', 'workflow_runs', 'import deployments')
                then 'deployments'
            when c.source in ('pagerduty', 'import incidents') then 'incidents'
            when c.source in ('repositories', 'import repositories') then 'repositories'
            when c.source in ('survey', 'import responses') then 'responses'
        end as fact,
        c.source,
        c.subject,
        c.from_at,
        c.until_at
    from source.coverage as c
),

concerned as (
    select r.fact, r.source, s.service, greatest(r.from_at, s.repository_created_at) as from_at, r.until_at
    from read as r
    inner join services as s on s.repo = r.subject
    where r.source in ('deployments', 'releases', 'tags', 'workflow_runs', 'repositories')
    union all
    select r.fact, r.source, a.service, r.from_at, r.until_at
    from read as r
    inner join application_services as a on a.application = r.subject
    where r.source = 'argocd'
    union all
    select r.fact, r.source, s.service, r.from_at, r.until_at
    from read as r
    inner join services as s on s.service = r.subject or s.repo = r.subject
    where r.source in ('import deployments', 'import incidents', 'import repositories', 'import responses')
    union all
    select distinct r.fact, r.source, p.service, r.from_at, r.until_at
    from read as r
    inner join pagerduty_services as p on r.subject = '*'
    where r.fact = 'incidents'
    union all
    select r.fact, r.source, cast(null as string), r.from_at, r.until_at
    from read as r
),

-- the sources that tell of a service's deployments; where none has told of any yet, all that could
telling as (
    select distinct
        c.service,
        case
            when c.source in ('argocd', 'deployments', 'releases', 'tags', 'workflow_runs') then c.source
            else 'import deployments'
        end as source
    from candidates as c
    where c.told_by is null
),

told as (
    select distinct t.service
    from telling as t
)

select distinct c.fact, c.service, s.team, s.system, d.day
from concerned as c
left join telling as t on t.service = c.service and t.source = c.source
left join told as a on a.service = c.service
left join services as s on s.service = c.service
inner join days as d
    on d.day >= cast(local_time(c.from_at) as date)
    and d.day <= cast(local_time(c.until_at - interval 1 microsecond) as date)
where c.fact is not null and (c.fact <> 'deployments' or t.source is not null or a.service is null)
