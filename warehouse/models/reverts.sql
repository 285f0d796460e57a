-- grain: one deployment that shipped a change and one later deployment that shipped its revert
with delivered as (
    select s.service, s.repo, s.sha, s.source, s.id, c.subject, c.authored_at, c.reverts_sha, a.at
    from shipped as s
    inner join source.commits as c on c.repo = s.repo and c.sha = s.sha
    inner join arrivals as a on a.source = s.source and a.id = s.id and a.service = s.service
),

by_sha as (
    select r.service, r.sha as revert_sha, r.source as revert_source, r.id as revert_id, r.at as reverted_at,
        o.source, o.id, o.at, o.sha
    from delivered as r
    inner join delivered as o
        on o.service = r.service
        and o.repo = r.repo
        and substr(o.sha, 1, 7) = substr(r.reverts_sha, 1, 7)
        and o.sha like (r.reverts_sha || '%')
),

by_pull_request as (
    select r.service, r.sha, r.source, r.id, r.at, o.source, o.id, o.at, o.sha
    from source.pull_requests as p
    inner join source.pull_requests as q on q.repo = p.repo and q.number = p.reverts
    inner join delivered as r on r.repo = p.repo and r.sha = p.merge_sha
    inner join delivered as o on o.repo = q.repo and o.sha = q.merge_sha and o.service = r.service
),

-- a revert that names neither: the newest earlier commit of that title, with or without GitHub's number behind it
by_subject as (
    select r.service, r.sha, r.source, r.id, r.at, o.source, o.id, o.at, o.sha
    from delivered as r
    inner join delivered as o
        on o.service = r.service
        and o.repo = r.repo
        and o.authored_at < r.authored_at
        and o.subject = regexp_extract(r.subject, '^Revert "(.*)"( [(]#[0-9]+[)])?$', 1)
    left join source.pull_requests as p on p.repo = r.repo and p.merge_sha = r.sha
    where r.reverts_sha is null and p.reverts is null and r.subject like 'Revert "%'
    qualify row_number() over (partition by r.service, r.sha order by o.authored_at desc, o.sha) = 1
),

found as (
    select * from by_sha
    union
    select * from by_pull_request
    union
    select * from by_subject
)

-- shipped together, nothing failed
select f.service, f.source, f.id, f.revert_source, f.revert_id, f.reverted_at, min(f.sha) as sha
from found as f
where f.reverted_at > f.at
group by f.service, f.source, f.id, f.revert_source, f.revert_id, f.reverted_at
