-- grain: one counted deployment that shipped a change and one later deployment that shipped its revert
with delivered as (
    select
        s.service,
        s.repo,
        s.sha,
        s.sha as shipped_sha,
        cast(null as bigint) as number,
        c.reverts_sha is not null as is_told,
        c.subject as title,
        c.authored_at,
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

-- a squash is what its pull request's own commits were, squashes among them
brought as (
    select d.*
    from delivered as d
    union all
    select d.* replace (p.sha as sha, p.title as title, p.authored_at as authored_at, p.number as number, false as is_told)
    from delivered as d
    inner join squashes as q on q.repo = d.repo and q.sha = d.sha
    inner join squashed_commits as p on p.repo = q.repo and p.outer_number = q.number
    where not p.is_merge
),

identified as (
    select b.*, coalesce(i.change, b.sha) as change
    from brought as b
    left join same_changes as i on i.repo = b.repo and i.sha = b.sha
),

-- what arrived twice, as copies, arrived with the first; what was there before arrived at no known time
arrived as (
    select *
    from identified as o
    anti join baseline_changes as b on b.service = o.service and b.repo = o.repo and b.change = o.change
    qualify row_number() over (partition by o.service, o.repo, o.change order by o.finish_order, o.sha) = 1
),

titled as (
    select o.service, o.repo, o.change, o.sha, o.authored_at, o.title
    from identified as o
    union all
    select o.service, o.repo, o.change, o.sha, o.authored_at, regexp_extract(o.title, '^(.*) [(]#[0-9]+[)]$', 1)
    from identified as o
    where o.title like '% (#%)'
),

-- what says by its title alone that it reverts something; of a squash what is in it
untold as (
    select
        o.service,
        o.repo,
        o.change,
        o.sha,
        o.authored_at,
        u.reverted_title,
        'Revert' || regexp_extract(o.title, '^Reapply( ".*)$', 1) as exact_title
    from identified as o
    cross join lateral unnest([
        regexp_extract(o.title, '^Revert "(.*)"( [(]#[0-9]+[)])?$', 1),
        'Revert' || regexp_extract(o.title, '^Reapply( ".*)$', 1),
        'Revert' || regexp_extract(o.title, '^Reapply( ".*") [(]#[0-9]+[)]$', 1)
    ]) as u (reverted_title)
    where
        (o.title like 'Revert "%' or o.title like 'Reapply "%')
        and not o.is_told
        and not exists (select 1 from undone_changes as u where u.repo = o.repo and u.revert_change = o.change)
        and not exists (
            select 1
            from source.pull_requests as p
            where p.repo = o.repo and p.number = o.number and p.reverts is not null
        )
        and not exists (
            select 1
            from squashes as q
            inner join squashed_commits as w on w.repo = q.repo and w.outer_number = q.number
            where q.repo = o.repo and q.sha = o.sha and w.title like 'Re%"%' and w.is_revert
        )
),

-- the newest earlier commit of that title, with or without GitHub's number behind it
by_title as (
    select r.service, r.repo, r.change as revert_change, o.change
    from untold as r
    inner join titled as o
        on o.service = r.service
        and o.repo = r.repo
        and o.title = r.reverted_title
        and o.authored_at < r.authored_at
    qualify row_number() over (
        partition by r.service, r.repo, r.sha order by o.title <> r.exact_title, o.authored_at desc, o.sha
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
)

select
    r.service,
    o.counted_as_source as source,
    o.counted_as_id as id,
    r.source as revert_source,
    r.id as revert_id,
    r.at as reverted_at,
    min(o.shipped_sha) as sha
from found as f
inner join arrived as r on r.repo = f.repo and r.change = f.revert_change and r.service = coalesce(f.service, r.service)
inner join arrived as o on o.repo = f.repo and o.change = f.change and o.service = r.service
-- shipped together, nothing failed
where o.can_be_blamed and r.finish_order > o.finish_order
group by r.service, o.counted_as_source, o.counted_as_id, r.source, r.id, r.at
