-- grain: one own commit of a merged pull request, as it was before the merge
with unnested as (
    select
        p.repo,
        p.number,
        p.title,
        p.merge_sha,
        p.merged_at,
        c.sha,
        c.authored_at,
        c.is_merge,
        c.is_bot,
        array_position(p.commits, c) as place
    from source.pull_requests as p
    cross join lateral unnest(p.commits) as u (c)
    where p.merged_at is not null and p.merge_sha is not null
),

-- a squash merge put one commit with one parent on the branch that is none of the pull request's own; the last commit
-- of a rebase keeps the authored time of the last own one, which is never a merge
squashed as (
    select u.repo, u.number
    from unnested as u
    inner join source.commits as m on m.repo = u.repo and m.sha = u.merge_sha
    where cardinality(m.parents) = 1
    group by u.repo, u.number, m.authored_at
    having
        not bool_or(u.sha = u.merge_sha)
        and m.authored_at is distinct from max_by(u.authored_at, u.place) filter (where not u.is_merge)
)

select
    u.* except (place),
    s.number is not null as is_squashed,
    min(u.authored_at) filter (where not u.is_merge) over (partition by u.repo, u.number) as first_authored_at
from unnested as u
left join squashed as s on s.repo = u.repo and s.number = u.number
