-- grain: one respondent of one survey round's satisfaction; of a round that was published, as it was taken into it
with fixed as (
    select t.round, min(t.closes_at) as closes_at
    from source.round_answers as t
    group by t.round
),

told as (
    select r.round, min(r.closes_at) as first_closes_at
    from source.responses as r
    group by r.round
),

taken as (
    select
        t.round,
        t.respondent,
        max(t.team) as team,
        max(t.submitted_at) as submitted_at,
        avg(t.score) as score,
        max(t.batch) as batch,
        bool_or(t.is_pooled) as is_pooled
    from taken_answers as t
    inner join satisfaction_questions as q on q.question = t.question
    group by t.round, t.respondent
),

-- those of several questions of satisfaction who were taken into one are in the round
waiting as (
    select
        a.round,
        a.respondent,
        max(a.team) as team,
        max(a.submitted_at) as submitted_at,
        max(a.closes_at) as closes_at,
        avg(a.score) as score
    from answers as a
    inner join satisfaction_questions as q on q.question = a.question
    left join taken as t on t.round = a.round and t.respondent = a.respondent
    where t.respondent is null
    group by a.round, a.respondent
),

current_answers as (
    select t.round, t.respondent, t.team, t.submitted_at, f.closes_at, t.score, t.batch, t.is_pooled, true as is_taken
    from taken as t
    inner join fixed as f on f.round = t.round
    union all
    select
        w.round,
        w.respondent,
        w.team,
        w.submitted_at,
        coalesce(f.closes_at, w.closes_at),
        w.score,
        null,
        true,
        false
    from waiting as w
    left join fixed as f on f.round = w.round
)

select
    c.round,
    c.respondent,
    coalesce(s.team, c.team) as team,
    c.closes_at as at,
    cast(local_time(c.closes_at) as date) as day,
    coalesce(o.first_closes_at, c.closes_at) as first_closes_at,
    c.submitted_at,
    c.score,
    c.batch,
    c.is_pooled,
    case
        when c.closes_at > g.as_of then 'its round has not closed'
        when c.score is null then 'its scale has no width'
        -- a published round changes by five answers at a time, or the one that came could be told from the difference
        when c.round in (select t.round from taken as t) and not c.is_taken
            then 'late: counted once five of its team, or of those withheld, came late'
    end as excluded_because
from current_answers as c
left join told as o on o.round = c.round
left join survey_teams as s on s.told = c.team
cross join settings as g
