-- grain: one production deployment of one service, counted or left out with the reason
-- column source: who told of it: argocd, deployments, workflow_runs, releases, tags, or the word that an import gave
-- column id: what it is known by at its source
-- column service: the service that was deployed
-- column team: who owned the service then
-- column system: the system that the service was part of then
-- column repo: the repository that the commit is of
-- column environment: where to, as the source calls it
-- column at: when it was in production; empty where it never was, or nobody knows when
-- column day: the local day of at
-- column listed_day: the local day under which it is listed: of at, or where that is unknown of started_at
-- column started_at: when it began to run
-- column sha: the commit that was deployed; empty where that is unknown
-- column sha_method: how that commit was found
-- column ref: the branch or tag
-- column revision: tells apart what was deployed: commit, images and configuration
-- column status: how it ended at its source: success, failure, cancelled or running
-- column kind: deployment, configuration change, rollback, roll-forward, repeat, duplicate, unsuccessful and so on
-- column excluded_because: why it does not count; empty where it does
-- column rate_excluded_because: why Deployment Frequency does not count it; empty where it does
-- column told_by: of a duplicate, the source that tells of this service's deployments
-- column counted_as_source: source of the counted deployment that it stands for; of a repeat or duplicate another one's
-- column counted_as_id: id of that one
-- column is_watched: whether anybody reads the incidents of the service on that day, so that a failure would be known
-- column failed: 1 where there is evidence that it failed, else 0
-- column failed_by: the strongest kind of that evidence: link, rollback, revert, change event or window
-- column failed_evidence: that evidence in words
-- column evidence_count: how many pieces of evidence there are
-- column rework: 1 where it was only there to mend an earlier one, else 0
-- column rework_because: by which that is known: rollback, hotfix, revert, or the incident that it resolved
-- column rework_excluded_because: why Deployment Rework Rate does not count it; empty where it does
-- column is_baseline: whether it is the first traced one of its service: what it ships was there before
-- column changes: how many changes it delivered that count
-- column assisted_by: the coding agents that helped with what it shipped
-- column new_commits: how many commits it brought that were not deployed before; empty where that is unknown
-- column unrelated_commits: how many of them touch no path of the service, in a repository of several
-- column config_repo: the configuration repository that it was deployed from
-- column config_sha: that one's commit
-- column is_shared: whether the same deployment was to several services, each of which has a row
-- column url: its page at the source
with strongest as (
    select e.*, count(*) over (partition by e.source, e.id, e.service) as pieces
    from evidence as e
    qualify row_number() over (
        partition by e.source, e.id, e.service order by e.rank, e.detail, e.by_source, e.by_id
    ) = 1
),

watched as (
    select distinct c.service, c.day
    from covered_days as c
    where c.fact = 'incidents' and c.service is not null
),

covered as (
    select distinct c.service, c.day
    from covered_days as c
    where c.fact = 'deployments'
),

delivered as (
    select c.deployment_source, c.deployment_id, c.service, count(*) as changes
    from changes as c
    where c.excluded_because is null
    group by c.deployment_source, c.deployment_id, c.service
),

-- what it shipped, or, of a rollback, what the deployment shipped that it blames
helped as (
    select c.deployment_source, c.deployment_id, c.assisted_by
    from changes as c
    where c.excluded_because is null and c.assisted_by is not null
    union
    select r.rollback_source, r.rollback_id, c.assisted_by
    from rollbacks as r
    inner join changes as c
        on c.deployment_source = r.source and c.deployment_id = r.id and c.service = r.service
    where r.is_blamed and c.excluded_because is null and c.assisted_by is not null
),

-- of all services that it was to: one deployment is assisted or not
assisted as (
    select
        h.deployment_source,
        h.deployment_id,
        in_order(array_agg(distinct h.assisted_by), ', ') as assisted_by
    from helped as h
    group by h.deployment_source, h.deployment_id
)

select
    a.source,
    a.id,
    a.service,
    a.team,
    a.system,
    a.repo,
    a.environment,
    a.at,
    cast(local_time(a.at) as date) as day,
    cast(local_time(coalesce(a.at, a.started_at)) as date) as listed_day,
    a.started_at,
    a.sha,
    a.sha_method,
    a.ref,
    a.revision,
    a.status,
    a.kind,
    a.excluded_because,
    -- a rate is of the days that are covered
    coalesce(a.excluded_because, case when v.day is null then 'on a day that no source covers' end)
        as rate_excluded_because,
    a.told_by,
    a.counted_as_source,
    a.counted_as_id,
    w.day is not null as is_watched,
    case when e.method is null then 0 else 1 end as failed,
    e.method as failed_by,
    e.detail as failed_evidence,
    coalesce(e.pieces, 0) as evidence_count,
    case when k.reason is null then 0 else 1 end as rework,
    k.reason as rework_because,
    case when a.excluded_because = 'rollback' then null else a.excluded_because end as rework_excluded_because,
    coalesce(a.is_baseline, false) as is_baseline,
    coalesce(d.changes, 0) as changes,
    s.assisted_by,
    a.new_commits,
    a.unrelated_commits,
    a.config_repo,
    a.config_sha,
    count(*) over (partition by a.source, a.id) > 1 as is_shared,
    a.url
from arrivals as a
left join strongest as e
    on e.source = a.source and e.id = a.id and e.service = a.service and a.excluded_because is null
left join rework as k on k.source = a.source and k.id = a.id and k.service = a.service
left join watched as w on w.service = a.service and w.day = cast(local_time(a.at) as date)
left join covered as v on v.service = a.service and v.day = cast(local_time(a.at) as date)
left join delivered as d on d.deployment_source = a.source and d.deployment_id = a.id and d.service = a.service
left join assisted as s on s.deployment_source = a.source and s.deployment_id = a.id
