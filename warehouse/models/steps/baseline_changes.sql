-- grain: one change that was there with a service's first traced deployment: itself, a copy of it, or in a squash
select b.service, b.repo, coalesce(i.change, b.sha) as change
from baselined as b
left join same_changes as i on i.repo = b.repo and i.sha = b.sha
union
select b.service, b.repo, coalesce(o.change, p.sha)
from baselined as b
inner join squashes as q on q.repo = b.repo and q.sha = b.sha
inner join squashed_commits as p on p.repo = q.repo and p.outer_number = q.number
left join same_changes as o on o.repo = p.repo and o.sha = p.sha
