-- grain: one deployment that its source tells to be to production, and to which environment
select d.source, d.id, coalesce(d.environment, 'production') as environment
from source.deployments as d
inner join production_environments as p on p.environment = coalesce(d.environment, 'production')
where d.source not in ('argocd', 'releases', 'tags')
union all
select d.source, d.id, concat_ws('/', d.cluster, d.namespace)
from source.deployments as d
inner join production_applications as p
    on p.application = d.application
    and p.project is not distinct from d.project
    and p.cluster is not distinct from d.cluster
    and p.namespace is not distinct from d.namespace
where d.source = 'argocd'
union all
select d.source, d.id, t.environment
from source.deployments as d
inner join tag_environments as t on t.ref = d.ref
where d.source in ('releases', 'tags')
