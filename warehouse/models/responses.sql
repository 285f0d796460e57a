-- grain: one respondent of one survey round
with answered as (
    select
        r.round,
        r.respondent,
        max(r.team) as team,
        max(r.submitted_at) as submitted_at,
        avg(1 + 4 * (r.score - r.scale_min) / nullif(r.scale_max - r.scale_min, 0)) as score
    from source.responses as r
    group by r.round, r.respondent
),

closing as (
    select r.round, max(r.closes_at) as closes_at
    from source.responses as r
    group by r.round
),

timed as (
    select
        a.*,
        c.closes_at,
        a.submitted_at > c.closes_at as is_late,
        row_number() over (
            partition by a.round, a.team, a.submitted_at > c.closes_at order by a.submitted_at, a.respondent
        ) as place,
        count(*) over (partition by a.round, a.team, a.submitted_at > c.closes_at) as answers
    from answered as a
    inner join closing as c on c.round = a.round
)

select
    t.round,
    t.respondent,
    t.team,
    t.closes_at as at,
    cast(local_time(t.closes_at) as date) as day,
    t.submitted_at,
    t.score,
    case
        when t.closes_at > g.as_of then 'its round has not closed'
        -- a closed round changes by five answers at a time, or the one that came could be told from the difference
        when t.is_late and t.place > t.answers - t.answers % 5 then 'late: counted once five of its team came late'
    end as excluded_because
from timed as t
cross join settings as g
