-- grain: one successful production deployment of a service, with what kind of step it was in its environment
with returned as (
    select
        s.*,
        p.first_at as previous_first_at,
        case
            when s.revision = s.previous_revision then 'repeat'
            when s.arrival_here = 1 and s.arrival = 1 then 'deployment'
            when s.arrival_here = 1 then 'further environment'
            when coalesce(a.is_ancestor, s.first_at < p.first_at) then 'rollback'
            else 'roll-forward'
        end as kind
    from sequences as s
    left join ancestry as a
        on a.repo = s.repo and a.sha = s.sha and a.of_sha = s.previous_sha
    left join sequences as p
        on p.service = s.service and p.revision = s.previous_revision and p.arrival = 1
),

-- the same step in several environments: the n-th of one environment is the n-th of another
numbered as (
    select
        r.*,
        row_number() over (
            partition by r.service, r.environment, r.previous_revision, r.revision, r.kind
            order by r.at, r.id, r.source
        ) as occurrence
    from returned as r
),

stepped as (
    select
        n.*,
        case
            when n.kind in ('rollback', 'roll-forward')
                then row_number() over (
                    partition by n.service, n.previous_revision, n.revision, n.kind, n.occurrence
                    order by n.at, n.id, n.source
                )
            else 1
        end as step
    from numbered as n
),

judged as (
    select
        s.*,
        s.kind = 'deployment' or (s.kind = 'roll-forward' and s.step = 1) as counted,
        case
            when s.kind = 'repeat' then 'repeat: this revision was running already'
            when s.kind = 'further environment' then 'already in ' || s.first_environment
            when s.kind = 'rollback' and s.step = 1 then 'rollback'
            when s.kind = 'rollback' then 'the same rollback in a further environment'
            when s.kind = 'roll-forward' and s.step > 1 then 'the same step in a further environment'
        end as excluded_because
    from stepped as s
),

-- a repeat stands for what it repeats: the newest step here, which may be a rollback, and then for nothing
headed as (
    select
        j.*,
        max_by(j.kind, j.place) filter (where j.kind <> 'repeat') over (
            partition by j.service, j.environment order by j.place
            rows between unbounded preceding and current row
        ) as head
    from judged as j
)

select
    h.source,
    h.id,
    h.service,
    h.environment,
    h.at,
    h.repo,
    h.sha,
    h.revision,
    h.place,
    h.previous_revision,
    h.kind,
    h.excluded_because,
    case when h.head <> 'rollback' then
        max_by(h.source, h.at) filter (where h.counted) over earlier
    end as counted_as_source,
    case when h.head <> 'rollback' then
        max_by(h.id, h.at) filter (where h.counted) over earlier
    end as counted_as_id
from headed as h
window earlier as (
    partition by h.service, h.revision order by h.at, h.id, h.source
    rows between unbounded preceding and current row
)
