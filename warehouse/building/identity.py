"""What the source tables say of commits that may be one change; `warehouse/building/ancestry/copies.py` judges it."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.building.ancestry.copies import ToldCopies
from warehouse.building.histories import by_repository

# what so many commits have in common, a tool gave them: no person writes as many copies
_MOST_COPIES = 200

# merged pull requests whose own commits are not on the branch: they were rebased or squashed
_UNLIKE = """
create table unlike_own as
with heads as (
    select p.repo, p.number, case when len(m.parents) > 1 then m.parents[2] else m.sha end as head
    from source.pull_requests as p
    inner join source.commits as m on m.repo = p.repo and m.sha = p.merge_sha
    where p.merged_at is not null and len(p.commits) > 0
),
unlike as (
    select
        p.repo,
        p.number,
        p.merge_sha,
        p.commits,
        len(p.commits) as listed,
        greatest(coalesce(p.commit_count, 0), len(p.commits)) as commit_count,
        h.head
    from source.pull_requests as p
    inner join heads as h on h.repo = p.repo and h.number = p.number
    where not list_contains(list_transform(p.commits, lambda c: c.sha), h.head)
)
select u.* exclude (commits), c.sha, c.authored_at, c.subject, c.is_merge, ordinal
from unlike as u
cross join lateral (select unnest(u.commits) as c, generate_subscripts(u.commits, 1) as ordinal)
"""
# a squash that keeps an own commit's time may be any of them but the last, unless the title says so
_ALIKE = """
with own as (
    select u.*, u.ordinal = max(u.ordinal) over of_pull as is_last
    from unlike_own as u
    where not u.is_merge
    window of_pull as (partition by u.repo, u.number)
)
select
    o.repo, o.number, o.head, o.commit_count, o.listed, c.sha,
    min(o.sha) as own_sha, bool_or(o.is_last or o.subject is not null) as is_sure
from own as o
inner join source.commits as c
    on c.repo = o.repo
    and c.authored_at = o.authored_at
    and (o.subject is null or c.subject = o.subject)
group by all
order by o.repo, o.number
"""
# a title without the number that GitHub puts behind it; of own commits only those that are not on any branch themselves
_COPIES = rf"""
with told as (
    select c.repo, c.sha, c.author, c.authored_at, c.committed_at, c.subject, null::bigint as number, 0 as place
    from source.commits as c
    where c.authored_at is not null and c.subject <> ''
    union all
    select u.repo, u.sha, null, u.authored_at, null, u.subject, u.number, u.ordinal
    from unlike_own as u
    anti join source.commits as c on c.repo = u.repo and c.sha = u.sha
    where u.subject is not null and not u.is_merge
),
at_once as (
    select t.repo, t.authored_at
    from told as t
    group by all
    having count(*) > 1
),
titled as (
    select t.* exclude (subject), regexp_replace(t.subject, ' [(]#[0-9]+[)]$', '') as title
    from told as t
    semi join at_once as a on a.repo = t.repo and a.authored_at = t.authored_at
),
shared as (
    select t.repo, t.authored_at, t.title
    from titled as t
    group by all
    having count(distinct t.sha) between 2 and {_MOST_COPIES}
)
select
    t.repo, epoch_us(t.authored_at) as authored_at, t.title, t.sha, t.author, t.number, t.place,
    epoch_us(t.committed_at) as committed_at
from titled as t
semi join shared as s on s.repo = t.repo and s.authored_at = t.authored_at and s.title = t.title
order by t.repo
"""
_PICKS = (
    "select c.repo, c.sha, c.picked_from from source.commits as c where len(c.picked_from) > 0 order by all"
)
# of those without a merge commit, the commit that the merge put on the branch and the own ones
_WITHIN = """
select u.repo, u.number, u.head, list(u.sha order by u.ordinal)
from unlike_own as u
where u.head = u.merge_sha and not u.is_merge
group by all
order by u.repo, u.number
"""


def told_copies(connection: duckdb.DuckDBPyConnection, repos: Sequence[str | None]) -> Iterator[ToldCopies]:
    """Of each of `repos`, which are in the order of their names, what is told of its commits."""
    connection.execute(_UNLIKE)
    queries = (_ALIKE, _COPIES, _PICKS, _WITHIN)
    of_each = (by_repository(connection, repos, query) for query in queries)
    for alike, copies, picks, within in zip(*of_each, strict=True):
        yield ToldCopies(alike, copies, _rows(picks), _rows(within))
    connection.execute("drop table unlike_own")


def _rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
