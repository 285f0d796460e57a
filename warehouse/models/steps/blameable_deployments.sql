-- grain: one deployment of a service that an incident may blame: it counts, or stands for one that does
select
    a.source,
    a.id,
    a.service,
    a.sha,
    a.url,
    a.at,
    coalesce(a.started_at, a.at) as started_at,
    coalesce(a.counted_as_source, a.source) as counted_source,
    coalesce(a.counted_as_id, a.id) as counted_id
from arrivals as a
where a.excluded_because is null or a.counted_as_id is not null
