-- grain: one rollback and one counted deployment that it left behind; the first of them is the one it blames
with targets as (
    select
        r.source,
        r.id,
        r.service,
        r.environment,
        r.place,
        r.at,
        max(live.place) as last_live_place
    from steps as r
    inner join steps as live
        on live.service = r.service
        and live.environment = r.environment
        and live.revision = r.revision
        and live.place < r.place
    where r.kind = 'rollback' and r.excluded_because = 'rollback'
    group by r.source, r.id, r.service, r.environment, r.place, r.at
),

-- counted as: the row itself, or the one that a further environment stands for
left_behind as (
    select
        t.source as rollback_source,
        t.id as rollback_id,
        t.service,
        t.at as rolled_back_at,
        s.counted_as_source as source,
        s.counted_as_id as id,
        min(s.place) as place
    from targets as t
    inner join steps as s
        on s.service = t.service
        and s.environment = t.environment
        and s.place > t.last_live_place
        and s.place < t.place
        and s.counted_as_id is not null
    group by all
)

select
    l.*,
    row_number() over (
        partition by l.rollback_source, l.rollback_id, l.service order by l.place, l.id, l.source
    ) = 1 as is_blamed
from left_behind as l
