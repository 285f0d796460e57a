-- grain: one counted deployment that shipped a change and one later deployment that shipped its revert
with delivered as (
    select
        s.service,
        s.repo,
        s.sha,
        c.subject,
        c.authored_at,
        c.reverts_sha,
        a.source,
        a.id,
        a.at,
        a.finish_order,
        a.counted_as_source,
        a.counted_as_id,
        -- a change that shipped at an unknown time makes nobody fail
        not s.is_adrift and t.unknown_since is null and a.counted_as_id is not null as can_be_blamed
    from shipped as s
    inner join source.commits as c on c.repo = s.repo and c.sha = s.sha
    inner join arrivals as a on a.source = s.source and a.id = s.id and a.service = s.service
    inner join traces as t on t.source = s.source and t.id = s.id and t.service = s.service
),

-- a squash is what its pull request's own commits were
originals as (
    select d.service, d.repo, d.sha as shipped_sha, d.sha
    from delivered as d
    union
    select d.service, d.repo, d.sha, p.sha
    from delivered as d
    inner join pull_commits as p on p.repo = d.repo and p.merge_sha = d.sha and p.is_squashed
),

by_sha as (
    select n.service, n.repo, n.shipped_sha as revert_sha, o.shipped_sha as sha
    from originals as n
    inner join source.commits as c on c.repo = n.repo and c.sha = n.sha and c.reverts_sha is not null
    inner join originals as o
        on o.service = n.service
        and o.repo = n.repo
        and substr(o.sha, 1, 7) = substr(c.reverts_sha, 1, 7)
        and o.sha like (c.reverts_sha || '%')
),

by_pull_request as (
    select r.service, r.repo, r.sha, o.sha
    from source.pull_requests as p
    inner join source.pull_requests as q on q.repo = p.repo and q.number = p.reverts
    inner join delivered as r on r.repo = p.repo and r.sha = p.merge_sha
    inner join delivered as o on o.repo = q.repo and o.sha = q.merge_sha and o.service = r.service
),

titled as (
    select d.service, d.repo, d.sha, d.authored_at, d.subject as title
    from delivered as d
    union all
    select d.service, d.repo, d.sha, d.authored_at, regexp_extract(d.subject, '^(.*) [(]#[0-9]+[)]$', 1)
    from delivered as d
    where d.subject like '% (#%)'
),

-- a revert that names neither: the newest earlier commit of that title, with or without GitHub's number behind it
by_subject as (
    select r.service, r.repo, r.sha, o.sha
    from delivered as r
    inner join titled as o
        on o.service = r.service
        and o.repo = r.repo
        and o.title = regexp_extract(r.subject, '^Revert "(.*)"( [(]#[0-9]+[)])?$', 1)
        and o.authored_at < r.authored_at
    left join source.pull_requests as p on p.repo = r.repo and p.merge_sha = r.sha
    where r.reverts_sha is null and p.reverts is null and r.subject like 'Revert "%'
    qualify row_number() over (partition by r.service, r.repo, r.sha order by o.authored_at desc, o.sha) = 1
),

found as (
    select * from by_sha
    union
    select * from by_pull_request
    union
    select * from by_subject
)

select
    f.service,
    o.counted_as_source as source,
    o.counted_as_id as id,
    r.source as revert_source,
    r.id as revert_id,
    r.at as reverted_at,
    min(f.sha) as sha
from found as f
inner join delivered as r on r.service = f.service and r.repo = f.repo and r.sha = f.revert_sha
inner join delivered as o on o.service = f.service and o.repo = f.repo and o.sha = f.sha
-- shipped together, nothing failed
where o.can_be_blamed and r.finish_order > o.finish_order
group by f.service, o.counted_as_source, o.counted_as_id, r.source, r.id, r.at
