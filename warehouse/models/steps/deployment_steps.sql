-- grain: one successful production deployment of a service, with what kind of step it was in its sequence
with compared as (
    select
        s.*,
        -- the same application under a new configuration: its step is between states, else between revisions
        coalesce(s.revision = s.previous_revision, false) as is_same_revision,
        coalesce(s.revision = s.previous_revision and s.configuration <> s.previous_configuration, false)
            as is_reconfigured
    from sequences as s
),

first_of_revision as (
    select distinct s.service, s.revision, s.first_order
    from sequences as s
),

first_of_state as (
    select distinct s.service, s.state, s.state_first_order
    from sequences as s
),

returned as (
    select
        c.*,
        case when c.is_reconfigured then c.previous_state else c.previous_revision end as replaced,
        case when c.is_reconfigured then c.state else c.revision end as target,
        case when c.is_reconfigured then c.state_first_environment else c.first_environment end as had_first,
        case when c.is_reconfigured then c.state_first_unit else c.first_unit end as first_unit_of_it,
        case
            when c.is_same_revision and not c.is_reconfigured then 'repeat'
            when c.is_reconfigured and c.state_first_order = c.finish_order then 'configuration change'
            when c.is_reconfigured and c.state_arrival_here = 1 then 'further environment'
            when c.is_reconfigured and c.state_first_order < t.state_first_order then 'rollback'
            when c.is_reconfigured then 'roll-forward'
            when c.first_order = c.finish_order then 'deployment'
            when c.arrival_here = 1 then 'further environment'
            when coalesce(a.is_ancestor, c.first_order < r.first_order) then 'rollback'
            else 'roll-forward'
        end as kind
    from compared as c
    left join ancestry as a
        on a.repo = c.repo and a.sha = c.sha and a.of_sha = c.previous_sha
    left join first_of_revision as r
        on r.service = c.service and r.revision = c.previous_revision
    left join first_of_state as t
        on t.service = c.service and t.state = c.previous_state
),

-- the same step in several sequences: the n-th of one is the n-th of another
numbered as (
    select
        r.*,
        row_number() over (
            partition by r.service, r.sequence, r.replaced, r.target, r.kind order by r.finish_order
        ) as occurrence
    from returned as r
),

stepped as (
    select
        n.*,
        row_number() over (
            partition by n.service, n.replaced, n.target, n.kind, n.occurrence order by n.finish_order
        ) = 1 as is_first_step
    from numbered as n
),

judged as (
    select
        s.*,
        s.kind in ('deployment', 'configuration change') or (s.kind = 'roll-forward' and s.is_first_step) as counted,
        case
            when s.kind = 'repeat' then 'repeat: this revision was running already'
            when s.kind = 'further environment'
                then 'already in '
                || case
                    when s.had_first = s.environment then coalesce(s.first_unit_of_it, s.environment)
                    else s.had_first
                end
            when s.kind = 'rollback' then 'rollback'
            when s.kind = 'roll-forward' and not s.is_first_step then 'the same step in a further environment'
        end as excluded_because
    from stepped as s
),

-- a step stands for the newest counted one of its revision; a rollback for none
standing as (
    select
        j.*,
        case
            when j.kind <> 'rollback'
                then max(case when j.counted then j.finish_order end) over (
                    partition by j.service, j.revision order by j.finish_order
                    rows between unbounded preceding and current row
                )
        end as counted_order,
        max(case when j.kind <> 'repeat' then j.place end) over (
            partition by j.service, j.sequence order by j.place
            rows between unbounded preceding and current row
        ) as head_place
    from judged as j
)

select
    s.source,
    s.id,
    s.service,
    s.environment,
    s.sequence,
    s.at,
    s.finish_order,
    s.repo,
    s.sha,
    s.revision,
    s.state,
    s.is_reconfigured,
    s.target,
    s.place,
    s.kind,
    s.excluded_because,
    c.source as counted_as_source,
    c.id as counted_as_id
from standing as s
-- a repeat stands for what the newest other step here stands for
inner join standing as h on h.service = s.service and h.sequence = s.sequence and h.place = s.head_place
left join standing as c on c.finish_order = h.counted_order
