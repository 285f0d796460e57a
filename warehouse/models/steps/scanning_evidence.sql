-- grain: one service and one reading day: whether its last deployment until then went through the scans of its path
select
    cast(null as date) as day,
    cast(null as string) as service,
    cast(null as boolean) as holds,
    cast(null as string) as reason,
    cast(null as string) as url
where false
