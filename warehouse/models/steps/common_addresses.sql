-- grain: one address that several deployments have, such as an application's page or an environment's: it is that of none
select d.url
from source.deployments as d
semi join named_by_events as n on n.address = d.url
group by d.url
having count(*) > 1
