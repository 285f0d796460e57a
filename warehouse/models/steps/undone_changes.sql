-- grain: one change and one later change that undoes it, as the message of a commit or a pull request says
with known as (
    select c.repo, c.sha, c.subject as title, true as is_on_branch
    from source.commits as c
    union all
    select p.repo, p.sha, p.title, false
    from pull_commits as p
),

-- each commit and each pull request that a commit says it reverts
named as (
    select c.repo, c.sha, c.authored_at, c.reverts_sha as named
    from source.commits as c
    where c.reverts_sha is not null
    union
    select c.repo, c.sha, c.authored_at, u.named
    from source.commits as c
    cross join lateral unnest(c.also_reverts) as u (named)
),

found as (
    select r.repo, r.sha, r.authored_at, k.sha as reverted, k.title
    from named as r
    inner join known as k
        on k.repo = r.repo
        and substr(k.sha, 1, 7) = substr(r.named, 1, 7)
        and k.sha like (r.named || '%')
    qualify k.is_on_branch or not bool_or(k.is_on_branch) over (partition by r.repo, r.sha, r.named, k.sha)
),

-- how git titles what undoes a commit, and GitHub with or without a number
titles as (
    select
        f.repo,
        f.reverted,
        u.title
    from (
        select
            f.repo,
            f.reverted,
            texts_of(
                'Revert "' || f.title || '"',
                'Revert "' || f.plain || '"',
                case when f.title like 'Revert "%' then 'Reapply "' || substr(f.title, 9) end,
                case when f.plain like 'Revert "%' then 'Reapply "' || substr(f.plain, 9) end
            ) as ways
        from (
            select distinct
                f.repo,
                f.reverted,
                f.title,
                regexp_replace(f.title, ' [(]#[0-9]+[)]$', '') as plain
            from found as f
        ) as f
    ) as f
    cross join lateral unnest(f.ways) as u (title)
    where u.title is not null
),

asked as (
    select distinct q.repo, q.number
    from found as f
    inner join squashes as q on q.repo = f.repo and q.sha = f.sha
),

listed as (
    select p.repo, p.number, p.sha, p.title
    from pull_commits as p
    semi join asked as a on a.repo = p.repo and a.number = p.number
    union
    select p.repo, p.outer_number, p.sha, p.title
    from squashed_commits as p
    semi join asked as a on a.repo = p.repo and a.number = p.outer_number
),

-- a squash says what one of the commits in it undoes: that one, where it says so itself, or else where its title does
by_itself as (
    select f.repo, f.sha, f.reverted, p.sha as within
    from found as f
    inner join squashes as q on q.repo = f.repo and q.sha = f.sha
    inner join listed as p on p.repo = q.repo and p.number = q.number and p.sha <> f.sha
    inner join found as o on o.repo = p.repo and o.sha = p.sha and o.reverted = f.reverted
),

by_one_within as (
    select i.repo, i.sha, i.reverted, i.within
    from by_itself as i
    union
    select f.repo, f.sha, f.reverted, p.sha
    from found as f
    inner join squashes as q on q.repo = f.repo and q.sha = f.sha
    inner join listed as p on p.repo = q.repo and p.number = q.number
    inner join titles as t
        on t.repo = f.repo
        and t.reverted = f.reverted
        and t.title in (p.title, regexp_replace(p.title, ' [(]#[0-9]+[)]$', ''))
    anti join by_itself as i on i.repo = f.repo and i.sha = f.sha and i.reverted = f.reverted
),

-- and where it repeats what was said before, as the messages of squashes of squashes do, nothing new
repeated as (
    select distinct f.repo, f.sha, f.reverted
    from found as f
    inner join squashes as q on q.repo = f.repo and q.sha = f.sha
    inner join found as o on o.repo = f.repo and o.reverted = f.reverted and o.authored_at < f.authored_at
),

said as (
    select w.repo, w.within as sha, w.reverted
    from by_one_within as w
    union
    select f.repo, f.sha, f.reverted
    from found as f
    anti join by_one_within as w on w.repo = f.repo and w.sha = f.sha and w.reverted = f.reverted
    anti join repeated as r on r.repo = f.repo and r.sha = f.sha and r.reverted = f.reverted
),

by_sha as (
    select s.repo, coalesce(i.change, s.sha) as revert_change, coalesce(o.change, s.reverted) as change
    from said as s
    left join same_changes as i on i.repo = s.repo and i.sha = s.sha
    left join same_changes as o on o.repo = s.repo and o.sha = s.reverted
),

says_numbers as (
    select p.repo, p.merge_sha as sha, p.reverts as number
    from source.pull_requests as p
    where p.reverts is not null and p.merge_sha is not null
    union
    select p.repo, p.merge_sha, u.number
    from source.pull_requests as p
    cross join lateral unnest(p.also_reverts) as u (number)
    where p.merge_sha is not null
    union
    -- where no commit is named: GitHub's titles of squashes and merges have the number
    select
        k.repo,
        k.sha,
        cast(nullif(regexp_extract(k.title, '^Revert "(Merge pull request #|[^"]* [(]#)([0-9]+)( from [^"]*"|[)]")', 2), '')
            as bigint)
    from known as k
    anti join found as f on f.repo = k.repo and f.sha = k.sha
    left join same_changes as i on i.repo = k.repo and i.sha = k.sha
    anti join by_sha as b on b.repo = k.repo and b.revert_change = coalesce(i.change, k.sha)
    where
        k.title like 'Revert "%#%'
        and (k.is_on_branch or not exists (select 1 from source.commits as c where c.repo = k.repo and c.sha = k.sha))
)

select b.repo, b.revert_change, b.change
from by_sha as b
anti join whole_changes as w on w.repo = b.repo and w.change = b.change
union
select b.repo, b.revert_change, n.change
from by_sha as b
inner join whole_changes as w on w.repo = b.repo and w.change = b.change
inner join pull_changes as n on n.repo = w.repo and n.number = w.number
union
select r.repo, coalesce(i.change, r.sha), n.change
from says_numbers as r
inner join pull_changes as n on n.repo = r.repo and n.number = r.number
left join same_changes as i on i.repo = r.repo and i.sha = r.sha
