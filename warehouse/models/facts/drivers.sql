-- grain: one question of one closed survey round that is not satisfaction, of everybody or of a team; no score: withheld
with fixed as (
    select t.round, min(t.closes_at) as closes_at
    from source.round_answers as t
    group by t.round
),

taken as (
    select t.round, f.closes_at, t.question, coalesce(s.team, t.team) as team, t.score, t.is_pooled
    from taken_answers as t
    inner join fixed as f on f.round = t.round
    left join survey_teams as s on s.told = t.team
    where t.question not in (select q.question from satisfaction_questions as q)
)

select
    t.round,
    cast(local_time(t.closes_at) as date) as day,
    t.question,
    cast(null as string) as team,
    avg(t.score) as score,
    count(*) as n
from taken as t
group by t.round, t.closes_at, t.question
union all
select
    t.round,
    cast(local_time(t.closes_at) as date),
    t.question,
    t.team,
    case when not bool_or(t.is_pooled) then avg(t.score) end,
    count(*)
from taken as t
where t.team is not null
group by t.round, t.closes_at, t.question, t.team
