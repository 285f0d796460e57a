-- grain: one object and one stretch of days over whose ends it was so; the last stretch is open while it is there
with placed as (
    select
        m.*,
        lead(m.from_at) over (
            partition by m.source, m.application, m.kind, m.namespace, m.name order by m.from_at
        ) as until_at
    from source.managed_objects as m
)

select
    p.source,
    p.application,
    p.service,
    p.cluster,
    p.kind,
    p.namespace,
    p.name,
    p.from_at,
    p.url,
    cast(local_time(p.from_at) as date) as first_day,
    cast(local_time(p.until_at) as date) as until_day
from placed as p
where
    not p.is_gone
    -- what changed again on the same day was so over no day's end
    and (p.until_at is null or cast(local_time(p.until_at) as date) > cast(local_time(p.from_at) as date))
