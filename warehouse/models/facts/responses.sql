-- grain: one respondent of one survey round; of a round that was published, as it was taken into it
with fixed as (
    select distinct t.round, t.closes_at
    from source.round_answers as t
),

current_answers as (
    select
        coalesce(t.round, a.round) as round,
        coalesce(t.respondent, a.respondent) as respondent,
        case when t.round is not null then t.team else a.team end as team,
        case when t.round is not null then t.submitted_at else a.submitted_at end as submitted_at,
        coalesce(t.score, a.score) as score,
        coalesce(t.closes_at, a.closes_at) as closes_at,
        t.round is not null as is_taken,
        t.batch,
        coalesce(t.is_pooled, true) as is_pooled
    from answers as a
    full join source.round_answers as t on t.round = a.round and t.respondent = a.respondent
)

select
    c.round,
    c.respondent,
    c.team,
    coalesce(f.closes_at, c.closes_at) as at,
    cast(local_time(coalesce(f.closes_at, c.closes_at)) as date) as day,
    c.submitted_at,
    c.score,
    c.batch,
    c.is_pooled,
    case
        when coalesce(f.closes_at, c.closes_at) > g.as_of then 'its round has not closed'
        when c.score is null then 'its scale has no width'
        -- a published round changes by five answers at a time, or the one that came could be told from the difference
        when f.round is not null and not c.is_taken
            then 'late: counted once five of its team, or of those withheld, came late'
    end as excluded_because
from current_answers as c
left join fixed as f on f.round = c.round
cross join settings as g
