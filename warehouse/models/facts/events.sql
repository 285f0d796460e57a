-- grain: one event; the organisation's has no name, and one that happened at once has no `until`
-- column id: what the event goes by; of a move on to a golden path or off it, the service and the day
-- column title: what happened
-- column kind: freeze, reorganisation, roll-out, golden path or other
-- column scope: organisation, system, group, team or service
-- column name: the name of the system, group, team or service; empty of the organisation
-- column at: when it happened or began
-- column until: when it was over; empty where it happened at once
-- column day: the local day of at
-- column resets: whether what is usual begins anew after it
-- column url: where more is said of it
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
union all
-- a move is an event of its own, unless a person told of it
select
    'move of ' || m.service || ' on ' || cast(m.day as string),
    case
        when m.to_path is null then 'Off the golden path ' || m.from_path
        when m.from_path is null then 'On to the golden path ' || m.to_path
        else 'From the golden path ' || m.from_path || ' to ' || m.to_path
    end,
    'golden path',
    'service',
    m.service,
    m.at,
    cast(null as timestamp),
    m.day,
    true,
    cast(null as string)
from path_moves as m
where
    m.service || ' ' || cast(m.day as string) not in (
        select substr(e.scope, 9) || ' ' || cast(cast(local_time(e.at) as date) as string)
        from source.events as e
        where e.kind = 'golden path' and e.scope like 'service %'
    )
