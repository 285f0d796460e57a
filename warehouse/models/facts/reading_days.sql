-- grain: one day on which the state of services is read: each Sunday, and the day of the build
-- column day: the local day
select d.day
from days as d
where cast(date_trunc('week', d.day + 1) as date) = d.day + 1 or d.day = (select max(l.day) from days as l)
