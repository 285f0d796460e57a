-- grain: one commit that has the whole of a merged pull request in it: its squash, a copy of it, or its merge picked as one commit
with merges as (
    select c.repo, c.sha
    from source.commits as c
    where cardinality(c.parents) > 1
    union
    select p.repo, p.sha
    from pull_commits as p
    where p.is_merge
),

merged as (
    select distinct p.repo, p.number, p.merge_sha, p.merged_at, p.is_squashed, m.sha is not null as is_merge
    from pull_commits as p
    left join merges as m on m.repo = p.repo and m.sha = p.merge_sha
),

told as (
    select m.repo, m.merge_sha as sha, m.number, m.merged_at
    from merged as m
    where m.is_squashed
    union
    select m.repo, o.sha, m.number, m.merged_at
    from merged as m
    inner join same_changes as s on s.repo = m.repo and s.sha = m.merge_sha
    inner join same_changes as o on o.repo = s.repo and o.change = s.change and o.sha <> s.sha
    left join merges as x on x.repo = o.repo and x.sha = o.sha
    where (m.is_squashed or m.is_merge) and x.sha is null
)

select *
from told as t
qualify row_number() over (partition by t.repo, t.sha order by t.merged_at, t.number) = 1
