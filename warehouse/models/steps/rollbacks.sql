-- grain: one rollback and one counted deployment that it left behind; the first of them is the one it blames
-- where what it goes back to was live last
with returns as (
    select
        d.source,
        d.id,
        d.service,
        d.sequence,
        d.kind,
        d.place,
        d.at,
        d.finish_order,
        d.target,
        case
            when d.is_reconfigured
                then lag(d.place) over (partition by d.service, d.sequence, d.revision, d.state order by d.place)
            else lag(d.place) over (partition by d.service, d.sequence, d.revision order by d.place)
        end as last_live_place
    from deployment_steps as d
),

-- places lie in stretches, each no shorter than what a rollback left behind and at most twice as long, so that only
-- neighbours meet
targets as (
    select r.*, power(2.0, 1 + floor(log2(r.place - r.last_live_place))) as stretch_length
    from returns as r
    where r.kind = 'rollback' and r.last_live_place is not null
),

-- what it left behind begins in one stretch and ends there or in the next
placed as (
    select t.*, floor(t.last_live_place / t.stretch_length) as stretch
    from targets as t
    union all
    select t.*, floor(t.last_live_place / t.stretch_length) + 1
    from targets as t
),

lengths as (
    select distinct t.service, t.sequence, t.stretch_length
    from targets as t
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
    from deployment_steps as s
    inner join lengths as l on l.service = s.service and l.sequence = s.sequence
    inner join placed as t
        on t.service = s.service
        and t.sequence = s.sequence
        and t.stretch_length = l.stretch_length
        and t.stretch = floor(s.place / l.stretch_length)
        and s.place > t.last_live_place
        and s.place < t.place
    where s.counted_as_id is not null
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
