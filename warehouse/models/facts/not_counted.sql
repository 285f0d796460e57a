-- grain: one reason for which deployments and runs that a source told stand in no other table, with how many
with told as (
    select
        d.source,
        case
            when not coalesce(k.enabled, true) then 'its source is switched off in deployments.sources'
            when p.id is null and d.source in ('releases', 'tags') then 'of no tag that deployments.tags names'
            when p.id is null and d.source = 'argocd' then 'not production: ' || concat_ws('/', d.cluster, d.namespace)
            when p.id is null then 'not production: ' || coalesce(d.environment, 'production')
            when c.id is null and d.application is not null
                then 'of no service: nobody claims ' || coalesce(d.unit, d.application)
            when c.id is null then 'of no service: it names none, and no repository'
            else 'changes nothing of the services that share its repository'
        end as reason
    from source.deployments as d
    left join source_ranks as k on k.source = d.source
    left join production_deployments as p on p.source = d.source and p.id = d.id
    left join (select distinct c.source, c.id from candidates as c) as c on c.source = d.source and c.id = d.id
    left join (select distinct a.source, a.id from deployments as a) as a on a.source = d.source and a.id = d.id
    where a.id is null
    union all
    select 'workflow_runs', 'of no workflow that deploys to production: ' || r.workflow
    from source.workflow_runs as r
    left join workflow_deployments as w
        on w.repo = r.repo and w.run_id = r.id and w.attempt = r.attempt
    where w.id is null
    union all
    select
        'workflow_runs',
        case
            when not coalesce(k.enabled, true) then 'its source is switched off in deployments.sources'
            when c.id is null then 'of no service: nobody claims ' || w.repo
            else 'changes nothing of the services that share its repository'
        end
    from workflow_deployments as w
    left join source_ranks as k on k.source = 'workflow_runs'
    left join (select distinct c.id from candidates as c where c.source = 'workflow_runs') as c on c.id = w.id
    left join (select distinct a.id from deployments as a where a.source = 'workflow_runs') as a on a.id = w.id
    where a.id is null
)

select t.source, t.reason, count(*) as entries
from told as t
group by t.source, t.reason
