-- grain: one pull request and service that it was delivered to, by its first change that counts
with first_changes as (
    select
        c.repo, c.pull_request, c.service, c.team, c.system, c.at, c.day,
        max(c.assisted_by) over (partition by c.repo, c.pull_request) as assisted_by,
        c.coding_seconds, c.pickup_seconds, c.review_seconds, c.unreviewed_seconds, c.deploy_seconds, c.url
    from changes as c
    where c.excluded_because is null and c.pull_request is not null
    qualify row_number() over (
        partition by c.repo, c.pull_request, c.service
        order by c.at, c.deploy_seconds nulls last, c.sha
    ) = 1
)

select
    f.*,
    count(*) over (partition by f.repo, f.pull_request) > 1 as is_shared
from first_changes as f
