-- grain: one rollback and one counted deployment that it left behind; the first of them is the one it blames
with targets as (
    select
        r.source,
        r.id,
        r.service,
        r.sequence,
        r.place,
        r.at,
        r.finish_order,
        r.target,
        max(live.place) as last_live_place
    from deployment_steps as r
    inner join deployment_steps as live
        on live.service = r.service
        and live.sequence = r.sequence
        and live.place < r.place
        and live.revision = r.revision
        and (live.state = r.state or not r.is_reconfigured)
    where r.kind = 'rollback'
    group by r.source, r.id, r.service, r.sequence, r.place, r.at, r.finish_order, r.target
),

-- counted as: the row itself, or the one that a further sequence stands for
left_behind as (
    select
        t.source as rollback_source,
        t.id as rollback_id,
        t.service,
        t.sequence,
        t.target,
        t.at as rolled_back_at,
        t.finish_order,
        s.counted_as_source as source,
        s.counted_as_id as id,
        min(s.place) as place
    from targets as t
    inner join deployment_steps as s
        on s.service = t.service
        and s.sequence = t.sequence
        and s.place > t.last_live_place
        and s.place < t.place
        and s.counted_as_id is not null
    group by all
),

ranked as (
    select
        l.*,
        row_number() over (
            partition by l.rollback_source, l.rollback_id, l.service order by l.place, l.id, l.source
        ) = 1 as is_blamed
    from left_behind as l
),

-- one rollback in several sequences: back to the same revision, away from the same deployment
numbered as (
    select
        r.*,
        row_number() over (
            partition by r.service, r.sequence, r.target, r.source, r.id, r.is_blamed order by r.finish_order
        ) as occurrence
    from ranked as r
),

stepped as (
    select
        n.*,
        row_number() over (
            partition by n.service, n.target, n.source, n.id, n.is_blamed, n.occurrence order by n.finish_order
        ) as step
    from numbered as n
)

select
    s.rollback_source,
    s.rollback_id,
    s.service,
    s.rolled_back_at,
    s.source,
    s.id,
    s.is_blamed,
    max(case when s.is_blamed then s.step end) over (
        partition by s.rollback_source, s.rollback_id, s.service
    ) > 1 as is_further_environment
from stepped as s
