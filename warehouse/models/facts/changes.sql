-- grain: one commit delivered to production of one service, squash merges expanded into the pull request's own commits
-- column repo: the repository
-- column sha: the commit
-- column service: the service that it was delivered to
-- column team: who owned the service then
-- column system: the system that the service was part of then
-- column deployment_source: source of the deployment that delivered it first
-- column deployment_id: id of that deployment
-- column at: when that one was in production
-- column day: the local day of at
-- column authored_at: when the change was first written; of copies of a commit the earliest
-- column lead_time_seconds: seconds from authored_at to at
-- column pull_request: the number of the pull request that it came with; empty where it came with none
-- column assisted_by: the coding agent that wrote it or helped
-- column subject: the first line of the commit's message
-- column same_as: the commit that this one is a copy of, such as the one before a rebase or a cherry-pick
-- column same_because: by which that is known
-- column is_revert: whether it undoes an earlier change
-- column is_hotfix: whether its pull request is a hotfix, by label or branch
-- column excluded_because: why it does not count; empty where it does
-- column coding_seconds: seconds of its pull request from the first commit to opened, or to ready for review
-- column pickup_seconds: seconds from there to the first review by somebody else
-- column review_seconds: seconds from there to merged
-- column unreviewed_seconds: seconds from opened, or ready for review, to merged where nobody else reviewed it
-- column deploy_seconds: seconds from merged to in production
-- column is_shared: false: a change has a row for each service that it was delivered to
-- column url: the pull request's page, or the commit's
with delivered as (
    select
        s.service,
        s.repo,
        s.sha,
        c.authored_at,
        c.subject,
        c.is_bot,
        c.assisted_by,
        cardinality(c.parents) > 1 as is_merge,
        c.reverts_sha is not null or c.subject like 'Revert "%' or c.subject like 'Reapply "%' as is_revert,
        a.source as deployment_source,
        a.id as deployment_id,
        a.team,
        a.system,
        a.at,
        a.finish_order,
        t.unknown_since,
        s.is_adrift,
        s.is_imported,
        coalesce(i.change, s.sha) as change
    from shipped as s
    inner join source.commits as c on c.repo = s.repo and c.sha = s.sha
    inner join arrivals as a on a.source = s.source and a.id = s.id and a.service = s.service
    inner join traces as t on t.source = s.source and t.id = s.id and t.service = s.service
    left join same_changes as i on i.repo = s.repo and i.sha = s.sha
),

-- what of a branch is a pull request's: its own commits, its merge commit or squash, the copies that a rebase made
of_pulls as (
    select p.repo, p.sha, p.number, p.merged_at, 1 as rank
    from pull_commits as p
    anti join squashes as q on q.repo = p.repo and q.sha = p.sha
    union all
    select l.repo, l.sha, l.number, p.merged_at, 1
    from landings as l
    inner join source.pull_requests as p on p.repo = l.repo and p.number = l.number
    union all
    select p.repo, p.merge_sha, p.number, p.merged_at, 2
    from source.pull_requests as p
    where p.merged_at is not null and p.merge_sha is not null
),

pulled as (
    select p.repo, coalesce(i.change, p.sha) as change, p.number
    from of_pulls as p
    left join same_changes as i on i.repo = p.repo and i.sha = p.sha
    qualify row_number() over (
        partition by p.repo, coalesce(i.change, p.sha)
        order by p.rank, p.merged_at, p.number
    ) = 1
),

associated as (
    select
        d.*,
        coalesce(q.number, p.number) as pull_request,
        q.number is not null as is_squash
    from delivered as d
    left join squashes as q on q.repo = d.repo and q.sha = d.sha
    left join pulled as p on p.repo = d.repo and p.change = d.change
),

-- the trailers of a squash speak of its own commits only where none of those says anything itself
squashed as (
    select s.*, max(s.assisted_by) over (partition by s.repo, s.outer_number) as any_assisted_by
    from squashed_commits as s
),

expanded as (
    select a.* except (is_squash, change), a.pull_request as outer_number
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
        case when p.any_assisted_by is null then a.assisted_by else p.assisted_by end,
        p.is_merge,
        p.is_revert,
        a.deployment_source,
        a.deployment_id,
        a.team,
        a.system,
        a.at,
        a.finish_order,
        a.unknown_since,
        a.is_adrift,
        a.is_imported,
        p.number as pull_request,
        a.pull_request as outer_number
    from associated as a
    inner join squashed as p on p.repo = a.repo and p.outer_number = a.pull_request
    where a.is_squash and not p.is_squash
),

