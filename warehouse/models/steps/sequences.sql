-- grain: one successful production deployment of a service, in the sequence of its environment and unit
with arrived as (
    select
        c.source,
        c.id,
        c.service,
        c.environment,
        c.unit,
        c.sequence,
        c.at,
        c.finish_order,
        t.repo,
        t.service_sha as sha,
        coalesce(c.config_repo || '@', '') || c.config_sha as configuration,
        t.service_sha is null as is_configuration_only
    from candidates as c
    inner join traces as t on t.source = c.source and t.id = c.id and t.service = c.service
    where c.status = 'success' and c.at is not null and c.told_by is null and c.no_deployment_because is null
),

-- the state is the revision together with its configuration: two of one revision differ by a change of configuration
revised as (
    select
        a.source,
        a.id,
        a.service,
        a.environment,
        a.unit,
        a.sequence,
        a.at,
        a.finish_order,
        a.repo,
        a.sha,
        coalesce(a.sha, a.configuration, a.source || '/' || a.id) as revision,
        case when not a.is_configuration_only then a.configuration end as configuration,
        coalesce(a.sha, a.configuration, a.source || '/' || a.id)
        || case when a.is_configuration_only then '' else coalesce(' ' || a.configuration, '') end as state
    from arrived as a
)

select
    r.*,
    row_number() over here as place,
    lag(r.revision) over here as previous_revision,
    lag(r.configuration) over here as previous_configuration,
    lag(r.state) over here as previous_state,
    lag(r.sha) over here as previous_sha,
    lag(r.repo) over here as previous_repo,
    row_number() over (partition by r.service, r.sequence, r.revision order by r.finish_order) as arrival_here,
    first_value(r.environment) over (partition by r.service, r.revision order by r.finish_order)
        as first_environment,
    first_value(r.unit) over (partition by r.service, r.revision order by r.finish_order) as first_unit,
    min(r.finish_order) over (partition by r.service, r.revision) as first_order,
    row_number() over (partition by r.service, r.sequence, r.state order by r.finish_order) as state_arrival_here,
    first_value(r.environment) over (partition by r.service, r.state order by r.finish_order)
        as state_first_environment,
    first_value(r.unit) over (partition by r.service, r.state order by r.finish_order) as state_first_unit,
    min(r.finish_order) over (partition by r.service, r.state) as state_first_order
from revised as r
window here as (partition by r.service, r.sequence order by r.finish_order)
