-- grain: one attempt of a workflow run that the configuration takes for a deployment to production, or why it is none
with files as (
    select r.repo, r.id, r.attempt, r.workflow as file
    from source.workflow_runs as r
    union
    select r.repo, r.id, r.attempt, file
    from source.workflow_runs as r
    cross join lateral unnest(r.referenced_workflows) as u (file)
),

-- the first entry of the configuration that names the file of a run, or one that it called
ruled as (
    select f.repo, f.id, f.attempt, min(v.rule) as rule
    from files as f
    inner join workflow_values as v on v.kind = 'workflow' and v.value = f.file
    group by f.repo, f.id, f.attempt
),

runs as (
    select
        r.*,
        u.environment,
        u.unit,
        u.job,
        u.has_branches,
        u.has_events,
        u.rule,
        count(*) over (partition by r.id, r.attempt) > 1 as is_ambiguous
    from source.workflow_runs as r
    inner join ruled as m on m.repo = r.repo and m.id = r.id and m.attempt = r.attempt
    inner join workflow_rules as u on u.rule = m.rule
    where u.is_production
),

-- of the jobs that bear the environment's name, those that also say that they deploy
deploying as (
    select r.repo, r.id, r.attempt, j.name, j.conclusion, j.started_at, j.finished_at, v.says_so
    from runs as r
    cross join lateral unnest(r.jobs) as u (j)
    inner join workflow_values as v on v.kind = 'job' and v.rule = r.rule and v.value = j.name
    qualify v.says_so or not bool_or(v.says_so) over (partition by r.repo, r.id, r.attempt)
),

of_jobs as (
    select
        d.repo,
        d.id,
        d.attempt,
        min(d.name) as name,
        count_if(d.conclusion = 'success') as succeeded,
        count_if(d.conclusion in ('failure', 'timed_out', 'startup_failure')) as failed,
        count_if(d.conclusion is null) as running,
        count_if(d.conclusion = 'skipped') = count(*) as is_skipped,
        min(d.started_at) filter (where coalesce(d.conclusion, '') <> 'skipped') as started_at,
        max(d.finished_at) filter (where coalesce(d.conclusion, '') <> 'skipped') as finished_at
    from deploying as d
    group by d.repo, d.id, d.attempt
),

tags as (
    select distinct d.repo, d.ref
    from source.deployments as d
    where d.source in ('releases', 'tags') and d.ref is not null
)

select
    case when r.is_ambiguous then r.repo || '/' else '' end || cast(r.id as string) || '/' || cast(r.attempt as string)
        as id,
    r.id as run_id,
    r.attempt,
    r.repo,
    r.workflow,
    coalesce(r.unit, r.workflow) as unit,
    r.environment,
    r.sha,
    r.branch,
    case
        when j.failed > 0 then 'failure'
        when j.running > 0 and r.conclusion is null then 'running'
        when j.succeeded > 0 and j.running = 0 then 'success'
        when j.name is not null then 'cancelled'
        when r.conclusion is null then 'running'
        when r.conclusion = 'success' then 'success'
        when r.conclusion in ('failure', 'timed_out', 'startup_failure') then 'failure'
        else 'cancelled'
    end as status,
    coalesce(j.started_at, r.started_at, r.created_at) as started_at,
    coalesce(j.finished_at, r.finished_at) as finished_at,
    case
        when r.has_events and e.value is null then 'started by ' || coalesce(r.event, 'something unknown')
        when not r.has_events and r.event in ('pull_request', 'pull_request_target', 'merge_group')
            then 'started by ' || r.event
        when r.has_branches and b.value is null then 'of the branch ' || coalesce(r.branch, 'unknown')
        when
            not r.has_branches
            and coalesce(r.event, '') <> 'release'
            and r.branch <> p.default_branch
            and t.ref is null
            and not regexp_matches(r.branch, '^v?[0-9]+([.][0-9]+)+')
            then 'of the branch ' || r.branch
        when j.name is null and r.conclusion = 'skipped' then 'it was skipped'
        when j.is_skipped then 'its job ' || j.name || ' was skipped'
        when r.job is not null and j.name is null and r.conclusion is not null
            then 'without a job ' || r.job
    end as no_deployment_because,
    r.url
from runs as r
left join of_jobs as j on j.repo = r.repo and j.id = r.id and j.attempt = r.attempt
left join source.repositories as p on p.repo = r.repo
left join tags as t on t.repo = r.repo and t.ref = r.branch
left join workflow_values as e on e.kind = 'event' and e.rule = r.rule and e.value = r.event
left join workflow_values as b on b.kind = 'branch' and b.rule = r.rule and b.value = r.branch
