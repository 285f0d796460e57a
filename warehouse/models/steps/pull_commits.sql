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

-- squashed and then merged: what the merge brings is one commit that is none of the pull request's own, and no copy of one
below as (
    select p.repo, p.number, s.sha
    from source.pull_requests as p
    inner join source.commits as m on m.repo = p.repo and m.sha = p.merge_sha and cardinality(m.parents) = 2
    cross join lateral unnest(m.parents) as u (parent)
    inner join source.commits as s
        on s.repo = m.repo
        and s.sha = u.parent
        and array_position(m.parents, s.sha) = 2
        and cardinality(s.parents) = 1
    cross join lateral unnest(s.parents) as b (base)
    where
        p.merged_at is not null
        and array_position(m.parents, b.base) = 1
        and not exists (select 1 from unnested as o where o.repo = p.repo and o.number = p.number and o.sha = s.sha)
        and not exists (select 1 from landings as l where l.repo = p.repo and l.number = p.number)
),

placed as (
    select u.* except (merge_sha), coalesce(b.sha, u.merge_sha) as merge_sha
    from unnested as u
    left join below as b on b.repo = u.repo and b.number = u.number
),

-- a squash merge put one commit with one parent on the branch that is none of the pull request's own, and no copy of one
squashed as (
    select distinct u.repo, u.number, m.reverts_sha
    from placed as u
    inner join source.commits as m on m.repo = u.repo and m.sha = u.merge_sha
    where
        cardinality(m.parents) = 1
        and not exists (select 1 from placed as o where o.repo = u.repo and o.number = u.number and o.sha = u.merge_sha)
        and not exists (select 1 from landings as l where l.repo = u.repo and l.number = u.number)
),

wholes as (
    select
        u.repo,
        u.number,
        count_if(u.is_revert) as reverts,
        count_if(not u.is_merge) as written,
        min(u.authored_at) filter (where not u.is_merge) as first_authored_at
    from unnested as u
    group by u.repo, u.number
)

select
    u.* except (is_titled_revert, is_revert),
    s.number is not null as is_squashed,
    -- where no title of its own says which it is, that of the whole holds for all of them
    u.is_revert or (
        w.reverts = 0 and (u.is_titled_revert or (s.reverts_sha is not null and w.written = 1))
    ) as is_revert,
    w.first_authored_at
from placed as u
inner join wholes as w on w.repo = u.repo and w.number = u.number
left join squashed as s on s.repo = u.repo and s.number = u.number
