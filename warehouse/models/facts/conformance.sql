-- grain: one counted deployment of a service on a golden path and one step of that path
-- column source: who told of the deployment
-- column id: what it is known by at its source
-- column service: the service that was deployed
-- column team: who owned the service then
-- column system: the system that the service was part of then
-- column day: the local day of finished_at
-- column finished_at: when it was in production
-- column repo: the repository that the commit is of
-- column sha: the commit that was deployed
-- column path: the golden path that the service was on then
-- column step: the step's name
-- column position: its place on the path, from 1
-- column is_required: whether the path requires it
-- column outcome: followed, missing, failed, skipped, too long, late, out of order, approved by hand or unknown
-- column reason: what became of it, in words
-- column run_url: the run that it was in, or the deployment to staging
-- column job_url: the job that it was
-- column is_shared: whether the same deployment was to several services, each of which has rows
select
    d.source,
    d.id,
    d.service,
    d.team,
    d.system,
    d.day,
    d.at as finished_at,
    d.repo,
    d.sha,
    j.path,
    s.step,
    j.position,
    s.is_required,
    j.outcome,
    j.reason,
    j.run_url,
    j.job_url,
    d.is_shared
from judged_steps as j
inner join path_steps as s on s.path = j.path and s.position = j.position
inner join deployments as d on d.source = j.source and d.id = j.id and d.service = j.service
