-- grain: one respondent of one survey round, as the answers stand now
with closing as (
    select r.round, max(r.closes_at) as closes_at
    from source.responses as r
    group by r.round
),

timed as (
    select
        r.round,
        r.respondent,
        r.team,
        r.submitted_at,
        c.closes_at,
        r.submitted_at > c.closes_at as is_late,
        1 + 4 * (r.score - r.scale_min) / nullif(r.scale_max - r.scale_min, 0) as score
    from source.responses as r
    inner join closing as c on c.round = r.round
),

-- what a person answered in time stands, whatever the same person adds after the close
kept as (
    select t.*
    from timed as t
    qualify not t.is_late or bool_and(t.is_late) over (partition by t.round, t.respondent)
)

select
    k.round,
    k.respondent,
    max(k.team) as team,
    max(k.submitted_at) as submitted_at,
    max(k.closes_at) as closes_at,
    bool_and(k.is_late) as is_late,
    avg(k.score) as score
from kept as k
group by k.round, k.respondent
