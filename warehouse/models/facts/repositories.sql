-- grain: one repository and one service that it belongs to
-- column repo: the repository, owner/name
-- column service: the service that it belongs to; one that several share has a row for each
-- column team: who owned the service when the repository was created
-- column system: the system that the service was part of then
-- column at: the same as created_at: the time by which Time to First Commit counts it
-- column day: the local day of at
-- column created_at: when it was created
-- column first_commit_at: when the first commit by a person was written
-- column first_commit_sha: that commit
-- column time_to_first_commit_seconds: seconds from created_at to first_commit_at; 0 where that is older
-- column excluded_because: why it does not count; empty where it does
-- column is_shared: whether it belongs to several services, each of which has a row
-- column url: its page
with persons as (
    select c.repo, c.authored_at as first_commit_at, c.sha as first_commit_sha, c.parents
    from source.commits as c
    inner join source.repositories as r on r.repo = c.repo
    where
        not c.is_bot
        and c.authored_at is not null
        and cardinality(c.parents) < 2
        -- the commit that GitHub or a template made is nobody's first
        and not (
            cardinality(c.parents) = 0
            and lower(trim(c.subject)) = 'initial commit'
            and abs(seconds_between(r.created_at, c.authored_at)) <= 60
        )
        and not (
            cardinality(c.parents) = 0
            and r.from_template is not null
            and abs(seconds_between(r.created_at, c.authored_at)) <= 600
        )
    qualify row_number() over (partition by c.repo order by c.authored_at nulls last, c.sha) = 1
),

-- where the first known commit has a parent that is not known, an earlier one may be missing
beheaded as (
    select distinct p.repo
    from persons as p
    cross join lateral unnest(p.parents) as u (parent)
    left join source.commits as c on c.repo = p.repo and c.sha = parent
    where c.sha is null
)

select
    r.repo,
    s.service,
    o.team,
    o.system,
    r.created_at as at,
    cast(local_time(r.created_at) as date) as day,
    r.created_at,
    p.first_commit_at,
    p.first_commit_sha,
    case
        when p.first_commit_at < r.created_at then 0.0
        when b.repo is not null then null
        else seconds_between(r.created_at, p.first_commit_at)
    end as time_to_first_commit_seconds,
    case
        when r.is_fork then 'fork'
        when r.is_mirror then 'mirror'
        when p.first_commit_at is null then 'open: no commit by a person yet'
        when seconds_between(p.first_commit_at, r.created_at) > 3600 then 'imported history: older than its repository'
        when b.repo is not null then 'unknown: the first commits were not read'
    end as excluded_because,
    count(*) over (partition by r.repo) > 1 as is_shared,
    r.url
from source.repositories as r
left join persons as p on p.repo = r.repo
left join beheaded as b on b.repo = r.repo
left join services as s on s.repo = r.repo
left join owners as o
    on o.service = s.service
    and (o.from_at is null or o.from_at <= r.created_at)
    and (o.until_at is null or o.until_at > r.created_at)
