-- grain: one change event of an incident and one address or commit that it names
-- what a change event says: its links and its details; PagerDuty's guess at the most recent change says nothing
with events as (
    select i.source, i.id, e.id as event, e.links, e.details
    from source.incidents as i
    cross join lateral unnest(i.change_events) as u (e)
    where coalesce(e.reason, '') <> 'most_recent'
),

said as (
    select v.source, v.id, v.event, v.details as words
    from events as v
    where v.details is not null
    union all
    select v.source, v.id, v.event, link
    from events as v
    cross join lateral unnest(v.links) as u (link)
)

select w.source, w.id, w.event, address, cast(null as string) as sha
from said as w
cross join lateral
    unnest(regexp_extract_all(w.words, 'https?:[-0-9A-Za-z/._~%?#=&+@:]*[-0-9A-Za-z/_~%=&]', 0)) as u (address)
union
select w.source, w.id, w.event, cast(null as string), lower(word)
from said as w
cross join lateral unnest(regexp_extract_all(w.words, '[0-9A-Fa-f]{7,64}', 0)) as u (word)
