-- grain: one respondent of one question of a survey round, as the answers stand now
with closing as (
    select r.round, max(r.closes_at) as closes_at
    from source.responses as r
    group by r.round
),

-- rounds that were closed when all questions counted as one
undivided as (
    select distinct t.round
    from source.round_answers as t
    where t.question = ''
),

-- who was taken into one question under a team stays in it
teams as (
    select t.round, t.respondent, max(t.team) as team
    from source.round_answers as t
    group by t.round, t.respondent
),

timed as (
    select
        r.round,
        case when u.round is null then r.question else '' end as question,
        r.respondent,
        case when t.respondent is null then r.team else t.team end as team,
        r.submitted_at,
        c.closes_at,
        r.submitted_at > c.closes_at as is_late,
        1 + 4 * (r.score - r.scale_min) / nullif(r.scale_max - r.scale_min, 0) as score
    from source.responses as r
    inner join closing as c on c.round = r.round
    left join undivided as u on u.round = r.round
    left join teams as t on t.round = r.round and t.respondent = r.respondent
),

-- what a person answered in time stands, whatever the same person adds after the close
kept as (
    select t.*
    from timed as t
    qualify not t.is_late or bool_and(t.is_late) over (partition by t.round, t.question, t.respondent)
)

select
    k.round,
    k.question,
    k.respondent,
    -- who names two teams is in one
    max(max(k.team)) over (partition by k.round, k.respondent) as team,
    max(k.submitted_at) as submitted_at,
    max(k.closes_at) as closes_at,
    bool_and(k.is_late) as is_late,
    avg(k.score) as score
from kept as k
group by k.round, k.question, k.respondent
