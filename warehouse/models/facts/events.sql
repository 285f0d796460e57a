-- grain: one event; the organisation's has no name, and one that happened at once has no `until`
-- column id: what the event goes by
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
