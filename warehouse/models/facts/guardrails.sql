-- grain: one service, one guardrail that holds for it, and one object: as it is on the day of the build
-- column service: the service
-- column team: who owns it
-- column system: the system that it is part of
-- column rule: the guardrail, such as Resource limits
-- column kind: the object's kind; Namespace of a network policy, Service or Application where no object is meant
-- column namespace: the object's namespace
-- column name: the object's name
-- column application: the Argo CD application that manages it, with its instance
-- column holds: whether the guardrail holds; empty where that is unknown
-- column reason: why it does not, or why it is unknown
-- column seen_at: when it was last known to be so
-- column url: the page of its application
select
    g.service,
    o.team,
    o.system,
    g.rule,
    g.kind,
    g.namespace,
    g.name,
    g.application,
    g.holds,
    g.reason,
    g.seen_at,
    g.url
from guardrail_days as g
inner join guarded_services as o on o.service = g.service and o.day = g.day
where g.day = (select max(r.day) from reading_days as r)
