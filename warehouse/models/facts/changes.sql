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
-- the deployment of each is known by its place in order until the end
with delivered as (
    select
        s.service,
        s.repo,
        s.sha,
        a.finish_order,
        s.is_adrift,
        s.is_imported,
        c.authored_at,
        c.subject,
        c.is_bot,
        c.assisted_by,
        c.is_merge,
        c.is_revert,
        i.change,
        i.same_as,
        i.method,
        q.number as squash_number
    from shipped as s
    inner join arrivals as a on a.source = s.source and a.id = s.id and a.service = s.service
    inner join
        (
            select
                c.repo,
                c.sha,
                c.authored_at,
                c.subject,
                c.is_bot,
                c.assisted_by,
                cardinality(c.parents) > 1 as is_merge,
                c.reverts_sha is not null or c.subject like 'Revert "%' or c.subject like 'Reapply "%' as is_revert
            from source.commits as c
        ) as c
        on c.repo = s.repo and c.sha = s.sha
    left join same_changes as i on i.repo = s.repo and i.sha = s.sha
    left join squashes as q on q.repo = s.repo and q.sha = s.sha
),

merged as (
    select p.repo, p.number, p.merge_sha, row_number() over (order by p.merged_at, p.number, p.repo) as merge_order
    from source.pull_requests as p
    where p.merged_at is not null and p.merge_sha is not null
),

-- what of a branch is a pull request's: its own commits, the copies that a rebase made, its merge commit or squash
of_pulls as (
    select p.repo, p.sha, p.number, 1 as rank
    from pull_commits as p
    anti join squashes as q on q.repo = p.repo and q.sha = p.sha
    union all
    select l.repo, l.sha, l.number, 1
    from landings as l
    union all
    select m.repo, m.merge_sha, m.number, 2
    from merged as m
),

pulled as (
    select
        p.repo,
        coalesce(i.change, p.sha) as change,
        coalesce(
            min_by(p.number, m.merge_order) filter (where p.rank = 1),
            min_by(p.number, m.merge_order) filter (where p.rank = 2)
        ) as number
    from of_pulls as p
    inner join merged as m on m.repo = p.repo and m.number = p.number
    left join same_changes as i on i.repo = p.repo and i.sha = p.sha
    group by p.repo, coalesce(i.change, p.sha)
),

-- the trailers of a squash speak of its own commits only where none of those says anything itself
squashed as (
    select s.*, max(s.assisted_by) over (partition by s.repo, s.outer_number) as any_assisted_by
    from squashed_commits as s
),

within as (
    select
        d.service,
        d.repo,
        p.sha,
        d.finish_order,
        d.is_adrift,
        d.is_imported,
        p.authored_at,
        p.title as subject,
        p.is_bot,
        case when p.any_assisted_by is null then d.assisted_by else p.assisted_by end as assisted_by,
        p.is_merge,
        p.is_revert,
        i.change,
        i.same_as,
        i.method,
        d.squash_number as outer_number,
        p.number
    from delivered as d
    inner join squashed as p on p.repo = d.repo and p.outer_number = d.squash_number
    left join same_changes as i on i.repo = p.repo and i.sha = p.sha
    where d.squash_number is not null and not p.is_squash
),

-- of each the pull request that it came with, and the first one that it was in, where it was picked from there
expanded as (
    select e.*, coalesce(e.number, p.number) as pull_request, p.number as first_number
    from (
        select d.* except (squash_number), cast(null as bigint) as outer_number, cast(null as bigint) as number
        from delivered as d
        where d.squash_number is null
        union all
        select w.*
        from within as w
    ) as e
    left join pulled as p on p.repo = e.repo and p.change = coalesce(e.change, e.sha)
),

-- a commit that reached the branch twice (its own way and inside a squash) is delivered once, the first time
repeated as (
    select w.service, w.repo, w.sha
    from within as w
    group by w.service, w.repo, w.sha
    having count(*) > 1
    union
    select s.service, s.repo, s.sha
    from shipped as s
    inner join within as w on w.service = s.service and w.repo = s.repo and w.sha = s.sha
    anti join squashes as q on q.repo = s.repo and q.sha = s.sha
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
    select o.service, o.repo, o.change, o.sha
    from once as o
    where o.change is not null
    qualify row_number() over (
        partition by o.service, o.repo, o.change
        order by o.finish_order, o.pull_request nulls last, o.sha
    ) = 1
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
        o.* except (change),
        coalesce(o.change, o.sha) as change,
        coalesce(f.sha, o.sha) as first_sha,
        least(w.authored_at, o.authored_at) as first_authored_at,
        w.assisted_by as copy_assisted_by
    from once as o
    left join first_ones as f on f.service = o.service and f.repo = o.repo and f.change = o.change
    left join authored as w on w.repo = o.repo and w.change = o.change
)

select
    o.repo,
    o.sha,
    o.service,
    a.team,
    a.system,
    a.source as deployment_source,
    a.id as deployment_id,
    a.at,
    cast(local_time(a.at) as date) as day,
    o.first_authored_at as authored_at,
    seconds_between(o.first_authored_at, a.at) as lead_time_seconds,
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
        when a.unknown_since is not null
            then 'shipped at an unknown time between ' || cast(a.unknown_since as string) || ' and ' || cast(a.at as string) || ' UTC'
        when o.first_authored_at > a.at then 'authored after its deployment (clock skew)'
    end as excluded_because,
    p.coding_seconds,
    p.pickup_seconds,
    p.review_seconds,
    p.unreviewed_seconds,
    case when p.merged_at <= a.at then seconds_between(p.merged_at, a.at) end as deploy_seconds,
    false as is_shared,
    coalesce(p.url, r.url || '/commit/' || o.sha) as url
from dated as o
inner join arrivals as a on a.finish_order = o.finish_order
left join baseline_changes as b on b.service = o.service and b.repo = o.repo and b.change = o.change
left join landings as l on l.repo = o.repo and l.sha = o.sha and l.number = o.pull_request
left join source.pull_requests as g on g.repo = o.repo and g.number = o.pull_request
left join pull_stages as p on p.repo = o.repo and p.number = o.pull_request
-- the one into which it was squashed last
left join pull_stages as w on w.repo = o.repo and w.number = o.outer_number and o.outer_number <> o.pull_request
left join pull_stages as x on x.repo = o.repo and x.number = o.first_number
left join source.repositories as r on r.repo = o.repo
