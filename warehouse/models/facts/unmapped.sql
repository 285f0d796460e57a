-- grain: one name that a source gives and no component of the catalogue claims
select
    'Argo CD application' as kind,
    coalesce(d.unit, d.application) as name,
    count(*) as entries
from source.deployments as d
inner join production_deployments as p on p.source = d.source and p.id = d.id
left join claims as a on a.kind = 'application' and a.value = coalesce(d.unit, d.application)
where d.source = 'argocd' and d.service is null and a.service is null
group by coalesce(d.unit, d.application)
union all
select 'PagerDuty service', i.source_service, count(*)
from source.incidents as i
left join claims as p on p.kind = 'PagerDuty service' and p.value = i.source_service
where i.service is null and i.source_service is not null and p.service is null and i.source <> 'github_issues'
group by i.source_service
union all
select 'incident without a service', '', count(*)
from source.incidents as i
where i.service is null and i.source_service is null
having count(*) > 0
union all
select
    case when max(s.repo) = s.service then 'repository' else 'service of an import' end,
    s.service,
    count(c.id)
from services as s
left join candidates as c on c.service = s.service
where not s.mapped
group by s.service
union all
-- what is still told by the name of a component that the catalogue no longer has
select 'service of an import', s.service, count(*)
from services as s
inner join (
    select d.service, coalesce(d.finished_at, d.started_at) as at
    from source.deployments as d
    union all
    select i.service, coalesce(i.resolved_at, i.opened_at)
    from source.incidents as i
) as t on t.service = s.service and t.at > s.gone_at
group by s.service
