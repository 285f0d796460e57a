-- grain: one incident and one service that it may concern; an incident that maps to no service has no row
select i.source, i.id, s.service, s.team, s.system
from source.incidents as i
inner join services as s on s.service = i.service
union
select i.source, i.id, s.service, s.team, s.system
from source.incidents as i
inner join pagerduty_services as p on p.source_service = i.source_service
inner join services as s on s.service = p.service
where i.service is null
union
-- an issue concerns what its repository holds
select i.source, i.id, s.service, s.team, s.system
from source.incidents as i
inner join services as s on s.repo = i.source_service
where i.service is null and i.source = 'github_issues'
