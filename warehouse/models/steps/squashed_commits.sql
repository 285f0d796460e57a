-- grain: one own commit of a squashed pull request, and of those that were squashed into its branch before, all the way down
with recursive squashes as (
    select distinct p.repo, p.number, coalesce(s.change, p.merge_sha) as change
    from pull_commits as p
    left join same_changes as s on s.repo = p.repo and s.sha = p.merge_sha
    where p.is_squashed
),

opened as (
    select
        p.repo,
        p.merge_sha,
        p.number as outer_number,
        p.number,
        p.sha,
        p.authored_at,
        p.title,
        p.is_merge,
        p.is_bot,
        p.assisted_by,
        1 as depth
    from pull_commits as p
    where p.is_squashed
    union all
    select
        o.repo,
        o.merge_sha,
        o.outer_number,
        i.number,
        i.sha,
        i.authored_at,
        i.title,
        i.is_merge,
        i.is_bot,
        i.assisted_by,
        o.depth + 1
    from opened as o
    left join same_changes as s on s.repo = o.repo and s.sha = o.sha
    inner join squashes as q on q.repo = o.repo and q.change = coalesce(s.change, o.sha)
    inner join pull_commits as i on i.repo = q.repo and i.number = q.number and i.number <> o.number
    where o.depth < 10
)

-- what was itself a squash is not what somebody wrote
select o.* except (depth)
from opened as o
left join same_changes as s on s.repo = o.repo and s.sha = o.sha
left join squashes as q on q.repo = o.repo and q.change = coalesce(s.change, o.sha) and q.number <> o.number
where q.number is null
