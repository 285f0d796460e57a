-- grain: one commit within a squashed pull request: its own, and those of what was squashed into its branch before, down to the last
with recursive listed as (
    select
        p.repo,
        p.number,
        p.sha,
        p.authored_at,
        p.title,
        p.is_merge,
        p.is_bot,
        p.assisted_by,
        p.is_revert,
        min(p.merged_at) over (partition by p.repo, p.base_branch, coalesce(i.change, p.sha)) < p.merged_at as is_again
    from pull_commits as p
    left join same_changes as i on i.repo = p.repo and i.sha = p.sha
    where exists (select 1 from squashes as q where q.repo = p.repo and q.number = p.number)
),

-- what an earlier squash put on the same branch is listed again, and is not in this one; unless there is nothing else in it
within as (
    select w.*
    from listed as w
    qualify not w.is_again or count_if(not w.is_again and not w.is_merge) over (partition by w.repo, w.number) = 0
),

opened as (
    select w.* except (is_again), w.number as outer_number, 1 as depth
    from within as w
    union all
    select w.* except (is_again), o.outer_number, o.depth + 1
    from opened as o
    inner join squashes as q on q.repo = o.repo and q.sha = o.sha
    inner join within as w on w.repo = q.repo and w.number = q.number and w.number <> o.number
    where o.depth < 10
)

-- what was itself a squash is not what somebody wrote
select o.* except (depth), q.number is not null as is_squash
from opened as o
left join squashes as q on q.repo = o.repo and q.sha = o.sha and q.number <> o.number
