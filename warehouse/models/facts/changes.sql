-- grain: one commit delivered to production of one service, squash merges expanded into the pull request's own commits
with delivered as (
    select
        s.service,
        s.repo,
        s.sha,
        c.authored_at,
        c.committed_at,
        c.subject,
        c.is_bot,
        cardinality(c.parents) > 1 as is_merge,
        c.reverts_sha is not null or c.subject like 'Revert "%' as is_revert,
        a.source as deployment_source,
        a.id as deployment_id,
        a.team,
        a.system,
        a.at,
        a.finish_order,
        t.unknown_since,
        s.is_adrift
    from shipped as s
    inner join source.commits as c on c.repo = s.repo and c.sha = s.sha
    inner join arrivals as a on a.source = s.source and a.id = s.id and a.service = s.service
    inner join traces as t on t.source = s.source and t.id = s.id and t.service = s.service
),

-- a commit's pull request: the one that it is the squash of, else the one that it was committed for (its own commit,
-- its merge commit, or a rebased copy that was committed by the merge), the first to be merged
pulled as (
    select d.service, d.repo, d.sha, p.number, p.merged_at, true as is_squash, 1 as rank
    from delivered as d
    inner join pull_commits as p on p.repo = d.repo and p.merge_sha = d.sha and p.is_squashed
    union all
    select d.service, d.repo, d.sha, p.number, p.merged_at, false, 2
    from delivered as d
    inner join pull_commits as p on p.repo = d.repo and p.sha = d.sha
    union all
    select d.service, d.repo, d.sha, p.number, p.merged_at, false, 3
    from delivered as d
    inner join source.pull_requests as p on p.repo = d.repo and p.merge_sha = d.sha
    where p.merged_at is not null
    union all
    select d.service, d.repo, d.sha, p.number, p.merged_at, false, 4
    from delivered as d
    inner join pull_commits as p
        on p.repo = d.repo
        and p.authored_at = d.authored_at
        and not p.is_squashed
        and abs(seconds_between(p.merged_at, d.committed_at)) <= 60
),

associated as (
    select
        d.*,
        p.number as pull_request,
        coalesce(p.is_squash, false) as is_squash
    from delivered as d
    left join (
        select *
        from pulled
        qualify row_number() over (partition by service, repo, sha order by rank, merged_at, number) = 1
    ) as p
        on p.service = d.service and p.repo = d.repo and p.sha = d.sha
),

expanded as (
    select a.* except (is_squash, committed_at)
    from associated as a
    where not a.is_squash
    union all
    select
        a.service,
        a.repo,
        p.sha,
        p.authored_at,
        p.title,
        p.is_bot,
        p.is_merge,
        a.is_revert,
        a.deployment_source,
        a.deployment_id,
        a.team,
        a.system,
        a.at,
        a.finish_order,
        a.unknown_since,
        a.is_adrift,
        a.pull_request
    from associated as a
    inner join pull_commits as p on p.repo = a.repo and p.number = a.pull_request
    where a.is_squash
),

-- a commit that reached the branch twice (its own way and inside a squash) is delivered once, the first time
once as (
    select *
    from expanded as e
    qualify row_number() over (
        partition by e.service, e.repo, e.sha
        order by e.finish_order, e.pull_request nulls last
    ) = 1
),

-- what a pull request's commits were before the first traced deployment: there themselves, or in their squash
baseline as (
    select b.service, b.repo, b.sha
    from baselined as b
    union
    select b.service, b.repo, p.sha
    from baselined as b
    inner join pull_commits as p on p.repo = b.repo and p.merge_sha = b.sha and p.is_squashed
)

select
    o.repo,
    o.sha,
    o.service,
    o.team,
    o.system,
    o.deployment_source,
    o.deployment_id,
    o.at,
    cast(local_time(o.at) as date) as day,
    o.authored_at,
    seconds_between(o.authored_at, o.at) as lead_time_seconds,
    o.pull_request,
    o.subject,
    o.is_revert or coalesce(p.reverts is not null, false) as is_revert,
    coalesce(p.is_hotfix, false) as is_hotfix,
    case
        when o.is_merge then 'merge commit'
        when o.is_bot then 'bot'
        when b.sha is not null then 'history: in the first traced deployment already'
        when o.is_adrift then 'unknown whether new: the known history ends before anything deployed earlier'
        when o.unknown_since is not null
            then 'shipped at an unknown time between ' || cast(o.unknown_since as string) || ' and ' || cast(o.at as string) || ' UTC'
        when o.authored_at > o.at then 'authored after its deployment (clock skew)'
    end as excluded_because,
    p.coding_seconds,
    p.pickup_seconds,
    p.review_seconds,
    case when p.merged_at <= o.at then seconds_between(p.merged_at, o.at) end as deploy_seconds,
    false as is_shared,
    coalesce(p.url, r.url || '/commit/' || o.sha) as url
from once as o
left join baseline as b on b.service = o.service and b.repo = o.repo and b.sha = o.sha
left join pull_stages as p on p.repo = o.repo and p.number = o.pull_request
left join source.repositories as r on r.repo = o.repo
