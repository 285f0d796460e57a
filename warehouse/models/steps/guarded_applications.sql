-- grain: one production application of Argo CD and one reading day on which Argo CD had it
with told as (
    select
        coalesce(d.unit, d.application) as application,
        max_by(d.cluster, coalesce(d.finished_at, d.started_at)) filter (where d.cluster is not null) as cluster,
        max_by(d.namespace, coalesce(d.finished_at, d.started_at)) filter (where d.namespace is not null) as namespace,
        max_by(d.url, coalesce(d.finished_at, d.started_at)) filter (where d.url is not null) as url
    from source.deployments as d
    inner join production_applications as p
        on p.application = d.application
        and p.project is not distinct from d.project
        and p.cluster is not distinct from d.cluster
        and p.namespace is not distinct from d.namespace
    where d.source = 'argocd'
    group by coalesce(d.unit, d.application)
),

-- what was there and what it ran is read daily where it changed, and weekly in any case
read as (
    select
        c.source,
        c.subject,
        c.until_at,
        cast(local_time(c.from_at) as date) as first_day,
        cast(local_time(c.until_at) as date) + 8 as until_day
    from source.coverage as c
    where c.source in ('argocd', 'managed_objects')
)

select r.day, t.application, t.cluster, t.namespace, t.url, max(o.until_at) as read_at
from told as t
inner join read as a on a.source = 'argocd' and a.subject = t.application
inner join reading_days as r on a.first_day <= r.day and r.day <= a.until_day
left join read as o
    on o.source = 'managed_objects'
    and o.subject = t.application
    and o.first_day <= r.day
    and r.day <= o.until_day
group by r.day, t.application, t.cluster, t.namespace, t.url
