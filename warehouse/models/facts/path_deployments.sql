-- grain: one counted deployment of a service on a golden path
-- column source: who told of the deployment
-- column id: what it is known by at its source
-- column service: the service that was deployed
-- column team: who owned the service then
-- column system: the system that the service was part of then
-- column at: the same as finished_at: the time by which Golden Path Conformance counts it
-- column day: the local day of finished_at
-- column finished_at: when it was in production
-- column repo: the repository that the commit is of
-- column sha: the commit that was deployed
-- column path: the golden path that the service was on then
-- column followed: 1 where it followed every required step, else 0; empty where that is unknown
-- column missed_step: the first required step that it did not follow
-- column reason: why that step was not followed, in words
-- column run_url: the run of that step; of a deployment that followed all of them, of the last one that has a run
-- column job_url: the job of that step in the same way
-- column excluded_because: why it does not count; empty where it does
-- column is_shared: whether the same deployment was to several services, each of which has a row
-- column url: the job or the run of the step that was missed, else the deployment's page
with judged as (
    select
        c.source,
        c.id,
        c.service,
        count_if(c.outcome = 'unknown') as unknown,
        count_if(c.outcome not in ('followed', 'unknown')) as missed,
        min_by(c.step, c.position) filter (where c.outcome not in ('followed', 'unknown')) as missed_step,
        min_by(c.reason, c.position) filter (where c.outcome not in ('followed', 'unknown')) as reason,
        min(case when c.outcome not in ('followed', 'unknown') then c.position end) as missed_position,
        max(case when c.job_url is not null then c.position end) as last_position,
        min_by(c.step || ': ' || c.reason, c.position) filter (where c.outcome = 'unknown') as unknown_because
    from conformance as c
    where c.is_required
    group by c.source, c.id, c.service
)

select
    d.source,
    d.id,
    d.service,
    d.team,
    d.system,
    d.at,
    d.day,
    d.at as finished_at,
    d.repo,
    d.sha,
    s.path,
    case when j.missed > 0 then 0 when j.unknown = 0 then 1 end as followed,
    j.missed_step,
    j.reason,
    c.run_url,
    c.job_url,
    case
        when j.source is null then 'its golden path says no steps that are required'
        when j.missed = 0 and j.unknown > 0 then j.unknown_because
    end as excluded_because,
    d.is_shared,
    coalesce(case when j.missed > 0 then coalesce(c.job_url, c.run_url) end, d.url) as url
from deployments as d
inner join path_stretches as s
    on s.service = d.service
    and s.path is not null
    and (s.from_at is null or s.from_at <= d.at)
    and (s.until_at is null or s.until_at > d.at)
left join judged as j on j.source = d.source and j.id = d.id and j.service = d.service
left join conformance as c
    on c.source = d.source
    and c.id = d.id
    and c.service = d.service
    and c.position = coalesce(j.missed_position, j.last_position)
where d.excluded_because is null and d.at is not null
