-- grain: one change that is all of a merged pull request: its squash, its merge commit, their copies
select q.repo, coalesce(i.change, q.sha) as change, q.number
from squashes as q
left join same_changes as i on i.repo = q.repo and i.sha = q.sha
union
select p.repo, coalesce(i.change, p.merge_sha), p.number
from pull_commits as p
inner join source.commits as m on m.repo = p.repo and m.sha = p.merge_sha and cardinality(m.parents) > 1
left join same_changes as i on i.repo = p.repo and i.sha = p.merge_sha
