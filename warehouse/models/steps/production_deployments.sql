-- grain: one deployment that its source tells to be to production, to which environment, and why it is none after all
with prereleases as (
    select distinct d.repo, d.ref
    from source.deployments as d
    where d.is_prerelease
)

select
    d.source,
    d.id,
    coalesce(d.environment, 'production') as environment,
    cast(null as string) as no_deployment_because
from source.deployments as d
inner join production_environments as p on p.environment = coalesce(d.environment, 'production')
where d.source not in ('argocd', 'releases', 'tags')
union all
select d.source, d.id, concat_ws('/', d.cluster, d.namespace), cast(null as string)
from source.deployments as d
inner join production_applications as p
    on p.application = d.application
    and p.project is not distinct from d.project
    and p.cluster is not distinct from d.cluster
    and p.namespace is not distinct from d.namespace
where d.source = 'argocd'
union all
select
    d.source,
    d.id,
    t.environment,
    case when r.ref is not null and not t.with_prereleases then 'pre-release' end
from source.deployments as d
inner join tag_environments as t on t.ref = d.ref
left join prereleases as r on r.repo = d.repo and r.ref = d.ref
where d.source in ('releases', 'tags')
