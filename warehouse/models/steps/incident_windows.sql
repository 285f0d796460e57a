-- grain: one incident and one deployment of its services in whose window it was opened
-- deployments and incidents lie in stretches of the calendar, each no shorter than a deployment's window and at most
-- twice as long, so that only neighbours meet
with stretched as (
    select
        b.*,
        seconds_between(timestamp '1970-01-01 00:00:00', b.started_at) as starts,
        g.window_seconds,
        greatest(g.window_seconds, 1.0) * power(2.0, 1 + floor(log2(greatest(
            1.0, (seconds_between(b.started_at, b.at) + g.window_seconds) / greatest(g.window_seconds, 1.0)
        )))) as stretch_seconds
    from blameable_deployments as b
    cross join settings as g
),

-- a window begins in one stretch and ends there or in the next
placed as (
    select b.*, floor(b.starts / b.stretch_seconds) as stretch
    from stretched as b
    union all
    select b.*, floor(b.starts / b.stretch_seconds) + 1
    from stretched as b
),

lengths as (
    select distinct b.stretch_seconds
    from stretched as b
),

opened as (
    select
        i.source,
        i.id,
        s.service,
        i.opened_at,
        l.stretch_seconds,
        floor(seconds_between(timestamp '1970-01-01 00:00:00', i.opened_at) / l.stretch_seconds) as stretch
    from judged_incidents as i
    inner join incident_services as s on s.source = i.source and s.id = i.id
    cross join lengths as l
    where i.ignored_because is null
),

within as (
    select
        i.source as incident_source,
        i.id as incident_id,
        i.opened_at,
        b.source,
        b.id,
        b.service,
        b.counted_source,
        b.counted_id,
        b.started_at,
        b.at
    from opened as i
    inner join placed as b
        on b.service = i.service
        and b.stretch_seconds = i.stretch_seconds
        and b.stretch = i.stretch
        and i.opened_at >= b.started_at
        and seconds_between(b.at, i.opened_at) <= b.window_seconds
),

-- of each service the one that would be blamed
latest as (
    select w.*
    from within as w
    qualify row_number() over (
        partition by w.incident_source, w.incident_id, w.service
        order by w.started_at desc, w.at desc, length(w.id) desc, w.id desc, w.source
    ) = 1
),

-- where several services were deployed by themselves, nobody can say whose it was
several as (
    select l.incident_source, l.incident_id
    from latest as l
    group by l.incident_source, l.incident_id
    having count(distinct l.counted_source || ' ' || l.counted_id) > 1
)

select w.*, s.incident_id is not null as is_of_several
from within as w
left join several as s on s.incident_source = w.incident_source and s.incident_id = w.incident_id
