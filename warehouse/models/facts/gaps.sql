-- grain: one stretch that was missed between two readings of a source about a service, with what is known to be lost
with read as (
    select
        c.*,
        max(c.until_at) over (
            partition by c.fact, c.source, c.subject, c.service
            order by c.from_at, c.until_at
            rows between unbounded preceding and 1 preceding
        ) as read_until
    from service_coverage as c
),

-- Argo CD numbers an application's history one by one: a number that was never seen is a sync that was lost
numbered as (
    select
        coalesce(d.unit, d.application) as unit,
        regexp_extract(d.id, '^(.*)/[0-9]+$', 1) as uid,
        cast(regexp_extract(d.id, '/([0-9]+)$', 1) as bigint) as number,
        d.finished_at
    from source.deployments as d
    where d.source = 'argocd' and regexp_matches(d.id, '/[0-9]+$')
),

followed as (
    select
        n.unit,
        n.finished_at as lost_after,
        lead(n.finished_at) over (partition by n.unit, n.uid order by n.number) as lost_before,
        lead(n.number) over (partition by n.unit, n.uid order by n.number) - n.number - 1 as entries
    from numbered as n
)

select
    r.fact,
    r.source,
    r.subject,
    r.service,
    r.team,
    r.system,
    r.read_until as from_at,
    r.from_at as until_at,
    cast(sum(f.entries) as bigint) as lost_entries
from read as r
left join followed as f
    on r.source = 'argocd'
    and f.unit in (r.subject, regexp_extract(r.subject, '([^/]+)$', 1))
    and f.entries > 0
    and f.lost_after <= r.read_until
    and f.lost_before >= r.from_at
-- while another source spoke, nothing was missed
where r.from_at > r.read_until and not r.is_resumed
group by r.fact, r.source, r.subject, r.service, r.team, r.system, r.read_until, r.from_at
