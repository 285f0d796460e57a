-- grain: one counted deployment that shipped a change and one later deployment that shipped its revert
-- what says that it reverts something; of a squash what is in it
with reverting_titles as (
    select c.repo, c.sha, c.sha as shipped_sha, cast(null as bigint) as number, c.subject as title, c.authored_at
    from source.commits as c
    where (c.subject like 'Revert "%' or c.subject like 'Reapply "%') and c.reverts_sha is null
    union all
    select q.repo, p.sha, q.sha, p.number, p.title, p.authored_at
    from squashes as q
    inner join squashed_commits as p on p.repo = q.repo and p.outer_number = q.number
    where not p.is_merge and (p.title like 'Revert "%' or p.title like 'Reapply "%')
),

-- by its title alone
untold as (
    select s.service, b.repo, coalesce(i.change, b.sha) as change, b.sha, b.authored_at, b.title
    from reverting_titles as b
    inner join shipped as s on s.repo = b.repo and s.sha = b.shipped_sha
    left join same_changes as i on i.repo = b.repo and i.sha = b.sha
    where
        not exists (
            select 1 from undone_changes as u where u.repo = b.repo and u.revert_change = coalesce(i.change, b.sha)
        )
        and not exists (
            select 1
            from source.pull_requests as p
            where p.repo = b.repo and p.number = b.number and p.reverts is not null
        )
        and not exists (
            select 1
            from squashes as q
            inner join squashed_commits as w on w.repo = q.repo and w.outer_number = q.number
            where q.repo = b.repo and q.sha = b.sha and w.title like 'Re%"%' and w.is_revert
        )
),

-- the title that it reverts, with or without GitHub's number behind it; exactly that one goes first
sought as (
    select distinct
        r.service,
        r.repo,
        r.change,
        r.sha,
        r.authored_at,
        u.reverted_title as title,
        u.reverted_title <> 'Revert' || regexp_extract(r.title, '^Reapply( ".*)$', 1) as is_near
    from (
        select
            n.*,
            texts_of(
                regexp_extract(n.title, '^Revert "(.*)"( [(]#[0-9]+[)])?$', 1),
                'Revert' || regexp_extract(n.title, '^Reapply( ".*)$', 1),
                'Revert' || regexp_extract(n.title, '^Reapply( ".*") [(]#[0-9]+[)]$', 1)
            ) as titles
        from untold as n
    ) as r
    cross join lateral unnest(r.titles) as u (reverted_title)
    where r.authored_at is not null and u.reverted_title is not null
),

own as (
    select c.repo, c.sha, c.sha as shipped_sha, c.authored_at, c.subject as title
    from source.commits as c
    union all
    select q.repo, p.sha, q.sha, p.authored_at, p.title
    from squashes as q
    inner join squashed_commits as p on p.repo = q.repo and p.outer_number = q.number
    where not p.is_merge
),

titled as (
    select o.*
    from own as o
    where o.authored_at is not null and o.title is not null
    union all
    select o.* except (title), regexp_extract(o.title, '^(.*) [(]#[0-9]+[)]$', 1)
    from own as o
    where o.authored_at is not null and o.title like '% (#%)'
),

written as (
    select s.service, t.repo, t.sha, t.authored_at, t.title
    from titled as t
    inner join (select distinct r.service, r.repo, r.title from sought as r) as s
        on s.repo = t.repo and s.title = t.title
    semi join shipped as d on d.service = s.service and d.repo = t.repo and d.sha = t.shipped_sha
    qualify row_number() over (partition by s.service, t.repo, t.title, t.authored_at order by t.sha) = 1
),

-- the newest earlier commit of that title
dated as (
    select e.*, max(e.written_at) over (
        partition by e.service, e.repo, e.title
        order by e.authored_at, e.written_at nulls first
        rows between unbounded preceding and current row
    ) as newest_at
    from (
        select s.*, cast(null as timestamp) as written_at
        from sought as s
        union all
        select w.service, w.repo, cast(null as string), w.sha, w.authored_at, w.title, false, w.authored_at
        from written as w
    ) as e
),

by_title as (
    select d.service, d.repo, d.change as revert_change, coalesce(i.change, w.sha) as change
    from dated as d
    inner join written as w
        on w.service = d.service
        and w.repo = d.repo
        and w.title = d.title
        and w.authored_at = d.newest_at
    left join same_changes as i on i.repo = w.repo and i.sha = w.sha
    where d.written_at is null
    qualify row_number() over (
        partition by d.service, d.repo, d.sha order by d.is_near, w.authored_at desc, w.sha
    ) = 1
),

found as (
    select cast(null as string) as service, u.repo, u.revert_change, u.change
    from undone_changes as u
    union
    select b.service, b.repo, b.revert_change, coalesce(n.change, b.change)
    from by_title as b
    left join whole_changes as w on w.repo = b.repo and w.change = b.change
    left join pull_changes as n on n.repo = w.repo and n.number = w.number
),

concerned as (
    select f.repo, f.change
    from found as f
    union
    select f.repo, f.revert_change
    from found as f
),

-- what came with each deployment; a squash is what its pull request's own commits were, squashes among them
brought as (
    select s.service, s.repo, s.sha, s.sha as shipped_sha, s.source, s.id, s.is_adrift
    from shipped as s
    union all
    select s.service, s.repo, p.sha, s.sha, s.source, s.id, s.is_adrift
    from shipped as s
    inner join squashes as q on q.repo = s.repo and q.sha = s.sha
    inner join squashed_commits as p on p.repo = q.repo and p.outer_number = q.number
    where not p.is_merge
),

-- few of them are asked for
asked as (
    select distinct b.*, c.change
    from brought as b
    left join same_changes as i on i.repo = b.repo and i.sha = b.sha
    inner join concerned as c on c.repo = b.repo and c.change = coalesce(i.change, b.sha)
),

-- what arrived twice, as copies, arrived with the first; what was there before arrived at no known time
arrived as (
    select
        b.service,
        b.repo,
        b.change,
        b.shipped_sha,
        a.source,
        a.id,
        a.at,
        a.finish_order,
        a.counted_as_source,
        a.counted_as_id,
        -- a change that shipped at an unknown time makes nobody fail
        not b.is_adrift and t.unknown_since is null and a.counted_as_id is not null as can_be_blamed
    from asked as b
    anti join baseline_changes as h on h.service = b.service and h.repo = b.repo and h.change = b.change
    inner join arrivals as a on a.source = b.source and a.id = b.id and a.service = b.service
    inner join traces as t on t.source = b.source and t.id = b.id and t.service = b.service
    qualify row_number() over (partition by b.service, b.repo, b.change order by a.finish_order, b.sha) = 1
),

-- by title within a service, by SHA or number wherever it was shipped
reverting as (
    select r.service, f.repo, f.change, r.source, r.id, r.at, r.finish_order
    from found as f
    inner join arrived as r on r.repo = f.repo and r.change = f.revert_change
    where f.service is null
    union all
    select r.service, f.repo, f.change, r.source, r.id, r.at, r.finish_order
    from found as f
    inner join arrived as r on r.service = f.service and r.repo = f.repo and r.change = f.revert_change
)

select
    r.service,
    o.counted_as_source as source,
    o.counted_as_id as id,
    r.source as revert_source,
    r.id as revert_id,
    r.at as reverted_at,
    min(o.shipped_sha) as sha
from reverting as r
inner join arrived as o on o.service = r.service and o.repo = r.repo and o.change = r.change
-- shipped together, nothing failed
where o.can_be_blamed and r.finish_order > o.finish_order
group by r.service, o.counted_as_source, o.counted_as_id, r.source, r.id, r.at
