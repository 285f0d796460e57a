-- grain: one pull request and service that it was delivered to, by its first change that counts
-- what came together is alike but for the commit
with together as (
    select
        c.repo,
        c.pull_request,
        c.service,
        c.team,
        c.system,
        c.at,
        c.day,
        max(c.assisted_by) as assisted_by,
        c.coding_seconds,
        c.pickup_seconds,
        c.review_seconds,
        c.unreviewed_seconds,
        c.deploy_seconds,
        c.url,
        min(c.sha) as sha
    from changes as c
    where c.excluded_because is null and c.pull_request is not null
    group by all
),

first_changes as (
    select t.* except (assisted_by), max(t.assisted_by) over (partition by t.repo, t.pull_request) as assisted_by
    from together as t
    qualify row_number() over (
        partition by t.repo, t.pull_request, t.service
        order by t.at, t.deploy_seconds nulls last, t.sha
    ) = 1
)

select
    f.* except (sha),
    count(*) over (partition by f.repo, f.pull_request) > 1 as is_shared
from first_changes as f
