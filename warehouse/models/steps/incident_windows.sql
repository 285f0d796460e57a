-- grain: one incident and one deployment of its services in whose window it was opened
with within as (
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
    from judged_incidents as i
    inner join incident_services as s on s.source = i.source and s.id = i.id
    cross join settings as g
    inner join blameable_deployments as b
        on b.service = s.service
        and i.opened_at >= b.started_at
        and seconds_between(b.at, i.opened_at) <= g.window_seconds
    where i.ignored_because is null
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
