-- grain: one own commit of a merged pull request, as it was before the merge
with unnested as (
    select
        p.repo,
        p.number,
        coalesce(c.subject, p.title) as title,
        p.merge_sha,
        p.merged_at,
        p.base_branch,
        c.sha,
        c.authored_at,
        c.is_merge,
        c.is_bot,
        c.assisted_by,
        p.title like 'Revert "%' or p.title like 'Reapply "%' as is_titled_revert,
        coalesce(c.subject like 'Revert "%' or c.subject like 'Reapply "%', false) as is_revert
    from source.pull_requests as p
    cross join lateral unnest(p.commits) as u (c)
    where p.merged_at is not null and p.merge_sha is not null
),

wholes as (
    select
        u.repo,
        u.number,
        max(u.merge_sha) as merge_sha,
        bool_or(u.sha = u.merge_sha) as is_own_merged,
        count_if(u.is_revert) as reverts,
        count_if(not u.is_merge) as written,
        min(u.authored_at) filter (where not u.is_merge) as first_authored_at
    from unnested as u
    group by u.repo, u.number
),

-- squashed and then merged: what the merge brings is one commit that is none of the pull request's own, and no copy of one
below as (
    select w.repo, w.number, s.sha
    from wholes as w
    inner join source.commits as m on m.repo = w.repo and m.sha = w.merge_sha and cardinality(m.parents) = 2
    cross join lateral unnest(m.parents) as u (parent)
    inner join source.commits as s
        on s.repo = m.repo
        and s.sha = u.parent
        and array_position(m.parents, s.sha) = 2
        and cardinality(s.parents) = 1
    cross join lateral unnest(s.parents) as b (base)
    where array_position(m.parents, b.base) = 1
),

brought as (
    select b.*
    from below as b
    anti join unnested as o on o.repo = b.repo and o.number = b.number and o.sha = b.sha
    anti join landings as l on l.repo = b.repo and l.number = b.number
),

placed as (
    select
        w.* except (merge_sha),
        coalesce(b.sha, w.merge_sha) as merge_sha
    from wholes as w
    left join brought as b on b.repo = w.repo and b.number = w.number
),

-- a squash merge put one commit with one parent on the branch that is none of the pull request's own, and no copy of one
squashed as (
    select p.repo, p.number, m.reverts_sha
    from placed as p
    inner join source.commits as m on m.repo = p.repo and m.sha = p.merge_sha and cardinality(m.parents) = 1
    left join brought as b on b.repo = p.repo and b.number = p.number
    anti join landings as l on l.repo = p.repo and l.number = p.number
    where not p.is_own_merged or b.sha is not null
),

merged as (
    select
        p.repo,
        p.number,
        p.merge_sha,
        p.first_authored_at,
        s.number is not null as is_squashed,
        -- where no title of its own says which it is, that of the whole holds for all of them
        p.reverts = 0 as is_told_by_whole,
        s.reverts_sha is not null and p.written = 1 as is_whole_revert
    from placed as p
    left join squashed as s on s.repo = p.repo and s.number = p.number
)

select
    u.* except (merge_sha, is_titled_revert, is_revert),
    m.merge_sha,
    m.is_squashed,
    u.is_revert or (m.is_told_by_whole and (u.is_titled_revert or m.is_whole_revert)) as is_revert,
    m.first_authored_at
from unnested as u
inner join merged as m on m.repo = u.repo and m.number = u.number
