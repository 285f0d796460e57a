-- grain: one pull request and one change in it; what is all of a pull request is not one of its own
with of_numbers as (
    select p.repo, p.number, p.merge_sha as sha
    from source.pull_requests as p
    where p.merge_sha is not null
    union all
    select p.repo, p.number, p.sha
    from pull_commits as p
    where not p.is_merge and not p.is_squashed
    union all
    select p.repo, p.number, w.sha
    from pull_commits as p
    inner join squashes as q on q.repo = p.repo and q.sha = p.sha and q.number <> p.number
    inner join squashed_commits as w on w.repo = q.repo and w.outer_number = q.number
    where not p.is_squashed and not w.is_merge
    union all
    select l.repo, l.number, l.sha
    from landings as l
    union all
    select p.repo, p.outer_number, p.sha
    from squashed_commits as p
    where not p.is_merge
)

select distinct o.repo, o.number, coalesce(i.change, o.sha) as change
from of_numbers as o
left join same_changes as i on i.repo = o.repo and i.sha = o.sha
anti join whole_changes as w on w.repo = o.repo and w.change = coalesce(i.change, o.sha)