-- a commit that reached the branch twice (its own way and inside a squash) is delivered once, the first time
repeated as (
    select e.service, e.repo, e.sha
    from expanded as e
    group by e.service, e.repo, e.sha
    having count(*) > 1
),

once as (
    select e.*
    from expanded as e
    anti join repeated as r on r.service = e.service and r.repo = e.repo and r.sha = e.sha
    union all
    (
        select e.*
        from expanded as e
        semi join repeated as r on r.service = e.service and r.repo = e.repo and r.sha = e.sha
        qualify row_number() over (
            partition by e.service, e.repo, e.sha
            order by e.finish_order, e.pull_request nulls last
        ) = 1
    )
),

-- a copy with another sha is the change that it is a copy of, delivered with the first of them
first_ones as (
    select o.service, o.repo, i.change, o.sha
    from expanded as o
    inner join same_changes as i on i.repo = o.repo and i.sha = o.sha
    qualify row_number() over (
        partition by o.service, o.repo, i.change
        order by o.finish_order, o.pull_request nulls last, o.sha
    ) = 1
),

recognised as (
    select
        o.*,
        i.same_as,
        i.method,
        coalesce(i.change, o.sha) as change,
        coalesce(f.sha, o.sha) as first_sha
    from once as o
    left join same_changes as i on i.repo = o.repo and i.sha = o.sha
    left join first_ones as f on f.service = o.service and f.repo = o.repo and f.change = i.change
),

-- what is cherry-picked with a new time was authored when the original was, and by whom
authored as (
    select i.repo, i.change, min(c.authored_at) as authored_at, max(c.assisted_by) as assisted_by
    from same_changes as i
    inner join source.commits as c on c.repo = i.repo and c.sha = i.sha
    group by i.repo, i.change
),

-- the earliest of what is known
dated as (
    select
        o.*,
        least(f.authored_at, o.authored_at) as first_authored_at,
        f.assisted_by as copy_assisted_by
    from recognised as o
    left join authored as f on f.repo = o.repo and f.change = o.change
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
    o.first_authored_at as authored_at,
    seconds_between(o.first_authored_at, o.at) as lead_time_seconds,
    o.pull_request,
    coalesce(o.assisted_by, g.assisted_by, o.copy_assisted_by) as assisted_by,
    o.subject,
    coalesce(o.same_as, l.own_sha) as same_as,
    coalesce(o.method, case when l.own_sha is not null then 'rebased by its pull request' end) as same_because,
    o.is_revert or coalesce(p.reverts, w.reverts, x.reverts) is not null as is_revert,
    coalesce(p.is_hotfix or w.is_hotfix or x.is_hotfix, false) as is_hotfix,
    case
        when o.is_merge then 'merge commit'
        when o.is_bot then 'bot'
        when b.change is not null then 'history: in the first traced deployment already'
        when o.is_imported then 'imported history: it came in with a root of its own'
        when o.sha <> o.first_sha then 'the same change as ' || substr(o.first_sha, 1, 12) || ': ' || o.method
        when o.authored_at is null then 'authored at an unknown time'
        when o.is_adrift then 'unknown whether new: the known history ends before anything deployed earlier'
        when o.unknown_since is not null
            then 'shipped at an unknown time between ' || cast(o.unknown_since as string) || ' and ' || cast(o.at as string) || ' UTC'
        when o.first_authored_at > o.at then 'authored after its deployment (clock skew)'
    end as excluded_because,
    p.coding_seconds,
    p.pickup_seconds,
    p.review_seconds,
    p.unreviewed_seconds,
    case when p.merged_at <= o.at then seconds_between(p.merged_at, o.at) end as deploy_seconds,
    false as is_shared,
    coalesce(p.url, r.url || '/commit/' || o.sha) as url
from dated as o
left join baseline_changes as b on b.service = o.service and b.repo = o.repo and b.change = o.change
left join landings as l on l.repo = o.repo and l.sha = o.sha and l.number = o.pull_request
left join source.pull_requests as g on g.repo = o.repo and g.number = o.pull_request
left join pull_stages as p on p.repo = o.repo and p.number = o.pull_request
-- the one into which it was squashed last
left join pull_stages as w on w.repo = o.repo and w.number = o.outer_number and o.outer_number <> o.pull_request
-- the first one that it was in, where it was picked from there
left join pulled as q on q.repo = o.repo and q.change = o.change
left join pull_stages as x on x.repo = q.repo and x.number = q.number
left join source.repositories as r on r.repo = o.repo
