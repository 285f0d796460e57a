-- grain: one merged pull request, with the stages of its way and whether it was a hotfix or a revert
with started as (
    select c.repo, c.number, min(c.first_authored_at) as first_authored_at
    from pull_commits as c
    group by c.repo, c.number
),

-- a branch that no pattern names has no row in hotfix_branches, a label none in hotfix_labels
hotfixes as (
    select p.repo, p.number
    from source.pull_requests as p
    inner join hotfix_branches as b on b.branch = p.head_branch
    union
    select p.repo, p.number
    from source.pull_requests as p
    cross join lateral unnest(p.labels) as u (own_label)
    inner join hotfix_labels as h on h.label = lower(own_label)
),

timed as (
    select
        p.repo,
        p.number,
        p.merge_sha,
        p.merged_at,
        p.url,
        p.reverts,
        h.number is not null as is_hotfix,
        seconds_between(s.first_authored_at, coalesce(p.ready_at, p.created_at)) as coding_seconds,
        seconds_between(coalesce(p.ready_at, p.created_at), p.first_review_at) as pickup_seconds,
        seconds_between(p.first_review_at, p.merged_at) as review_seconds,
        seconds_between(coalesce(p.ready_at, p.created_at), p.merged_at) as open_seconds
    from source.pull_requests as p
    left join started as s on s.repo = p.repo and s.number = p.number
    left join hotfixes as h on h.repo = p.repo and h.number = p.number
    where p.merged_at is not null
)

-- a stage that would end before it began did not happen; a review after the merge was none on the way
select
    t.* except (coding_seconds, pickup_seconds, review_seconds, open_seconds),
    case when t.coding_seconds >= 0 then t.coding_seconds end as coding_seconds,
    case when t.pickup_seconds >= 0 and t.review_seconds >= 0 then t.pickup_seconds end as pickup_seconds,
    case when t.review_seconds >= 0 then t.review_seconds end as review_seconds,
    -- nobody reviewed it on the way
    case when coalesce(t.review_seconds, -1) < 0 and t.open_seconds >= 0 then t.open_seconds end as unreviewed_seconds
from timed as t
