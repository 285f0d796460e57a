-- grain: one service, one reading day, one guardrail and one object: whether it held, unknown where that is null
with of_objects as (
    select u.day, u.service, u.rule, o.kind, o.namespace, o.name, o.application, j.holds, j.reason, o.seen_at, o.url
    from guarded_rules as u
    inner join service_objects as o on o.service = u.service and o.day = u.day
    inner join judged_objects as j
        on j.source = o.source
        and j.application = o.application
        and j.kind = o.kind
        and j.namespace = o.namespace
        and j.name = o.name
        and j.from_at = o.from_at
        and j.rule = u.rule
),

-- a namespace is judged where a workload of the service runs
of_namespaces as (
    select
        u.day,
        u.service,
        u.rule,
        o.cluster,
        o.namespace,
        min(o.application) as application,
        max(o.seen_at) as seen_at,
        max(o.url) as url
    from guarded_rules as u
    inner join service_objects as o on o.service = u.service and o.day = u.day
    where
        u.rule = 'Network policy'
        and o.kind in ('Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job', 'Pod', 'Rollout')
    group by u.day, u.service, u.rule, o.cluster, o.namespace
),

unread_there as (
    select distinct a.day, a.cluster, a.namespace
    from guarded_applications as a
    where a.read_at is null
),

of_policies as (
    select
        n.day,
        n.service,
        n.rule,
        'Namespace' as kind,
        n.namespace,
        n.namespace as name,
        n.application,
        case
            when d.denied = 2 then true
            when d.denied = 1 or w.namespace is not null then cast(null as boolean)
            else false
        end as holds,
        case
            when d.denied = 2 then cast(null as string)
            when d.denied = 1 then 'a policy of it could not be read'
            when w.namespace is not null then 'not all that runs there was read'
            else 'no policy denies by default'
        end as reason,
        n.seen_at,
        n.url
    from of_namespaces as n
    left join denied_namespaces as d
        on d.day = n.day and d.cluster is not distinct from n.cluster and d.namespace = n.namespace
    left join unread_there as w
        on w.day = n.day and w.cluster is not distinct from n.cluster and w.namespace = n.namespace
),

of_scans as (
    select
        u.day,
        u.service,
        u.rule,
        'Service' as kind,
        cast(null as string) as namespace,
        u.service as name,
        cast(null as string) as application,
        s.holds,
        case when s.service is null then 'no scan of its deployments was read' else s.reason end as reason,
        cast(null as timestamp) as seen_at,
        s.url
    from guarded_rules as u
    left join scanning_evidence as s on s.service = u.service and s.day = u.day
    where u.rule = 'Security scanning'
),

unread as (
    select
        u.day,
        u.service,
        u.rule,
        'Application' as kind,
        a.namespace,
        a.application as name,
        a.application,
        cast(null as boolean) as holds,
        'what it runs was not read' as reason,
        cast(null as timestamp) as seen_at,
        a.url
    from guarded_rules as u
    inner join claims as c on c.kind = 'application' and c.service = u.service
    inner join guarded_applications as a on a.application = c.value and a.day = u.day and a.read_at is null
    where u.rule <> 'Security scanning'
),

found as (
    select * from of_objects
    union all
    select * from of_policies
    union all
    select * from of_scans
    union all
    select * from unread
),

seen as (
    select distinct a.day, c.service
    from guarded_applications as a
    inner join claims as c on c.kind = 'application' and c.value = a.application
    union
    select o.day, o.service
    from service_objects as o
),

-- what has no plain secrets and no roles is right without any; what has no workload is not seen to run
without_objects as (
    select
        u.day,
        u.service,
        u.rule,
        'Service' as kind,
        cast(null as string) as namespace,
        u.service as name,
        cast(null as string) as application,
        case when s.service is not null and u.rule in ('Secrets', 'Least privilege') then true end as holds,
        case
            when s.service is null then 'nothing that it runs in production was read'
            when u.rule not in ('Secrets', 'Least privilege') then 'no workload of it was read'
        end as reason,
        cast(null as timestamp) as seen_at,
        cast(null as string) as url
    from guarded_rules as u
    left join found as f on f.day = u.day and f.service = u.service and f.rule = u.rule
    left join seen as s on s.day = u.day and s.service = u.service
    where f.rule is null
)

select * from found
union all
select * from without_objects
