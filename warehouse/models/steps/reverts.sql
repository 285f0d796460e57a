-- grain: one counted deployment that shipped a change and one later deployment that shipped its revert
with delivered as (
    select
        s.service,
        s.repo,
        s.sha,
        c.subject,
        c.authored_at,
        coalesce(i.change, s.sha) as change,
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
    left join same_changes as i on i.repo = s.repo and i.sha = s.sha
),

squashes as (
    select distinct p.repo, p.number, coalesce(i.change, p.merge_sha) as change
    from pull_commits as p
    left join same_changes as i on i.repo = p.repo and i.sha = p.merge_sha
    where p.is_squashed
),

-- a squash is what its pull request's own commits were; what arrived twice, as copies, arrived with the first
arrived as (
    select o.*
    from (
        select d.service, d.repo, d.sha, d.change, d.source, d.id, d.at, d.finish_order,
            d.counted_as_source, d.counted_as_id, d.can_be_blamed
        from delivered as d
        union all
        select d.service, d.repo, d.sha, coalesce(o.change, p.sha), d.source, d.id, d.at, d.finish_order,
            d.counted_as_source, d.counted_as_id, d.can_be_blamed
        from delivered as d
        inner join squashes as q on q.repo = d.repo and q.change = d.change
        inner join squashed_commits as p on p.repo = q.repo and p.outer_number = q.number
        left join same_changes as o on o.repo = p.repo and o.sha = p.sha
    ) as o
    qualify row_number() over (partition by o.service, o.repo, o.change order by o.finish_order, o.sha) = 1
),

-- each commit and each pull request that a commit says it reverts
named as (
    select c.repo, c.sha, c.reverts_sha as named
    from source.commits as c
    where c.reverts_sha is not null
    union
    select c.repo, c.sha, u.named
    from source.commits as c
    cross join lateral unnest(c.also_reverts) as u (named)
),

known as (
    select c.repo, c.sha
    from source.commits as c
    union
    select p.repo, p.sha
    from pull_commits as p
),

by_sha as (
    select r.repo, coalesce(i.change, r.sha) as revert_change, coalesce(o.change, k.sha) as change
    from named as r
    inner join known as k
        on k.repo = r.repo
        and substr(k.sha, 1, 7) = substr(r.named, 1, 7)
        and k.sha like (r.named || '%')
    left join same_changes as i on i.repo = r.repo and i.sha = r.sha
    left join same_changes as o on o.repo = k.repo and o.sha = k.sha
),

numbered as (
    select p.repo, p.merge_sha, p.reverts as number
    from source.pull_requests as p
    where p.reverts is not null and p.merge_sha is not null
    union
    select p.repo, p.merge_sha, u.number
    from source.pull_requests as p
    cross join lateral unnest(p.also_reverts) as u (number)
    where p.merge_sha is not null
),

by_pull_request as (
    select r.repo, coalesce(i.change, r.merge_sha) as revert_change, coalesce(o.change, q.merge_sha) as change
    from numbered as r
    inner join source.pull_requests as q on q.repo = r.repo and q.number = r.number
    left join same_changes as i on i.repo = r.repo and i.sha = r.merge_sha
    left join same_changes as o on o.repo = q.repo and o.sha = q.merge_sha
    where q.merge_sha is not null
),

titled as (
    select d.service, d.repo, d.change, d.sha, d.authored_at, d.subject as title
    from delivered as d
    union all
    select d.service, d.repo, d.change, d.sha, d.authored_at, regexp_extract(d.subject, '^(.*) [(]#[0-9]+[)]$', 1)
    from delivered as d
    where d.subject like '% (#%)'
),

-- a revert that names neither: the newest earlier commit of that title, with or without GitHub's number behind it
by_subject as (
    select r.service, r.repo, r.change as revert_change, o.change
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
    select cast(null as string) as service, b.repo, b.revert_change, b.change
    from by_sha as b
    union
    select cast(null as string), b.repo, b.revert_change, b.change
    from by_pull_request as b
    union
    select b.service, b.repo, b.revert_change, b.change
    from by_subject as b
)

select
    r.service,
    o.counted_as_source as source,
    o.counted_as_id as id,
    r.source as revert_source,
    r.id as revert_id,
    r.at as reverted_at,
    min(o.sha) as sha
from found as f
inner join arrived as r on r.repo = f.repo and r.change = f.revert_change and r.service = coalesce(f.service, r.service)
inner join arrived as o on o.repo = f.repo and o.change = f.change and o.service = r.service
-- shipped together, nothing failed
where o.can_be_blamed and r.finish_order > o.finish_order
group by r.service, o.counted_as_source, o.counted_as_id, r.source, r.id, r.at
