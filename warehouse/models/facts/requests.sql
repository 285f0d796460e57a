-- grain: one request to the platform: an entry of a file that came or changed, or a ticket
-- column source: who told of it: git, or the word that an import gave
-- column id: what it is known by there
-- column kind: what was asked for, by its name in the configuration or the import
-- column name: the name of what was asked for
-- column way: self-service, or ticket
-- column is_change: whether it asks for more or other of what was there
-- column environment: for which environment, in the request's own words
-- column service: always empty: a request is a team's
-- column team: who asked, in the request's own words
-- column system: always empty
-- column repo: the repository that the file is in
-- column path: the file
-- column sha: the commit that brought it to the default branch
-- column pull_request: the number of the pull request
-- column opened_at: when its pull request was opened, else its commit written, or the ticket opened
-- column merged_at: when it came to the default branch
-- column ready_at: when the first sync or run that contains it had succeeded, or the ticket was done
-- column failed_at: when the first sync or run that contains it failed, of one of which none has succeeded
-- column at: the same as ready_at
-- column day: the local day of ready_at
-- column seconds: from opened_at to ready_at
-- column status: ready, waiting, failed or withdrawn
-- column excluded_because: why it does not count; empty where it does
-- column is_shared: never
-- column ready_url: the page of the sync or run
-- column url: the page of the pull request, commit or ticket
with asked as (
    select distinct q.repo
    from source.requests as q
),

numbered as (
    select p.repo, p.number, p.merge_sha as sha
    from source.pull_requests as p
    semi join asked as a on a.repo = p.repo
    where p.merged_at is not null and p.merge_sha is not null
    union
    select l.repo, l.number, l.sha
    from landings as l
    semi join asked as a on a.repo = l.repo
    union
    select p.repo, p.number, u.c.sha
    from source.pull_requests as p
    semi join asked as a on a.repo = p.repo
    cross join lateral unnest(p.commits) as u (c)
    where p.merged_at is not null
),

-- a commit of several pull requests came with the first of them that was merged
landed as (
    select n.repo, n.sha, p.number, p.created_at, p.merged_at, p.url
    from numbered as n
    semi join source.requests as q on q.repo = n.repo and q.sha = n.sha
    inner join source.pull_requests as p on p.repo = n.repo and p.number = n.number
    qualify row_number() over (partition by n.repo, n.sha order by p.merged_at nulls last, p.number) = 1
),

told as (
    select
        q.source,
        q.id,
        q.kind,
        q.name,
        q.way,
        q.is_change,
        q.environment,
        q.team,
        q.repo,
        q.path,
        q.sha,
        coalesce(q.number, l.number) as pull_request,
        q.number is not null as is_proposed,
        coalesce(l.created_at, q.opened_at) as opened_at,
        coalesce(l.merged_at, q.merged_at) as merged_at,
        q.ready_at as told_ready_at,
        q.withdrawn_at,
        d.ready_at,
        d.failed_at,
        d.by_source,
        d.by_subject,
        d.by_url,
        q.sha is not null and q.number is null and d.id is null as is_unknown,
        coalesce(l.url, q.url) as url
    from source.requests as q
    left join landed as l on l.repo = q.repo and l.sha = q.sha and q.number is null
    left join request_deliveries as d on d.source = q.source and d.id = q.id
    left join source.pull_requests as p on p.repo = q.repo and p.number = q.number
    -- what a pull request asked for is told anew by what it brought
    where p.merged_at is null
),

-- what was synced first is known only where everything was read from the merge on
read as (
    select distinct t.source, t.id
    from told as t
    inner join source.coverage as c
        on c.source = t.by_source
        and c.subject = t.by_subject
        and c.from_at <= t.merged_at
        and c.until_at >= t.ready_at
),

settled as (
    select
        t.*,
        t.told_ready_at is not null or t.ready_at is not null as is_ready,
        coalesce(t.told_ready_at, case when r.id is not null then t.ready_at end) as known_ready_at
    from told as t
    left join read as r on r.source = t.source and r.id = t.id
)

select
    s.source,
    s.id,
    s.kind,
    s.name,
    s.way,
    s.is_change,
    s.environment,
    cast(null as string) as service,
    s.team,
    cast(null as string) as system,
    s.repo,
    s.path,
    s.sha,
    s.pull_request,
    s.opened_at,
    s.merged_at,
    s.known_ready_at as ready_at,
    s.failed_at,
    s.known_ready_at as at,
    cast(local_time(s.known_ready_at) as date) as day,
    case when s.known_ready_at >= s.opened_at then seconds_between(s.opened_at, s.known_ready_at) end as seconds,
    case
        when s.is_ready then 'ready'
        when s.withdrawn_at is not null then 'withdrawn'
        when s.failed_at is not null then 'failed'
        else 'waiting'
    end as status,
    case
        when s.way = 'ticket' then 'ticket: not self-service'
        when s.is_ready and s.known_ready_at is null
            then 'unknown: what was read of its syncs or runs begins after it was merged'
        when s.known_ready_at < s.opened_at then 'unknown: ready before it was opened, by two clocks'
        when s.is_ready then null
        when s.withdrawn_at is not null then 'withdrawn: closed without being merged'
        when s.is_proposed then 'open: not merged yet'
        when s.is_unknown then 'unknown: its commit was not read'
        when s.failed_at is not null then 'failed: what contains it failed, and nothing has succeeded since'
        else 'open: merged, and nothing that contains it has succeeded yet'
    end as excluded_because,
    false as is_shared,
    s.by_url as ready_url,
    s.url
from settled as s
