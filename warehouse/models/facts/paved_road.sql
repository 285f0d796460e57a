-- grain: one service of the catalogue and one aspect of the paved road, as it is today
-- column service: the service
-- column team: who owns it
-- column system: the system that it is part of
-- column aspect: runtime, database, cache, base image, registry, ci or deployment
-- column on_road: whether it keeps to the road; empty where nobody tells
-- column found: what was found, with its version where one is told, and by what
-- column allowed: what the platform stands by
-- column reason: why that is on the road, off it, or unknown
-- column url: the page of its repository
select p.service, s.team, s.system, p.aspect, p.on_road, p.found, p.allowed, p.reason, s.url
from paved_now as p
inner join services as s on s.service = p.service
where s.gone_at is null
