-- grain: one answer that a closed round is made of; `is_pooled` also where its batch is no longer of one team
select
    t.round,
    t.question,
    t.respondent,
    t.team,
    t.submitted_at,
    t.closes_at,
    t.score,
    t.batch,
    -- a part of a batch would follow from what was told while all of it was one team
    t.is_pooled or min(coalesce(s.team, t.team)) over (partition by t.round, t.question, t.batch)
    is distinct from max(coalesce(s.team, t.team)) over (partition by t.round, t.question, t.batch) as is_pooled
from source.round_answers as t
left join survey_teams as s on s.told = t.team
