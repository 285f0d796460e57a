-- grain: one service and one reading day: whether its last deployment until then went through the scans of its path
with scans as (
    select
        r.day,
        c.service,
        c.step,
        c.outcome,
        c.reason,
        coalesce(c.job_url, c.run_url) as url
    from conformance as c
    inner join path_steps as s on s.path = c.path and s.position = c.position and s.kind = 'scan'
    inner join reading_days as r on c.day <= r.day
    qualify
        dense_rank() over (
            partition by r.day, c.service order by c.finished_at desc nulls last, c.id desc, c.source
        ) = 1
)

select
    s.day,
    s.service,
    case
        when count_if(s.outcome not in ('followed', 'unknown')) > 0 then false
        when count_if(s.outcome = 'unknown') > 0 then cast(null as boolean)
        else true
    end as holds,
    in_order(array_agg(s.step || ': ' || s.reason) filter (where s.outcome <> 'followed'), '; ') as reason,
    max(s.url) as url
from scans as s
group by s.day, s.service
