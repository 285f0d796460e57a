-- grain: one repository and one service that it belongs to
-- column repo: the repository, owner/name
-- column service: the service that it belongs to; one that several share has a row for each
-- column team: who owned the service when the repository was created
-- column system: the system that the service was part of then
-- column at: the time by which Time to First Deployment counts it: of the first deployment, else of the creation
-- column day: the local day of at
-- column created_at: when the repository was created
-- column deployed_at: when the first counted deployment of the service was in production
-- column seconds: seconds from created_at to deployed_at
-- column excluded_because: why it does not count; empty where it does
-- column is_shared: whether it belongs to several services, each of which has a row
-- column url: the first deployment's page, else the repository's
with first_ones as (
    select d.service, d.at, d.url
    from deployments as d
    where d.excluded_because is null and d.at is not null
    qualify row_number() over (partition by d.service order by d.at, d.source, d.id) = 1
),

read_from as (
    select c.service, min(c.from_at) as from_at
    from service_coverage as c
    where c.fact = 'deployments'
    group by c.service
)

select
    r.repo,
    r.service,
    r.team,
    r.system,
    coalesce(f.at, r.created_at) as at,
    cast(local_time(coalesce(f.at, r.created_at)) as date) as day,
    r.created_at,
    f.at as deployed_at,
    case when f.at >= r.created_at then seconds_between(r.created_at, f.at) end as seconds,
    case
        when r.service is null then 'of no service'
        when r.excluded_because in ('fork', 'mirror') then r.excluded_because
        when r.excluded_because like 'imported history%' then r.excluded_because
        when w.service is not null and f.at is null then w.reason
        when f.at < r.created_at then 'deployed before its repository was created'
        when c.from_at is null or c.from_at > r.created_at
            then 'unknown: the deployments of its first days were not read'
        when f.at is null then 'open: not deployed yet'
    end as excluded_because,
    r.is_shared,
    coalesce(f.url, r.url) as url
from repositories as r
left join first_ones as f on f.service = r.service
left join read_from as c on c.service = r.service
left join without_deployments as w on w.service = r.service
