-- grain: one event; the organisation's has no name, and one that happened at once has no `until`
select
    e.id,
    e.title,
    e.kind,
    split_part(e.scope, ' ', 1) as scope,
    substr(e.scope, length(split_part(e.scope, ' ', 1)) + 2) as name,
    e.at,
    e.until,
    cast(local_time(e.at) as date) as day,
    e.resets,
    e.url
from source.events as e
