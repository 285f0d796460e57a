-- grain: one comment of a closed survey round; without its text and its team where the team is withheld
with published as (
    select
        r.round,
        r.team,
        case when r.team is null then count(*) >= max(g.fewest_people) else not bool_or(r.is_pooled) end as is_shown
    from responses as r
    cross join settings as g
    where r.excluded_because is null
    group by r.round, r.team
)

select
    r.round,
    r.day,
    case when p.is_shown then r.team end as team,
    c.question,
    case when p.is_shown then substr(c.text, 1, 2000) end as text
from source.comments as c
inner join responses as r on r.round = c.round and r.respondent = c.respondent and r.excluded_because is null
inner join published as p on p.round = r.round and p.team is not distinct from r.team
where trim(c.text) <> ''
